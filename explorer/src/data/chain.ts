// The registry, read by JSON-RPC from the browser.

import { hexOf, keccak256, nameDigest, type Hex } from "../../../contracts/npm/src/bytes.js";
import { askUrl, NodeError, type Ask } from "../../../contracts/npm/src/node.js";
import type { Place } from "../config.js";
import { comparing, type Difference } from "./compare.js";
import { readHistory } from "./events.js";
import { readEntries, readHead, readNamespace } from "./namespaces.js";
import { addressOf, readNode, smallOf, type NodeReader } from "./node.js";
import { readProof, requireProofs, type ReleaseProof } from "./proofs.js";
import { bare, hexed, namesOf, parsePublished, readEntry, recordOf, readStanding, timeOf, type Published } from "./records.js";
import { EVENTS, FUNCTIONS } from "./registry.js";
import type { Ancestor, Entries, Entry, HistoryEvent, Namespace, NamespaceEntry } from "./types.js";

/** What the page hears from a second node. */
export interface Watcher {
  differs(difference: Difference): void;
  isSilent(why: string): void;
}

export interface ChainStatus {
  readonly chainId: number;
  /** The newest block, and its time: a node that stands still hides what happened since. */
  readonly block: number;
  readonly at: string;
}

type Digests = Pick<Entry, "model_digest" | "manifest_digest">;

interface Opened {
  readonly node: NodeReader;
  readonly registry: Hex;
  readonly namespaces: Hex;
  readonly lineage: Hex;
}

const SHOWN_MAX = 50;
const ANCESTORS_NAMED_MAX = 12;
/** As long as one look at a page takes: all its answers are of one block. */
const KEPT_MS = 5_000;

/** Throws NodeError: no answer, which says nothing about a record. */
export class Chain {
  /** The first node alone, for what the two may well answer differently, such as a price. */
  readonly first: Ask;
  readonly #ask: Ask;
  #opened: Promise<Opened> | undefined;
  #openedAt = 0;
  #compared: Promise<void> | undefined;

  /** With a second node, every answer of the first is compared with it. */
  constructor(
    private readonly place: Place,
    rpcUrl: string,
    secondUrl: string | undefined,
    watcher: Watcher,
  ) {
    this.first = askUrl(rpcUrl);
    this.#ask = secondUrl
      ? comparing(this.first, askUrl(secondUrl), (one) => watcher.differs(one), (why) => watcher.isSilent(why))
      : this.first;
  }

  async status(): Promise<ChainStatus> {
    const { node } = await this.#open();
    return { chainId: node.chainId, block: node.block, at: timeOf(await node.timeOf(node.block)) };
  }

  /** Every record that a model, manifest, report or record digest leads to, newest first. */
  async entries(digest: string): Promise<Entries> {
    const topic = hexed(digest);
    const found = await Promise.all([
      this.#published([topic]),
      this.#published([null, topic]),
      this.#published([null, null, topic]),
    ]);
    const byId = found.flat().length > 0 ? [] : await this.#publishedById(topic);
    return this.#entriesOf([...found.flat(), ...byId]);
  }

  /** The chain's own version of a record, for a comparison; null if it has none, in the block that was told. */
  async entry(told: Pick<Entry, "model_digest" | "manifest_digest" | "record_id" | "block">): Promise<Entry | null> {
    const { node, registry } = await this.#open();
    const range = told.block === null ? [] : ([told.block, told.block] as const);
    const topics = [hexed(told.model_digest), hexed(told.manifest_digest)];
    const published = await this.#published(topics, ...range);
    const one = published.find(({ recordId }) => bare(recordId) === told.record_id);
    return one ? readEntry(node, registry, one) : null;
  }

