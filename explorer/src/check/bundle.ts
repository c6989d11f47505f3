// Sigstore bundles that sign a model, v0.1 to v0.3. Parsing only: nothing in a bundle is trusted.
// The rules are those of verifier/identity/bundle.py and log_entry.py.

import { type Bytes, parseBase64 } from "./bytes.js";
import { PAYLOAD_TYPE, type Envelope } from "./dsse.js";
import { Fields } from "./fields.js";
import { type Json, MAX_INTEGER, parseJson } from "./json.js";

export const BUNDLE_MAX_BYTES = 64 << 20;

const CHECK = "publisher-signature";
const NEWEST = "application/vnd.dev.sigstore.bundle.v0.3+json";
const OLD = "application/vnd.dev.sigstore.bundle+json;version=0.";
const MEDIA_TYPES = [`${OLD}1`, `${OLD}2`, `${OLD}3`, NEWEST];
const MATERIALS = ["publicKey", "x509CertificateChain", "certificate"];
const TOKENS_MAX = 2000;
const CERTIFICATES_MAX = 8;
const CERTIFICATE_MAX_BYTES = 16 << 10;
const STAMPS_MAX = 8;
const HASHES_MAX = 64;
const DIGEST_BYTES = 32;
const SECONDS_MAX = 2n ** 37n;

export type SigningMethod = "key" | "certificate" | "sigstore";

/** An entry of sigstore's transparency log; the proof of inclusion and its checkpoint are always there. */
export interface LogEntry {
  readonly logId: Bytes;
  /** Kind and version of the body, such as `dsse 0.0.1`. */
  readonly kind: string;
  /** In all shards of the log. */
  readonly index: bigint;
  /** Seconds since 1970; 0 if there is no time. */
  readonly integratedAt: number;
  /** The signed entry timestamp (SET); empty if there is none. */
  readonly promise: Bytes;
  readonly body: Bytes;
  readonly proofIndex: bigint;
  readonly treeSize: bigint;
  readonly root: Bytes;
  /** Of the proof. */
  readonly hashes: readonly Bytes[];
  readonly checkpoint: string;
}

export interface SignatureBundle {
  readonly where: string;
  readonly method: SigningMethod;
  readonly envelope: Envelope;
  /** Method key: SHA-256 of the key's PEM text, or empty. */
  readonly keyHint: string;
  /** Method key, old bundles: the key itself. Only an expected key counts. */
  readonly rawKey: Bytes;
  /** DER. Method certificate: leaf first. Method sigstore: the leaf. */
  readonly certificates: readonly Bytes[];
  readonly entry: LogEntry | null;
  /** Method sigstore: RFC 3161 responses, DER. */
  readonly stamps: readonly Bytes[];
}

export function parseBundle(data: Bytes, where: string): SignatureBundle {
  const value = parseJson(data, { where, check: CHECK, maxBytes: BUNDLE_MAX_BYTES, maxTokens: TOKENS_MAX });
  const fields = new Fields(value, where, CHECK);
  const mediaType = fields.text("mediaType");
  if (!MEDIA_TYPES.includes(mediaType)) throw fields.error("mediaType", "unknown value", mediaType, NEWEST);
  const envelope = parseModelEnvelope(fields.fields("dsseEnvelope"));
  const material = fields.fields("verificationMaterial");
  fields.finish();
  const kinds = MATERIALS.filter((kind) => material.has(kind));
  if (kinds.length !== 1) {
    throw material.error("", "not one verification material", `${kinds.length} of them`, MATERIALS.join(" or "));
  }
  const none = { where, envelope, keyHint: "", rawKey: new Uint8Array(), certificates: [], entry: null, stamps: [] };
  const bundle = { ...none, ...PARSERS[kinds[0] as keyof typeof PARSERS](material) };
  material.finish();
  return bundle;
}

type Material = Pick<SignatureBundle, "method"> & Partial<SignatureBundle>;

const PARSERS = {
  publicKey(material: Fields): Material {
    expectNoLog(material);
    const key = material.fields("publicKey");
    const keyHint = key.optionalText("hint", 64) ?? "";
    const rawKey = key.has("rawBytes") ? key.base64Bytes("rawBytes", 4 << 10) : new Uint8Array();
    key.optionalText("keyDetails", 64);
    key.finish();
    return { method: "key", keyHint, rawKey };
  },

  x509CertificateChain(material: Fields): Material {
    expectNoLog(material);
    const chain = material.fields("x509CertificateChain");
    const certificates = chain.fieldsList("certificates", 1, CERTIFICATES_MAX).map(parseRawCertificate);
    chain.finish();
    return { method: "certificate", certificates };
  },

  certificate(material: Fields): Material {
    const certificates = [parseRawCertificate(material.fields("certificate"))];
    const entry = parseLogEntry(material.fieldsList("tlogEntries", 1, 1)[0]!);
    const stamped = material.optionalFields("timestampVerificationData");
    const listed = stamped?.has("rfc3161Timestamps") ? stamped.fieldsList("rfc3161Timestamps", 0, STAMPS_MAX) : [];
    const stamps = listed.map((one) => finished(one, one.base64Bytes("signedTimestamp", 32 << 10)));
    stamped?.finish();
    return { method: "sigstore", certificates, entry, stamps };
  },
};

