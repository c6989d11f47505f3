// A strict DER parser: each value has exactly one accepted encoding (X.690, sections 8.1.3, 10.1 and 11).
// It equals verifier/snp/der.py, and the code that reads AMD's certificates and lists uses no other one.

import { bigEndian, type Bytes, compareBytes, hexOf, isEqual, parseUtf8 } from "./bytes.js";
import type { Problem } from "./checks.js";

export const [BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OBJECT_ID] = [0x01, 0x02, 0x03, 0x04, 0x05, 0x06];
export const [UTF8_STRING, PRINTABLE_STRING, IA5_STRING, UTC_TIME, GENERALIZED_TIME] = [0x0c, 0x13, 0x16, 0x17, 0x18];
export const [SEQUENCE, SET] = [0x30, 0x31];
export const TRUE = Uint8Array.of(0xff);

const DEPTH_MAX = 16;
const VALUES_MAX = 50_000; // enough for a list of 16,000 revoked certificates
const INTEGER_BYTES_MAX = 21; // RFC 5280, 4.1.2.2: serial numbers of up to 20 octets, plus one for the sign
const OBJECT_ID_BYTES_MAX = 32;
const [CONSTRUCTED, CONTEXT, CLASS] = [0x20, 0x80, 0xc0];
const UTC_TIME_ENDS_IN = 2050; // RFC 5280, 4.1.2.5: UTCTime before this year, GeneralizedTime from it on

/** One DER value: `encoding` is the whole value, `children` are the values inside a constructed one. */
export interface Value {
  readonly tag: number;
  readonly content: Bytes;
  readonly encoding: Bytes;
  readonly children: readonly Value[];
}

/** Parses one DER value that fills `data`, with all values inside it: at most `levels` below it, and 50,000 in all. */
export function parseDer(data: Bytes, problem: Problem, levels = DEPTH_MAX): Value {
  const { value, end } = new Walk(data, problem, levels).value(0, data.length, 0);
  if (end !== data.length) throw problem("extra bytes after the value", `${data.length - end} bytes`, "none");
  return value;
}

class Walk {
  #left = VALUES_MAX;

  constructor(
    private readonly data: Bytes,
    private readonly problem: Problem,
    private readonly levels: number,
  ) {}

  value(start: number, limit: number, depth: number): { value: Value; end: number } {
    this.#left--;
    if (depth > this.levels || this.#left < 0) {
      throw this.problem("too many levels or values", "more", `at most ${this.levels} levels and ${VALUES_MAX} values`);
    }
    const { tag, begin, end } = this.#header(start, limit);
    const children: Value[] = [];
    for (let position = tag & CONSTRUCTED ? begin : end; position < end; ) {
      const child = this.value(position, end, depth + 1);
      children.push(child.value);
      position = child.end;
    }
    const value = { tag, content: this.data.subarray(begin, end), encoding: this.data.subarray(start, end), children };
    refuseContent(value, this.problem);
    return { value, end };
  }

  /** The tag and the ends of the content. The length must be definite and in its shortest form. */
  #header(start: number, limit: number): { tag: number; begin: number; end: number } {
    const { data, problem } = this;
    if (start + 2 > limit) throw problem("the value is cut short", `${limit - start} bytes`, "a tag and a length");
    const tag = data[start]!;
    let length = data[start + 1]!;
    let begin = start + 2;
    if ((tag & 0x1f) === 0x1f || tag === 0) throw problem("unsupported tag", hexNumber(tag), "a tag in one byte, not zero");
    if (length & 0x80) {
      const count = length & 0x7f;
      if (count < 1 || count > 4 || begin + count > limit) {
        throw problem("unsupported length", hexNumber(length), "definite, at most four bytes");
      }
      length = Number(bigEndian(data.subarray(begin, begin + count)));
      if (length < 0x80 || length < 2 ** (8 * (count - 1))) {
        throw problem("length is not minimal", hexOf(data.subarray(start, begin + count)), "the shortest form");
      }
      begin += count;
    }
    if (begin + length > limit) throw problem("the value is cut short", `${limit - begin} bytes`, `${length} bytes`);
    return { tag, begin, end: begin + length };
  }
}

const isAnything = (): boolean => true;
const isAscii = (content: Bytes): boolean => content.every((byte) => byte < 0x80);

// Every universal type in AMD's certificates and lists. SEQUENCE and SET are always constructed, the other types never.
const FORMS: ReadonlyMap<number, readonly [holds: (content: Bytes) => boolean, wanted: string]> = new Map([
  [BOOLEAN, [(content: Bytes) => content.length === 1 && (content[0] === 0 || content[0] === 0xff), "00 or ff"]],
  [INTEGER, [isShortestInteger, "an integer in its shortest form"]],
  [BIT_STRING, [isBitString, "unused bits counted, and zero"]],
  [OCTET_STRING, [isAnything, ""]],
  [NULL, [(content: Bytes) => content.length === 0, "nothing"]],
  [OBJECT_ID, [isObjectId, `at most ${OBJECT_ID_BYTES_MAX} bytes, arcs in their shortest form`]],
  [UTF8_STRING, [(content: Bytes) => parseUtf8(content) !== undefined, "UTF-8"]],
  [PRINTABLE_STRING, [isAscii, "ASCII"]],
  [IA5_STRING, [isAscii, "ASCII"]],
  [UTC_TIME, [isAnything, ""]],
  [GENERALIZED_TIME, [isAnything, ""]],
  [SEQUENCE, [isAnything, ""]],
  [SET, [isAnything, ""]],
]);

