// Certificates as AMD encodes them: in PEM or DER, of bounded size, with one accepted encoding of each field.
// It equals verifier/snp/certificates.py. Sources: RFC 5280, section 4.1; RFC 7468.

import { asciiOf, bigEndian, type Bytes, hexOf, isEqual, parseBase64, parseHex, parseUtf8 } from "./bytes.js";
import { type CheckError, malformed, type Problem } from "./checks.js";
import {
  BIT_STRING,
  BOOLEAN,
  contextTag,
  INTEGER,
  isValue,
  OCTET_STRING,
  parseAsn1Time,
  parseDer,
  parseObjectId,
  parseUnsigned,
  PRINTABLE_STRING,
  SEQUENCE,
  TRUE,
  UTF8_STRING,
  type Value,
} from "./der.js";
import { algorithmOf, curveOf, type Curve } from "./key.js";

export const CERTIFICATE_BYTES_MAX = 16 * 1024;
const BLOCKS_MAX = 4;
const FILE_BYTES_MAX = 2 * BLOCKS_MAX * CERTIFICATE_BYTES_MAX;
// RFC 7468, section 3: lines of 64 characters, of which the last may be shorter.
const PEM_BLOCK =
  /-----BEGIN ([A-Z0-9 ]{1,40})-----\r?\n((?:[A-Za-z0-9+/]{64}\r?\n)*[A-Za-z0-9+/=]{1,64}\r?\n)-----END ([A-Z0-9 ]{1,40})-----(?:(?:\r?\n)+|$)/y;
const V3 = parseHex("a003020102") as Bytes;
const COMMON_NAME = parseHex("0603550403") as Bytes;
const RSA = parseHex("300d06092a864886f70d0101010500") as Bytes;

/** The outer structure of a certificate or revocation list: signed DER, DER of the algorithm, bytes of the signature. */
export interface Signed {
  readonly tbs: Bytes;
  readonly algorithm: Bytes;
  readonly signature: Bytes;
}

/** One extension. `value` is the content of its OCTET STRING. */
export interface Extension {
  readonly oid: string;
  readonly critical: boolean;
  readonly value: Bytes;
}

/** The kind of a certificate's key: RSA with its size and exponent, or a curve. */
export type CertifiedKey = { readonly bits: number; readonly exponent: bigint } | { readonly curve: Curve };

/** A parsed certificate. Nothing in it is trusted. Times are seconds since 1970; `where` names the file. */
export interface Certificate {
  readonly der: Bytes;
  readonly signed: Signed;
  readonly serial: bigint;
  readonly issuer: Bytes;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly subject: Bytes;
  readonly commonName: string;
  readonly spki: Bytes;
  readonly key: CertifiedKey;
  readonly extensions: readonly Extension[];
  readonly where: string;
}

export function extensionOf(certificate: Certificate, oid: string): Bytes | undefined {
  return certificate.extensions.find((extension) => extension.oid === oid)?.value;
}

export function malformedEndorsement(where: string, what: string, got: string, wanted: string): CheckError {
  return malformed("endorsements-format", what, where, got, wanted);
}

/** Builds this module's errors for the DER parser. `inside` is appended to the problem. */
export function problemAt(where: string, inside = ""): Problem {
  return (what, got, wanted) => malformedEndorsement(where, what + inside, got, wanted);
}

/** The DER certificates in a file of PEM blocks or of concatenated DER values: at most 128 KiB and 4 certificates. */
export function splitCertificates(data: Bytes, where: string): readonly Bytes[] {
  if (data.length > FILE_BYTES_MAX) {
    const wanted = `at most ${FILE_BYTES_MAX}`;
    throw malformedEndorsement(where, "the certificate file is too large", `${data.length} bytes`, wanted);
  }
  return isPem(data) ? splitPem(data, "CERTIFICATE", where) : splitDer(data, where);
}

/** Whether a file begins as PEM does. */
export function isPem(data: Bytes): boolean {
  return asciiOf(data.subarray(0, 11)) === "-----BEGIN ";
}

