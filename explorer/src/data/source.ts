// Chooses where a page's facts come from: the index (REST) where there is one, the chain itself otherwise. What the index
// says of a record is compared with the chain wherever a node is configured.

import type { Config } from "../config.js";
import { Chain, type Watcher } from "./chain.js";
import { confirm, type Contradiction } from "./confirm.js";
import { fetchBytes, fetchJson, NoAnswer, NotFound } from "./fetch.js";
import { Rest } from "./rest.js";
import { edgesOf, evidenceList, type Entries, type Entry, type EvidenceFile, type Lineage } from "./types.js";
import type { HistoryEvent, Namespace, NamespaceEntry, PublisherChange } from "./types.js";

export interface RecordHistory {
  readonly events: readonly HistoryEvent[];
  readonly changes: readonly PublisherChange[];
}

export class Source {
  readonly rest: Rest | undefined;
  readonly chain: Chain | undefined;

  /** The list that was asked for last: several parts of a page need it. */
  #listed: { readonly manifest: string; readonly files: Promise<readonly EvidenceFile[]> } | undefined;

  constructor(
    readonly config: Config,
    private readonly watcher: Watcher & { fellBack(why: string): void },
  ) {
    const { rpcUrl, secondUrl, place, api } = config;
    this.rest = api ? new Rest(api) : undefined;
    this.chain = rpcUrl && place ? new Chain(place, rpcUrl, secondUrl, watcher) : undefined;
  }

  /** Whether the page can read anything at all. */
  get isConfigured(): boolean {
    return this.rest !== undefined || this.chain !== undefined;
  }

  entries(digest: string): Promise<Entries> {
    return this.#either((rest) => rest.entries(digest), (chain) => chain.entries(digest));
  }

  /** All judgements of one release, newest first. */
  async release(model: string, manifest: string): Promise<readonly Entry[]> {
    const { entries } = await this.entries(manifest);
    const found = entries.filter((one) => one.model_digest === model && one.manifest_digest === manifest);
    return found.sort((a, b) => Number(b.passed) - Number(a.passed) || b.revision - a.revision);
  }

  recent(cursor?: string): Promise<Entries> {
    return this.#either((rest) => rest.recent(cursor), (chain) => chain.recent());
  }

