// What the index says of a record, compared with what the chain keeps of it.

import { loadJudge } from "../scripts.js";
import type { Chain } from "./chain.js";
import { factsOf } from "./records.js";
import type { Entry } from "./types.js";

/** A field in which the index contradicts the chain. */
export interface Contradiction {
  readonly field: string;
  readonly index: string;
  readonly chain: string;
}

/** The chain does not tell these, or a standing changes between two looks. */
const NOT_COMPARED: ReadonlySet<string> = new Set(["gas_used", "batch", "block", "transaction", "gate_shut_because"]);

/** Letter by letter: another case can be another word, such as a version, or a product line that this page does not know. */
export function contradictions(index: Entry, chain: Partial<Entry>): readonly Contradiction[] {
  const names = (Object.keys(chain) as (keyof Entry)[]).filter((name) => !NOT_COMPARED.has(name));
  return names
    .map((field) => ({ field, index: JSON.stringify(index[field]), chain: JSON.stringify(chain[field]) }))
    .filter(({ index: one, chain: other }) => one !== other);
}

/** The fields in which the index contradicts the chain. Of a record in a batch the chain keeps only the root, so that
 * the proof is followed. `proof` gives its bytes. Throws NotFound if it is not at hand, and NodeError. */
export async function confirm(chain: Chain, entry: Entry, proof: () => Promise<Uint8Array<ArrayBuffer>>): Promise<readonly Contradiction[]> {
  if (entry.batch) return confirmLeaf(chain, entry, entry.batch, await proof());
  const own = await chain.entry(entry);
  return own ? contradictions(entry, own) : [absent("record", entry.record_id)];
}

async function confirmLeaf(
  chain: Chain,
  entry: Entry,
  batch: NonNullable<Entry["batch"]>,
  proof: Uint8Array<ArrayBuffer>,
): Promise<readonly Contradiction[]> {
  const [{ provenBy }, hasRoot] = await Promise.all([loadJudge(), chain.hasBatch(batch.root)]);
  if (!hasRoot) return [absent("batch", batch.root)];
  const proven = provenBy(proof);
  if ("problem" in proven) return [{ field: "proof", index: "a proof", chain: proven.problem }];
  const [told, own] = [batch, proven].map(({ root, leaf }) => `root ${root}, leaf ${leaf}`) as [string, string];
  const place = told === own ? [] : [{ field: "batch", index: told, chain: own }];
  return [...place, ...contradictions(entry, factsOf(proven.record))];
}

function absent(field: string, id: string): Contradiction {
  return { field, index: id, chain: "none" };
}
