// "Check it in this browser": the judgement, repeated by the reader's own browser.

import type { App } from "../app.js";
import type { Finding } from "../check/checks.js";
import { bytesOf, evidenceIn, fetchEvidence, fetchKept, modelFilesIn } from "../data/evidence.js";
import { NotFound } from "../data/fetch.js";
import { chosenFiles, droppedFiles, type ChosenFiles } from "../data/folder.js";
import type { Entry } from "../data/types.js";
import { el, fill, on, type Child } from "../dom.js";
import type { TrustDrawing } from "../draw/trust.js";
import type { Judged, Watch } from "../judge.js";
import { loadJudge, startWorker } from "../scripts.js";
import { plural, printable, sizeWords } from "../text.js";
import { announce, banner, failure, note, section } from "../view.js";
import { checkTitle, SIGNED_ONLY } from "../words.js";
import { findingsTable } from "./checks.js";

export interface RecheckPanel {
  /** For beside the drawing: starts the check with the evidence that the oracle kept. */
  readonly button: Child;
  readonly section: HTMLElement;
}

const SIGNED_BUNDLE = "model.sig";
const COMPARED = "Or choose the folder of the model that you downloaded, or drop it here: every byte is hashed and compared";
const WEEK = 7 * 24 * 3600;
const AHEAD_MAX = 5 * 60;

export function recheckPanel(app: App, entry: Entry, drawing: TrustDrawing): RecheckPanel {
  const title = "Check it in this browser";
  const obstacle = obstacleHere();
  if (obstacle) return { button: null, section: section(title, obstacle) };
  const result = el("div", { class: "result" });
  const told = el("p", { class: "quiet", role: "status" });
  const run = runner(app, entry, drawing, result, told);
  const button = on(el("button", { type: "button", class: "primary" }, title), "click", () => void run(new Map()));
  const again = on(el("button", { type: "button" }, "Check the evidence"), "click", () => void run(new Map()));
  if (entry.product_line === SIGNED_ONLY) {
    const words = "This release has no evidence of hardware, only its publisher’s signature. Your browser verifies that, and compares every file with it. Nothing leaves your browser.";
    return { button: null, section: section(title, el("p", {}, words), el("div", { class: "choices" }, folderChoice(run)), told, result) };
  }
  const panel = section(
    title,
    el("p", {}, "Your browser repeats the judgement: AMD’s certificates up to the root whose digest is part of this page, the chip’s report, the VM’s key, the signatures of manifest and publisher, and what the oracle’s verdict says. Nothing leaves your browser."),
    el("div", { class: "choices" }, again, folderChoice(run)),
    result,
  );
  return { button: el("div", { class: "trust-act" }, button, told), section: panel };
}

/** What keeps this browser from checking anything, in words. */
export function obstacleHere(): HTMLElement | null {
  if (globalThis.crypto?.subtle) return null;
  const told = "Browsers offer cryptography only to pages that come over https, from 127.0.0.1 or from your disk. Open this page that way to check the release here.";
  return banner("warn", "Not from this address.", told);
}

export type Run = (chosen: ChosenFiles) => Promise<void>;

/** A field for a folder, which may be dropped on it too. */
export function folderChoice(run: Run, id = "folder", words = COMPARED): HTMLElement {
  const input = el("input", { type: "file", id, multiple: true });
  input.webkitdirectory = true;
  on(input, "change", () => void run(chosenFiles(input)));
  const label = el("label", { for: id }, words);
  const zone = el("div", { class: "drop" }, label, input);
  on(zone, "dragover", (event) => {
    event.preventDefault();
    zone.classList.add("over");
  });
  on(zone, "dragleave", () => zone.classList.remove("over"));
  return on(zone, "drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    const { dataTransfer } = event as DragEvent;
    if (dataTransfer) void droppedFiles(dataTransfer).then(run, (error: unknown) => announce(String(error)));
  });
}

/** One check at a time: a new one stops the one before. */
function runner(app: App, entry: Entry, drawing: TrustDrawing, place: HTMLElement, told: HTMLElement): Run {
  let current = new AbortController();
  return async (chosen) => {
    current.abort();
    const own = (current = new AbortController());
    drawing.reset();
    fill(told, "Checking …");
    const progress = progressOf(own);
    fill(place, progress.element);
    const outcome = await judgeHere(app, entry, chosen, progress.onBytes, own.signal, (one) => {
      if (current === own && !own.signal.aborted) drawing.light(one.check, one.outcome);
    });
    if (current !== own) return;
    fill(place, outcome.shown);
    fill(told, outcome.summary);
  };
}

interface Outcome {
  readonly summary: string;
  readonly shown: Child;
}

type OnBytes = (count: number, all: number) => void;

async function judgeHere(
  app: App,
  entry: Entry,
  chosen: ChosenFiles,
  onBytes: OnBytes,
  signal: AbortSignal,
  onFinding: (finding: Finding) => void,
): Promise<Outcome> {
  try {
    const record = await app.source.own(entry);
    if (record === null) return refusal("The node says that the chain has no such record.");
    if (record.product_line === SIGNED_ONLY) return await judgeSignedHere(app, record, chosen, { onFinding, onBytes, startWorker, signal });
    const fetched = evidenceIn(chosen).then((own) => own ?? fetchEvidence(app.source, record));
    const [{ judge }, evidence, kept, hasRoot] = await Promise.all([loadJudge(), fetched, fetchKept(app.source, record), hasBatch(app, record)]);
    const release = { evidence, files: modelFilesIn(chosen), at: judgedAsOf(record), record, kept };
    return outcomeOf(await judge(release, { onFinding, onBytes, startWorker, signal }), record, hasRoot);
  } catch (error) {
    return noOutcome(error);
  }
}

