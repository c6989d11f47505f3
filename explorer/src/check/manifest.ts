// The manifest: an in-toto Statement whose subjects are a model's files and whose predicate is SLSA provenance.
// It equals verifier/manifest/statement.py, which is narrower than the formats (in-toto Statement v1, SLSA provenance v1).

import { type Bytes, hexOf, isEqual, parseHex } from "./bytes.js";
import { someCharacters, unacceptableIn } from "./characters.js";
import { forged } from "./checks.js";
import { ENVELOPE_BYTES_MAX, MANIFEST_PATH } from "./dsse.js";
import { Fields } from "./fields.js";
import { parseJson } from "./json.js";
import { digestOf } from "./key.js";
import { parseModelName, parsePath, parseVersion, refuseCollisions } from "./names.js";
import { parseUtc } from "./times.js";

const STATEMENT_TYPE = "https://in-toto.io/Statement/v1";
const PREDICATE_TYPE = "https://slsa.dev/provenance/v1";
const BUILD_TYPE = "tag:provenance-oracle,2026:cvm-fine-tune/v1";
const BUILDER_ID = "tag:provenance-oracle,2026:sev-snp-cvm/v1";
const FSVERITY = "fsverity_sha256_4096";
const SHA256 = "sha256";
const CHECK = "manifest-format";
const [FILES_MAX, DEPENDENCIES_MAX, OPAQUE_CHARS_MAX, LINE_CHARS_MAX, DIGEST_BYTES_MAX] = [100_000, 10_000, 65_536, 2048, 64];
const ROLES = ["base-model", "adapter", "dataset", "code", "image"] as const;
// Sizes in bytes of known digests of dependencies. Others, under in-toto's names, may have up to 64 bytes.
const DIGEST_SIZES: ReadonlyMap<string, number> = new Map([
  [SHA256, 32],
  [FSVERITY, 32],
  ["provenance_model_v1", 32],
  ["provenance_manifest_v1", 32],
  ["provenance_dataset_v1", 32],
  ["sha384", 48],
  ["sha512", 64],
]);

/** One model file. `size` is in bytes; at least one digest (32 bytes) is there. */
export interface ManifestFile {
  readonly path: string;
  readonly size: bigint;
  readonly fsverity: Bytes | undefined;
  readonly sha256: Bytes | undefined;
}

/** Something that the job consumed. `name`, `uri` and `relation` are empty if not given. */
export interface Dependency {
  readonly role: (typeof ROLES)[number];
  readonly name: string;
  readonly uri: string;
  readonly digests: ReadonlyMap<string, Bytes>;
  readonly relation: string;
}

/**
 * The statement that the VM's key signed. `digest` is the SHA-256 of the payload as received, `reportDigest` that of the
 * signed part of the only report that belongs to it. `publisher` is the line of the identity that must have signed the
 * release; empty if it names none. Times are in seconds since 1970.
 */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly files: readonly ManifestFile[];
  readonly dependencies: readonly Dependency[];
  readonly reportDigest: Bytes | undefined;
  readonly publisher: string;
  readonly invocationId: string;
  readonly startedAt: number | undefined;
  readonly finishedAt: number | undefined;
  readonly digest: Bytes;
}

type Named = Pick<Manifest, "reportDigest" | "publisher">;
type Run = Pick<Manifest, "invocationId" | "startedAt" | "finishedAt">;

/** Parses a payload whose signature was verified. Throws a malformed CheckError (check `manifest-format`). */
export async function parseStatement(payload: Bytes, where = MANIFEST_PATH): Promise<Manifest> {
  const value = parseJson(payload, { where, check: CHECK, maxBytes: ENVELOPE_BYTES_MAX });
  const statement = new Fields(value, where, CHECK);
  statement.constant("_type", STATEMENT_TYPE);
  statement.constant("predicateType", PREDICATE_TYPE);
  const files = statement.fieldsList("subject", 1, FILES_MAX).map(fileOf);
  const paths = files.map(({ path }) => path);
  refuseCollisions(paths, CHECK, where);
  const predicate = statement.fields("predicate");
  statement.finish();
  const definition = predicate.fields("buildDefinition");
  const details = predicate.fields("runDetails");
  predicate.finish();
  return { files, ...definitionOf(definition), ...runOf(details), digest: await digestOf("SHA-256", payload) };
}

/** Compares the report with the one that the manifest names, if it names one (check `key-binding`). */
export function matchReport(manifest: Manifest, reportDigest: Bytes, where = MANIFEST_PATH): void {
  const { reportDigest: wanted } = manifest;
  if (!wanted || isEqual(wanted, reportDigest)) return;
  const problem = "the report is not the one that the manifest names";
  throw forged("key-binding", problem, where, hexOf(reportDigest), hexOf(wanted));
}

function fileOf(subject: Fields): ManifestFile {
  const path = parsePath(subject.text("name", 4096), CHECK, subject.where("name"));
  const digests = subject.fields("digest");
  const fsverity = digests.optionalHexBytes(FSVERITY, 32);
  const sha256 = digests.optionalHexBytes(SHA256, 32);
  if (!fsverity && !sha256) throw digests.error("", "no digest", "neither", `${FSVERITY} or ${SHA256}`);
  digests.finish();
  const annotations = subject.fields("annotations");
  const size = annotations.integer("size");
  annotations.passOverRest(OPAQUE_CHARS_MAX);
  subject.finish();
  return { path, size, fsverity, sha256 };
}

