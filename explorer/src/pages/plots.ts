// Figures of the registry: releases and gas over time, the oracles' agreement, and the age of firmware.

import type { App } from "../app.js";
import type { Statistics } from "../data/types.js";
import { el, type Child } from "../dom.js";
import { bars, shares } from "../draw/plots.js";
import { plural, short } from "../text.js";
import { banner, note, section, table, type View } from "../view.js";
import { tcbWords } from "../words.js";

const DAYS_MAX = 60;

export async function plotsPage({ source }: App): Promise<View> {
  const title = "Figures";
  if (!source.rest) {
    const told = "Figures over all records need an index, which `provenance serve` has. A node alone does not count.";
    return { title, body: [banner("note", "Needs an index.", told)] };
  }
  const found = await source.rest.statistics();
  if (found.by_day.length === 0) return { title, body: [note("Nothing is recorded yet.")] };
  return { title, body: [releases(found), gas(found), agreement(found), firmware(found)] };
}

/** A plot, and the same numbers for those who do not see it. */
function beside(plot: Child, numbers: Child): HTMLElement {
  return el("div", { class: "beside" }, plot, el("div", { class: "numbers" }, numbers));
}

function releases({ by_day: days }: Statistics): HTMLElement {
  const shown = days.slice(-DAYS_MAX);
  const rows = shown.map(({ day, releases: count, batches }) => [day, count.toLocaleString("en"), batches.toLocaleString("en")]);
  const plot = bars(shown.map(({ day, releases: value }) => ({ label: day.slice(5), value })));
  return section("Releases over time", beside(plot, table("Releases and batches a day", ["Day", "Releases", "Batches"], rows)));
}

function gas({ by_day: days }: Statistics): HTMLElement {
  const shown = days.slice(-DAYS_MAX).filter(({ gas: used }) => used !== null && used > 0);
  if (shown.length === 0) return section("Gas over time", note("No node told the gas of these transactions."));
  const rows = shown.map((one) => [one.day, (one.gas ?? 0).toLocaleString("en")]);
  const words = (value: number): string => (value >= 1e6 ? `${value / 1e6} M` : value >= 1e3 ? `${value / 1e3} k` : `${value}`);
  const plot = bars(shown.map(({ day, gas: used }) => ({ label: day.slice(5), value: used ?? 0 })), words);
  return section(
    "Gas over time",
    note("Of every transaction with an event of the registry: records and batches, but also claims of names, keys and revocations."),
    beside(plot, table("Gas a day", ["Day", "Gas"], rows)),
  );
}

function agreement({ oracles }: Statistics): HTMLElement {
  const named = oracles.map((one) => ({ ...one, label: `${short(one.address)}${one.epoch === null ? "" : `, set ${one.epoch}`}` }));
  const rows = named.map(({ address, epoch, signed, of }) => [el("code", {}, address), epoch ?? "", signed.toLocaleString("en"), of.toLocaleString("en")]);
  return section(
    "Agreement of the oracles",
    note("How many of the records of its set each oracle signed. An oracle that signed few of them was away, or judged otherwise."),
    beside(shares(named.map(({ label, signed, of }) => ({ label, value: signed, of }))), table("Signatures of each oracle", ["Oracle", "Set", "Signed", "Of"], rows)),
  );
}

function firmware({ firmware: all }: Statistics): HTMLElement {
  const versions = new Map<string, { readonly line: string; readonly tcb: string; count: number; first: string; last: string }>();
  for (const { product_line: line, reported_tcb: tcb, day, count } of all) {
    const known = versions.get(line + tcb) ?? { line, tcb, count: 0, first: day, last: day };
    const [first, last] = [day < known.first ? day : known.first, day > known.last ? day : known.last];
    versions.set(line + tcb, { ...known, count: known.count + count, first, last });
  }
  const newest = [...versions.values()].filter(({ tcb }) => /[^0]/.test(tcb)).sort((a, b) => b.last.localeCompare(a.last)).slice(0, 20);
  if (newest.length === 0) return section("Firmware", note("No record names firmware."));
  const total = newest.reduce((sum, { count }) => sum + count, 0);
  const rows = newest.map(({ line, tcb, count, first, last }) => [`${line}: ${tcbWords(line, tcb)}`, count.toLocaleString("en"), first, last]);
  return section(
    "Firmware of the machines",
    note(`${plural(newest.length, "version")} in ${plural(total, "record")}. A version that is still recorded long after a newer one was seen is old.`),
    beside(shares(newest.map(({ line, tcb, count }) => ({ label: `${line} ${tcb}`, value: count, of: total }))), table("Firmware versions", ["Version", "Records", "First seen", "Last seen"], rows)),
  );
}
