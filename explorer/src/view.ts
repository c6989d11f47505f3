// Parts that several pages are made of.

import { NodeError } from "../../contracts/npm/src/node.js";
import { add, el, fill, on, to, type Child } from "./dom.js";
import { NoAnswer, NotFound } from "./data/fetch.js";
import { ShapeError } from "./data/shape.js";
import { hrefOf } from "./router.js";
import { dayWords, short, timeWords } from "./text.js";
import type { Entry } from "./data/types.js";

/** What a page shows: its title, which is the h1 as well, and what stands below. */
export interface View {
  readonly title: string;
  /** Beside the title, such as a version. */
  readonly aside?: Child;
  /** Above the title, such as the way here. */
  readonly above?: Child;
  readonly body: readonly Child[];
}

export function section(title: string, ...children: readonly Child[]): HTMLElement {
  const id = `s-${title.toLowerCase().replace(/[^a-z]+/g, "-")}`;
  return el("section", { "aria-labelledby": id }, el("h2", { id }, title), ...children);
}

export type Tone = "good" | "warn" | "bad" | "note";

/** A banner in words. The word in front says what the colour says. */
export function banner(tone: Tone, word: string, ...children: readonly Child[]): HTMLElement {
  return el("div", { class: `banner ${tone}`, role: tone === "bad" ? "alert" : "note" }, el("strong", {}, word), " ", ...children);
}

export function note(...children: readonly Child[]): HTMLElement {
  return el("p", { class: "quiet" }, ...children);
}

/** Names and values. Rows without a value are left out. */
export function facts(...rows: readonly (readonly [name: string, value: Child])[]): HTMLElement {
  const given = rows.filter(([, value]) => value !== null && value !== undefined && value !== false && value !== "");
  return el("dl", { class: "facts" }, ...given.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
}

/** A digest in full, with a button that copies it. */
export function digestOf(digest: string, what = "digest"): HTMLElement {
  return el("span", { class: "digest" }, el("code", {}, digest), copyButton(digest, what));
}

export function copyButton(text: string, what: string): HTMLElement {
  const button = el("button", { class: "copy", type: "button", "aria-label": `Copy the ${what}` }, "Copy");
  return on(button, "click", () => {
    void copy(text).then((words) => {
      fill(button, words);
      announce(words === "Copied" ? `Copied the ${what}` : words);
      setTimeout(() => fill(button, "Copy"), 2000);
    });
  });
}

async function copy(text: string): Promise<string> {
  try {
    await navigator.clipboard.writeText(text);
    return "Copied";
  } catch {
    return "Select it"; // no clipboard on plain http
  }
}

/** For screen readers: main.ts makes the element once. */
export function announce(words: string): void {
  const live = document.getElementById("live");
  if (live) fill(live, words);
}

/** A table that scrolls by itself where it does not fit; on phones each row is a block. */
export function table(caption: string, heads: readonly string[], rows: readonly (readonly Child[])[]): HTMLElement {
  const row = (cells: readonly Child[]) =>
    el("tr", {}, ...cells.map((cell, i) => el(i === 0 ? "th" : "td", { "data-head": heads[i], ...(i === 0 ? { scope: "row" } : {}) }, cell)));
  return el(
    "div",
    { class: "scroll", role: "region", tabindex: "0", "aria-label": caption },
    el(
      "table",
      {},
      el("caption", {}, caption),
      el("thead", {}, el("tr", {}, ...heads.map((head) => el("th", { scope: "col" }, head)))),
      el("tbody", {}, ...rows.map(row)),
    ),
  );
}

export function time(at: string): HTMLElement {
  return el("time", { datetime: at, title: at }, timeWords(at));
}

export function day(at: string): HTMLElement {
  return el("time", { datetime: at, title: at }, dayWords(at));
}

/** The address of a record's page. A later or FAILED judgement has only its id. */
export function recordHref(entry: Pick<Entry, "model_digest" | "manifest_digest" | "record_id" | "release_id">): string {
  const isRelease = entry.record_id === entry.release_id;
  return isRelease ? hrefOf("r", entry.model_digest, entry.manifest_digest) : hrefOf("id", entry.record_id);
}

export function recordLink(entry: Entry): HTMLElement {
  return to(recordHref(entry), {}, `${entry.name} ${entry.version}`);
}

export function idLink(id: string, name: string | null, version: string | null): HTMLElement {
  return to(hrefOf("id", id), {}, name ? `${name} ${version ?? ""}`.trim() : el("code", {}, short(id)));
}

/** Shows that something is being read, then the thing itself, or why it is not there. */
export function later(what: string, make: Promise<Child>): HTMLElement {
  const place = el("div", { class: "later", "aria-busy": "true" }, el("p", { class: "quiet" }, `Reading ${what} …`));
  make
    .then((children) => fill(place, children))
    .catch((error: unknown) => fill(place, failure(error, what)))
    .finally(() => place.removeAttribute("aria-busy"));
  return place;
}

/** An error in words: "no answer" is no verdict. Errors of other kinds are faults of this page and say so. */
export function failure(error: unknown, what = "the record"): HTMLElement {
  const told = error instanceof Error ? error.message : String(error);
  if (error instanceof NotFound) return banner("note", "Not there.", told);
  if (error instanceof NodeError || error instanceof NoAnswer || error instanceof ShapeError) {
    const place = error instanceof NodeError ? "The node" : "The index";
    return banner("warn", "No verdict.", `${place} gave no usable answer about ${what}, which says nothing about it: ${told}`);
  }
  console.error(error);
  return banner("bad", "This page has a fault.", told);
}

/** Buttons to one more page of a list, as long as there is one. */
export function moreButton(cursor: string | null, read: (cursor: string) => Promise<readonly [Child, string | null]>): Child {
  if (cursor === null) return null;
  const place = el("div", {});
  const button = el("button", { type: "button", class: "more" }, "Show more");
  on(button, "click", () => {
    button.replaceWith(
      later(
        "more",
        read(cursor).then(([children, next]) => [children, moreButton(next, read)]),
      ),
    );
  });
  add(place, button);
  return place;
}
