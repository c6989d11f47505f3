// Answers of the REST API, /api/v1.

import { fetchJson, NoAnswer } from "./fetch.js";
import { hasOwnIds } from "./records.js";
import { fields, list, maybe, ShapeError, type Parse } from "./shape.js";
import * as types from "./types.js";

const lineage = fields({
  lineage: list(fields({ ancestors: list(types.ancestor) })),
  edges: maybe(list(types.edge)),
  descendants: maybe(list(types.result)),
});
const namespaceHistory = fields({ entries: list(types.namespaceEntry) });

export class Rest {
  constructor(private readonly api: string) {}

  async entries(digest: string): Promise<types.Entries> {
    const found = await this.get(`/records/${digest}`, types.entries);
    const wrong = found.entries.find((one) => !hasOwnIds(one));
    if (wrong) throw new NoAnswer(`/records/${digest}: a record whose id is not that of its digests: ${wrong.record_id}`);
    return found;
  }

  /** Records of `namespace/model` or `namespace/model@version`. */
  named(name: string): Promise<types.Entries> {
    return this.get(`/records${query({ name, limit: "100" })}`, types.entries);
  }

  recent(cursor?: string): Promise<types.Entries> {
    return this.get(`/recent${query({ cursor, limit: "20" })}`, types.entries);
  }

  search(q: string, cursor?: string): Promise<types.Found> {
    return this.get(`/search${query({ q, cursor, limit: "30" })}`, types.found);
  }

  history(recordId: string): Promise<types.History> {
    return this.get(`/records/${recordId}/history`, types.history);
  }

  async lineage(recordId: string): Promise<types.Lineage> {
    const { lineage: found, edges, descendants } = await this.get(`/records/${recordId}/lineage`, lineage);
    const ancestors = found.flatMap((one) => one.ancestors);
    return { ancestors, edges: edges ?? types.edgesOf(ancestors), descendants: descendants ?? [] };
  }

  namespace(name: string): Promise<types.Namespace> {
    return this.get(`/namespaces/${part(name)}`, types.namespace);
  }

  async namespaceHistory(name: string): Promise<readonly types.NamespaceEntry[]> {
    return (await this.get(`/namespaces/${part(name)}/history`, namespaceHistory)).entries;
  }

  namespaceRecords(name: string, cursor?: string): Promise<types.Entries> {
    return this.get(`/namespaces/${part(name)}/records${query({ cursor })}`, types.entries);
  }

  identity(digest: string): Promise<types.Identity> {
    return this.#own(`/identities/${digest}`, types.identity, digest);
  }

  identityRecords(digest: string, cursor?: string): Promise<types.Entries> {
    return this.get(`/identities/${digest}/records${query({ cursor })}`, types.entries);
  }

  policy(digest: string): Promise<types.Policy> {
    return this.#own(`/policies/${digest}`, types.policy, digest);
  }

  policyRecords(digest: string, cursor?: string): Promise<types.Entries> {
    return this.get(`/policies/${digest}/records${query({ cursor })}`, types.entries);
  }

  statistics(): Promise<types.Statistics> {
    return this.get("/statistics", types.statistics);
  }

  status(): Promise<types.Status> {
    return this.get("/status", types.status);
  }

  /** The answer about what has this digest, and no other. */
  async #own<T extends { readonly digest: string }>(path: string, parse: Parse<T>, digest: string): Promise<T> {
    const found = await this.get(path, parse);
    if (found.digest !== digest) throw new NoAnswer(`${path}: an answer about ${found.digest}`);
    return found;
  }

  private async get<T>(path: string, parse: Parse<T>): Promise<T> {
    try {
      return parse(await fetchJson(this.api + path), "answer");
    } catch (error) {
      throw error instanceof ShapeError ? new NoAnswer(`${path}: ${error.message}`) : error;
    }
  }
}

function part(text: string): string {
  return encodeURIComponent(text);
}

function query(values: { readonly [name: string]: string | undefined }): string {
  const given = Object.entries(values).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return given.length > 0 ? `?${new URLSearchParams(given)}` : "";
}
