// Plots as SVG. They are hidden from screen readers: a table with the same numbers stands beside each.

import { el, svg } from "../dom.js";

export interface Bar {
  readonly label: string;
  readonly value: number;
}

const WIDTH = 640;
const HEIGHT = 220;
const LEFT = 64;
const BOTTOM = 30;
const TOP = 12;
/** Room for `100 %`, also in the larger type of phones. */
const SHARE_WIDTH = 90;

/** Bars over time. `unit` turns a number into words for the axis. */
export function bars(values: readonly Bar[], unit: (value: number) => string = (value) => value.toLocaleString("en")): HTMLElement {
  const most = niceMaximum(Math.max(0, ...values.map(({ value }) => value)));
  const step = (WIDTH - LEFT) / Math.max(1, values.length);
  const tall = HEIGHT - TOP - BOTTOM;
  const drawn = values.map(({ value }, i) => {
    const height = (value / most) * tall;
    const width = Math.min(48, step * 0.72);
    return svg("rect", { class: "bar-value", x: LEFT + i * step + (step - width) / 2, y: TOP + tall - height, width, height, rx: 3 });
  });
  const ticks = [0, most / 2, most].map((value) => tick(TOP + tall - (value / most) * tall, unit(value)));
  const labels = labelled(values).map(([i, label]) => svg("text", { class: "plot-label", x: LEFT + (i + 0.5) * step, y: HEIGHT - 8 }, label));
  return figure(HEIGHT, [...ticks, ...drawn, ...labels]);
}

/** Shares of a whole, one row each. */
export function shares(values: readonly (Bar & { readonly of: number })[]): HTMLElement {
  const row = 52;
  const drawn = values.flatMap(({ label, value, of }, i) => {
    const share = of > 0 ? value / of : 0;
    const y = i * row;
    return [
      svg("text", { class: "plot-row", x: 0, y: y + 20 }, label),
      svg("rect", { class: "bar-ground", x: 0, y: y + 28, width: WIDTH - SHARE_WIDTH, height: 12, rx: 6 }),
      svg("rect", { class: "bar-value", x: 0, y: y + 28, width: share * (WIDTH - SHARE_WIDTH), height: 12, rx: 6 }),
      svg("text", { class: "plot-row", x: WIDTH - SHARE_WIDTH + 12, y: y + 40 }, `${Math.round(100 * share)} %`),
    ];
  });
  return figure(values.length * row, drawn);
}

/** The least of 1, 2, 5, 10, 20, ... that is not below: its half is a round number as well. */
export function niceMaximum(value: number): number {
  if (value <= 2) return 2;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((factor) => factor * power).find((nice) => nice >= value)!;
}

/** At most six labels, so that they never overlap. */
function labelled(values: readonly Bar[]): readonly (readonly [number, string])[] {
  const every = Math.ceil(values.length / 6);
  return values.map(({ label }, i) => [i, label] as const).filter(([i]) => i % every === 0);
}

function tick(y: number, words: string) {
  return svg("g", {}, svg("line", { class: "plot-line", x1: LEFT, x2: WIDTH, y1: y, y2: y }), svg("text", { class: "plot-tick", x: LEFT - 8, y: y + 4 }, words));
}

function figure(height: number, children: readonly SVGElement[]): HTMLElement {
  return el("div", { class: "plot" }, svg("svg", { viewBox: `0 0 ${WIDTH} ${height}`, "aria-hidden": "true" }, ...children));
}
