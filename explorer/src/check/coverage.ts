// Compares the files that a signer vouches for with those that a release has. No name from a bundle is opened.
// The rules are those of verifier/identity/match.py.

import { type Bytes, compareTexts, isEqual } from "./bytes.js";
import { refused } from "./checks.js";
import type { FileDigest } from "./fsverity.js";
import { digestOf } from "./key.js";
import type { SignedFiles, SignedPart } from "./signed_files.js";
import { BeyondThisPage, forgedAt } from "./signer.js";

const NAMED_MAX = 10;
/** Files that a publisher does not sign: the signature, evidence with signatures of its own, and files of git. */
const UNSIGNED = new Set([
  "provenance/cvm-key.pem",
  "provenance/model.sig",
  "provenance/publisher-key.pem",
  "provenance/snp/report.bin",
  "provenance/snp/vek.pem",
  "provenance/snp/vek.der",
  "provenance/snp/chain.pem",
  "provenance/snp/ark.crl",
  ".gitattributes",
  ".gitignore",
]);
/** Endings of programs, libraries and pickles, which can run code when a model is loaded. */
const CODE =
  /\.(bash|bat|bin|c|cc|ckpt|cmd|cpp|cu|dill|dll|dylib|exe|h5|ipynb|jar|joblib|js|keras|lua|mjs|php|pickle|pkl|pl|ps1|pt|pt2|pth|py|pyc|pyd|pyx|rb|sh|so|so\.[0-9.]+|ts|wasm|whl)$/i;

/** Paths by whether the signature covers them; it need not cover those that are allowed. */
export interface Coverage {
  readonly covered: readonly string[];
  readonly allowed: readonly string[];
  readonly gaps: readonly string[];
}

export function coverageOf(signed: SignedFiles, sizes: ReadonlyMap<string, bigint>): Coverage {
  const coverage = { covered: [] as string[], allowed: [] as string[], gaps: [] as string[] };
  for (const [path, size] of sizes) {
    const isOmitted = signed.inShards && size === 0n && !CODE.test(path.slice(path.lastIndexOf("/") + 1));
    const kind = signed.paths.has(path) ? "covered" : UNSIGNED.has(path) || isOmitted ? "allowed" : "gaps";
    coverage[kind].push(path);
  }
  return coverage;
}

/** How many files the signature covers, in words. */
export function coverageText({ covered, allowed, gaps }: Coverage): string {
  return `${covered.length} of ${covered.length + allowed.length + gaps.length} files`;
}

export function refuseGaps(coverage: Coverage, where: string): void {
  if (!coverage.gaps.length) return;
  throw refused(
    "publisher-signature",
    "the signature is genuine, and does not cover every file",
    where,
    `${coverageText(coverage)}; not covered: ${firstOf(coverage.gaps)}`,
    "every file of the model",
  );
}

/** Compares the signed names, and the sizes that shards state, with the files that are there. */
export function matchNames(signed: SignedFiles, sizes: ReadonlyMap<string, bigint>): void {
  const missing = [...signed.paths].filter((path) => !sizes.has(path));
  if (missing.length) throw differs("a signed file is missing", `missing: ${firstOf(missing)}`, "every signed file");
  for (const [path, parts] of partsByPath(signed)) {
    const end = parts.at(-1)!.end;
    const size = sizes.get(path);
    if (end !== null && end !== size) throw differs("a signed file has another size", `${path}: ${size}`, `${end} bytes`);
  }
}

/** Compares signed files that are at hand, byte for byte. Files without a signed digest are passed over. */
export async function matchBytes(signed: SignedFiles, files: ReadonlyMap<string, Bytes>): Promise<void> {
  const wrong: string[] = [];
  for (const [path, parts] of partsByPath(signed)) {
    const data = files.get(path);
    if (!data) continue;
    if (signed.algorithm !== "sha256") throw new BeyondThisPage(`browsers have no ${signed.algorithm}`);
    for (const { digest, start, end } of parts) {
      const part = data.subarray(Number(start), end === null ? undefined : Number(end));
      if (!isEqual(await digestOf("SHA-256", part), digest)) wrong.push(path);
    }
  }
  if (wrong.length) throw differsFrom(wrong);
}

/** The signed SHA-256 of each file that was signed whole, by path; empty for signatures of another kind. */
export function signedDigests(signed: SignedFiles): ReadonlyMap<string, Bytes> {
  const isPlain = signed.algorithm === "sha256" && !signed.inShards;
  return new Map(isPlain ? signed.parts.map(({ path, digest }) => [path, digest] as const) : []);
}

/** Compares files that were hashed with the signed digests of whole files. */
export function matchHashed(signed: SignedFiles, files: readonly Pick<FileDigest, "path" | "sha256">[]): void {
  const digests = signedDigests(signed);
  const wrong = files.filter(({ path, sha256 }) => {
    const wanted = digests.get(path);
    return wanted && !(sha256 && isEqual(sha256, wanted)); // one that nobody computed is not the signed one
  });
  if (wrong.length) throw differsFrom(wrong.map(({ path }) => path));
}

/** The parts of each file, in the file's order. */
function partsByPath(signed: SignedFiles): ReadonlyMap<string, readonly SignedPart[]> {
  const found = new Map<string, SignedPart[]>();
  for (const part of signed.parts) found.set(part.path, [...(found.get(part.path) ?? []), part]);
  for (const parts of found.values()) parts.sort((one, other) => Number(one.start - other.start));
  return found;
}

function firstOf(paths: readonly string[]): string {
  const more = paths.length > NAMED_MAX ? ` and ${paths.length - NAMED_MAX} more` : "";
  return paths.slice(0, NAMED_MAX).join(", ") + more;
}

function differsFrom(paths: readonly string[]): Error {
  const got = `different: ${firstOf([...new Set(paths)].sort(compareTexts))}`;
  return differs("files are not those that were signed", got, "files with the digests in the signature");
}

function differs(problem: string, got: string, wanted: string): Error {
  return forgedAt("model", problem, got, wanted);
}
