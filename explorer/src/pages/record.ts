// A record: what was confirmed, by whom, when, on which hardware, who signed it, what it was made from, each check, and
// how to repeat all that here.

import type { App } from "../app.js";
import { readManifest, readVerdict } from "../data/documents.js";
import { NotFound } from "../data/fetch.js";
import { readReport } from "../data/report.js";
import type { Entry } from "../data/types.js";
import { el, to } from "../dom.js";
import { trustDrawing } from "../draw/trust.js";
import { hrefOf } from "../router.js";
import { printable } from "../text.js";
import { later, type View } from "../view.js";
import { recordBanners, contradictionBanner } from "./banners.js";
import { checksSection } from "./checks.js";
import { confirmedSection, hardwareSection, signedSection } from "./confirmed.js";
import { historySection } from "./history.js";
import { lineageSection } from "./lineage.js";
import { proofSection } from "./proof.js";
import { rawSection } from "./raw.js";
import { recheckPanel } from "./recheck.js";

export async function recordPage(app: App, model: string, manifest: string): Promise<View> {
  const judgements = await app.source.release(model, manifest);
  const [entry] = judgements;
  if (entry === undefined) throw new NotFound("This registry has no record of a release with these two digests.");
  return view(app, entry, judgements.slice(1));
}

export async function recordPageById(app: App, recordId: string): Promise<View> {
  const { entries } = await app.source.entries(recordId);
  const entry = ofId(entries, recordId);
  if (entry === undefined) throw new NotFound("This registry has no record with this id.");
  return view(app, entry, entries.filter((one) => one !== entry && one.release_id === entry.release_id));
}

/** Some links name a release, such as those to parents: its first judgement has the same id, and a FAILED one has not. */
export function ofId(entries: readonly Entry[], id: string): Entry | undefined {
  return entries.find((one) => one.record_id === id) ?? entries.find((one) => one.release_id === id);
}

function view(app: App, entry: Entry, others: readonly Entry[]): View {
  const [namespace = ""] = entry.name.split("/");
  // One reading each, for all the sections that show a part of them.
  const verdict = readVerdict(app.source, entry);
  const manifest = readManifest(app.source, entry);
  const report = readReport(app.source, entry);
  for (const promise of [verdict, manifest, report]) promise.catch(() => undefined);
  const drawing = trustDrawing(entry);
  const panel = recheckPanel(app, entry, drawing);
  return {
    title: entry.name,
    aside: el("span", { class: "version" }, printable(entry.version, 24)),
    above: el("p", { class: "crumbs" }, to(hrefOf("n", namespace), {}, namespace), " / record"),
    body: [
      ...recordBanners(entry, others),
      later("the chain’s own version", contradictionBanner(app, entry)),
      drawing.element,
      panel.button,
      confirmedSection(entry),
      hardwareSection(entry, report),
      proofSection(app, entry),
      signedSection(entry, manifest),
      lineageSection(app, entry, manifest),
      checksSection(entry, verdict),
      panel.section,
      historySection(app, entry, others),
      rawSection(app, entry),
    ],
  };
}
