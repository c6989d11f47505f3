// The drawing of a lineage: rows from the oldest ancestors above to the release below. The layout is a pure function.

import type { Entry, Lineage } from "../data/types.js";
import { el, svg } from "../dom.js";
import { printable, short } from "../text.js";

export interface Box {
  readonly id: string;
  readonly x: number;
  readonly y: number;
  readonly title: string;
  readonly aside: string;
  readonly isOpen: boolean;
}

export interface Line {
  readonly from: Box;
  readonly to: Box;
  readonly isAttested: boolean;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly Box[];
  readonly lines: readonly Line[];
}

export const BOX = { width: 168, height: 52 } as const;
const GAP = { x: 20, y: 48 } as const;
const MARGIN = 6;
const TITLE_LENGTH = 22;

type Root = Pick<Entry, "release_id" | "name" | "version" | "gate_open">;

/** Places each release once, in the row of its distance; a row is centred. A distance that nothing has takes no room, or
 * one number of a liar would fill the memory. */
export function layOut(root: Root, { ancestors, edges }: Pick<Lineage, "ancestors" | "edges">): Layout {
  const depths = [...new Set(ancestors.map(({ depth }) => depth))].sort((a, b) => a - b);
  const rows = depths.map((depth) => ancestors.filter((one) => one.depth === depth));
  const widest = Math.max(1, ...rows.map(({ length }) => length));
  const width = widest * (BOX.width + GAP.x) - GAP.x + 2 * MARGIN;
  const yOf = (row: number): number => MARGIN + (rows.length - row) * (BOX.height + GAP.y);
  const boxes = new Map<string, Box>();
  const base = { id: root.release_id, y: yOf(0), x: (width - BOX.width) / 2, isOpen: root.gate_open === true };
  boxes.set(root.release_id, { ...base, ...labels(root.name, root.version, root.release_id) });
  for (const [above, row] of rows.entries()) {
    const start = (width - row.length * (BOX.width + GAP.x) + GAP.x) / 2;
    for (const [i, { release_id: id, name, version, open }] of row.entries()) {
      const place = { id, x: start + i * (BOX.width + GAP.x), y: yOf(above + 1), isOpen: open };
      boxes.set(id, { ...place, ...labels(name, version, id) });
    }
  }
  const lines = edges.flatMap(({ parent, child, attested: isAttested }) => {
    const [from, to] = [boxes.get(parent), boxes.get(child)];
    return from && to ? [{ from, to, isAttested }] : [];
  });
  return { width, height: yOf(0) + BOX.height + MARGIN, boxes: [...boxes.values()], lines };
}

/** Hidden from screen readers, since the table beside it says the same. */
export function lineageDrawing(root: Root, lineage: Lineage): HTMLElement {
  const { width, height, boxes, lines } = layOut(root, lineage);
  const drawing = svg(
    "svg",
    { viewBox: `0 0 ${width} ${height}`, width, height, class: "lineage", "aria-hidden": "true" },
    ...lines.map(curve),
    ...boxes.map((box) => drawn(box, box.id === root.release_id)),
  );
  return el("div", { class: "scroll figure" }, drawing);
}

function curve({ from, to, isAttested }: Line) {
  const [x1, y1, x2, y2] = [from.x + BOX.width / 2, from.y + BOX.height, to.x + BOX.width / 2, to.y];
  const middle = (y1 + y2) / 2;
  const d = `M${x1} ${y1}C${x1} ${middle} ${x2} ${middle} ${x2} ${y2 - 5}m-4 -2l4 7l4 -7`;
  return svg("path", { d, class: isAttested ? "edge" : "edge stated" });
}

function drawn({ x, y, title, aside, isOpen }: Box, isRoot: boolean) {
  const kind = `box${isRoot ? " root" : ""}${isOpen || isRoot ? "" : " shut"}`;
  return svg(
    "g",
    { class: kind, transform: `translate(${x} ${y})` },
    svg("rect", { width: BOX.width, height: BOX.height, rx: 10 }),
    svg("text", { x: BOX.width / 2, y: 22 }, title),
    svg("text", { x: BOX.width / 2, y: 40, class: "aside" }, aside),
  );
}

function labels(name: string | null, version: string | null, id: string): Pick<Box, "title" | "aside"> {
  return name ? { title: printable(name, TITLE_LENGTH), aside: printable(version ?? "", TITLE_LENGTH) } : { title: short(id), aside: "" };
}
