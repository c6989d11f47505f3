// Proofs of releases by AMD's signature, which the contract HardwareProofs keeps: verifier/proofs/reader.py reads the same.

import { keccak256, type Hex } from "../../../contracts/npm/src/bytes.js";
import { NodeError } from "../../../contracts/npm/src/node.js";
import { FORBIDDEN, unpackProof } from "../../../contracts/npm/src/proof.js";
import { recordIdOf } from "../../../contracts/npm/src/record.js";
import type { ProofsPlace } from "../config.js";
import { lineName, SIMULATED } from "../words.js";
import { addressOf, bigOf, wordsIn, type NodeReader } from "./node.js";
import { bare, littleEndian } from "./records.js";
import { EVENTS, FUNCTIONS } from "./registry.js";

/** What a proof's word says; `contracts/proofs/ProofWords.sol` packs it. */
export interface ProofFacts {
  readonly provenAt: number;
  /** The simulator's keys signed, so nothing is proven. */
  readonly isSimulated: boolean;
  /** Of the certificate, also for simulated hardware. */
  readonly line: string;
  readonly key: "VCEK" | "VLEK";
  /** Byte by byte the least of four TCBs, in hex as a report stores them. */
  readonly lowestTcb: string;
  readonly vmpl: number;
  /** AMD revoked the key above the certificate since. */
  readonly isRevoked: boolean;
  /** Whether `HardwareGate` lets it pass with its own mask. */
  readonly opensGate: boolean;
}

/** A release that is proven on chain, with the place of the latest event that proved it. */
export interface ReleaseProof extends ProofFacts {
  /** The measured workload. */
  readonly identity: string;
  readonly reportDigest: string;
  readonly block: number;
  readonly transaction: Hex;
}

const REVOKED = 1n << 255n;
const RESERVED = ((1n << 48n) - 1n) << 207n;

/** As `unpack_proof` of verifier/proofs/words.py. Throws NodeError if the contract cannot hold such a word. */
export function proofFacts(word: bigint): ProofFacts {
  const found = unpackProof(word);
  if (word >> 256n || word & RESERVED || found.provenAt === 0) throw new NodeError(`no proof: 0x${word.toString(16)}`);
  return {
    provenAt: found.provenAt,
    isSimulated: lineName(found.productLine) === SIMULATED,
    line: lineName(found.certificateLine),
    key: found.isVlek ? "VLEK" : "VCEK",
    lowestTcb: littleEndian(found.lowestTcb),
    vmpl: found.vmpl,
    isRevoked: found.revoked,
    opensGate: !found.revoked && !(word & FORBIDDEN),
  };
}

/** Null if there is no proof. Throws NodeError where the contract's word and its events are not of one proof. */
export async function readProof(
  node: NodeReader,
  proofs: Hex,
  release: readonly [model: Hex, manifest: Hex],
  first: number,
): Promise<ReleaseProof | null> {
  const id = recordIdOf(...release);
  const word = bigOf(await node.callOne(proofs, FUNCTIONS.proofOf, id));
  if (word === 0n) return null;
  const facts = proofFacts(word);
  const [logs, identity] = await Promise.all([
    node.logs(proofs, EVENTS.ReleaseProven, release, first),
    node.callOne(proofs, FUNCTIONS.identityOf, id),
  ]);
  const log = logs.at(-1);
  if (!log) throw new NodeError("the node tells a proof and keeps back its event");
  const [, model, manifest, report] = log.topics;
  const [told, workload] = wordsIn(log.data);
  const isSame = model === release[0] && manifest === release[1] && workload === identity;
  if (!isSame || !report || bigOf(told) !== (word & ~REVOKED)) throw new NodeError("the proof differs from its event");
  if ((await node.timeOf(log.block)) !== facts.provenAt) throw new NodeError("the proof has another time than its block");
  return { ...facts, identity: bare(identity), reportDigest: bare(report), block: log.block, transaction: log.transaction };
}

/** Throws NodeError unless the contracts have the code that the deployment tells, and name each other and the registry. */
export async function requireProofs(node: NodeReader, place: ProofsPlace, registry: Hex): Promise<void> {
  const [proofsCode, verifierCode, verifier, ofRegistry] = await Promise.all([
    node.codeOf(place.proofs),
    node.codeOf(place.verifier),
    node.callOne(place.proofs, FUNCTIONS.verifier).then(addressOf),
    node.callOne(place.proofs, FUNCTIONS.registry).then(addressOf),
  ]);
  const isSame = keccak256(proofsCode) === place.proofsCodeHash && keccak256(verifierCode) === place.verifierCodeHash;
  if (!isSame) throw new NodeError(`other code at ${place.proofs} or ${place.verifier} than the deployment has`);
  const isOurs = verifier === place.verifier && ofRegistry === registry;
  if (!isOurs) throw new NodeError(`the contract ${place.proofs} has another verifier or registry than the deployment`);
}
