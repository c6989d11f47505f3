// The fields and extensions of certificates that publishers use (RFC 5280), each value read whole and strictly.
// What the Python library `cryptography` refuses is refused here.

import { type Bytes, bigEndian, hexOf, parseUtf8 } from "./bytes.js";
import type { CheckError, Problem } from "./checks.js";
import {
  BIT_STRING,
  BOOLEAN,
  GENERALIZED_TIME,
  IA5_STRING,
  INTEGER,
  isObjectId,
  OBJECT_ID,
  OCTET_STRING,
  parseDer,
  parseObjectId,
  PRINTABLE_STRING,
  secondsOf,
  SEQUENCE,
  SET,
  UTC_TIME,
  UTF8_STRING,
  type Value,
} from "./der.js";

/** Bits of the first byte of a key usage. */
export const DIGITAL_SIGNATURE = 0x80;
export const KEY_CERT_SIGN = 0x04;

const KEY_AGREEMENT = 0x08;
const ENCIPHER_ONLY = 0x01;
const DECIPHER_ONLY = 0x80; // of the second byte
const [CONTEXT, CONTEXT_CONSTRUCTED] = [0x80, 0xa0];
const PRINTABLE = /^[A-Za-z0-9 '()+,\-./:=?]*$/;
/** RFC 4514, section 3, and two more that are usual. */
const SHORT_NAMES: { readonly [oid: string]: string } = {
  "2.5.4.3": "CN",
  "2.5.4.7": "L",
  "2.5.4.8": "ST",
  "2.5.4.10": "O",
  "2.5.4.11": "OU",
  "2.5.4.6": "C",
  "2.5.4.9": "STREET",
  "0.9.2342.19200300.100.1.25": "DC",
  "0.9.2342.19200300.100.1.1": "UID",
};

export interface BasicConstraints {
  readonly ca: boolean;
  readonly pathLength: bigint | undefined;
}

export function parseBasicConstraints(data: Bytes, problem: Problem): BasicConstraints {
  const fields = [...sequence(parseDer(data, problem), problem)];
  const ca = fields[0]?.tag === BOOLEAN && fields.shift()!.content[0] === 0xff;
  const length = fields.shift();
  const isNumber = length === undefined || (length.tag === INTEGER && length.content[0]! < 0x80 && ca);
  const isDefault = parseDer(data, problem).children[0]?.content[0] === 0 && !ca && length === undefined;
  if (!isNumber || isDefault || fields.length) throw odd(problem, data);
  return { ca, pathLength: length && bigEndian(length.content) };
}

/** The two bytes of bits, the first bit the highest. */
export function parseKeyUsage(data: Bytes, problem: Problem): number {
  const value = parseDer(data, problem);
  if (value.tag !== BIT_STRING) throw odd(problem, data);
  const [, first = 0, second = 0] = value.content;
  const isNarrowed = (first & ENCIPHER_ONLY) !== 0 || (second & DECIPHER_ONLY) !== 0;
  if (isNarrowed && !(first & KEY_AGREEMENT)) throw odd(problem, data);
  return first;
}

export function parsePurposes(data: Bytes, problem: Problem): readonly string[] {
  const purposes = sequence(parseDer(data, problem), problem).map((value) => parseObjectId(value, problem));
  if (purposes.length === 0) throw odd(problem, data);
  return purposes;
}

/** The names of a subject as `email:name`, `dns:name` or `uri:name`; names of other kinds are left out. */
export function parseAlternativeNames(data: Bytes, problem: Problem): readonly string[] {
  const names = sequence(parseDer(data, problem), problem).map((value) => parseGeneralName(value, problem));
  return names.filter((name) => name !== "");
}

const KINDS: { readonly [tag: number]: string } = { 0x81: "email", 0x82: "dns", 0x86: "uri" };

function parseGeneralName(value: Value, problem: Problem): string {
  const { tag, content, children } = value;
  const kind = KINDS[tag];
  if (kind !== undefined) {
    const text = parseUtf8(content);
    if (text === undefined) throw odd(problem, value.encoding);
    return `${kind}:${text}`;
  }
  const [first, second] = children;
  const isTyped = tag === 0xa0 && children.length === 2 && first!.tag === OBJECT_ID && second!.tag === 0xa0;
  const isOther = isTyped && second!.children.length === 1;
  const isAddress = tag === 0x87 && isAddressOrNetwork(content);
  const isId = tag === 0x88 && isObjectId(content);
  if (tag === 0xa4 && children.length === 1) distinguishedName(first!, problem);
  else if (!isOther && !isAddress && !isId) throw odd(problem, value.encoding);
  return "";
}

/** Whether these are the bytes of an address, or of a network: an address of zeros beyond its mask, and the mask. */
function isAddressOrNetwork(content: Bytes): boolean {
  const half = content.length / 2;
  if (content.length === 4 || content.length === 16) return true;
  if (half !== 4 && half !== 16) return false;
  const [address, mask] = [content.subarray(0, half), content.subarray(half)].map(bigEndian) as [bigint, bigint];
  const others = 2n ** BigInt(8 * half) - 1n - mask;
  return (others & (others + 1n)) === 0n && (address & others) === 0n;
}

/** The text of a name (RFC 4514). */
export function distinguishedName(name: Value, problem: Problem): string {
  const parts = sequence(name, problem).map((part) => {
    if (part.tag !== SET || part.children.length === 0) throw odd(problem, part.encoding);
    const pairs = new Set(part.children.map(({ encoding }) => hexOf(encoding)));
    if (pairs.size !== part.children.length) throw odd(problem, part.encoding);
    return part.children.map((pair) => attribute(pair, problem)).join("+");
  });
  return parts.reverse().join(",");
}

function attribute(pair: Value, problem: Problem): string {
  const [type, value] = sequence(pair, problem);
  if (pair.children.length !== 2 || !type || !value) throw odd(problem, pair.encoding);
  const oid = parseObjectId(type, problem);
  const text = [UTF8_STRING, PRINTABLE_STRING, IA5_STRING].includes(value.tag) ? parseUtf8(value.content) : undefined;
  const isText = text !== undefined && (value.tag !== PRINTABLE_STRING || PRINTABLE.test(text));
  if (!isText) throw odd(problem, pair.encoding);
  return `${Object.hasOwn(SHORT_NAMES, oid) ? SHORT_NAMES[oid] : oid}=${escapeName(text)}`;
}

/** RFC 4514, section 2.4. */
function escapeName(text: string): string {
  const escaped = text.replace(/[\\"+,;<>]/g, "\\$&").replaceAll("\0", "\\00");
  const begun = escaped.startsWith("#") || (escaped.startsWith(" ") && escaped.length > 1) ? `\\${escaped}` : escaped;
  return begun.endsWith(" ") ? `${begun.slice(0, -1)}\\ ` : begun;
}

export function parseSubjectKeyId(data: Bytes, problem: Problem): Bytes {
  const value = parseDer(data, problem);
  if (value.tag !== OCTET_STRING) throw odd(problem, data);
  return value.content;
}

/** The key id; undefined if there is none. `namesIssuer` says that issuer and serial number are there. */
export function parseAuthorityKeyId(data: Bytes, problem: Problem): { keyId: Bytes | undefined; namesIssuer: boolean } {
  const fields = [...sequence(parseDer(data, problem), problem)];
  const keyId = fields[0]?.tag === CONTEXT ? fields.shift()!.content : undefined;
  const names = fields[0]?.tag === (CONTEXT_CONSTRUCTED | 1) ? fields.shift()! : undefined;
  names?.children.forEach((name) => parseGeneralName(name, problem));
  const serial = fields[0]?.tag === (CONTEXT | 2) ? fields.shift() : undefined;
  if (fields.length || !names !== !serial) throw odd(problem, data);
  return { keyId, namesIssuer: names !== undefined };
}

/** Places where more about the issuer can be found. Only the form counts. */
export function parseInformationAccess(data: Bytes, problem: Problem): void {
  for (const access of sequence(parseDer(data, problem), problem)) {
    const [method, location] = sequence(access, problem);
    if (access.children.length !== 2) throw odd(problem, data);
    parseObjectId(method!, problem);
    parseGeneralName(location!, problem);
  }
}

/** Places of revocation lists. Only the form counts. */
export function parseDistributionPoints(data: Bytes, problem: Problem): void {
  for (const point of sequence(parseDer(data, problem), problem)) {
    const [place, ...rest] = sequence(point, problem);
    const full = place?.children[0];
    const isPlain = place?.tag === CONTEXT_CONSTRUCTED && place.children.length === 1 && rest.length === 0;
    if (!isPlain || full?.tag !== CONTEXT_CONSTRUCTED) throw odd(problem, data);
    for (const name of full.children) parseGeneralName(name, problem);
  }
}

/** A moment in seconds since 1970: UTCTime or GeneralizedTime, to the second, with Z. */
export function parseValidity(value: Value, problem: Problem): number {
  const text = String.fromCharCode(...value.content.subarray(0, 16));
  const long = value.tag === UTC_TIME ? `${text < "50" ? "20" : "19"}${text}` : text;
  const isTime = (value.tag === UTC_TIME || value.tag === GENERALIZED_TIME) && /^[0-9]{14}Z$/.test(long);
  const parts = isTime ? [long.slice(0, 4), ...long.slice(4, 14).match(/../g)!].map(Number) : [];
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts;
  const moment = secondsOf(year, month, day, hour, minute, second);
  if (!isTime || moment === undefined) throw problem("not a time", hexOf(value.encoding.subarray(0, 24)), "a time");
  return moment;
}

export function sequence(value: Value, problem: Problem): readonly Value[] {
  if (value.tag !== SEQUENCE) throw odd(problem, value.encoding);
  return value.children;
}

function odd(problem: Problem, encoding: Bytes): CheckError {
  return problem("another structure", hexOf(encoding.subarray(0, 16)), "the form of RFC 5280");
}
