// Records as bytes and as objects. The same formats are in contracts/lib/RecordCodec.sol, RecordIds.sol and
// Standings.sol.

import { about, bytesOf, FormatError, hexIn, hexOf, joinHex, keccak256, packBits, unpackBits, utf8 } from "./bytes.js";
import type { Hex, Layout } from "./bytes.js";
import type { Standing } from "./calls.js";

/** The oracles' findings about a release; see Types.sol. Times are seconds since 1970. */
export interface ModelRecord {
  readonly modelDigest: Hex;
  readonly manifestDigest: Hex;
  readonly verdictDigest: Hex;
  readonly reportDigest: Hex;
  readonly policyDigest: Hex;
  readonly publisherIdentity: Hex;
  readonly reportedTcb: bigint;
  readonly checks: number;
  /** If false, no gate opens. */
  readonly passed: boolean;
  readonly judgedAt: number;
  readonly policyId: number;
  readonly revision: number;
  /** 0 to 2 */
  readonly grade: number;
  /** 254: signed only, 255: simulated */
  readonly productLine: number;
  readonly namespace: string;
  /** `model@version` */
  readonly release: string;
  readonly parents: readonly Hex[];
}

const DIGESTS = [
  "modelDigest",
  "manifestDigest",
  "verdictDigest",
  "reportDigest",
  "policyDigest",
  "publisherIdentity",
] as const;
const FACTS_AT = 192;
const TEXTS_AT = 224;
const FACTS: Layout = [
  ["reportedTcb", 64],
  ["checks", 32],
  ["passed", 1],
  ["unused", 55],
  ["judgedAt", 40],
  ["policyId", 32],
  ["revision", 16],
  ["grade", 8],
  ["productLine", 8],
];
const STANDING: Layout = [
  ["recordedAt", 40],
  ["signers", 32],
  ["weight", 16],
  ["epoch", 16],
  ["failed", 1],
  ["held", 1],
  ["doubtful", 1],
  ["named", 1],
  ["unused", 4],
  ["revokedAt", 40],
  ["judgedAt", 40],
  ["policyId", 32],
  ["revisions", 16],
  ["grade", 8],
  ["productLine", 8],
];

/** The bytes that oracles sign and `publish` takes. */
export function encodeRecord(record: ModelRecord): Hex {
  const facts = packBits(FACTS, { ...record, unused: 0 });
  const digests = DIGESTS.map((name) => hexIn(record, name, 32));
  const texts = (["namespace", "release"] as const).map((name) => about(name, () => encodeText(record[name])));
  const parents = about("parents", () => record.parents.map((parent) => hexOf(parent, 32)));
  return joinHex([...digests, facts, ...texts, ...parents]);
}

export function decodeRecord(record: Hex | Uint8Array): ModelRecord {
  const bytes = bytesOf(record);
  if (bytes.length < TEXTS_AT + 2) throw malformed(bytes);
  const digest = (at: number): Hex => hexOf(bytes.subarray(at, at + 32));
  const { unused, ...facts } = unpackBits(FACTS, BigInt(digest(FACTS_AT)));
  const [namespace, releaseAt] = decodeText(bytes, TEXTS_AT);
  const [release, parentsAt] = decodeText(bytes, releaseAt);
  if (unused !== 0n || (bytes.length - parentsAt) % 32 !== 0) throw malformed(bytes);
  const parents: Hex[] = [];
  for (let at = parentsAt; at < bytes.length; at += 32) parents.push(digest(at));
  const digests = Object.fromEntries(DIGESTS.map((name, i) => [name, digest(32 * i)]));
  return { ...digests, ...facts, namespace, release, parents } as unknown as ModelRecord;
}

/** Of the event `RecordPublished`. */
export function unpackStanding(word: bigint): Standing {
  const { unused, ...standing } = unpackBits(STANDING, word);
  return standing as unknown as Standing;
}

/** The same on every chain. */
export function recordIdOf(modelDigest: Hex, manifestDigest: Hex): Hex {
  const release = { modelDigest, manifestDigest };
  return keccak256(joinHex([hexIn(release, "modelDigest", 32), hexIn(release, "manifestDigest", 32)]));
}

function encodeText(text: string): Hex {
  const bytes = utf8(text);
  if (bytes.length > 255) throw new FormatError(`text of ${bytes.length} bytes`);
  return hexOf(Uint8Array.of(bytes.length, ...bytes));
}

function decodeText(bytes: Uint8Array, at: number): [text: string, end: number] {
  const end = at + 1 + (bytes[at] ?? 0);
  if (end > bytes.length) throw malformed(bytes);
  try {
    return [new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes.subarray(at + 1, end)), end];
  } catch {
    throw malformed(bytes);
  }
}

function malformed(bytes: Uint8Array): FormatError {
  return new FormatError(`${bytes.length} bytes, not those of a record`);
}
