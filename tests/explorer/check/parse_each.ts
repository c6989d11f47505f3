// What each parser of the explorer makes of bytes, in a form that Python's result can be brought to.

import { type Bytes, hexOf, parseBase64, parseUtf8 } from "../../../explorer/src/check/bytes.js";
import { parseCertificate, splitCertificates } from "../../../explorer/src/check/certificates.js";
import { CheckError, malformed, type Problem } from "../../../explorer/src/check/checks.js";
import { parseCrl } from "../../../explorer/src/check/crl.js";
import { parseAsn1Time, parseDer, parseObjectId, parseUnsigned, type Value } from "../../../explorer/src/check/der.js";
import { parseEnvelope } from "../../../explorer/src/check/dsse.js";
import { parseVek } from "../../../explorer/src/check/endorsements.js";
import { type Json, parseJson } from "../../../explorer/src/check/json.js";
import { parsePublicKey } from "../../../explorer/src/check/key.js";
import { type Manifest, parseStatement } from "../../../explorer/src/check/manifest.js";
import { parsePath, refuseCollisions } from "../../../explorer/src/check/names.js";
import { tcbText } from "../../../explorer/src/check/roots.js";
import { parseReport } from "../../../explorer/src/check/snp.js";

const CHECK = "manifest-format";
const problem: Problem = (what, got, wanted) => malformed(CHECK, what, "x", got, wanted);
const LIMITS = { where: "x", check: CHECK, maxBytes: 1 << 20 } as const;

const PARSERS: { readonly [name: string]: (data: Bytes) => unknown } = {
  der: (data) => derOf(parseDer(data, problem)),
  time: (data) => parseAsn1Time(parseDer(data, problem), problem),
  number: (data) => String(parseUnsigned(parseDer(data, problem), problem)),
  oid: (data) => parseObjectId(parseDer(data, problem), problem),
  json: (data) => jsonOf(parseJson(data, LIMITS)),
  floats: (data) => jsonOf(parseJson(data, { ...LIMITS, wholeFloats: true })),
  tokens: (data) => jsonOf(parseJson(data, { ...LIMITS, maxTokens: 10 })),
  path: (data) => parsePath(parseUtf8(data) as string, CHECK, "x"),
  provenance: (data) => parsePath(parseUtf8(data) as string, CHECK, "x", true),
  paths: (data) => refuseCollisions((parseUtf8(data) as string).split("\n"), CHECK, "x") ?? "apart",
  report: (data) => hexOf(parseReport(data, "x").measurement),
  certificate: (data) => hexOf(parseCertificate(data, "x").spki),
  certificates: (data) => splitCertificates(data, "x").map(hexOf),
  vek: (data) => tcbText(parseVek(parseCertificate(data, "x")).tcb),
  list: (data) => [...parseCrl(data, "x").revokedSerials].map(String).sort(),
  key: (data) => parsePublicKey(data, "x").algorithm,
  statement: async (data) => statementOf(await parseStatement(data, "x")),
  envelope: (data) => hexOf(parseEnvelope(data, "x").payload),
};

function statementOf(manifest: Manifest): unknown {
  const hex = (data: Bytes | undefined): string | null => (data ? hexOf(data) : null);
  const files = manifest.files.map(({ path, size, fsverity, sha256 }) => [path, `${size}`, hex(fsverity), hex(sha256)]);
  const used = manifest.dependencies.map(({ role, name, uri, digests, relation }) => {
    return [role, name, uri, [...digests].map(([algorithm, digest]) => [algorithm, hexOf(digest)]), relation];
  });
  const times = [manifest.startedAt ?? null, manifest.finishedAt ?? null];
  const { name, version, publisher, invocationId, digest, reportDigest } = manifest;
  return [[name, version, publisher, invocationId, hexOf(digest)], files, used, times, hex(reportDigest)];
}

function derOf({ tag, content, children }: Value): unknown {
  return [tag, hexOf(content), children.map(derOf)];
}

/** Numbers as texts, and objects as lists of pairs, so that nothing is lost. */
function jsonOf(value: Json): unknown {
  if (typeof value === "bigint") return { number: String(value) };
  if (value instanceof Map) return { object: [...value].map(([key, inner]) => [key, jsonOf(inner)]) };
  return Array.isArray(value) ? value.map(jsonOf) : value;
}

/** What a parser makes of each input, in base64; `refused` if it refuses it. */
export async function parseEach({ name, inputs }: { name: string; inputs: readonly string[] }): Promise<unknown> {
  const results: unknown[] = [];
  for (const input of inputs) {
    try {
      results.push(await PARSERS[name]!(parseBase64(input) as Bytes));
    } catch (error) {
      results.push(error instanceof CheckError && error.kind === "malformed" ? "refused" : String(error));
    }
  }
  return results;
}