  async history(entry: Entry): Promise<readonly HistoryEvent[]> {
    const { node, registry, namespaces } = await this.#open();
    const [namespace = ""] = entry.name.split("/");
    const [judgements, admissions] = await Promise.all([
      this.#published([hexed(entry.model_digest), hexed(entry.manifest_digest)]),
      readEntries(node, namespaces, namespace, this.#first()),
    ]);
    return readHistory(node, registry, this.#first(), judgements, admissions);
  }

  async namespace(name: string): Promise<Namespace | null> {
    const { node, namespaces } = await this.#open();
    return readNamespace(node, namespaces, name);
  }

  async namespaceHistory(name: string): Promise<readonly NamespaceEntry[]> {
    const { node, namespaces } = await this.#open();
    return readEntries(node, namespaces, name, this.#first());
  }

  async head(name: string): Promise<bigint> {
    const { node, namespaces } = await this.#open();
    return readHead(node, namespaces, name);
  }

  /** Records of a claimed namespace, newest first: its history tells their blocks, so that no scan is needed. */
  async namespaceRecords(name: string): Promise<Entries> {
    const history = await this.namespaceHistory(name);
    const blocks = [...new Set(history.filter(({ kind }) => [1, 2, 9].includes(kind)).map(({ block }) => block))];
    const newest = blocks.sort((a, b) => b - a).slice(0, SHOWN_MAX);
    const found = await Promise.all(newest.map((block) => this.#published([], block, block)));
    return this.#entriesOf(found.flat().filter(({ record }) => record.namespace === name));
  }

  /** The records that a name leads to, from its history; `version` may be missing. */
  async named(namespace: string, model: string, version: string | undefined): Promise<Entries> {
    const all = await this.namespaceRecords(namespace);
    const name = `${namespace}/${model}`;
    const entries = all.entries.filter((one) => one.name === name && (version ?? one.version) === one.version);
    return { entries, total: entries.length, next_cursor: null };
  }

  /** The id that a name leads to now; null if there is none. */
  async recordOfName(namespace: string, release: string): Promise<string | null> {
    const { node, namespaces } = await this.#open();
    const words = [nameDigest(namespace), nameDigest(release)] as const;
    const id = await node.callOne(namespaces, FUNCTIONS.recordOfName, ...words);
    return BigInt(id) === 0n ? null : bare(id);
  }

  /** Nearest first. An ancestor's name costs a search for its block, so only the nearest ones get theirs. */
  async lineage(entry: Entry): Promise<readonly Ancestor[]> {
    const { node, lineage } = await this.#open();
    const words = await node.tryCall(lineage, FUNCTIONS.ancestorsOf, hexed(entry.release_id), true);
    if (words === null) throw new NodeError("the contract lists no lineage of more than 32 ancestors, or 16 steps");
    const count = smallOf(words[1]);
    if (words.length !== 2 + 5 * count) throw new NodeError(`${words.length} words for ${count} ancestors`);
    const ancestors = Array.from({ length: count }, (_, i) => words.slice(2 + 5 * i, 7 + 5 * i));
    return Promise.all(
      ancestors.map(async ([id = "0x", child = "0x", depth, attested, open], i) => {
        const [known] = i < ANCESTORS_NAMED_MAX ? await this.#publishedById(id) : [];
        const { name, version } = known ? namesOf(known.record) : { name: null, version: null };
        return {
          release_id: bare(id),
          child: bare(child),
          depth: smallOf(depth),
          attested: smallOf(attested) === 1,
          open: smallOf(open) === 1,
          name,
          version,
        };
      }),
    );
  }

  /** The newest records, from the last blocks. */
  async recent(): Promise<Entries> {
    return this.#entriesOf(await this.#published([]));
  }

  /** Whether the registry has a batch with this root. */
  async hasBatch(root: string): Promise<boolean> {
    const { node, registry } = await this.#open();
    return smallOf(await node.callOne(registry, FUNCTIONS.batchOf, hexed(root))) > 0;
  }

  /** The contract by which releases are proven; undefined where there is none. */
  get proofs(): Hex | undefined {
    return this.place.proofs?.proofs;
  }

  /** AMD's signature, checked by the EVM; null if nobody has proven the release. Digests as an entry has them. */
  async proof({ model_digest: model, manifest_digest: manifest }: Digests): Promise<ReleaseProof | null> {
    const { place } = this;
    if (!place.proofs) throw new NodeError("this registry has no contract for proofs");
    const { node, registry } = await this.#open();
    this.#compared ??= requireProofs(node, place.proofs, registry);
    this.#compared.catch(() => (this.#compared = undefined)); // the next look compares anew
    await this.#compared;
    return readProof(node, place.proofs.proofs, [hexed(model), hexed(manifest)], this.#first());
  }

  /** The bytes of a record, for the contract to compare with evidence; null of one that it would not take. */
  async recordBytes(entry: Entry): Promise<Hex | null> {
    if (!entry.active || entry.batch) return null;
    const topics = [hexed(entry.model_digest), hexed(entry.manifest_digest)];
    const found = (await this.#published(topics)).find(({ recordId }) => bare(recordId) === entry.record_id);
    return found ? hexOf(recordOf(found.log)) : null;
  }

  /** Looks at the newest block from now on, such as after a transaction. */
  renew(): void {
    this.#opened = undefined;
  }

  async policyNumber(digest: string): Promise<number | null> {
    const { node, registry } = await this.#open();
    return smallOf(await node.callOne(registry, FUNCTIONS.policyIdOf, hexed(digest))) || null;
  }

  #first(): number {
    return this.place.block;
  }

  #open(): Promise<Opened> {
    if (!this.#opened || Date.now() - this.#openedAt > KEPT_MS) {
      this.#openedAt = Date.now();
      this.#opened = this.#connect();
      this.#opened.catch(() => (this.#opened = undefined));
    }
    return this.#opened;
  }

  async #connect(): Promise<Opened> {
    const { registry, chainId, codeHash } = this.place;
    const node = await readNode(this.#ask, chainId);
    const [namespaces, lineage, code] = await Promise.all([
      node.callOne(registry, FUNCTIONS.namespaces).then(addressOf),
      node.callOne(registry, FUNCTIONS.lineage).then(addressOf),
      codeHash ? node.codeOf(registry) : undefined,
    ]);
    if (code && keccak256(code) !== codeHash) {
      throw new NodeError(`other code at ${registry} than the deployment has`);
    }
    return { node, registry, namespaces, lineage };
  }

  async #published(topics: readonly (Hex | null)[], first = this.#first(), last?: number): Promise<Published[]> {
    const { node, registry } = await this.#open();
    const logs = await node.logs(registry, EVENTS.RecordPublished, topics, first, last);
    return logs.slice(-SHOWN_MAX).reverse().map(parsePublished);
  }

  /** An id is not among the topics. The standing has the time of the record's block, and a search finds the block. */
  async #publishedById(id: Hex): Promise<Published[]> {
    const { node, registry } = await this.#open();
    const { recordedAt } = await readStanding(node, registry, id);
    if (recordedAt === 0) return [];
    // Some chains have several blocks in a second.
    const [block, next] = await Promise.all([recordedAt, recordedAt + 1].map((at) => blockAt(node, at, this.#first())));
    const found = await this.#published([], block, next);
    return found.filter(({ recordId }) => recordId === id);
  }

  async #entriesOf(published: readonly Published[]): Promise<Entries> {
    const { node, registry } = await this.#open();
    const newest = [...new Map(published.map((one) => [one.recordId, one])).values()]
      .sort((a, b) => b.log.block - a.log.block || b.log.index - a.log.index)
      .slice(0, SHOWN_MAX);
    const entries = await Promise.all(newest.map((one) => readEntry(node, registry, one)));
    return { entries, total: entries.length, next_cursor: null };
  }
}

/** The first block of a time or a later one; the newest block if there is none. */
async function blockAt(node: NodeReader, seconds: number, first: number): Promise<number> {
  let [low, high] = [first, node.block];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((await node.timeOf(middle)) < seconds) low = middle + 1;
    else high = middle;
  }
  return low;
}