function refuseContent({ tag, content, children }: Value, problem: Problem): void {
  if ((tag & CLASS) === CONTEXT) return; // the code that reads the field knows its type
  const form = FORMS.get(tag);
  if (!form) throw problem("unsupported tag", hexNumber(tag), "one of those that certificates are made of");
  const start = hexOf(content.subarray(0, 16));
  if (!form[0](content)) throw problem(`malformed value of tag ${hexNumber(tag)}`, start || "nothing", form[1]);
  const isSorted = children.every(({ encoding }, at) => at === 0 || compareBytes(children[at - 1]!.encoding, encoding) <= 0);
  if (tag === SET && !isSorted) {
    throw problem("members of a SET are out of order", start, "members sorted by their encoding");
  }
}

function isShortestInteger(content: Bytes): boolean {
  const [first, second] = content;
  if (first === undefined || second === undefined) return content.length === 1;
  return !(first === 0 && second < 0x80) && !(first === 0xff && second >= 0x80);
}

/** Whether 0 to 7 bits are unused, and those are zero. An empty string has none unused. */
function isBitString(content: Bytes): boolean {
  if (content.length < 2) return content.length === 1 && content[0] === 0;
  return content[0]! < 8 && (content.at(-1)! & ((1 << content[0]!) - 1)) === 0;
}

/** Whether these are numbers in base 128: the high bit set in every byte but the last, no number beginning with zero. */
export function isObjectId(content: Bytes): boolean {
  const isShort = content.length > 0 && content.length <= OBJECT_ID_BYTES_MAX && content.at(-1)! < 0x80;
  return isShort && content.every((byte, at) => byte !== 0x80 || (at > 0 && content[at - 1]! >= 0x80));
}

/** The number in a non-negative INTEGER of at most 20 octets, plus one for the sign. */
export function parseUnsigned(value: Value, problem: Problem): bigint {
  const { tag, content, encoding } = value;
  if (tag !== INTEGER || content[0]! & 0x80 || content.length > INTEGER_BYTES_MAX) {
    throw problem("not a number", hexOf(encoding.subarray(0, 16)), "a non-negative INTEGER of at most 20 octets");
  }
  return bigEndian(content);
}

/** An OBJECT IDENTIFIER in its dotted form, such as `2.5.29.35`. */
export function parseObjectId(value: Value, problem: Problem): string {
  if (value.tag !== OBJECT_ID) {
    throw problem("not an object identifier", hexOf(value.encoding.subarray(0, 16)), "an OBJECT IDENTIFIER");
  }
  const arcs: bigint[] = [];
  let arc = 0n;
  for (const byte of value.content) {
    arc = (arc << 7n) | BigInt(byte & 0x7f);
    if (byte & 0x80) continue;
    arcs.push(arc);
    arc = 0n;
  }
  const [head, ...tail] = arcs as [bigint, ...bigint[]];
  const first = head < 80n ? head / 40n : 2n;
  return [first, head - 40n * first, ...tail].join(".");
}

/** A time in seconds since 1970: a UTCTime before 2050, a GeneralizedTime from then on, in whole seconds and with `Z`. */
export function parseAsn1Time(value: Value, problem: Problem): number {
  const moment = momentOf(value.tag, String.fromCharCode(...value.content.subarray(0, 16)), value.content.length);
  if (moment !== undefined) return moment;
  const wanted = "UTCTime, from 2050 on GeneralizedTime, in seconds and Z";
  throw problem("not a time", hexOf(value.encoding.subarray(0, 24)), wanted);
}

function momentOf(tag: number, text: string, size: number): number | undefined {
  if (text.length !== size || !/^[0-9]+Z$/.test(text)) return undefined;
  // RFC 5280, 4.1.2.5.1: 50 to 99 mean 1950 to 1999
  const digits = tag === UTC_TIME && size === 13 ? (text < "50" ? "20" : "19") + text : text;
  const year = Number(digits.slice(0, 4));
  if (tag === UTC_TIME ? size !== 13 : tag !== GENERALIZED_TIME || size !== 15 || year < UTC_TIME_ENDS_IN) return undefined;
  const [month, day, hour, minute, second] = [4, 6, 8, 10, 12].map((at) => Number(digits.slice(at, at + 2)));
  return secondsOf(year, month!, day!, hour!, minute!, second!);
}

/** Seconds since 1970 of a moment in UTC; undefined if there is no such day, hour, minute or second. */
export function secondsOf(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): number | undefined {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const isDay = year > 0 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  if (!isDay || hour > 23 || minute > 59 || second > 59) return undefined;
  return date.getTime() / 1000 + 3600 * hour + 60 * minute + second;
}

/** Whether a value is this OBJECT IDENTIFIER, TRUE or any other value with this tag and content. */
export function isValue(value: Value | undefined, tag: number, content: Uint8Array): boolean {
  return value?.tag === tag && isEqual(value.content, content);
}

/** The tag byte of the explicit, constructed context field [number]. */
export function contextTag(number: number): number {
  return CONTEXT | CONSTRUCTED | number;
}

/** One DER value with a content of fewer than 65,536 bytes. */
export function encodeDer(tag: number, content: Uint8Array): Bytes {
  const size = content.length;
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  const encoding = new Uint8Array(1 + length.length + size);
  encoding.set([tag, ...length]);
  encoding.set(content, 1 + length.length);
  return encoding;
}

function hexNumber(byte: number): string {
  return `0x${byte.toString(16)}`;
}

