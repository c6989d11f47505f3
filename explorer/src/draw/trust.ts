// The chain of trust: chip, VM, key, manifest, model, record. Each link lights up as the browser checks it.

import type { Entry } from "../data/types.js";
import { el, fill, svg } from "../dom.js";
import { printable, short } from "../text.js";
import { SIGNED_ONLY, SIMULATED } from "../words.js";

/** What is known of a link: told by the oracles, checked in this browser, or refused here. */
export type Light = "told" | "missing" | "checked" | "pretended" | "failed";

export interface TrustDrawing {
  readonly element: HTMLElement;
  /** Takes one finding of a check that was made in this browser. */
  light(check: string, outcome: string): void;
  /** Forgets what was checked here, before another look. */
  reset(): void;
}

interface Node {
  readonly id: string;
  readonly title: string;
  readonly icon: readonly string[];
  /** Checks that lead from the node before to this one. The link is lit once all that ran have passed. */
  readonly checks: readonly string[];
}

const NODES: readonly Node[] = [
  { id: "chip", title: "Chip", icon: ["M9 9h14v14H9z", "M13 13h6v6h-6z", "M12 5v4M16 5v4M20 5v4M12 23v4M16 23v4M20 23v4M5 12h4M5 16h4M5 20h4M23 12h4M23 16h4M23 20h4"], checks: ["endorsements-format", "product-line", "vek-chain", "vek-validity", "vek-revocation"] },
  { id: "vm", title: "Confidential VM", icon: ["M5 7h22v15H5z", "M11 27h10M16 22v5", "M13 14v-1.500a3 3 0 0 1 6 0V14M12 14h8v5h-8z"], checks: ["report-format", "vek-match", "report-signature"] },
  { id: "key", title: "Key", icon: ["M21 6a5 5 0 1 0 0.010 0", "M17 15L7 25M10 22l3 3M7 25l2 2"], checks: ["key-binding"] },
  { id: "manifest", title: "Manifest", icon: ["M8 4h11l5 5v19H8z", "M19 4v5h5", "M12 14h8M12 18h8M12 22h5"], checks: ["manifest-format", "manifest-signature"] },
  { id: "model", title: "Model files", icon: ["M16 4l11 6v12l-11 6L5 22V10z", "M5 10l11 6l11-6M16 16v12"], checks: ["file-set", "file-digests"] },
  { id: "record", title: "Record", icon: ["M6 7h20v6H6zM6 13h20v6H6zM6 19h20v6H6z", "M10 10h.010M10 16h.010M10 22h.010"], checks: ["registry-record"] },
];

/** Simulated, these prove nothing, even if every check of them passes. */
const HARDWARE: readonly string[] = ["chip", "vm", "key"];

const WORDS: { readonly [L in Light]: string } = {
  told: "confirmed by the oracles",
  missing: "nothing vouches for it",
  checked: "checked in this browser",
  pretended: "checked: SIMULATED",
  failed: "REFUSED in this browser",
};

/** Without hardware, the publisher's signature takes the place of the VM's. */
const SIGNED_CHECKS: { readonly [id: string]: readonly string[] } = {
  key: ["publisher-identity"],
  manifest: ["publisher-signature"],
};

function nodesOf({ product_line: line }: Entry): readonly Node[] {
  if (line !== SIGNED_ONLY) return NODES;
  return NODES.map((node) => ({ ...node, checks: SIGNED_CHECKS[node.id] ?? node.checks }));
}

export function trustDrawing(entry: Entry): TrustDrawing {
  const items = nodesOf(entry).map((node) => ({ node, first: toldBy(entry, node), ...drawn(node, factOf(entry, node.id)) }));
  const outcomes = new Map<string, string>();
  const draw = (): void => {
    for (const { node, first, item, status } of items) {
      const light = stateOf(node, outcomes) ?? first;
      show(item, status, light === "checked" && first === "missing" ? "pretended" : light);
    }
  };
  draw();
  const list = el("ol", { class: "trust" }, ...items.map(({ item }) => item));
  return {
    element: el("figure", { class: "trust-figure" }, el("figcaption", { class: "hidden" }, "The chain of trust, from the chip to the record"), list),
    light(check, outcome) {
      // A check can have several findings. One that failed decides.
      if (outcomes.get(check) !== "failed") outcomes.set(check, outcome);
      draw();
    },
    reset() {
      outcomes.clear();
      draw();
    },
  };
}

/** What the checks of this browser say of a link; undefined if they leave it to the oracles. */
export function stateOf({ checks }: Pick<Node, "checks">, outcomes: ReadonlyMap<string, string>): Light | undefined {
  const found = checks.map((check) => outcomes.get(check));
  if (found.includes("failed")) return "failed";
  return found.every((outcome) => outcome === "passed") ? "checked" : undefined;
}

function toldBy(entry: Entry, { id, checks }: Node): Light {
  if (HARDWARE.includes(id) && entry.product_line === SIMULATED) return "missing";
  if (id === "record") return entry.passed ? "told" : "missing";
  return checks.some((check) => entry.passed_checks.includes(check)) ? "told" : "missing";
}

function factOf(entry: Entry, id: string): string {
  const { product_line: line } = entry;
  const facts: { readonly [id: string]: string } = {
    chip: line === SIMULATED ? "simulated" : line === SIGNED_ONLY ? "none" : `AMD ${line}`,
    vm: line === SIGNED_ONLY ? "none" : `report ${short(entry.report_digest)}`,
    key: line === SIGNED_ONLY ? "the publisher’s" : "made inside the VM",
    manifest: short(entry.manifest_digest),
    model: printable(entry.name.split("/")[1] ?? entry.name, 24),
    record: `weight ${entry.weight} of ${entry.threshold}`,
  };
  return facts[id] ?? "";
}

function drawn(node: Node, fact: string): { readonly item: HTMLElement; readonly status: HTMLElement } {
  const icon = svg("svg", { viewBox: "0 0 32 32", "aria-hidden": "true" }, ...node.icon.map((d) => svg("path", { d })));
  const status = el("span", { class: "trust-status" });
  const words = [el("span", { class: "trust-title" }, node.title), el("span", { class: "trust-fact" }, fact), status];
  return { item: el("li", {}, el("span", { class: "trust-icon" }, icon), el("span", { class: "trust-words" }, ...words)), status };
}

function show(item: HTMLElement, status: HTMLElement, light: Light): void {
  item.className = light;
  fill(status, WORDS[light]);
}
