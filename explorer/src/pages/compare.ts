// Two releases of a model beside each other: what changed.

import type { App } from "../app.js";
import { readManifest, type Manifest, type ManifestFile } from "../data/documents.js";
import { NotFound } from "../data/fetch.js";
import { readReport } from "../data/report.js";
import type { Entry } from "../data/types.js";
import { el, to, type Child } from "../dom.js";
import { hrefOf } from "../router.js";
import { printable, short, sizeWords } from "../text.js";
import { banner, day, idLink, later, note, recordLink, section, table, type View } from "../view.js";
import { gradeWords, tcbWords } from "../words.js";
import { contradictionBanner } from "./banners.js";
import { boundBanner } from "./files.js";
import { ofId } from "./record.js";

export async function comparePage(app: App, before: string, after: string): Promise<View> {
  const [old, fresh] = await Promise.all([before, after].map((id) => entryOf(app, id)));
  if (!old || !fresh) throw new NotFound("This registry does not have both records.");
  return {
    title: "What changed",
    above: el("p", { class: "crumbs" }, recordLink(old), " → ", recordLink(fresh)),
    body: [
      ...[old, fresh].map((one) => later("the chain’s own version", contradictionBanner(app, one))),
      old.name !== fresh.name && banner("warn", "Two models.", "These records are not of the same model."),
      old.publisher_identity !== fresh.publisher_identity && banner("warn", "The publisher changed.", "Another identity signed the later release. The namespace’s history tells whether it was announced."),
      section("The records", table("Facts of both records", ["Fact", label(old), label(fresh), "Changed"], factRows(old, fresh))),
      section("Software of the VM", later("the reports", measurements(app, old, fresh))),
      section("Made from", later("the parents", parents(app, old, fresh))),
      section("Files", later("the manifests", files(app, old, fresh))),
    ],
  };
}

async function entryOf({ source }: App, id: string): Promise<Entry | undefined> {
  const { entries } = await source.entries(id);
  return ofId(entries, id);
}

function label({ version }: Entry): string {
  return printable(version, 40);
}

function factRows(old: Entry, fresh: Entry): readonly (readonly Child[])[] {
  const identity = (digest: string): Child => to(hrefOf("p", digest), {}, el("code", {}, short(digest)));
  const code = (digest: string): Child => el("code", {}, short(digest));
  const rows: readonly (readonly [name: string, of: (entry: Entry) => string, show?: (value: string) => Child])[] = [
    ["Recorded", ({ recorded_at: at }) => at, day],
    ["Signed by", ({ publisher_identity: one }) => one, identity],
    ["Hardware", ({ product_line: line }) => line],
    ["Firmware (TCB)", ({ product_line: line, reported_tcb: tcb }) => tcbWords(line, tcb)],
    ["Grade", ({ grade }) => gradeWords(grade)],
    ["Policy", ({ policy_digest: digest }) => digest, (digest) => to(hrefOf("policy", digest), {}, code(digest))],
    ["Weight of oracles", ({ weight, threshold }) => `${weight} of ${threshold} needed`],
    ["Standing", ({ closure }) => closure ?? "active"],
    ["Model digest", ({ model_digest: digest }) => digest, code],
  ];
  return rows.map(([name, of, show = (value) => value]) => {
    const [one, two] = [of(old), of(fresh)];
    return [name, show(one), show(two), changed(one !== two)];
  });
}

function changed(isChanged: boolean): Child {
  return isChanged ? el("span", { class: "tag warn" }, "changed") : el("span", { class: "quiet" }, "same");
}

async function measurements({ source }: App, old: Entry, fresh: Entry): Promise<Child> {
  const [one, two] = await Promise.all([readReport(source, old), readReport(source, fresh)]);
  const rows = [
    ["Measurement", one.measurement, two.measurement],
    ["Chip", one.chipId, two.chipId],
  ].map(([name, a = "", b = ""]) => [name, el("code", {}, a), el("code", {}, b), changed(a !== b)]);
  const areBound = one.matches === true && two.matches === true;
  return [
    !areBound && banner("warn", "Not bound.", "The reports were not compared with the digests in the records, or differ from them."),
    table("From both attestation reports", ["Fact", label(old), label(fresh), "Changed"], rows),
  ];
}

async function parents(app: App, old: Entry, fresh: Entry): Promise<Child> {
  const all = [...new Set([...old.parents, ...fresh.parents])];
  if (all.length === 0) return note("Neither record names a recorded release as a parent.");
  const has = (entry: Entry, id: string): string => (entry.parents.includes(id) ? "yes" : "no");
  const rows = all.map(async (id) => {
    const known = await entryOf(app, id).catch(() => undefined); // the id then stands for the name
    const link = idLink(id, known?.name ?? null, known?.version ?? null);
    return [link, has(old, id), has(fresh, id), changed(has(old, id) !== has(fresh, id))];
  });
  return table("Parents", ["Parent", label(old), label(fresh), "Changed"], await Promise.all(rows));
}

/** What happened to a file from one manifest to the next. */
export type FileChange = "added" | "removed" | "changed" | "same";

export function fileChanges(old: readonly ManifestFile[], fresh: readonly ManifestFile[]): readonly (readonly [path: string, FileChange])[] {
  const [before, after] = [byPath(old), byPath(fresh)];
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort();
  return paths.map((path) => {
    const [one, two] = [before.get(path), after.get(path)];
    if (!one) return [path, "added"];
    if (!two) return [path, "removed"];
    return [path, isSame(one, two) ? "same" : "changed"];
  });
}

function byPath(files: readonly ManifestFile[]): ReadonlyMap<string, ManifestFile> {
  return new Map(files.map((file) => [file.path, file]));
}

/** Equal by a digest that both manifests have. Without one nothing says that they are. */
function isSame(one: ManifestFile, two: ManifestFile): boolean {
  const others = new Map(two.digests);
  const common = one.digests.filter(([algorithm]) => others.has(algorithm));
  return common.length > 0 && one.size === two.size && common.every(([algorithm, digest]) => others.get(algorithm) === digest);
}

async function files({ source }: App, old: Entry, fresh: Entry): Promise<Child> {
  const [one, two] = (await Promise.all([old, fresh].map((entry) => readManifest(source, entry)))) as [Manifest, Manifest];
  const [before, after] = [byPath(one.files), byPath(two.files)];
  const sizeOf = (all: ReadonlyMap<string, ManifestFile>, path: string): string => {
    const size = all.get(path)?.size;
    return typeof size === "number" ? sizeWords(size) : "–";
  };
  const tone = { added: "good", removed: "bad", changed: "warn", same: "note" };
  const rows = fileChanges(one.files, two.files).map(([path, change]) => [
    el("code", {}, printable(path, 1000)),
    sizeOf(before, path),
    sizeOf(after, path),
    change === "same" ? el("span", { class: "quiet" }, "same bytes") : el("span", { class: `tag ${tone[change]}` }, change),
  ]);
  return [boundBanner(one.matches), boundBanner(two.matches), table("Files of both releases", ["File", label(old), label(fresh), "Changed"], rows)];
}
