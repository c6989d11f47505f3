// Results of a search, and what was compared if there are none.

import type { App } from "../app.js";
import type { Entry, Found, Result } from "../data/types.js";
import { el, to, type Child } from "../dom.js";
import { hrefOf } from "../router.js";
import { printable } from "../text.js";
import { banner, day, moreButton, note, type View } from "../view.js";
import { recordRows, tagsOf } from "./rows.js";

const DIGEST = /^(0x)?[0-9a-f]{64}$/i;

export async function findPage(app: App, text: string): Promise<View> {
  const title = `Search: ${printable(text, 90)}`;
  if (!app.source.rest) return { title, body: await onChain(app, text) };
  const { rest } = app.source;
  const read = async (cursor?: string) => {
    const found = await rest.search(text, cursor);
    return [found.results.length > 0 ? results(found) : nothing(found.compared ?? []), found.next_cursor] as const;
  };
  const [first, next] = await read();
  return { title, body: [first, moreButton(next, read)] };
}

function results({ results: all }: Found): HTMLElement {
  return el("ul", { class: "rows" }, ...all.map((one) => el("li", {}, to(hrefFor(one), { class: "row" }, ...wordsFor(one)))));
}

function hrefFor(one: Result): string {
  if (one.kind === "namespace") return hrefOf("n", one.name ?? "");
  if (one.kind === "identity") return hrefOf("p", one.digest ?? "");
  if (one.kind === "policy") return hrefOf("policy", one.digest ?? "");
  return hrefOf("id", one.record_id ?? one.digest ?? "");
}

function wordsFor(one: Result): readonly Child[] {
  const name = one.name ? [one.name, " ", el("span", { class: "version" }, one.version)] : el("code", {}, one.digest ?? one.record_id);
  return [
    el("span", { class: "row-name" }, name),
    el("span", { class: "row-facts" }, one.kind, one.found_by ? ` · found by ${one.found_by}` : "", one.recorded_at && [" · ", day(one.recorded_at)]),
    one.product_line && el("span", { class: "tags" }, ...tagsOf({ closure: one.closure, product_line: one.product_line, grade: 0, batch: null })),
  ];
}

function nothing(compared: readonly string[]): HTMLElement {
  return el(
    "div",
    {},
    banner("note", "Nothing found.", "That is no judgement of a model: this registry simply has no such record."),
    compared.length > 0 && el("div", {}, el("p", {}, "Compared with:"), el("ul", {}, ...compared.map((words) => el("li", {}, words)))),
  );
}

/** Without an index: digests that are topics of the record's event, ids, and names in claimed namespaces. */
async function onChain({ source }: App, text: string): Promise<readonly Child[]> {
  const chain = source.chain!;
  if (DIGEST.test(text)) {
    const { entries } = await chain.entries(text.replace(/^0x/i, "").toLowerCase());
    return [list(entries, ["digests of models", "digests of manifests", "digests of reports", "ids of records"])];
  }
  const [name = "", version] = text.split("@");
  const [namespace = "", model] = name.split("/");
  const { entries } = model ? await chain.named(namespace, model, version) : await chain.namespaceRecords(namespace);
  const hint = note("Without an index, a name leads to a record only if its namespace is claimed. Words and publishers need an index.");
  return [list(entries, [`the history of the namespace ${namespace}`]), hint];
}

function list(entries: readonly Entry[], compared: readonly string[]): HTMLElement {
  return entries.length > 0 ? recordRows(entries) : nothing(compared);
}
