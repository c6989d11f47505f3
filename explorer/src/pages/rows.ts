// Lists of records.

import type { Entry } from "../data/types.js";
import { el, to, type Child } from "../dom.js";
import { short } from "../text.js";
import { day, recordHref } from "../view.js";
import { SIGNED_ONLY, SIMULATED } from "../words.js";

export function recordRows(entries: readonly Entry[]): HTMLElement {
  return el("ul", { class: "rows" }, ...entries.map(row));
}

function row(entry: Entry): HTMLElement {
  const { name, version, manifest_digest: manifest, recorded_at: recorded } = entry;
  return el(
    "li",
    {},
    to(
      recordHref(entry),
      { class: "row" },
      el("span", { class: "row-name" }, name, " ", el("span", { class: "version" }, version)),
      el("span", { class: "row-facts" }, "manifest ", el("code", {}, short(manifest)), " · ", day(recorded)),
      el("span", { class: "tags" }, ...tagsOf(entry)),
    ),
  );
}

/** Everything that a reader must know before he takes a record for more than it is. */
export function tagsOf(entry: Pick<Entry, "closure" | "product_line" | "grade" | "batch">): readonly Child[] {
  const tag = (tone: string, words: string): Child => el("span", { class: `tag ${tone}` }, words);
  return [
    entry.closure ? tag("bad", entry.closure) : null,
    entry.product_line === SIMULATED ? tag("warn", "simulated hardware") : null,
    entry.product_line === SIGNED_ONLY ? tag("warn", "signed only") : null,
    ![SIMULATED, SIGNED_ONLY].includes(entry.product_line) ? tag("good", `AMD ${entry.product_line}`) : null,
    entry.grade > 0 ? tag("note", `grade ${entry.grade}`) : null,
    entry.batch ? tag("note", "in a batch") : null,
  ];
}
