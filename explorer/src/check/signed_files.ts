// The payload of a model's signature: the files that the signer vouches for. Parsed after the signature holds.
// The rules are those of verifier/identity/statement.py (OpenSSF model signing v1.0).

import { compareTexts, hexOf, isEqual, type Bytes } from "./bytes.js";
import { BUNDLE_MAX_BYTES } from "./bundle.js";
import { Fields } from "./fields.js";
import { parseJson } from "./json.js";
import { digestOf } from "./key.js";
import { parsePath, refuseCollisions } from "./names.js";

const CHECK = "publisher-signature";
const PREDICATE = "https://model_signing/signature/v1.0";
/** The name that a signer gives to a model of one file. */
const ONE_FILE = ".";
/** The digests that a signer may choose, and their sizes in bytes. */
const DIGESTS: { readonly [algorithm: string]: number } = { sha256: 32, blake2b: 64, blake3: 32 };
const PARTS_MAX = 250_000;
const IGNORED_MAX = 1024;
const NAME_MAX_CHARS = 4096 + 40;
const SHARD = /^(.*):(0|[1-9][0-9]{0,18}):([1-9][0-9]{0,18})$/su;
const NOT_IGNORED = /[*?[\\]|(?:^|\/)\.{0,2}(?:\/|\n?$)/u;

/** A file, or its bytes from `start` up to `end`, and their digest. `end` is null for a whole file. */
export interface SignedPart {
  readonly path: string;
  readonly digest: Bytes;
  readonly start: bigint;
  readonly end: bigint | null;
}

export interface SignedFiles {
  /** In the signer's order, at least one. */
  readonly parts: readonly SignedPart[];
  /** sha256, blake2b or blake3. */
  readonly algorithm: string;
  readonly inShards: boolean;
  /** SHA-256 of all digests in the signer's order. It binds no names. */
  readonly root: Bytes;
  readonly payloadDigest: Bytes;
  /** The path of each file, once. */
  readonly paths: ReadonlySet<string>;
}

export async function parseSignedFiles(payload: Bytes, where: string): Promise<SignedFiles> {
  const value = parseJson(payload, { where, check: CHECK, maxBytes: BUNDLE_MAX_BYTES, wholeFloats: true });
  const fields = new Fields(value, where, CHECK, "payload");
  fields.constant("_type", "https://in-toto.io/Statement/v1");
  fields.constant("predicateType", PREDICATE);
  const subject = fields.fieldsList("subject", 1, 1)[0]!;
  subject.text("name"); // a name for people; it binds nothing
  const digests = subject.fields("digest");
  const root = digests.hexBytes("sha256", 32);
  const predicate = fields.fields("predicate");
  const serialization = predicate.fields("serialization");
  const { algorithm, shardSize } = parseSerialization(serialization);
  const resources = predicate.fieldsList("resources", 1, PARTS_MAX);
  const parts = resources.map((resource) => parsePart(resource, algorithm, shardSize, where));
  for (const part of [digests, subject, serialization, predicate, fields]) part.finish();
  await matchRoot(fields, root, parts);
  const paths = new Set(parts.map((part) => part.path));
  refuseNames(fields, where, parts, [...paths]);
  if (shardSize !== null) refuseGaps(fields, parts, shardSize);
  return { parts, algorithm, inShards: shardSize !== null, root, payloadDigest: await digestOf("SHA-256", payload), paths };
}

function parseSerialization(fields: Fields): { algorithm: string; shardSize: bigint | null } {
  const method = fields.text("method");
  if (method !== "files" && method !== "shards") throw fields.error("method", "unknown value", method, "files or shards");
  const algorithm = fields.text("hash_type");
  if (!Object.hasOwn(DIGESTS, algorithm)) {
    throw fields.error("hash_type", "unknown value", algorithm, Object.keys(DIGESTS).join(" or "));
  }
  if (fields.value("allow_symlinks") !== false) {
    throw fields.error("allow_symlinks", "links are not allowed", "another value", "false");
  }
  const ignored = fields.has("ignore_paths") ? fields.value("ignore_paths") : [];
  if (!Array.isArray(ignored) || ignored.length > IGNORED_MAX) {
    throw fields.error("ignore_paths", "not a list", "another value", `at most ${IGNORED_MAX}`);
  }
  if (ignored.some((path) => typeof path !== "string" || NOT_IGNORED.test(path))) {
    const wanted = "relative paths without dot segments and wildcards";
    throw fields.error("ignore_paths", "not a path", "another value", wanted);
  }
  return { algorithm, shardSize: method === "shards" ? fields.integer("shard_size", 1n) : null };
}

function parsePart(fields: Fields, algorithm: string, shardSize: bigint | null, where: string): SignedPart {
  const name = fields.text("name", NAME_MAX_CHARS);
  fields.constant("algorithm", algorithm);
  const digest = fields.hexBytes("digest", DIGESTS[algorithm]!);
  fields.finish();
  if (shardSize === null) return { path: parseName(name, where), digest, start: 0n, end: null };
  const shard = SHARD.exec(name);
  if (!shard) throw fields.error("name", "not the name of a shard", name, "PATH:START:END");
  return { path: parseName(shard[1]!, where), digest, start: BigInt(shard[2]!), end: BigInt(shard[3]!) };
}

function parseName(name: string, where: string): string {
  return name === ONE_FILE ? name : parsePath(name, CHECK, where, true);
}

async function matchRoot(fields: Fields, root: Bytes, parts: readonly SignedPart[]): Promise<void> {
  const size = parts[0]!.digest.length;
  const joined = new Uint8Array(size * parts.length);
  parts.forEach((part, i) => joined.set(part.digest, i * size));
  const found = await digestOf("SHA-256", joined);
  if (isEqual(found, root)) return;
  throw fields.error("subject[0].digest.sha256", "not the digest of the resources", hexOf(root), hexOf(found));
}

/** Refuses a name that occurs twice, names that collide, and names in an order that no signer writes. */
function refuseNames(fields: Fields, where: string, parts: readonly SignedPart[], paths: readonly string[]): void {
  const names = parts.map((part) => (part.end === null ? part.path : `${part.path}:${part.start}:${part.end}`));
  if (new Set(names).size !== names.length) {
    throw fields.error("predicate.resources", "a name occurs twice", "the same twice", "each name once");
  }
  if (paths.includes(ONE_FILE) && paths.length > 1) {
    throw fields.error("predicate.resources", "not a path", ONE_FILE, "names of files");
  }
  refuseCollisions(paths, CHECK, where);
  const isSorted = rises(names, compareTexts) || rises(parts, compareParts);
  if (isSorted) return;
  const wanted = "by code point, or by path component";
  throw fields.error("predicate.resources", "the names are out of order", "another order", wanted);
}

function rises<T>(values: readonly T[], compare: (one: T, other: T) => number): boolean {
  return values.every((value, i) => i === 0 || compare(values[i - 1]!, value) <= 0);
}

/** Orders parts by the components of their paths, then by where they start. */
function compareParts(one: SignedPart, other: SignedPart): number {
  const [left, right] = [one.path.split("/"), other.path.split("/")];
  for (let at = 0; at < Math.min(left.length, right.length); at++) {
    const order = compareTexts(left[at]!, right[at]!);
    if (order !== 0) return order;
  }
  return left.length - right.length || compareStarts(one, other);
}

function compareStarts(one: SignedPart, other: SignedPart): number {
  return one.start < other.start ? -1 : Number(one.start > other.start);
}

/** Refuses shards that do not follow each other from the first byte on, or are not of the stated size. */
function refuseGaps(fields: Fields, parts: readonly SignedPart[], shardSize: bigint): void {
  const ends = new Map<string, bigint>();
  for (const part of [...parts].sort(compareStarts)) {
    const end = part.end ?? 0n;
    const follows = part.start === (ends.get(part.path) ?? 0n) && part.start % shardSize === 0n;
    if (!follows || end <= part.start || end - part.start > shardSize) {
      const wanted = `shards of ${shardSize} bytes that follow each other`;
      throw fields.error("predicate.resources", "the shards have gaps", `${part.path}:${part.start}:${end}`, wanted);
    }
    ends.set(part.path, end);
  }
}
