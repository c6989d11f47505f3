// Everything to copy, and the same as JSON.

import type { App } from "../app.js";
import { NotFound } from "../data/fetch.js";
import type { Entry, EvidenceFile } from "../data/types.js";
import { el, served, to, type Child } from "../dom.js";
import { hrefOf } from "../router.js";
import { sizeWords } from "../text.js";
import { copyButton, digestOf, facts, later, note, section, table } from "../view.js";

export function rawSection({ source, config }: App, entry: Entry): HTMLElement {
  const json = JSON.stringify(entry, null, 2);
  const files = source.evidenceFiles(entry.manifest_digest);
  return section(
    "Raw evidence",
    facts(
      ["Release id", digestOf(entry.release_id, "release id")],
      ["Record id", entry.record_id !== entry.release_id && digestOf(entry.record_id, "record id")],
      ["Model digest", digestOf(entry.model_digest, "model digest")],
      ["Manifest digest", digestOf(entry.manifest_digest, "manifest digest")],
      ["Verdict digest", digestOf(entry.verdict_digest, "verdict digest")],
      ["Policy digest", digestOf(entry.policy_digest, "policy digest")],
      ["Transaction", entry.transaction && digestOf(entry.transaction, "transaction")],
      ["Block", entry.block?.toLocaleString("en")],
      ["Gas used", entry.gas_used?.toLocaleString("en")],
    ),
    el("p", {}, to(hrefOf("files", entry.model_digest, entry.manifest_digest), {}, "Every file of this release, with its digest")),
    later("the kept evidence", files.then(evidenceTable, (error: unknown) => (error instanceof NotFound ? note("No oracle’s evidence is at hand here.") : Promise.reject(error)))),
    el("details", {}, el("summary", {}, "This record as JSON"), copyButton(json, "record as JSON"), el("pre", { tabindex: "0" }, lines(json))),
    el("p", {}, "The same on a terminal: ", el("code", {}, `provenance show ${entry.manifest_digest} --history --lineage`)),
    config.api && el("p", {}, "JSON for programs: ", served(`${config.api}/records/${entry.manifest_digest}`)),
  );
}

function evidenceTable(files: readonly EvidenceFile[]): Child {
  return table("Evidence that the oracle keeps", ["File", "Size", "SHA-256"], files.map(({ path, size, sha256 }) => [path, sizeWords(size), digestOf(sha256, `SHA-256 of ${path}`)]));
}

/** Line breaks are made by elements: in a text node they would be escaped. */
export function lines(text: string): readonly Child[] {
  return text.split("\n").map((line) => el("span", { class: "line" }, line));
}
