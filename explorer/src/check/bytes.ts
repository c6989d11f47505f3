// Bytes and their texts: hex, strict base64, little-endian numbers, UTF-8.

export type Bytes = Uint8Array<ArrayBuffer>;

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const SINGLE_BYTES = new TextDecoder("windows-1252");
const ENCODER = new TextEncoder();
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** The bytes as lower-case hex digits. */
export function hexOf(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += HEX[byte];
  return text;
}

/** The bytes of lower-case hex digits; undefined for any other text. */
export function parseHex(text: string): Bytes | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/.test(text)) return undefined;
  const bytes = new Uint8Array(text.length / 2);
  for (let at = 0; at < bytes.length; at++) bytes[at] = Number.parseInt(text.slice(2 * at, 2 * at + 2), 16);
  return bytes;
}

/** The bytes of canonical standard base64 (RFC 4648, section 4, padded, no stray bits); undefined for any other text. */
export function parseBase64(text: string): Bytes | undefined {
  if (text.length % 4 !== 0 || !BASE64.test(text)) return undefined;
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < bytes.length; at++) bytes[at] = binary.charCodeAt(at);
  const last = bytes.subarray(bytes.length - (bytes.length % 3 || 3));
  return btoa(String.fromCharCode(...last)) === text.slice(text.length ? -4 : 0) ? bytes : undefined;
}

/** The bytes in canonical base64. */
export function base64Of(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** The text of UTF-8 bytes, a byte order mark included; undefined if they are not UTF-8. */
export function parseUtf8(bytes: Uint8Array): string | undefined {
  try {
    return DECODER.decode(bytes);
  } catch {
    return undefined;
  }
}

/** The UTF-8 bytes of a text. */
export function utf8Of(text: string): Bytes {
  return ENCODER.encode(text);
}

/** The number in big-endian bytes. */
export function bigEndian(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${hexOf(bytes)}`);
}

/** The number in little-endian bytes. */
export function littleEndian(bytes: Uint8Array): bigint {
  return bigEndian(reversed(bytes));
}

export function reversed(bytes: Uint8Array): Bytes {
  return Uint8Array.from(bytes).reverse();
}

export function concat(...parts: readonly Uint8Array[]): Bytes {
  const joined = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Negative, zero or positive, as `one` comes before, equals or follows `other`, byte by byte. */
export function compareBytes(one: Uint8Array, other: Uint8Array): number {
  const common = Math.min(one.length, other.length);
  for (let at = 0; at < common; at++) {
    const difference = one[at]! - other[at]!;
    if (difference) return difference;
  }
  return one.length - other.length;
}

export function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && compareBytes(one, other) === 0;
}

export function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

/** A text with one character for each byte. ASCII stands for itself, and no other byte becomes ASCII. */
export function asciiOf(bytes: Uint8Array): string {
  return SINGLE_BYTES.decode(bytes);
}

/** Negative, zero or positive, as texts are ordered by their code points, which is the order of their UTF-8 bytes. */
export function compareTexts(one: string, other: string): number {
  const common = Math.min(one.length, other.length);
  let at = 0;
  while (at < common && one[at] === other[at]) at++;
  return at === common ? one.length - other.length : rankOf(one.charCodeAt(at)) - rankOf(other.charCodeAt(at));
}

/** Surrogates stand for code points above all others. */
function rankOf(unit: number): number {
  return unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit;
}

/** The number of code points in a text, which is the length that Python counts. */
export function lengthOf(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    const next = text.charCodeAt(at + 1);
    if (unit >= 0xd800 && unit < 0xdc00 && next >= 0xdc00 && next < 0xe000) at++;
    count++;
  }
  return count;
}
