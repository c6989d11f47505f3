// Records read from the chain, in the form that `provenance show --json` prints.

import { hexOf, joinHex, keccak256, wordOf, type Hex } from "../../../contracts/npm/src/bytes.js";
import { NodeError } from "../../../contracts/npm/src/node.js";
import { decodeRecord, recordIdOf, type ModelRecord } from "../../../contracts/npm/src/record.js";
import { checkName, closureOf, explanationOf, lineName, shutBecause } from "../words.js";
import { addressOf, bigOf, smallOf, wordsIn, type Log, type NodeReader } from "./node.js";
import { FUNCTIONS } from "./registry.js";
import type { Entry } from "./types.js";

/** A record as its event shows it, with its place on chain. */
export interface Published {
  readonly record: ModelRecord;
  readonly recordId: Hex;
  readonly content: Hex;
  /** The standing as first written: the word of the event. */
  readonly first: bigint;
  readonly log: Log;
}

/** The record of an event `RecordPublished`. Throws NodeError for other bytes. */
export function parsePublished(log: Log): Published {
  const bytes = recordOf(log);
  try {
    const record = decodeRecord(hexOf(bytes));
    return { record, recordId: idOf(record), content: keccak256(bytes), first: bigOf(wordsIn(log.data)[0]), log };
  } catch (cause) {
    throw new NodeError("an event that is no record", { cause });
  }
}

/** The bytes of a record in its event. */
export function recordOf(log: Log): Uint8Array {
  const length = smallOf(wordsIn(log.data)[2]);
  const bytes = log.data.subarray(96, 96 + length);
  if (bytes.length !== length) throw new NodeError("a record that is cut off");
  return bytes;
}

/** As contracts/lib/RecordIds.sol: the kinds differ in the length of the hashed bytes. */
function idOf(record: Pick<ModelRecord, "modelDigest" | "manifestDigest" | "verdictDigest" | "passed" | "revision">): Hex {
  const { modelDigest, manifestDigest, verdictDigest, passed, revision } = record;
  if (!passed) return keccak256(joinHex([modelDigest, manifestDigest, verdictDigest]));
  const releaseId = recordIdOf(modelDigest, manifestDigest);
  const number: Hex = `0x${revision.toString(16).padStart(4, "0")}`;
  return revision === 0 ? releaseId : keccak256(joinHex([releaseId, number]));
}

/** The contract's struct Standing, in its order. */
interface Standing {
  readonly recordedAt: number;
  readonly revokedAt: number;
  readonly signers: bigint;
  readonly epoch: number;
  readonly revisions: number;
  readonly held: boolean;
  readonly doubtful: boolean;
  readonly named: boolean;
}

export async function readStanding(node: NodeReader, registry: Hex, recordId: Hex): Promise<Standing> {
  const words = await node.call(registry, FUNCTIONS.standingById, recordId);
  if (words.length !== 14) throw new NodeError("no registry answers standingById");
  const at = (i: number): number => smallOf(words[i]);
  const [recordedAt, revokedAt, epoch, revisions] = [at(0), at(1), at(6), at(7)];
  const [held, doubtful, named] = [at(11) === 1, at(12) === 1, at(13) === 1];
  return { recordedAt, revokedAt, signers: bigOf(words[4]), epoch, revisions, held, doubtful, named };
}

/** Joins an event's record with the contract's state. Throws NodeError if the contract keeps another record. */
export async function readEntry(node: NodeReader, registry: Hex, published: Published): Promise<Entry> {
  const { record, recordId, content, log } = published;
  const releaseId = recordIdOf(record.modelDigest, record.manifestDigest);
  const [kept, standing, modelRevoked, isOpen] = await Promise.all([
    node.callOne(registry, FUNCTIONS.contentOf, recordId),
    readStanding(node, registry, recordId),
    node.callOne(registry, FUNCTIONS.revokedModelTime, record.modelDigest).then(smallOf),
    node.callOne(registry, FUNCTIONS.isOpen, releaseId, 0).then(smallOf),
  ]);
  if (kept !== content) throw new NodeError(`the event's record is not the one that the contract keeps: ${recordId}`);
  const [threshold, signers] = await readSigners(node, registry, standing);
  const weight = signers.reduce((sum, one) => sum + (one.counts ? one.weight : 0), 0);
  const facts = {
    ...factsOf(record),
    recorded_at: timeOf(standing.recordedAt),
    epoch: standing.epoch,
    threshold,
    weight,
    signers,
    batch: null,
    revoked_at: earliest(standing.revokedAt, modelRevoked),
    model_revoked_at: earliest(modelRevoked),
    held: standing.held,
    doubtful: standing.doubtful || weight < threshold,
    named: standing.named,
    revisions: standing.revisions,
    gate_open: record.passed && isOpen === 1,
    block: log.block,
    transaction: log.transaction,
    gas_used: null,
  };
  const closure = closureOf(facts);
  const told = { closure, active: closure === null, closed_because: closure && explanationOf(closure) };
  return { ...facts, ...told, gate_shut_because: facts.gate_open ? null : shutBecause({ ...facts, closure }) };
}