async function judgeSignedHere(app: App, entry: Entry, chosen: ChosenFiles, watch: Watch): Promise<Outcome> {
  const bundle = chosen.get(SIGNED_BUNDLE);
  if (!bundle) return { summary: "No verdict: see below.", shown: banner("note", "No signature.", `The folder has no ${SIGNED_BUNDLE}.`) };
  const files = new Map([...chosen].filter(([path]) => path !== SIGNED_BUNDLE));
  const [{ judgeSigned }, kept, data] = await Promise.all([loadJudge(), fetchKept(app.source, entry), bytesOf(bundle)]);
  return outcomeOf(await judgeSigned({ bundle: data, files, at: judgedAsOf(entry), record: entry, kept }, watch), entry, undefined);
}

/** Whether the registry has the root of the record's batch; undefined where that is no question, or no node to ask. */
async function hasBatch({ source }: App, { batch }: Entry): Promise<boolean | undefined> {
  return batch && source.chain ? source.chain.hasBatch(batch.root).catch(() => undefined) : undefined;
}

/** The moment for which certificates have to be valid; see `judged_as_of` in verifier/record/fields.py. */
export function judgedAsOf({ judged_at: judged, recorded_at: recorded }: Pick<Entry, "judged_at" | "recorded_at">): number {
  const [judgedAt, recordedAt] = [Date.parse(judged) / 1000, Date.parse(recorded) / 1000];
  const age = recordedAt - judgedAt;
  return age >= -AHEAD_MAX && age <= WEEK ? judgedAt : recordedAt;
}

function progressOf(controller: AbortController): { readonly element: HTMLElement; readonly onBytes: OnBytes } {
  const bar = el("progress", { "aria-label": "Bytes hashed" });
  const words = el("p", { class: "quiet" }, "Reading the evidence …");
  const stop = on(el("button", { type: "button" }, "Stop"), "click", () => controller.abort());
  return {
    element: el("div", { class: "progress" }, bar, words, stop),
    onBytes(count, all) {
      [bar.max, bar.value] = [Math.max(1, all), count];
      fill(words, `${sizeWords(count)} of ${sizeWords(all)} hashed`);
    },
  };
}

/** "Refused" is about the release, "no verdict" is not. */
function outcomeOf(judged: Judged, entry: Entry, hasRoot: boolean | undefined): Outcome {
  if (judged.kind === "undecided") {
    return { summary: "No verdict: see below.", shown: banner("warn", "No verdict.", printable(judged.why)) };
  }
  const made = findingsTable("Checks in this browser", judged.findings);
  const list = el("details", { open: judged.kind === "refused" }, el("summary", {}, "Every check, with what it got and what it wanted"), made);
  if (judged.kind === "refused") {
    const [problem, where, got, wanted] = [judged.problem, judged.where, judged.got, judged.wanted].map((text) => printable(text) || "nothing");
    const words = `${checkTitle(judged.check)}: ${problem} (${where}). Got ${got}, wanted ${wanted}.`;
    return refusal(words, list);
  }
  const [passed, left] = ["passed", "not-checked"].map((word) => judged.findings.filter(({ outcome }) => outcome === word).length) as [number, number];
  const counted = `${plural(passed, "check")} passed here; ${left} were not made, and the table says why.`;
  if (hasRoot === false) return refusal("The node says that the registry has no batch with this root.", list);
  const further = hasRoot ? el("p", {}, "The node says that the registry has the root of this batch.") : null;
  if (judged.isSimulated) {
    const told = "The evidence is what a SIMULATOR makes, whose keys are public. It proves nothing about hardware.";
    return { summary: `Checked: simulated evidence. ${counted}`, shown: [banner("warn", "Simulated.", `${told} ${counted}`), further, list] };
  }
  const [word, limit] = confirmedWords(judged, entry);
  return { summary: `${word} ${counted}`, shown: [banner("good", word, `${counted} ${limit}`), further, list] };
}

function refusal(words: string, ...list: readonly Child[]): Outcome {
  return { summary: "REFUSED here: see below.", shown: [banner("bad", "Refused.", words), ...list] };
}

/** What this browser confirms, and what it leaves open: no more than it looked at. */
function confirmedWords({ findings }: Extract<Judged, { kind: "accepted" }>, { product_line: line }: Entry): readonly [string, string] {
  if (line === SIGNED_ONLY) return ["Your browser confirms the signature.", "Nothing is known of the machine on which the files were made."];
  const hasPassed = (id: string): boolean => findings.some(({ check, outcome }) => check === id && outcome === "passed");
  if (hasPassed("file-digests") && !hasPassed("file-set")) {
    return ["Your browser confirms the evidence, and some of the files.", "Other files of the model were not at hand: choose or drop its whole folder."];
  }
  if (hasPassed("file-digests")) return ["Your browser confirms evidence and files.", "The rules of the policy were judged by the oracles."];
  return ["Your browser confirms the evidence.", "The model’s files were not at hand: choose or drop their folder to compare every byte."];
}

function noOutcome(error: unknown): Outcome {
  const summary = "No verdict: see below.";
  if (error instanceof DOMException && error.name === "AbortError") return { summary: "Stopped.", shown: note("You stopped it, so there is no verdict.") };
  if (error instanceof NotFound) return { summary, shown: banner("note", "No evidence here.", "No oracle’s copy of the evidence is at hand. Choose or drop the folder of the release, which holds it.") };
  return { summary, shown: failure(error, "the evidence") };
}
