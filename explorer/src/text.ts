// Text from a chain, a manifest or a node is hostile: it may hide, reorder or fake what stands beside it.

import { isAcceptable } from "./check/characters.js";

const CHARACTERS_MAX = 300;

/** Cuts the text and escapes, as `\uXXXX` or `\UXXXXXXXX`, what verifier/text.py escapes. */
export function printable(text: string, most = CHARACTERS_MAX): string {
  const characters = Array.from(text.slice(0, 2 * most + 2));
  const cut = characters.length > most ? `${characters.slice(0, most - 1).join("")}…` : characters.join("");
  return visible(cut);
}

/** Escapes the same characters and cuts nothing. */
export function visible(text: string): string {
  if (isAcceptable(text)) return text;
  return Array.from(text, (character) => (isAcceptable(character) ? character : escaped(character))).join("");
}

function escaped(character: string): string {
  const code = character.codePointAt(0)!;
  const [mark, digits] = code < 0x10000 ? ["u", 4] : ["U", 8];
  return `\\${mark}${code.toString(16).padStart(digits as number, "0")}`;
}

/** The beginning and the end of a digest, for places where all 64 digits do not fit. */
export function short(digest: string): string {
  return digest.length > 20 ? `${digest.slice(0, 8)}…${digest.slice(-6)}` : digest;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}

/** Bytes in the unit that people use, such as `1.2 GB`. */
export function sizeWords(bytes: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let [value, unit] = [bytes, 0];
  while (value >= 1000 && unit < units.length - 1) [value, unit] = [value / 1000, unit + 1];
  return `${unit === 0 || value >= 100 ? Math.round(value).toLocaleString("en") : value.toFixed(1)} ${units[unit]}`;
}

/** A time as the reader's calendar has it, always in UTC, so that two readers see the same. */
export function timeWords(time: string): string {
  const at = new Date(time);
  if (Number.isNaN(at.getTime())) return time;
  const options = { dateStyle: "long", timeStyle: "short", timeZone: "UTC" } as const;
  return `${at.toLocaleString("en-GB", options)} UTC`;
}

export function dayWords(time: string): string {
  const at = new Date(time);
  return Number.isNaN(at.getTime()) ? time : at.toLocaleDateString("en-GB", { dateStyle: "long", timeZone: "UTC" });
}