/** A hostile model may have an @ too: the last one counts, as in verifier/record/codec.py. */
export function namesOf({ namespace, release }: ModelRecord): Pick<Entry, "name" | "version"> {
  const end = release.lastIndexOf("@");
  return { name: `${namespace}/${release.slice(0, end)}`, version: release.slice(end + 1) };
}

/** Whether the ids are those of the digests, so that an id leads to no other record. */
export function hasOwnIds(entry: Entry): boolean {
  const [modelDigest, manifestDigest, verdictDigest] = [entry.model_digest, entry.manifest_digest, entry.verdict_digest].map(hexed) as [Hex, Hex, Hex];
  const id = idOf({ modelDigest, manifestDigest, verdictDigest, passed: entry.passed, revision: entry.revision });
  return entry.record_id === bare(id) && entry.release_id === bare(recordIdOf(modelDigest, manifestDigest));
}

/** What a record says by itself. */
export function factsOf(record: ModelRecord) {
  return {
    release_id: bare(recordIdOf(record.modelDigest, record.manifestDigest)),
    record_id: bare(idOf(record)),
    ...namesOf(record),
    manifest_digest: bare(record.manifestDigest),
    model_digest: bare(record.modelDigest),
    verdict_digest: bare(record.verdictDigest),
    report_digest: bare(record.reportDigest),
    policy_digest: bare(record.policyDigest),
    policy_id: record.policyId,
    publisher_identity: bare(record.publisherIdentity),
    passed: record.passed,
    revision: record.revision,
    grade: record.grade,
    product_line: lineName(record.productLine),
    reported_tcb: littleEndian(record.reportedTcb),
    passed_checks: bitsOf(BigInt(record.checks)).map(checkName),
    parents: record.parents.map(bare),
    judged_at: timeOf(record.judgedAt),
  };
}

async function readSigners(node: NodeReader, registry: Hex, standing: Standing) {
  const epoch = node.call(registry, FUNCTIONS.epochOf, standing.epoch);
  const oracles = bitsOf(standing.signers).map(async (index) => {
    const [key, weight, from, until] = await node.call(registry, FUNCTIONS.oracleAt, standing.epoch, index);
    // A ROFL app can have bound another key since, which did not sign.
    const address = smallOf(from) <= standing.recordedAt ? addressOf(key) : null;
    return { index, address, weight: smallOf(weight), counts: smallOf(until) > standing.recordedAt };
  });
  const [[threshold], signers] = await Promise.all([epoch, Promise.all(oracles)]);
  return [smallOf(threshold), signers] as const;
}

export function bare(hex: Hex): string {
  return hex.slice(2);
}

export function hexed(digest: string): Hex {
  return `0x${digest}`;
}

/** Seconds since 1970 as JSON has them. A time that no calendar has stays a number. */
export function timeOf(seconds: number): string {
  const at = new Date(1000 * seconds);
  return Number.isNaN(at.getTime()) ? `${seconds} s` : at.toISOString().replace(".000Z", "Z");
}

function earliest(...seconds: readonly number[]): string | null {
  const told = seconds.filter((one) => one > 0);
  return told.length > 0 ? timeOf(Math.min(...told)) : null;
}

/** The numbers of the bits that are set. */
export function bitsOf(word: bigint): readonly number[] {
  return Array.from({ length: 32 }, (_, i) => i).filter((i) => (word >> BigInt(i)) & 1n);
}

/** As the report stores it: eight bytes, lowest first. */
export function littleEndian(tcb: bigint): string {
  return wordOf(tcb).slice(-16).match(/../g)!.reverse().join("");
}
