// States that a reader must know first, in words.

import type { App } from "../app.js";
import { NotFound } from "../data/fetch.js";
import type { Entry } from "../data/types.js";
import { el, to, type Child } from "../dom.js";
import { printable } from "../text.js";
import { banner, recordHref, time } from "../view.js";
import { SIGNED_ONLY, SIMULATED } from "../words.js";

/** @param others further judgements of the same release. */
export function recordBanners(entry: Entry, others: readonly Entry[]): readonly Child[] {
  const newer = others.find((one) => one.passed && one.revision > entry.revision);
  return [
    !entry.passed && banner("bad", "FAILED.", "The oracles judged this release and refuse it. The checks below say why. No gate opens for it."),
    entry.revoked_at && revoked(entry),
    entry.held && banner("warn", "Held.", "The namespace does not trust the publisher of this release. Its gate stays shut until the namespace does."),
    entry.doubtful && banner("warn", "Doubtful.", `Keys of oracles that signed this record were revoked. The remaining weight is ${entry.weight}; ${entry.threshold} is needed.`),
    entry.passed && entry.revisions > entry.revision && banner("note", "Superseded.", "The oracles judged this release again later.", newer && [" ", to(recordHref(newer), {}, `See judgement ${newer.revision + 1}.`)]),
    entry.product_line === SIMULATED && banner("warn", "Simulated hardware.", "Anybody can make such evidence on any computer. It proves nothing about where this model was made."),
    entry.product_line === SIGNED_ONLY && banner("warn", "Signed only.", "A publisher signed these files. Nothing is known of the machine on which they were made."),
    entry.batch && banner("note", "In a batch.", `The registry keeps only the root of this batch; the record is shown by a proof (leaf ${entry.batch.leaf}). A later judgement in another batch does not show here.`),
  ];
}

function revoked(entry: Entry): HTMLElement {
  const isModel = entry.model_revoked_at !== null;
  const what = isModel ? "A guardian of the registry withdrew every release of these files" : "A guardian of the registry withdrew this record";
  return banner("bad", "Revoked.", what, ", with effect from ", time(entry.revoked_at!), ". The history below gives the reason. Do not rely on it.");
}

/** What the index says, compared with what the chain keeps. Nothing is shown where they agree. */
export async function contradictionBanner({ source }: App, entry: Entry): Promise<Child> {
  const found = await source.confirm(entry).catch((error: unknown) => {
    if (error instanceof NotFound) return undefined;
    throw error;
  });
  if (found === undefined) return banner("warn", "Not compared.", "The proof that this record is in its batch is not at hand. So far this is only the index’s word.");
  if (found === null || found.length === 0) return null;
  return el(
    "div",
    {},
    banner("bad", "The index contradicts the chain.", "Believe the chain. Fields that differ:"),
    el("ul", {}, ...found.map(({ field, index, chain }) => el("li", {}, `${field}: the index says ${printable(index)}, the chain ${printable(chain)}`))),
  );
}
