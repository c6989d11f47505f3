// The documents that `provenance show --json` prints and REST answers with; see verifier/documents. The chain reader
// makes the same.

import { address, anything, digest, fields, flag, list, maybe, text, whole, type Parse, type Parsed } from "./shape.js";

const lowerAddress: Parse<string> = (value, where) => address(value, where).toLowerCase();

export const signer = fields({ index: whole, address: maybe(lowerAddress), weight: whole, counts: flag });

/** A record and its standing: `entry_json` and `gate_json`, with the place on chain that REST adds. */
export const entry = fields({
  release_id: digest,
  record_id: digest,
  name: text,
  version: text,
  manifest_digest: digest,
  model_digest: digest,
  verdict_digest: digest,
  report_digest: digest,
  policy_digest: digest,
  policy_id: whole,
  publisher_identity: digest,
  passed: flag,
  revision: whole,
  grade: whole,
  product_line: text,
  reported_tcb: text,
  passed_checks: list(text),
  parents: list(digest),
  judged_at: text,
  recorded_at: text,
  epoch: whole,
  threshold: whole,
  weight: whole,
  signers: list(signer),
  batch: maybe(fields({ root: digest, leaf: whole })),
  revoked_at: maybe(text),
  model_revoked_at: maybe(text),
  held: flag,
  doubtful: flag,
  named: flag,
  revisions: whole,
  active: flag,
  closure: maybe(text),
  closed_because: maybe(text),
  gate_open: maybe(flag),
  gate_shut_because: maybe(text),
  block: maybe(whole),
  transaction: maybe(text),
  gas_used: maybe(whole),
});
export type Entry = Parsed<typeof entry>;

export const entries = fields({ entries: list(entry), total: maybe(whole), next_cursor: maybe(text) });
export type Entries = Parsed<typeof entries>;

/** One event of a record's history. Which facts there are depends on the event. */
export const historyEvent = fields({
  event: text,
  time: maybe(text),
  name: maybe(text),
  version: maybe(text),
  revision: maybe(whole),
  passed: maybe(flag),
  epoch: maybe(whole),
  signers: maybe(list(whole)),
  weight: maybe(whole),
  held: maybe(flag),
  doubtful: maybe(flag),
  effective_from: maybe(text),
  reason: maybe(text),
  guardian: maybe(address),
  root: maybe(digest),
  index: maybe(whole),
  block: whole,
  transaction: text,
});
export type HistoryEvent = Parsed<typeof historyEvent>;

export const publisherChange = fields({
  name: text,
  from_version: text,
  to_version: text,
  from_publisher: digest,
  to_publisher: digest,
  recorded_at: text,
});
export type PublisherChange = Parsed<typeof publisherChange>;

export const namespace = fields({
  name: text,
  owner: maybe(address),
  claimed_at: maybe(text),
  identity_limit: maybe(whole),
  first_uses: maybe(whole),
  identities: maybe(list(digest)),
  history_entries: maybe(whole),
});
export type Namespace = Parsed<typeof namespace>;

export const edge = fields({ child: digest, parent: digest, attested: flag });
export type Edge = Parsed<typeof edge>;

/** One entry of a namespace's history. `head` chains it to all entries before; see contracts/INamespaces.sol. */
export const namespaceEntry = fields({
  number: whole,
  kind: whole,
  subject: digest,
  seconds: whole,
  head: digest,
  block: whole,
});
export type NamespaceEntry = Parsed<typeof namespaceEntry>;

export const history = fields({
  events: list(historyEvent),
  namespaces: maybe(list(namespace)),
  publisher_changes: maybe(list(publisherChange)),
});
export type History = Parsed<typeof history>;

export const ancestor = fields({
  release_id: digest,
  child: digest,
  depth: whole,
  attested: flag,
  open: flag,
  name: maybe(text),
  version: maybe(text),
});
export type Ancestor = Parsed<typeof ancestor>;

/** Ancestors, each once; every edge among them and the release; the releases made from it, as far as an index knows. */
export interface Lineage {
  readonly ancestors: readonly Ancestor[];
  readonly edges: readonly Edge[];
  readonly descendants: readonly Result[];
}

/** The edges by which ancestors were found: one each. */
export function edgesOf(ancestors: readonly Ancestor[]): readonly Edge[] {
  return ancestors.map(({ child, release_id: parent, attested }) => ({ child, parent, attested }));
}

/** A result of a search: a record, namespace, identity or policy, with a few facts. */
export const result = fields({
  kind: text,
  name: maybe(text),
  version: maybe(text),
  record_id: maybe(digest),
  model_digest: maybe(digest),
  manifest_digest: maybe(digest),
  recorded_at: maybe(text),
  product_line: maybe(text),
  closure: maybe(text),
  digest: maybe(digest),
  found_by: maybe(text),
});
export type Result = Parsed<typeof result>;

export const found = fields({
  found_by: maybe(text),
  results: list(result),
  next_cursor: maybe(text),
  compared: maybe(list(text)),
});
export type Found = Parsed<typeof found>;

export const finding = fields({ check: text, outcome: text, got: text, wanted: text });
export type Finding = Parsed<typeof finding>;

export const evidenceFile = fields({ path: text, size: whole, sha256: digest });
export type EvidenceFile = Parsed<typeof evidenceFile>;
export const evidenceList = fields({ files: list(evidenceFile) });

export const policy = fields({
  digest,
  number: maybe(whole),
  name: maybe(text),
  date: maybe(text),
  text: maybe(text),
  rules: maybe(list(fields({ rule: text, value: anything }))),
  records: maybe(whole),
});
export type Policy = Parsed<typeof policy>;

export const identity = fields({ digest, records: maybe(whole), namespaces: maybe(list(text)) });
export type Identity = Parsed<typeof identity>;

export const statistics = fields({
  by_day: list(fields({ day: text, releases: whole, batches: whole, gas: maybe(whole) })),
  oracles: list(fields({ address: text, epoch: maybe(whole), signed: whole, of: whole })),
  firmware: list(fields({ product_line: text, reported_tcb: text, day: text, count: whole })),
});
export type Statistics = Parsed<typeof statistics>;

export const status = fields({
  chain_id: maybe(whole),
  registry: maybe(address),
  head: maybe(whole),
  indexed_until: maybe(whole),
  lag_blocks: maybe(whole),
  deployment: maybe(fields({ block: whole })),
});
export type Status = Parsed<typeof status>;