function parseModelEnvelope(fields: Fields): Envelope {
  fields.constant("payloadType", PAYLOAD_TYPE);
  const payload = fields.base64Bytes("payload", BUNDLE_MAX_BYTES);
  const signed = fields.fieldsList("signatures", 1, 1)[0]!;
  const signature = signed.base64Bytes("sig", 256);
  const keyId = signed.has("keyid") ? signed.value("keyid") : null;
  if (keyId !== null && keyId !== "") {
    throw signed.error("keyid", "not empty", "a key id", "nothing; model signatures have no key id");
  }
  signed.finish();
  fields.finish();
  return { payload, signature, keyid: "" };
}

function parseRawCertificate(fields: Fields): Bytes {
  return finished(fields, fields.base64Bytes("rawBytes", CERTIFICATE_MAX_BYTES));
}

/** Only the keyless method has a log and timestamps. */
function expectNoLog(material: Fields): void {
  if (material.has("tlogEntries")) material.fieldsList("tlogEntries", 0, 0);
  material.optionalFields("timestampVerificationData")?.finish();
}

function parseLogEntry(fields: Fields): LogEntry {
  const logId = fields.fields("logId");
  const kind = fields.fields("kindVersion");
  const proof = fields.fields("inclusionProof");
  const checkpoint = proof.fields("checkpoint");
  const promise = fields.optionalFields("inclusionPromise");
  const entry: LogEntry = {
    logId: logId.base64Bytes("keyId", 64),
    kind: `${kind.text("kind", 32)} ${kind.text("version", 32)}`,
    index: parseNumber(fields, "logIndex", MAX_INTEGER),
    integratedAt: fields.has("integratedTime") ? Number(parseNumber(fields, "integratedTime", SECONDS_MAX)) : 0,
    promise: promise ? parsePromise(promise) : new Uint8Array(),
    body: fields.base64Bytes("canonicalizedBody", 1 << 20),
    proofIndex: parseNumber(proof, "logIndex", MAX_INTEGER),
    treeSize: parseNumber(proof, "treeSize", MAX_INTEGER),
    root: parseDigest(proof, "rootHash"),
    hashes: parseHashes(proof),
    checkpoint: checkpoint.text("envelope", 64 << 10),
  };
  for (const part of [logId, kind, checkpoint, proof, promise, fields]) part?.finish();
  return entry;
}

function parseNumber(fields: Fields, key: string, most: bigint): bigint {
  const text = fields.text(key, 20);
  if (/^(0|[1-9][0-9]{0,18})$/.test(text) && BigInt(text) <= most) return BigInt(text);
  throw fields.error(key, "not a number", text, "decimal digits of a 64-bit integer, as a string");
}

function parseDigest(fields: Fields, key: string): Bytes {
  const digest = fields.base64Bytes(key, DIGEST_BYTES);
  if (digest.length !== DIGEST_BYTES) throw fields.error(key, "not a digest", `${digest.length} bytes`, "32 bytes");
  return digest;
}

function parsePromise(fields: Fields): Bytes {
  const promise = fields.base64Bytes("signedEntryTimestamp", 1024);
  if (promise.length) return promise;
  throw fields.error("signedEntryTimestamp", "empty", "no bytes", "a signature");
}

/** An optional list of at most 64 digests: a proof in a tree of 2^64 leaves. */
function parseHashes(proof: Fields): readonly Bytes[] {
  const value = proof.has("hashes") ? proof.value("hashes") : [];
  const items: readonly Json[] = Array.isArray(value) ? value : [null];
  const hashes = items.map((item) => (typeof item === "string" ? parseBase64(item) : undefined));
  if (hashes.length <= HASHES_MAX && hashes.every((hash) => hash?.length === DIGEST_BYTES)) {
    return hashes as readonly Bytes[];
  }
  throw proof.error("hashes", "not a list of digests", "another value", `at most ${HASHES_MAX}, of 32 bytes in base64`);
}

function finished<T>(fields: Fields, value: T): T {
  fields.finish();
  return value;
}
