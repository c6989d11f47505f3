// Public keys, and the signatures that they make. WebCrypto does the arithmetic.
//
// A key's kind is told by the fixed beginning and the length of its SubjectPublicKeyInfo, never by trying `importKey`:
// Firefox imports a key on P-384 as one on P-256 without complaint, and then refuses every signature by it.

import { asciiOf, base64Of, bigEndian, type Bytes, concat, isEqual, littleEndian, parseBase64, parseHex } from "./bytes.js";
import { type CheckError, malformed, UnsupportedError } from "./checks.js";

export type Curve = "P-256" | "P-384" | "P-521";
export type KeyKind = `ECDSA ${Curve}` | "Ed25519";
export type HashName = "SHA-256" | "SHA-384" | "SHA-512";

/** A public key. `spki` is its DER SubjectPublicKeyInfo, which equals the bytes received. */
export interface PublicKey {
  readonly spki: Bytes;
  readonly algorithm: KeyKind;
}

interface Form {
  readonly algorithm: KeyKind;
  readonly prefix: Bytes; // of the SubjectPublicKeyInfo, up to the point or the raw key
  readonly size: number; // of one coordinate, or of the raw key
}

interface Field {
  readonly prime: bigint;
  readonly b: bigint;
}

const bytes = (hex: string): Bytes => parseHex(hex) as Bytes;

// RFC 5480 (uncompressed points) and RFC 8410. Each kind has a beginning of its own.
const FORMS: readonly Form[] = [
  { algorithm: "ECDSA P-256", size: 32, prefix: bytes("3059301306072a8648ce3d020106082a8648ce3d03010703420004") },
  { algorithm: "ECDSA P-384", size: 48, prefix: bytes("3076301006072a8648ce3d020106052b8104002203620004") },
  { algorithm: "ECDSA P-521", size: 66, prefix: bytes("30819b301006072a8648ce3d020106052b810400230381860004") },
  { algorithm: "Ed25519", size: 32, prefix: bytes("302a300506032b6570032100") },
];

// y² = x³ - 3x + b modulo the prime (NIST SP 800-186, section 3.2.1).
const FIELDS: { readonly [curve in Curve]: Field } = {
  "P-256": {
    prime: 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n,
    b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
  },
  "P-384": {
    prime: 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
    b: 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn,
  },
  "P-521": {
    prime: 2n ** 521n - 1n,
    b: 0x051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00n,
  },
};

// The coordinates y of the eight points of small order on the curve of Ed25519; see verifier/strict/ed25519.py.
const ED25519_BYTES = 32;
const ED25519_PRIME = 2n ** 255n - 19n;
const ORDER_8 = 0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n;
const SMALL_ORDER = [0n, 1n, ED25519_PRIME - 1n, ORDER_8, ED25519_PRIME - ORDER_8];

// The hash that belongs to a key that signs manifests.
const HASH_OF: { readonly [curve in Curve]: HashName } = { "P-256": "SHA-256", "P-384": "SHA-384", "P-521": "SHA-512" };

const KEY_BYTES_MAX = 16 * 1024;
const LINE_CHARS = 64; // RFC 7468, section 2

/** The kind of a key, by its SubjectPublicKeyInfo in canonical DER; undefined for every other kind or encoding. */
export function algorithmOf(spki: Bytes): KeyKind | undefined {
  const form = FORMS.find(({ prefix }) => isEqual(spki.subarray(0, prefix.length), prefix));
  if (!form) return undefined;
  const raw = spki.subarray(form.prefix.length);
  if (form.algorithm === "Ed25519") {
    return raw.length === form.size && isAcceptablePoint(raw) ? form.algorithm : undefined;
  }
  return raw.length === 2 * form.size && isOnCurve(raw, form) ? form.algorithm : undefined;
}

/** Whether a point of Ed25519 has a y below the prime, and that of no point of small order. */
function isAcceptablePoint(point: Bytes): boolean {
  const y = BigInt.asUintN(255, littleEndian(point));
  return y < ED25519_PRIME && !SMALL_ORDER.includes(y);
}

/** The curve of a key for ECDSA; undefined for Ed25519. */
export function curveOf(algorithm: KeyKind): Curve | undefined {
  return algorithm === "Ed25519" ? undefined : (algorithm.slice("ECDSA ".length) as Curve);
}

function isOnCurve(point: Bytes, { algorithm, size }: Form): boolean {
  const { prime, b } = FIELDS[curveOf(algorithm) as Curve];
  const [x, y] = [bigEndian(point.subarray(0, size)), bigEndian(point.subarray(size))];
  return x < prime && y < prime && (x ** 3n - 3n * x + b - y * y) % prime === 0n;
}

/**
 * Parses one PEM SubjectPublicKeyInfo of at most 16 KiB: ECDSA on P-256 or P-384, or Ed25519. Line ends may be LF or CRLF.
 * Throws a malformed CheckError for anything else (check `key-binding`). Source of the form: RFC 7468, section 13.
 */
export function parsePublicKey(pem: Bytes, where: string): PublicKey {
  if (pem.length > KEY_BYTES_MAX) throw notAKey(where, `${pem.length} bytes`, `at most ${KEY_BYTES_MAX} bytes`);
  const text = withoutLineEnd(asciiOf(pem).replaceAll("\r\n", "\n"));
  const lines = text.split("\n");
  const spki = parseBase64(lines.slice(1, -1).join(""));
  if (!spki?.length) throw notAKey(where, "no such block, or a malformed one", "one PEM block PUBLIC KEY");
  if (text !== withoutLineEnd(pemOf(spki, "PUBLIC KEY"))) {
    throw notAKey(where, "another encoding of a key, or more than one", "exactly the canonical PUBLIC KEY block");
  }
  const algorithm = algorithmOf(spki);
  if (!algorithm || algorithm === "ECDSA P-521") {
    throw notAKey(where, "another kind of key", "ECDSA on P-256 or P-384, or Ed25519");
  }
  return { spki, algorithm };
}