  history(entry: Entry): Promise<RecordHistory> {
    return this.#either(
      async (rest) => {
        const { events, publisher_changes: changes } = await rest.history(entry.record_id);
        return { events, changes: changes ?? [] };
      },
      async (chain) => {
        const [events, changes] = await Promise.all([chain.history(entry), changesOf(chain, entry)]);
        return { events, changes };
      },
    );
  }

  lineage(entry: Entry): Promise<Lineage> {
    return this.#either(
      (rest) => rest.lineage(entry.record_id),
      async (chain) => {
        const ancestors = await chain.lineage(entry);
        return { ancestors, edges: edgesOf(ancestors), descendants: [] };
      },
    );
  }

  /** Releases of a model, newest first: `name` is `namespace/model`. */
  async releases(name: string): Promise<readonly Entry[]> {
    const [namespace = "", model = ""] = name.split("/");
    const { entries } = await this.#either((rest) => rest.named(name), (chain) => chain.named(namespace, model, undefined));
    return entries.filter(({ passed }) => passed);
  }

  /** Null if nobody claimed it. */
  namespace(name: string): Promise<Namespace | null> {
    return this.#either((rest) => orNull(rest.namespace(name)), (chain) => chain.namespace(name));
  }

  namespaceHistory(name: string): Promise<readonly NamespaceEntry[]> {
    return this.#either((rest) => rest.namespaceHistory(name), (chain) => chain.namespaceHistory(name));
  }

  namespaceRecords(name: string, cursor?: string): Promise<Entries> {
    return this.#either((rest) => rest.namespaceRecords(name, cursor), (chain) => chain.namespaceRecords(name));
  }

  /** The fields in which the index contradicts the chain; null where no node is configured to ask. */
  async confirm(entry: Entry): Promise<readonly Contradiction[] | null> {
    if (!this.rest || !this.chain) return null;
    return confirm(this.chain, entry, () => this.proof(entry.batch!));
  }

  /** The record that a judgement is compared with: the chain's own where a node is configured, null if it has none. A
   * record in a batch is the index's word, until its proof is followed. */
  async own(entry: Entry): Promise<Entry | null> {
    return this.rest && this.chain && !entry.batch ? this.chain.entry(entry) : entry;
  }

  /** A verdict's bytes, as the oracle keeps them. Throws NotFound where the page has no place to ask. */
  async verdict(digest: string): Promise<Uint8Array<ArrayBuffer>> {
    const { api } = this.config;
    if (!api) throw new NotFound("no oracle's address is configured, so its verdict is not at hand");
    return fetchBytes(`${api}/verdicts/${digest}`);
  }

  /** The proof of a record in a batch, as `provenance proof` prints it. Throws NotFound likewise. */
  async proof({ root, leaf }: NonNullable<Entry["batch"]>): Promise<Uint8Array<ArrayBuffer>> {
    const { api } = this.config;
    if (!api) throw new NotFound("no oracle’s address is configured, so the proof is not at hand");
    return fetchBytes(`${api}/batches/${root}/${leaf}`);
  }

  /** The files that the oracle kept of a release. */
  async evidenceFiles(manifest: string): Promise<readonly EvidenceFile[]> {
    if (this.#listed?.manifest !== manifest) {
      const files = fetchJson(`${this.#evidence()}/${manifest}`).then((list) => evidenceList(list, "evidence").files);
      this.#listed = { manifest, files };
      files.catch(() => (this.#listed = undefined)); // the next look asks anew
    }
    return this.#listed.files;
  }

  /** Throws NotFound if it is not listed. */
  async evidenceFile(manifest: string, path: string): Promise<Uint8Array<ArrayBuffer>> {
    const listed = await this.evidenceFiles(manifest);
    if (!listed.some((one) => one.path === path)) throw new NotFound(`the oracle keeps no ${path}`);
    const parts = path.split("/").map(encodeURIComponent).join("/");
    return fetchBytes(`${this.#evidence()}/${manifest}/${parts}`);
  }

  #evidence(): string {
    const { evidence } = this.config;
    if (!evidence) throw new NotFound("no place of evidence is configured");
    return evidence;
  }

  async #either<T>(byIndex: (rest: Rest) => Promise<T>, byChain: (chain: Chain) => Promise<T>): Promise<T> {
    const { rest, chain } = this;
    if (!rest && !chain) throw new NoAnswer("neither an index nor a node is configured");
    if (!rest) return byChain(chain!);
    try {
      return await byIndex(rest);
    } catch (error) {
      if (!chain || !(error instanceof NoAnswer)) throw error;
      this.watcher.fellBack(error.message);
      return byChain(chain);
    }
  }
}

/** Releases of the same model whose publishers differ, in the order of recording. */
async function changesOf(chain: Chain, entry: Entry): Promise<readonly PublisherChange[]> {
  const [namespace = "", model = ""] = entry.name.split("/");
  const { entries } = await chain.named(namespace, model, undefined);
  const releases = entries.filter(({ passed, revision }) => passed && revision === 0).reverse();
  return releases.slice(1).flatMap((after, i) => {
    const before = releases[i]!;
    if (before.publisher_identity === after.publisher_identity) return [];
    return [
      {
        name: after.name,
        from_version: before.version,
        to_version: after.version,
        from_publisher: before.publisher_identity,
        to_publisher: after.publisher_identity,
        recorded_at: after.recorded_at,
      },
    ];
  });
}

async function orNull<T>(promise: Promise<T>): Promise<T | null> {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof NotFound) return null;
    throw error;
  }
}
