// A namespace: its owner, its publishers, its history with the proof that no entry is missing, and its records.

import type { App } from "../app.js";
import { ownerOf, replay, trusted } from "../data/namespaces.js";
import { timeOf } from "../data/records.js";
import type { Namespace, NamespaceEntry } from "../data/types.js";
import { el, to, type Child } from "../dom.js";
import { hrefOf } from "../router.js";
import { plural, printable, short } from "../text.js";
import { banner, digestOf, facts, later, moreButton, note, section, time, type View } from "../view.js";
import { kindWords } from "../words.js";
import { recordRows } from "./rows.js";

export async function namespacePage(app: App, name: string): Promise<View> {
  const { source } = app;
  const found = await source.namespace(name);
  const namespace = found && { ...found, name }; // an answer about another one would be proven by the other's head
  const history = namespace ? source.namespaceHistory(name) : Promise.resolve([]);
  history.catch(() => undefined); // each section below tells it
  const read = async (cursor?: string) => {
    const { entries, next_cursor: next } = await source.namespaceRecords(name, cursor);
    return [entries.length > 0 ? recordRows(entries) : note("No record is under this name."), next] as const;
  };
  return {
    title: printable(name, 96),
    above: el("p", { class: "crumbs" }, "namespace"),
    body: [
      namespace ? owned(namespace, history) : banner("warn", "Not claimed.", "Nobody has claimed this namespace, so anybody can publish under it."),
      section("Records", later("the records", read().then(([rows, next]) => [rows, moreButton(next, read)]))),
      namespace && section("History", later("the history", history.then((entries) => historyOf(app, namespace, entries)))),
    ],
  };
}

function owned(namespace: Namespace, history: Promise<readonly NamespaceEntry[]>): HTMLElement {
  const publishers = later("the publishers", history.then((entries) => identities(trusted(entries))));
  return facts(
    ["Owner", namespace.owner && digestOf(namespace.owner, "address of the owner")],
    ["Claimed", namespace.claimed_at && time(namespace.claimed_at)],
    ["Trusts", publishers],
    ["On first use", namespace.identity_limit !== null && `${namespace.first_uses ?? 0} of at most ${plural(namespace.identity_limit, "publisher")}`],
  );
}

function identities(digests: readonly string[]): Child {
  if (digests.length === 0) return "no publisher";
  return digests.map((digest) => el("div", {}, to(hrefOf("p", digest), {}, el("code", {}, digest))));
}

async function historyOf({ source }: App, { name, owner }: Namespace, entries: readonly NamespaceEntry[]): Promise<Child> {
  const { head, wrongAt } = replay(entries);
  const kept = await source.chain?.head(name).catch(() => undefined);
  const own = ownerOf(entries);
  const isOther = own !== owner?.toLowerCase() && banner("bad", "Another owner.", `The history below says that ${own ?? "nobody"} owns the namespace.`);
  return [isOther, completeness(entries.length, head, wrongAt, kept), el("ol", { class: "timeline" }, ...entries.map(entryItem))];
}

/** Each entry chains to the one before, and the contract keeps the last link. */
function completeness(count: number, head: bigint, wrongAt: number | null, kept: bigint | undefined): HTMLElement {
  if (wrongAt !== null) return banner("bad", "Not complete.", `Entry ${wrongAt} does not follow the one before it: an entry is missing, altered or added.`);
  const replayed = `This browser replayed ${plural(count, "entry", "entries")}; each chains to the one before.`;
  if (kept === undefined) return banner("note", "Consistent.", `${replayed} No node is configured to ask whether the last one is the contract’s last.`);
  if (kept !== head) return banner("bad", "Not complete.", `${replayed} But the contract’s history ends elsewhere, so entries are missing.`);
  return banner("good", "Complete.", `${replayed} They end at the head that the contract keeps, so none is missing.`);
}

function entryItem({ number, kind, subject, seconds, block }: NamespaceEntry): HTMLElement {
  const [words, what] = kindWords(kind);
  const account = `0x${subject.slice(24)}`;
  const shown = what === "identity" ? to(hrefOf("p", subject), {}, el("code", {}, short(subject))) : el("code", {}, what === "account" ? account : short(subject));
  return el(
    "li",
    { class: [2, 6].includes(kind) ? "bad" : "note" },
    el("p", { class: "quiet" }, time(timeOf(seconds))),
    el("p", {}, `${number}. `, words, " ", shown),
    el("p", { class: "quiet" }, `block ${block.toLocaleString("en")}`),
  );
}
