// Every file of a release, with its size and digests.

import type { App } from "../app.js";
import { readManifest, type ManifestFile } from "../data/documents.js";
import { NotFound } from "../data/fetch.js";
import type { Entry } from "../data/types.js";
import { el, to, type Child } from "../dom.js";
import { plural, printable, sizeWords } from "../text.js";
import { contradictionBanner, recordBanners } from "./banners.js";
import { banner, copyButton, later, note, recordHref, table, type View } from "../view.js";

export async function filesPage(app: App, model: string, manifest: string): Promise<View> {
  const [entry] = await app.source.release(model, manifest);
  if (entry === undefined) throw new NotFound("This registry has no record of a release with these two digests.");
  return {
    title: "Files",
    aside: el("span", { class: "version" }, `of ${entry.name} ${entry.version}`),
    above: el("p", { class: "crumbs" }, to(recordHref(entry), {}, "record"), " / files"),
    body: [...recordBanners(entry, []), later("the chain’s own version", contradictionBanner(app, entry)), later("the manifest", fileList(app, entry))],
  };
}

async function fileList({ source }: App, entry: Entry): Promise<Child> {
  const { files, matches } = await readManifest(source, entry);
  const bytes = files.reduce((sum, { size }) => sum + (size ?? 0), 0);
  return [
    el("p", { class: "lead" }, `${plural(files.length, "file")}, ${sizeWords(bytes)} together.`),
    boundBanner(matches),
    note(
      "fsverity_sha256_4096 is what Linux’s `fsverity digest FILE` prints. ",
      entry.passed_checks.includes("file-set") ? "There is no file more and none fewer: the oracles compared the set as well." : "The oracles do not confirm that these are the files of the release, no more and no fewer.",
    ),
    table("Files of the release", ["File", "Size", "Digest"], files.map(row)),
  ];
}

export function boundBanner(matches: boolean | null): Child {
  if (matches === null) return banner("note", "Not compared.", "This browser hashes nothing here, so the manifest was not compared with its digest.");
  return matches ? null : banner("bad", "Another manifest.", "These are not the bytes whose digest is in the record. Do not rely on them.");
}

function row({ path, size, digests }: ManifestFile): readonly Child[] {
  const shown = digests.map(([algorithm, digest]) => el("div", { class: "digest" }, el("span", { class: "quiet" }, algorithm, " "), el("code", {}, digest), copyButton(digest, `digest of ${printable(path, 80)}`)));
  return [el("code", {}, printable(path, 1000)), size === null ? "" : el("span", { title: `${size} bytes` }, sizeWords(size)), shown];
}