/** The DER contents of up to `most` strict PEM blocks. Only line ends may stand between and after blocks. */
export function splitPem(data: Bytes, label: string, where: string, most = BLOCKS_MAX): readonly Bytes[] {
  const text = asciiOf(data);
  const ders: Bytes[] = [];
  for (let position = 0; position < text.length; position = PEM_BLOCK.lastIndex) {
    PEM_BLOCK.lastIndex = position;
    const [, begin, body = "", end] = PEM_BLOCK.exec(text) ?? [];
    if (begin !== label || end !== label || ders.length === most) {
      const wanted = `at most ${most} blocks of ${label} and nothing else`;
      throw malformedEndorsement(where, "malformed PEM", `byte ${position}`, wanted);
    }
    const der = parseBase64(body.replace(/[\r\n]/g, ""));
    if (!der?.length) {
      throw malformedEndorsement(where, "malformed PEM", "base64 in another form", "canonical base64");
    }
    ders.push(der);
  }
  return ders;
}

/** Splits concatenated DER values, each a SEQUENCE with a two-byte length. Each is parsed strictly later. */
function splitDer(data: Bytes, where: string): readonly Bytes[] {
  const ders: Bytes[] = [];
  for (let position = 0; position < data.length; ) {
    const [tag, form, high = 0, low] = data.subarray(position, position + 4);
    const end = position + 4 + 256 * high + (low ?? 0);
    if (tag !== SEQUENCE || form !== 0x82 || low === undefined || end > data.length || ders.length === BLOCKS_MAX) {
      const wanted = `PEM, or at most ${BLOCKS_MAX} in DER`;
      throw malformedEndorsement(where, "not a file of certificates", `byte ${position}`, wanted);
    }
    ders.push(data.subarray(position, end));
    position = end;
  }
  return ders;
}

/** Parses one DER certificate of at most 16 KiB: X.509 v3 with extensions and an RSA or elliptic curve key. */
export function parseCertificate(der: Bytes, where: string): Certificate {
  if (der.length > CERTIFICATE_BYTES_MAX) {
    const wanted = `at most ${CERTIFICATE_BYTES_MAX}`;
    throw malformedEndorsement(where, "the certificate is too large", `${der.length} bytes`, wanted);
  }
  const problem = problemAt(where);
  // RFC 5280, 4.1: all eight fields, in this order; only version 3 has extensions
  const { signed, fields } = splitSigned(der, where);
  const [version, serial, algorithm, issuer, validity, subject, spki, extensions] = fields;
  if (fields.length !== 8 || !isEqual(version!.encoding, V3)) {
    throw malformedEndorsement(where, "wrong certificate structure", `${fields.length} fields`, "X.509 v3 with extensions");
  }
  refuseOtherAlgorithm(algorithm!, signed, where);
  if ([issuer, validity, subject].some((field) => field!.tag !== SEQUENCE) || validity!.children.length !== 2) {
    throw malformedEndorsement(where, "malformed names or validity", "another structure", "those of a certificate");
  }
  return {
    der,
    signed,
    serial: parseUnsigned(serial!, problem),
    issuer: issuer!.encoding,
    notBefore: parseAsn1Time(validity!.children[0]!, problem),
    notAfter: parseAsn1Time(validity!.children[1]!, problem),
    subject: subject!.encoding,
    commonName: commonNameOf(subject!),
    spki: spki!.encoding,
    key: parseKey(spki!, where),
    extensions: parseTaggedExtensions(extensions!, 3, where),
    where,
  };
}

export function refuseOtherAlgorithm(algorithm: Value, signed: Signed, where: string): void {
  if (isEqual(algorithm.encoding, signed.algorithm)) return;
  const wanted = "the same inside and outside";
  throw malformedEndorsement(where, "conflicting signature algorithms", "two different ones", wanted);
}

/** Splits the DER SEQUENCE { signed part, algorithm, BIT STRING }, and returns the fields of the signed part too. */
export function splitSigned(
  der: Bytes,
  where: string,
  problem = problemAt(where),
): { signed: Signed; fields: readonly Value[] } {
  const value = parseDer(der, problem);
  const [tbs, algorithm, signature] = value.children;
  const tags = value.children.map(({ tag }) => tag).join();
  if (value.tag !== SEQUENCE || tags !== [SEQUENCE, SEQUENCE, BIT_STRING].join()) {
    const wanted = "a SEQUENCE of what is signed, algorithm and signature";
    throw malformedEndorsement(where, "wrong outer structure", `tag ${value.tag}, ${value.children.length} parts`, wanted);
  }
  if (signature!.content[0] !== 0) {
    throw malformedEndorsement(where, "malformed signature", "not whole bytes", "a BIT STRING of whole bytes");
  }
  const signed = { tbs: tbs!.encoding, algorithm: algorithm!.encoding, signature: signature!.content.subarray(1) };
  return { signed, fields: tbs!.children };
}