function definitionOf(definition: Fields): Pick<Manifest, "name" | "version" | "dependencies"> & Named {
  definition.constant("buildType", BUILD_TYPE);
  const parameters = definition.fields("externalParameters");
  const name = parseModelName(parameters.text("name"), parameters.where("name"));
  const version = parseVersion(parameters.text("version"), parameters.where("version"));
  parameters.passOverRest(OPAQUE_CHARS_MAX);
  const named = namedBy(definition.optionalFields("internalParameters"));
  const key = "resolvedDependencies";
  const entries = definition.has(key) ? definition.fieldsList(key, 0, DEPENDENCIES_MAX) : [];
  definition.finish();
  return { name, version, dependencies: entries.map(dependencyOf), ...named };
}

/** The report and the publisher that the manifest names. */
function namedBy(internal: Fields | undefined): Named {
  const report = internal?.optionalFields("snpReport");
  const publisher = internal?.optionalFields("publisher");
  internal?.passOverRest(OPAQUE_CHARS_MAX);
  const reportDigest = report?.hexBytes(SHA256, 32);
  report?.finish();
  if (!publisher) return { reportDigest, publisher: "" };
  const line = lineOf(publisher, "identity", publisher.text("identity", LINE_CHARS_MAX));
  if (!line) throw publisher.error("identity", "names nobody", "an empty line", "the line of an identity");
  publisher.finish();
  return { reportDigest, publisher: line };
}

function dependencyOf(entry: Fields): Dependency {
  const [name, uri] = [optionalLine(entry, "name"), optionalLine(entry, "uri")];
  if (!name && !uri) throw entry.error("", "a dependency without name and uri", "neither", "name or uri");
  const digests = digestsOf(entry.fields("digest"));
  const annotations = entry.fields("annotations");
  const text = annotations.text("role");
  const role = ROLES.find((known) => known === text);
  if (!role) throw annotations.error("role", "unknown role", text, `one of ${ROLES.join(", ")}`);
  const relation = optionalLine(annotations, "relation");
  annotations.passOverRest(OPAQUE_CHARS_MAX);
  entry.passOver(["downloadLocation", "mediaType"], OPAQUE_CHARS_MAX);
  entry.finish();
  return { role, name, uri, digests, relation };
}

function digestsOf(digests: Fields): ReadonlyMap<string, Bytes> {
  const { keys } = digests;
  if (keys.length === 0) throw digests.error("", "no digest", "an empty object", "one digest or more");
  return new Map(keys.map((algorithm) => [algorithm, digestNamed(digests, algorithm)]));
}

function digestNamed(digests: Fields, algorithm: string): Bytes {
  if (!/^[A-Za-z][A-Za-z0-9_]{0,63}$/.test(algorithm)) {
    throw digests.error("", "not the name of a digest", algorithm, "ASCII letters, digits and _");
  }
  const text = digests.text(algorithm, 2 * DIGEST_BYTES_MAX);
  const bytes = parseHex(text);
  const size = DIGEST_SIZES.get(algorithm);
  if (bytes?.length && bytes.length === (size ?? bytes.length)) return bytes;
  throw digests.error(algorithm, "not a digest", text, size ? `${2 * size} lower-case hex digits` : "lower-case hex");
}

function runOf(details: Fields): Run {
  const builder = details.fields("builder");
  builder.constant("id", BUILDER_ID);
  builder.passOver(["version", "builderDependencies"], OPAQUE_CHARS_MAX);
  builder.finish();
  details.passOver(["byproducts"], OPAQUE_CHARS_MAX);
  const metadata = details.optionalFields("metadata");
  details.finish();
  if (!metadata) return { invocationId: "", startedAt: undefined, finishedAt: undefined };
  const invocationId = optionalLine(metadata, "invocationId");
  const [startedAt, finishedAt] = [optionalTime(metadata, "startedOn"), optionalTime(metadata, "finishedOn")];
  metadata.finish();
  if (startedAt !== undefined && finishedAt !== undefined && finishedAt < startedAt) {
    throw metadata.error("finishedOn", "ends before it starts", `${finishedAt}`, `${startedAt} or later`);
  }
  return { invocationId, startedAt, finishedAt };
}

function optionalLine(fields: Fields, key: string): string {
  return lineOf(fields, key, fields.optionalText(key, LINE_CHARS_MAX) ?? "");
}

/** The text if it is one printable line. */
function lineOf(fields: Fields, key: string, text: string): string {
  const unacceptable = unacceptableIn(text);
  if (unacceptable.length === 0) return text;
  const problem = `unprintable characters: ${someCharacters(unacceptable)}`;
  throw fields.error(key, problem, text, "one line without control and invisible characters");
}

function optionalTime(fields: Fields, key: string): number | undefined {
  const text = fields.optionalText(key);
  const time = text === undefined ? undefined : parseUtc(text);
  if (text === undefined || time !== undefined) return time;
  throw fields.error(key, "not a moment", text, "RFC 3339 in UTC, as 2026-11-20T10:00:00Z");
}

