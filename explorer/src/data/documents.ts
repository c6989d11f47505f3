// The two documents behind a record: the verdict of the oracles, and the manifest that the publisher's VM signed. Both
// are bound by a digest in the record, and are shown as what they claim until that digest was compared.

import type { Source } from "./source.js";
import { fields, list, maybe, ShapeError, text, type Parsed } from "./shape.js";
import { finding, type Entry, type Finding } from "./types.js";

export interface Verdict {
  readonly findings: readonly Finding[];
  readonly text: string;
  /** Null where the browser hashes nothing: plain http from another host. */
  readonly matches: boolean | null;
}

export interface ManifestFile {
  readonly path: string;
  readonly size: number | null;
  readonly digests: readonly (readonly [algorithm: string, digest: string])[];
}

export interface Dependency {
  readonly name: string;
  readonly uri: string | null;
  readonly role: string | null;
  readonly digests: readonly (readonly [algorithm: string, digest: string])[];
}

export interface Manifest {
  readonly files: readonly ManifestFile[];
  readonly dependencies: readonly Dependency[];
  readonly publisher: string | null;
  readonly finishedOn: string | null;
  readonly text: string;
  readonly matches: boolean | null;
}

export const MANIFEST_PATH = "provenance/manifest.dsse.json";
const VERDICT_KEY = "tag:provenance-oracle,2026:verdict/v1";

const resource = fields({ name: maybe(text), uri: maybe(text), digest: maybe(digestSet), annotations: maybe(anyFields) });
const statement = fields({
  subject: list(resource),
  predicate: fields({
    buildDefinition: maybe(fields({ resolvedDependencies: maybe(list(resource)), internalParameters: maybe(anyFields) })),
    runDetails: maybe(fields({ metadata: maybe(fields({ finishedOn: maybe(text) })) })),
  }),
});

export async function readVerdict(source: Source, entry: Entry): Promise<Verdict> {
  const bytes = await source.verdict(entry.verdict_digest);
  const [document, told] = parseJson(bytes, "verdict");
  const { predicate } = fields({ predicate: fields({ [VERDICT_KEY]: fields({ findings: list(finding) }) }) })(document, "verdict");
  const { findings } = predicate[VERDICT_KEY]!;
  return { findings, text: told, matches: await isDigestOf(bytes, entry.verdict_digest) };
}

export async function readManifest(source: Source, entry: Entry): Promise<Manifest> {
  const [envelope] = parseJson(await source.evidenceFile(entry.manifest_digest, MANIFEST_PATH), "manifest");
  const { payload: bytes } = fields({ payload: base64 })(envelope, "manifest");
  const [document, told] = parseJson(bytes, "manifest");
  const { subject, predicate } = statement(document, "manifest");
  const { resolvedDependencies, internalParameters } = predicate.buildDefinition ?? {};
  const publisher = Object(Object(internalParameters)["publisher"])["identity"];
  return {
    files: subject.map(fileOf),
    dependencies: (resolvedDependencies ?? []).map(dependencyOf),
    publisher: typeof publisher === "string" ? publisher : null,
    finishedOn: predicate.runDetails?.metadata?.finishedOn ?? null,
    text: told,
    matches: await isDigestOf(bytes, entry.manifest_digest),
  };
}

/** Null where the browser gives no hash function. */
export async function isDigestOf(bytes: Uint8Array<ArrayBuffer>, digest: string): Promise<boolean | null> {
  if (!globalThis.crypto?.subtle) return null;
  const found = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(found, (byte) => byte.toString(16).padStart(2, "0")).join("") === digest;
}

function parseJson(bytes: Uint8Array, what: string): readonly [document: unknown, text: string] {
  try {
    const told = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return [JSON.parse(told), told];
  } catch {
    throw new ShapeError(`${what}: not JSON`);
  }
}

type Resource = Parsed<typeof resource>;

function fileOf({ name, digest, annotations }: Resource): ManifestFile {
  const size = Object(annotations)["size"];
  return { path: name ?? "", size: Number.isSafeInteger(size) ? size : null, digests: digest ?? [] };
}

function dependencyOf({ name, uri, digest, annotations }: Resource): Dependency {
  const role = Object(annotations)["role"];
  return { name: name ?? uri ?? "", uri, role: typeof role === "string" ? role : null, digests: digest ?? [] };
}

/** As long as the answer may be, which `fetch.ts` bounds: a manifest of some hundred files is longer than other texts. */
function base64(value: unknown, where: string): Uint8Array<ArrayBuffer> {
  if (typeof value !== "string") throw new ShapeError(`${where}: not text`);
  try {
    return Uint8Array.from(atob(value), (character) => character.charCodeAt(0));
  } catch {
    throw new ShapeError(`${where}: not base64`);
  }
}

function digestSet(value: unknown, where: string): readonly (readonly [string, string])[] {
  return Object.entries(Object(value)).map(([name, digest]) => [name, text(digest, `${where}.${name}`)] as const);
}

function anyFields(value: unknown, where: string): object {
  return typeof value === "object" && value !== null ? value : wrong(where);
}

function wrong(where: string): never {
  throw new ShapeError(`${where}: not an object`);
}