/** Parses the extensions in the explicit field [number]. */
export function parseTaggedExtensions(field: Value, number: number, where: string): readonly Extension[] {
  const [inner] = field.children;
  if (field.tag !== contextTag(number) || field.children.length !== 1) {
    throw malformedEndorsement(where, "malformed extensions", `tag ${field.tag}`, "a field of extensions");
  }
  return parseExtensions(inner!, where);
}

/** Parses one or more extensions: no identifier may occur twice, and `critical` is only written if it is true. */
export function parseExtensions(field: Value, where: string): readonly Extension[] {
  if (field.tag !== SEQUENCE) throw malformedEndorsement(where, "malformed extensions", `tag ${field.tag}`, "a sequence");
  const extensions = field.children.map((value) => parseExtension(value, where));
  const oids = new Set(extensions.map(({ oid }) => oid));
  if (extensions.length === 0 || oids.size !== extensions.length) {
    throw malformedEndorsement(where, "missing or repeated extensions", "none, or one twice", "each once");
  }
  return extensions;
}

function parseExtension(value: Value, where: string): Extension {
  const parts = value.children;
  const last = parts.at(-1);
  const critical = parts.length === 3;
  const isFormed = value.tag === SEQUENCE && (parts.length === 2 || critical) && last?.tag === OCTET_STRING;
  if (!isFormed || (critical && !isValue(parts[1], BOOLEAN, TRUE))) {
    const wanted = "identifier, critical if it is, OCTET STRING";
    throw malformedEndorsement(where, "malformed extension", hexOf(value.encoding.subarray(0, 16)), wanted);
  }
  return { oid: parseObjectId(parts[0]!, problemAt(where)), critical, value: last.content };
}

/** The kind of a key in canonical encoding. Of curves, only P-256, P-384 and P-521 are read, and no AMD key needs more. */
export function parseKey(spki: Value, where: string): CertifiedKey {
  const algorithm = algorithmOf(spki.encoding);
  const curve = algorithm && curveOf(algorithm);
  if (curve) return { curve };
  const [kind, bits] = spki.children;
  const isRsa = spki.children.length === 2 && isEqual(kind!.encoding, RSA) && bits!.tag === BIT_STRING;
  const key = isRsa && bits!.content[0] === 0 ? parseRsa(bits!.content.subarray(1), where) : undefined;
  if (!key) throw malformedEndorsement(where, "unreadable public key", "another kind", "an RSA or elliptic curve key");
  return key;
}

function parseRsa(der: Bytes, where: string): CertifiedKey | undefined {
  const { tag, children } = parseDer(der, problemAt(where, " in the public key"));
  const isFormed = tag === SEQUENCE && children.length === 2 && children.every((child) => child.tag === INTEGER);
  if (!isFormed || children.some(({ content }) => content[0]! >= 0x80)) return undefined;
  const [modulus, exponent] = children.map(({ content }) => bigEndian(content)) as [bigint, bigint];
  const isSound = modulus >= 3n && exponent >= 3n && exponent < modulus && exponent % 2n === 1n;
  return isSound ? { bits: modulus.toString(2).length, exponent } : undefined;
}

/** The common name, or an empty text if a name does not have exactly one. */
function commonNameOf(name: Value): string {
  const attributes = name.children.flatMap((parts) => parts.children.map(({ children }) => children));
  const found = attributes.filter((pair) => pair.length === 2 && isEqual(pair[0]!.encoding, COMMON_NAME));
  const text = found[0]?.[1];
  const isText = found.length === 1 && (text?.tag === UTF8_STRING || text?.tag === PRINTABLE_STRING);
  return isText ? (parseUtf8(text.content) ?? "") : "";
}

