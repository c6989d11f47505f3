// A record as bytes and taken apart: contracts/lib/RecordCodec.sol, RecordIds.sol and Standings.sol say the same.

import { bytesOf, FormatError, hexOf, joinHex, keccak256, packBits, utf8, type Hex } from "./bytes.js";
import type { Standing } from "./calls.js";

/** What the oracles say of a release; see `Record` in Types.sol. Times are seconds since 1970. */
export interface ModelRecord {
  readonly modelDigest: Hex;
  readonly manifestDigest: Hex;
  readonly verdictDigest: Hex;
  readonly reportDigest: Hex;
  readonly policyDigest: Hex;
  readonly publisherIdentity: Hex;
  readonly reportedTcb: bigint;
  readonly checks: number;
  /** A record that did not pass opens no gate. */
  readonly passed: boolean;
  readonly judgedAt: number;
  readonly policyId: number;
  readonly revision: number;
  /** 0 to 2 */
  readonly grade: number;
  /** 255 is simulated, which proves nothing. */
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

/** A record's bytes, which oracles sign and `publish` takes. */
export function encodeRecord(record: ModelRecord): Hex {
  const facts = packBits([
    [record.reportedTcb, 64],
    [record.checks, 32],
    [record.passed, 1],
    [0, 55],
    [record.judgedAt, 40],
    [record.policyId, 32],
    [record.revision, 16],
    [record.grade, 8],
    [record.productLine, 8],
  ]);
  const digests = DIGESTS.map((name) => hexOf(record[name], 32));
  const texts = [record.namespace, record.release].map(encodeText);
  return joinHex([...digests, facts, ...texts, ...record.parents.map((parent) => hexOf(parent, 32))]);
}

/** Throws unless these are the bytes of one record, and nothing else. */
export function decodeRecord(record: Hex | Uint8Array): ModelRecord {
  const bytes = bytesOf(record);
  if (bytes.length < TEXTS_AT + 2) throw malformed(bytes);
  const digest = (at: number): Hex => hexOf(bytes.subarray(at, at + 32));
  const facts = BigInt(digest(FACTS_AT));
  const [namespace, releaseAt] = decodeText(bytes, TEXTS_AT);
  const [release, parentsAt] = decodeText(bytes, releaseAt);
  if (bitsOf(facts, 97, 55) !== 0 || (bytes.length - parentsAt) % 32 !== 0) throw malformed(bytes);
  const parents: Hex[] = [];
  for (let at = parentsAt; at < bytes.length; at += 32) parents.push(digest(at));
  return {
    modelDigest: digest(0),
    manifestDigest: digest(32),
    verdictDigest: digest(64),
    reportDigest: digest(96),
    policyDigest: digest(128),
    publisherIdentity: digest(160),
    reportedTcb: BigInt.asUintN(64, facts),
    checks: bitsOf(facts, 64, 32),
    passed: bitsOf(facts, 96, 1) === 1,
    judgedAt: bitsOf(facts, 152, 40),
    policyId: bitsOf(facts, 192, 32),
    revision: bitsOf(facts, 224, 16),
    grade: bitsOf(facts, 240, 8),
    productLine: bitsOf(facts, 248, 8),
    namespace,
    release,
    parents,
  };
}

/** The word in the event `RecordPublished`. */
export function unpackStanding(word: bigint): Standing {
  return {
    recordedAt: bitsOf(word, 0, 40),
    revokedAt: bitsOf(word, 112, 40),
    judgedAt: bitsOf(word, 152, 40),
    policyId: bitsOf(word, 192, 32),
    signers: bitsOf(word, 40, 32),
    weight: bitsOf(word, 72, 16),
    epoch: bitsOf(word, 88, 16),
    revisions: bitsOf(word, 224, 16),
    grade: bitsOf(word, 240, 8),
    productLine: bitsOf(word, 248, 8),
    failed: bitsOf(word, 104, 1) === 1,
    held: bitsOf(word, 105, 1) === 1,
    doubtful: bitsOf(word, 106, 1) === 1,
    named: bitsOf(word, 107, 1) === 1,
  };
}

/** The id of a release's record, the same on every chain. */
export function recordIdOf(modelDigest: Hex, manifestDigest: Hex): Hex {
  return keccak256(joinHex([hexOf(modelDigest, 32), hexOf(manifestDigest, 32)]));
}

function bitsOf(word: bigint, shift: number, bits: number): number {
  return Number(BigInt.asUintN(bits, word >> BigInt(shift)));
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
