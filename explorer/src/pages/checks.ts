// Each check of the judgement, with what it got and what it wanted.

import type { Verdict } from "../data/documents.js";
import type { Entry, Finding } from "../data/types.js";
import { el, type Child } from "../dom.js";
import { printable } from "../text.js";
import { banner, later, note, section, table } from "../view.js";
import { CHECKS, checkMeaning, checkTitle } from "../words.js";

export function checksSection(entry: Entry, verdict: Promise<Verdict>): HTMLElement {
  return section("What was checked", later("the verdict", verdict.then((one) => verdictChecks(one), () => recordedChecks(entry))));
}

function verdictChecks({ findings, matches }: Verdict): Child {
  const words = {
    true: note("From the oracles’ verdict, whose digest is the one in the record."),
    false: banner("bad", "Another verdict.", "These are not the bytes whose digest is in the record. Do not rely on them."),
    null: note("From the oracles’ verdict. This browser hashes nothing here, so its digest was not compared."),
  }[`${matches}`];
  return [words, findingsTable("Checks of the oracles", findings)];
}

export function findingsTable(caption: string, findings: readonly Finding[]): HTMLElement {
  return table(caption, ["Check", "Outcome", "Got", "Wanted"], findings.map((one) => [title(one.check), outcome(one.outcome), printable(one.got), printable(one.wanted)]));
}

/** Without the verdict, the record still says which checks passed. */
function recordedChecks(entry: Entry): Child {
  const passed = new Set(entry.passed_checks);
  const all = [...CHECKS.map(({ id }) => id), ...entry.passed_checks.filter((id) => !CHECKS.some((one) => one.id === id))];
  const rows = all.map((id) => [title(id), passed.has(id) ? outcome("passed") : outcome("not-checked")]);
  return [
    note("The verdict is not at hand here, so there is only the record’s own list. A check that did not pass either failed or was not made."),
    table("Checks in the record", ["Check", "Outcome"], rows),
  ];
}

export function outcome(word: string): HTMLElement {
  const tone = word === "passed" ? "good" : word === "failed" ? "bad" : "note";
  return el("span", { class: `tag ${tone}` }, word === "failed" ? "FAILED" : word.replace("-", " "));
}

function title(id: string): Child {
  const name = el("span", { class: "check-name" }, checkTitle(id));
  return [name, " ", el("code", { class: "check-id" }, id), el("span", { class: "check-meaning" }, checkMeaning(id))];
}
