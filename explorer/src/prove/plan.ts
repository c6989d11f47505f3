// What the chain would say to a proof, and what it would take: simulated, and the gas estimated, before anybody pays.
// It equals oracle/chain/prove_release.py.

import { hexOf, keccak256, type Hex } from "../../../contracts/npm/src/bytes.js";
import { NodeError, revertData, type Ask } from "../../../contracts/npm/src/node.js";
import type { EvidenceCall } from "../check/evidence_calls.js";
import type { AddedIntermediate } from "../check/intermediates.js";
import { timeText } from "../check/times.js";
import { bigOf, dataOf, numberOf, quantity, question, smallOf, NodeReader, wordsIn } from "../data/node.js";
import type { ProvingEvidence } from "../judge.js";
import {
  encodeAddIntermediate,
  encodeInOrder,
  encodeProve,
  encodeSubmitCrl,
  IS_ENDORSED,
  LISTS_CURRENT_UNTIL,
  NUMBER_OF,
  OUT_OF_GAS,
  refusalWords,
  selectorOf,
} from "./interface.js";

/** EIP-7825: no transaction may have more gas. */
const TRANSACTION_GAS_MAX = 16_777_216;
const P384_SIGNATURE_BYTES = 96;
/** A list that ends sooner may have ended when the transaction comes into a block. */
const LIST_MARGIN_SECONDS = 3_600;

/** What to prove, and at which contract. `record` may be empty. */
export interface Proposal extends ProvingEvidence {
  readonly proofs: Hex;
  readonly record: Hex;
}

/** A proof that the chain would take now. */
export interface Plan {
  readonly data: Hex;
  readonly gas: number;
  /** What a transaction may have: by EIP-7825, or by the newest block. */
  readonly gasMax: number;
  /** The gas limit to send it with. Another proof of the same chip can make this one dearer by less than a tenth. */
  readonly limit: number;
  readonly price: bigint;
  readonly isKeyKnown: boolean;
  /** The intermediate that the same transaction adds first; undefined if the chain knows it. */
  readonly adds: AddedIntermediate | undefined;
  readonly releaseId: Hex;
  /** What the proof would say. */
  readonly word: bigint;
}

/** The chain refuses the proof, or it does not fit into a transaction: nothing was sent. */
export class ProofRefused extends Error {
  override readonly name = "ProofRefused";

  constructor(
    readonly title: string,
    message: string,
  ) {
    super(message);
  }
}

/**
 * Simulates a proof and estimates its gas, as of the account that would send it. Throws ProofRefused, and NodeError,
 * which says nothing about the proof.
 */
export async function planProof(ask: Ask, proposal: Proposal, from?: Hex): Promise<Plan> {
  const { proofs, whole, endorsed, record } = proposal;
  const { vekKey, vekFacts, vekChip, intermediate } = endorsed;
  const { number, gasLimit, timestamp } = Object(await question(ask, "eth_getBlockByNumber", ["latest", false]));
  const node = new NodeReader(ask, 0, numberOf(number, "block number"));
  const gasMax = Math.min(TRANSACTION_GAS_MAX, numberOf(gasLimit, "gas limit"));
  const asked = [keccak256(vekKey), vekFacts, hexOf(vekChip), hexOf(intermediate)] as const;
  const isKeyKnown = smallOf(await node.callOne(proofs, IS_ENDORSED, ...asked)) === 1;
  const evidence = isKeyKnown ? endorsed : whole;
  const before = await callsBefore(node, proposal, numberOf(timestamp, "time of a block"));
  const data = encodeInOrder(before, encodeProve(evidence, record));
  const sent = { to: proofs, data, ...(from && { from }) };
  const answer = await simulate(ask, sent, gasMax, evidence);
  const [gas, price] = await Promise.all([
    question(ask, "eth_estimateGas", [sent]).then((told) => numberOf(told, "gas")),
    question(ask, "eth_gasPrice", []).then((told) => BigInt(numberOf(told, "gas price"))),
  ]);
  if (gas > gasMax) throw tooLarge(evidence, `${gas.toLocaleString("en")} gas`, gasMax);
  // Of several calls, the last one's answer ends the whole.
  const [releaseId, word] = wordsIn(answer).slice(-2);
  if (!releaseId) throw new NodeError("the node simulates nothing");
  const limit = Math.min(Math.floor((gas * 11) / 10), gasMax);
  const adds = before.length > 0 ? proposal.intermediate : undefined;
  return { data, gas, gasMax, limit, price, isKeyKnown, adds, releaseId, word: bigOf(word) };
}

/** The calls that make the chain know the intermediate: none, or its addition, after a list if need be. */
async function callsBefore(node: NodeReader, { proofs, intermediate }: Proposal, now: number): Promise<readonly Hex[]> {
  if (!intermediate || smallOf(await node.callOne(proofs, NUMBER_OF, hexOf(intermediate.digest))) > 0) return [];
  const { certificate, line, crl } = intermediate;
  const addition = encodeAddIntermediate(certificate);
  const soon = now + LIST_MARGIN_SECONDS;
  if (smallOf(await node.callOne(proofs, LISTS_CURRENT_UNTIL, line)) > soon) return [addition];
  if (!crl || crl.nextUpdate <= soon) throw listNeeded(intermediate);
  return [encodeSubmitCrl(crl.der), addition];
}

function listNeeded({ name, crl }: AddedIntermediate): ProofRefused {
  const found = crl ? `the one of this release ends at ${timeText(crl.nextUpdate)}` : "this release has none";
  const problem = `This chain does not know the intermediate ${name} yet, and takes it in only with a current revocation list of AMD: ${found}.`;
  const wayOut = "Put AMD’s list of today into the folder of the release, as provenance/snp/ark.crl, and choose the folder here; or use provenance prove with --fetch, which gets the list.";
  return new ProofRefused("The chain needs a current list.", `${problem} ${wayOut}`);
}

async function simulate(ask: Ask, transaction: object, gasMax: number, evidence: EvidenceCall): Promise<Uint8Array> {
  try {
    return dataOf(await question(ask, "eth_call", [{ ...transaction, gas: quantity(gasMax) }, "latest"]), "simulation");
  } catch (error) {
    if (!(error instanceof NodeError)) throw error;
    const data = revertData(error.cause);
    const isOutOfGas = data && hexOf(data) === selectorOf(OUT_OF_GAS);
    if (data && !isOutOfGas) {
      const { name, meaning } = refusalWords(data);
      throw new ProofRefused("The chain refuses the proof.", `${name}: ${meaning}.`);
    }
    if (isOutOfGas || /gas|revert/i.test(error.message)) throw tooLarge(evidence, `more than ${gasMax.toLocaleString("en")} gas`, gasMax);
    throw error;
  }
}

function tooLarge({ signature, payload }: EvidenceCall, got: string, gasMax: number): ProofRefused {
  const isP384 = signature.length === P384_SIGNATURE_BYTES;
  const wayOut = isP384 ? "The publisher can use a key on P-256 (provenance attest --key-type p256)." : "The publisher can use fewer files, or larger ones.";
  const told = `With a manifest of ${payload.length.toLocaleString("en")} bytes it takes ${got}; a transaction may have ${gasMax.toLocaleString("en")}.`;
  return new ProofRefused("The proof does not fit into a transaction.", `${told} ${wayOut}`);
}
