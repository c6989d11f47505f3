// The history of a record, from the registry's events.

import { wordOf, type Hex } from "../../../contracts/npm/src/bytes.js";
import { recordIdOf, unpackStanding } from "../../../contracts/npm/src/record.js";
import { addressOf, smallOf, wordsIn, type Log, type NodeReader } from "./node.js";
import { bare, bitsOf, namesOf, timeOf, type Published } from "./records.js";
import { EVENTS } from "./registry.js";
import type { HistoryEvent, NamespaceEntry } from "./types.js";

const NOTHING = {
  time: null,
  name: null,
  version: null,
  revision: null,
  passed: null,
  epoch: null,
  signers: null,
  weight: null,
  held: null,
  doubtful: null,
  effective_from: null,
  reason: null,
  guardian: null,
  root: null,
  index: null,
} as const;

/** Events of one release, oldest first.
 * @param judgements all records of the release.
 * @param admissions the namespace's entries; empty if it is not claimed. */
export async function readHistory(
  node: NodeReader,
  registry: Hex,
  first: number,
  judgements: readonly Published[],
  admissions: readonly NamespaceEntry[],
): Promise<readonly HistoryEvent[]> {
  const [one] = judgements;
  if (one === undefined) return [];
  const { modelDigest, manifestDigest } = one.record;
  const release = recordIdOf(modelDigest, manifestDigest);
  const ids = [...new Set([release, ...judgements.map((each) => each.recordId)])];
  const read = async (event: string, topic: Hex, parse: (log: Log) => Facts): Promise<readonly Told[]> =>
    (await node.logs(registry, event, [topic], first)).map((log) => told(log, parse(log)));
  const found = await Promise.all([
    read(EVENTS.RecordRevoked, release, (log) => revocation("revoked", log)),
    read(EVENTS.ModelRevoked, modelDigest, (log) => revocation("model_revoked", log)),
    read(EVENTS.ModelRevocationApplied, release, (log) => ({
      event: "revocation_applied",
      effective_from: timeOf(smallOf(wordsIn(log.data)[0])),
    })),
    ...ids.map((id) => read(EVENTS.Recounted, id, recount)),
    ...ids.map((id) => read(EVENTS.LeafClosed, id, leafClosed)),
  ]);
  const contents = new Set(judgements.map(({ content }) => bare(content)));
  const admitted = admissions.filter(({ kind, subject }) => (kind === 3 || kind === 9) && contents.has(subject));
  const all = [...judgements.map((each) => told(each.log, publication(each))), ...found.flat(), ...admitted.map(admission)];
  return all.sort((a, b) => a.place - b.place).map(({ event }) => event);
}

type Facts = { readonly event: string } & Partial<HistoryEvent>;
interface Told {
  readonly place: number;
  readonly event: HistoryEvent;
}

/** More events than a block can hold. */
const INDEX_MAX = 1 << 20;

function told({ block, index, transaction }: Pick<Log, "block" | "index" | "transaction">, facts: Facts): Told {
  return { place: block * INDEX_MAX + index, event: { ...NOTHING, ...facts, block, transaction } };
}

function publication({ record, first }: Published): Facts {
  const standing = unpackStanding(first);
  return {
    event: record.revision === 0 ? "published" : "superseded",
    time: timeOf(standing.recordedAt),
    ...namesOf(record),
    revision: record.revision,
    passed: record.passed,
    epoch: standing.epoch,
    signers: bitsOf(BigInt(standing.signers)),
    weight: standing.weight,
    held: standing.held,
  };
}

function admission({ kind, seconds, block }: NamespaceEntry): Told {
  const event = kind === 9 ? "adopted" : "released";
  return told({ block, index: 0, transaction: wordOf(0n) }, { event, time: timeOf(seconds) });
}

function recount(log: Log): Facts {
  const [signers, weight, doubtful] = wordsIn(log.data).map(smallOf);
  return { event: "recounted", signers: bitsOf(BigInt(signers ?? 0)), weight: weight ?? 0, doubtful: doubtful === 1 };
}

function leafClosed(log: Log): Facts {
  return { event: "leaf_closed", root: bare(log.topics[2] ?? wordOf(0n)), index: smallOf(wordsIn(log.data)[0]) };
}

/** Words of the data: the time, the offset of the reason, its length and its bytes. */
function revocation(event: string, log: Log): Facts {
  const words = wordsIn(log.data);
  const length = smallOf(words[2]);
  const reason = new TextDecoder().decode(log.data.subarray(96, 96 + length));
  return { event, effective_from: timeOf(smallOf(words[0])), reason, guardian: addressOf(log.topics[2]) };
}
