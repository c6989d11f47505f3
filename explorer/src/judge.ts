// check.js: the part of the page that judges. It is a script of its own, loaded once somebody asks for a judgement, so
// that looking a record up stays light. Its exports are in `globalThis.provenanceCheck`.

import type { ModelRecord } from "../../contracts/npm/src/record.js";
import { verifyProofDocument } from "./check/batch.js";
import { hexOf, type Bytes } from "./check/bytes.js";
import { evidenceOf, type EvidenceCall, withEndorsedKey } from "./check/evidence_calls.js";
import { CheckError, UnsupportedError, type Finding } from "./check/checks.js";
import type { FileDigest } from "./check/fsverity.js";
import { hashFiles } from "./check/hash_file.js";
import { type AddedIntermediate, addedIntermediate } from "./check/intermediates.js";
import type { Manifest } from "./check/manifest.js";
import type { KeptDocuments, RecordFacts } from "./check/match_record.js";
import { type Accepted, recheck } from "./check/recheck.js";
import { recheckSigned } from "./check/recheck_signed.js";
import { type EvidenceFiles, releaseOf } from "./check/release.js";
import { BeyondThisPage } from "./check/signer.js";

export type Judged =
  | { readonly kind: "accepted"; readonly findings: readonly Finding[]; readonly isSimulated: boolean }
  | {
      readonly kind: "refused";
      readonly check: string;
      readonly problem: string;
      readonly where: string;
      readonly got: string;
      readonly wanted: string;
      readonly findings: readonly Finding[];
    }
  /** Nothing is said about the release. */
  | { readonly kind: "undecided"; readonly why: string };

export interface Case {
  readonly evidence: EvidenceFiles;
  /** The model's own files; empty if only the evidence is judged. */
  readonly files: ReadonlyMap<string, File>;
  /** Seconds since 1970: certificates have to be valid then. */
  readonly at: number;
  readonly record: RecordFacts;
  readonly kept: KeptDocuments;
}

export interface Watch {
  onFinding(finding: Finding): void;
  onBytes(done: number, all: number): void;
  /** Undefined where browsers start none: at file://. */
  startWorker(): Worker | undefined;
  readonly signal: AbortSignal;
}

/** A release that has only its publisher's signature, all of whose files the reader gave. */
export interface SignedCase extends Omit<Case, "evidence"> {
  readonly bundle: Bytes;
}

/** The record that a proof leads to, with root and leaf; or why it leads to none. */
export function provenBy(proof: Bytes): { readonly root: string; readonly leaf: number; readonly record: ModelRecord } | { readonly problem: string } {
  try {
    const { root, leaf, record } = verifyProofDocument(proof, "proof");
    return { root: hexOf(root), leaf, record: record.fields };
  } catch (error) {
    if (error instanceof CheckError) return { problem: error.message };
    throw error;
  }
}

/** What proves a release on chain. */
export interface ProvingEvidence {
  readonly whole: EvidenceCall;
  /** For a contract that has seen the certificate before. */
  readonly endorsed: EvidenceCall;
  /** The intermediate that the evidence names; undefined if it is pinned. */
  readonly intermediate: AddedIntermediate | undefined;
}

/** What proves a release on chain; or why the chain could not read it. Nothing of it is judged. */
export async function provingEvidence(files: EvidenceFiles): Promise<ProvingEvidence | { readonly problem: string }> {
  try {
    const release = releaseOf(files);
    const whole = await evidenceOf(release);
    return { whole, endorsed: withEndorsedKey(whole), intermediate: await addedIntermediate(release) };
  } catch (error) {
    if (error instanceof CheckError) return { problem: error.message };
    if (error instanceof UnsupportedError) return { problem: `this browser lacks something: ${error.message}` };
    throw error;
  }
}

/** Throws only what no judgement is: the reader stopped it, or a file cannot be read. */
export function judge({ evidence, files, at, record, kept }: Case, watch: Watch): Promise<Judged> {
  const hashed = (_manifest: Manifest, sha256Paths: ReadonlySet<string>) => hashChosen(files, sha256Paths, watch);
  return judged(recheck(evidence, { at, record, kept, onFinding: watch.onFinding, hashFiles: hashed }));
}

/** Throws as `judge`. */
export function judgeSigned({ bundle, files, at, record, kept }: SignedCase, watch: Watch): Promise<Judged> {
  const sizes = new Map([...files].map(([path, { size }]) => [path, BigInt(size)]));
  const hashed = (sha256Paths: ReadonlySet<string>) => hashChosen(files, sha256Paths, watch);
  return judged(recheckSigned({ bundle, sizes }, { at, record, kept, onFinding: watch.onFinding, hashFiles: hashed }));
}

async function judged(outcome: Promise<Accepted>): Promise<Judged> {
  try {
    const { findings, isSimulated } = await outcome;
    return { kind: "accepted", findings, isSimulated };
  } catch (error) {
    if (error instanceof UnsupportedError) return { kind: "undecided", why: `this browser lacks something: ${error.message}` };
    if (error instanceof BeyondThisPage) return { kind: "undecided", why: `not in a browser: ${error.message}` };
    if (!(error instanceof CheckError)) throw error;
    const { kind, check, problem, where, got, wanted, findings } = error;
    if (kind === "incomplete") return { kind: "undecided", why: `${where}: ${problem}` };
    return { kind: "refused", check, problem, where, got, wanted, findings };
  }
}

async function hashChosen(files: Case["files"], sha256Paths: ReadonlySet<string>, watch: Watch): Promise<readonly FileDigest[]> {
  if (files.size === 0) return [];
  const all = [...files].map(([path, file]) => ({ path, file, withSha256: sha256Paths.has(path) }));
  const total = all.reduce((sum, { file }) => sum + file.size, 0);
  let done = 0;
  const worker = watch.startWorker();
  const stopped = new Promise<never>((_resolve, reject) => {
    watch.signal.addEventListener("abort", () => reject(watch.signal.reason), { once: true });
  });
  try {
    return await Promise.race([hashFiles(all, (count) => watch.onBytes((done += count), total), worker), stopped]);
  } finally {
    worker?.terminate();
  }
}
