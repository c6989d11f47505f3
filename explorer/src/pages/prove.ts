// "Prove it on chain": anybody can have the chain check AMD's signature. This part only gathers the evidence; prove.js,
// which is loaded then, does the rest.

import type { App } from "../app.js";
import type { Chain } from "../data/chain.js";
import { evidenceIn, fetchEvidence } from "../data/evidence.js";
import { NotFound } from "../data/fetch.js";
import type { ChosenFiles } from "../data/folder.js";
import { proofFacts } from "../data/proofs.js";
import { hexed } from "../data/records.js";
import type { Entry } from "../data/types.js";
import * as dom from "../dom.js";
import { el, fill, on } from "../dom.js";
import { loadJudge, loadProver } from "../scripts.js";
import { printable } from "../text.js";
import * as view from "../view.js";
import { banner, failure, note } from "../view.js";
import { folderChoice, obstacleHere, type Run } from "./recheck.js";

const FOLDER = "Or choose the folder of the release, or drop it here: only its folder provenance/ is read";
const CONFIRMED = "Confirm the oracles’ record too: what follows from the evidence has to be equal in it";
const UNCONFIRMED = "The oracles’ record is left out: it is in a batch, or no gate opens for it";

/** `onProven` is called once the release is proven. */
export function provePanel(app: App, chain: Chain, entry: Entry, onProven: () => void): HTMLElement {
  const title = el("summary", {}, "Prove it on chain yourself");
  const obstacle = obstacleHere();
  if (obstacle) return el("details", {}, title, obstacle);
  const place = el("div", { class: "proving", "aria-live": "polite" });
  const confirms = el("input", { type: "checkbox", id: "prove-record" });
  confirms.checked = entry.active && !entry.batch;
  confirms.disabled = !confirms.checked;
  const run = runner(app, chain, entry, place, confirms, onProven);
  const button = on(el("button", { type: "button", class: "primary" }, "Assemble the proof"), "click", () => void run(new Map()));
  return el(
    "details",
    { class: "prove" },
    title,
    el("p", {}, "Anybody can have the chain check AMD’s signature, once, for everybody. Your browser puts the evidence together, and the node simulates the proof and says what it would cost. Nothing is sent before you confirm it in your own wallet."),
    el("div", { class: "choices" }, el("label", { class: "tick" }, confirms, " ", confirms.checked ? CONFIRMED : UNCONFIRMED), button, folderChoice(run, "prove-folder", FOLDER)),
    place,
  );
}

/** One at a time: a new one takes the place of the one before. */
function runner(app: App, chain: Chain, entry: Entry, place: HTMLElement, confirms: HTMLInputElement, onProven: () => void): Run {
  let current = 0;
  return async (chosen) => {
    const own = ++current;
    const shown = el("div", {}, note("Putting the evidence together …"));
    fill(place, shown);
    try {
      await offer(app, chain, entry, chosen, shown, confirms.checked, onProven);
    } catch (error) {
      const none = banner("note", "No evidence here.", "No oracle’s copy of the evidence is at hand. Choose or drop the folder of the release, which holds it.");
      if (own === current) fill(shown, error instanceof NotFound ? none : failure(error, "the proof"));
    }
  };
}

async function offer(app: App, chain: Chain, entry: Entry, chosen: ChosenFiles, place: HTMLElement, confirms: boolean, onProven: () => void): Promise<void> {
  const fetched = evidenceIn(chosen).then((own) => own ?? fetchEvidence(app.source, entry));
  const [{ provingEvidence }, { offerProof }, files] = await Promise.all([loadJudge(), loadProver(), fetched]);
  const evidence = await provingEvidence(files);
  if ("problem" in evidence) {
    fill(place, banner("bad", "The chain could not read this release.", printable(evidence.problem)));
    return;
  }
  fill(place, note("The node simulates the proof …"));
  const [record, { chainId }] = await Promise.all([confirms ? chain.recordBytes(entry) : null, chain.status()]);
  const intermediate = evidence.intermediate && { ...evidence.intermediate, name: printable(evidence.intermediate.name) };
  const proposal = { ...evidence, intermediate, proofs: chain.proofs!, record: record ?? "0x" } as const;
  const kit = { ...dom, ...view, proofFacts };
  await offerProof({ kit, place, ask: chain.first, rpcUrl: app.config.rpcUrl!, chainId, proposal, releaseId: hexed(entry.release_id), onProven });
}