/** A PEM block with lines of 64 characters. */
export function pemOf(der: Bytes, label: string): string {
  const lines = base64Of(der).match(new RegExp(`.{1,${LINE_CHARS}}`, "g")) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}

function withoutLineEnd(text: string): string {
  return text.endsWith("\n") ? text.slice(0, -1) : text;
}

function notAKey(where: string, got: string, wanted: string): CheckError {
  return malformed("key-binding", "not an acceptable public key", where, got, wanted);
}

/**
 * Whether `key` signed `message`: ECDSA with a signature in DER, or Ed25519. The hash is by default the one that belongs
 * to a manifest's key: SHA-256 for P-256, SHA-384 for P-384.
 */
export async function isSignedBy(key: PublicKey, signature: Bytes, message: Bytes, hash?: HashName): Promise<boolean> {
  const curve = curveOf(key.algorithm);
  if (!curve) {
    const [name, point] = ["Ed25519", signature.subarray(0, ED25519_BYTES)];
    return isAcceptablePoint(point) && verifies(key.spki, { name }, { name }, signature, message);
  }
  const raw = rawSignature(signature, sizeOf(curve));
  return raw !== undefined && isSignedRaw(key.spki, curve, raw, message, hash ?? HASH_OF[curve]);
}

/** Whether the key signed `message`: ECDSA with the two numbers r and s in big-endian bytes, one after the other. */
export async function isSignedRaw(
  spki: Bytes,
  curve: Curve,
  raw: Bytes,
  message: Bytes,
  hash: HashName,
): Promise<boolean> {
  return verifies(spki, { name: "ECDSA", namedCurve: curve }, { name: "ECDSA", hash }, raw, message);
}

/** Whether an RSA key signed `message` by RSASSA-PSS. */
export async function isSignedPss(
  spki: Bytes,
  signature: Bytes,
  message: Bytes,
  hash: HashName,
  saltLength: number,
): Promise<boolean> {
  return verifies(spki, { name: "RSA-PSS", hash }, { name: "RSA-PSS", saltLength }, signature, message);
}

interface Named {
  readonly name: string;
}
type ImportParams = RsaHashedImportParams | EcKeyImportParams | Named;
type VerifyParams = RsaPssParams | EcdsaParams | Named;

/** Whether the signature verifies. A key that WebCrypto refuses signed nothing. */
export async function verifies(
  spki: Bytes,
  kind: ImportParams,
  how: VerifyParams,
  signature: Bytes,
  message: Bytes,
): Promise<boolean> {
  const subtle = webCrypto();
  try {
    const key = await subtle.importKey("spki", spki, kind, false, ["verify"]);
    return await subtle.verify(how, key, signature, message);
  } catch (error) {
    if (error instanceof DOMException && error.name === "NotSupportedError") {
      throw new UnsupportedError(`this browser cannot verify signatures by ${kind.name}; a newer one can`);
    }
    if (error instanceof DOMException) return false;
    throw error;
  }
}

function sizeOf(curve: Curve): number {
  return FORMS.find(({ algorithm }) => algorithm === `ECDSA ${curve}`)!.size;
}

/**
 * The two numbers of an ECDSA signature in strict DER (RFC 3279, section 2.2.3), each as `size` big-endian bytes;
 * undefined for any other encoding, and for a number that is negative or too large.
 */
export function rawSignature(der: Bytes, size: number): Bytes | undefined {
  const begin = der[1] === 0x81 ? 3 : 2; // P-521's signatures may have more than 127 bytes
  const content = der.subarray(begin);
  const isShortest = begin === 2 ? content.length < 0x80 : content.length >= 0x80 && content.length < 0x100;
  if (der[0] !== 0x30 || !isShortest || der[begin - 1] !== content.length) return undefined;
  const first = 2 + (content[1] ?? 0);
  const parts = [content.subarray(0, first), content.subarray(first)];
  const numbers = parts.map((part) => fixedSize(part, size));
  return numbers[0] && numbers[1] && concat(numbers[0], numbers[1]);
}

/** The number of a DER INTEGER in `size` bytes; undefined if it is none, negative or too large. */
function fixedSize(encoding: Bytes, size: number): Bytes | undefined {
  const [tag, length, first, second] = encoding;
  if (tag !== 0x02 || length !== encoding.length - 2 || first === undefined || first >= 0x80) return undefined;
  if (first === 0 && second !== undefined && second < 0x80) return undefined;
  const number = encoding.subarray(first === 0 ? 3 : 2);
  if (number.length > size) return undefined;
  const padded = new Uint8Array(size);
  padded.set(number, size - number.length);
  return padded;
}

/** The digest of bytes. */
export async function digestOf(hash: HashName, data: Bytes): Promise<Bytes> {
  return new Uint8Array(await webCrypto().digest(hash, data));
}

/** Browsers have WebCrypto only in pages from https, from this machine, and from disk. */
function webCrypto(): SubtleCrypto {
  const subtle = globalThis.crypto.subtle as SubtleCrypto | undefined;
  if (subtle) return subtle;
  throw new UnsupportedError("this page has no WebCrypto: open it over https, or from 127.0.0.1");
}

