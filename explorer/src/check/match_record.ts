// The record on chain, compared with the release that was judged here, and with what the oracle keeps of the judgement.

import { verifyProofDocument } from "./batch.js";
import { type Bytes, hexOf } from "./bytes.js";
import { type CheckSheet, forged, refused } from "./checks.js";
import type { Claims } from "./claims.js";
import { identityDigest } from "./identity.js";
import { digestOf } from "./key.js";
import type { Manifest } from "./manifest.js";
import { bytesOf } from "./record.js";
import { matchVerdict, parseVerdict, type StatedRecord, verifyVerdictEnvelope } from "./verdict.js";

/** Facts of a record, as `entry_json` of Python prints them. */
export interface RecordFacts extends StatedRecord {
  readonly publisher_identity: string;
  readonly verdict_digest: string;
  readonly record_id: string;
  /** The addresses are null of oracles whose keys nobody can tell any more. */
  readonly signers: readonly { readonly address: string | null }[];
  readonly batch: { readonly root: string; readonly leaf: number } | null;
  /** Why the record does not count, in a word and in words; null if it does. */
  readonly closure: string | null;
  readonly closed_because: string | null;
}

/** Documents that an oracle keeps: the verdict, the envelope with which it signed it, and a proof of `provenance proof`. */
export interface KeptDocuments {
  readonly verdict?: Bytes;
  readonly envelope?: Bytes;
  readonly proof?: Bytes;
}

/** What was judged here. `modelDigest` is undefined if it could not be computed. */
export interface JudgedHere {
  readonly claims: Claims;
  readonly manifest: Manifest;
  readonly modelDigest: Bytes | undefined;
}

/** Compares the record in every field that follows from the release (verifier/record/fields.py), and the documents. */
export async function matchRecord(
  record: RecordFacts,
  kept: KeptDocuments,
  { claims, manifest, modelDigest }: JudgedHere,
  sheet: CheckSheet,
): Promise<void> {
  const own = {
    manifest_digest: hexOf(manifest.digest),
    model_digest: modelDigest ? hexOf(modelDigest) : record.model_digest,
    report_digest: hexOf(await digestOf("SHA-256", claims.report.signed)),
    reported_tcb: hexOf(claims.report.reportedTcb),
    product_line: claims.rootKind === "simulator" ? "simulated" : claims.line,
    name: manifest.name,
    version: manifest.version,
    publisher_identity: await identityDigest(publisherOf(claims, manifest)),
  };
  matchFacts(record, own);
  const compared = modelDigest ? "" : ", but for the model digest, which the manifest does not state";
  await enterRecord(record, kept, `the record names this release${compared}`, sheet);
}

/** Compares what an oracle keeps, refuses a record that does not count, and enters the finding. */
export async function enterRecord(record: RecordFacts, kept: KeptDocuments, found: string, sheet: CheckSheet): Promise<void> {
  if (record.closure !== null) {
    throw refused("registry-record", record.closed_because ?? record.closure, "registry", record.closure, "an active record");
  }
  const words = [found, ...(await matchKept(record, kept))];
  if (record.batch && !kept.proof) sheet.notChecked("registry-record", `${words.join("; ")}; no proof that the record is in its batch`);
  else sheet.passed("registry-record", words.join("; "), "every fact that follows from the release");
}

/** Compares a record with facts that were found here. */
export function matchFacts(record: RecordFacts, own: Partial<RecordFacts>): void {
  for (const field of Object.keys(own) as (keyof RecordFacts)[]) {
    if (own[field] === record[field]) continue;
    const problem = `the record on chain belongs to another release (${field} differs)`;
    throw forged("registry-record", problem, "registry", String(record[field]), String(own[field]));
  }
}

/** Compares what an oracle keeps with the record, and returns what that shows, in words. */
export async function matchKept(record: RecordFacts, { verdict, envelope, proof }: KeptDocuments): Promise<string[]> {
  const words: string[] = [];
  if (verdict) {
    matchVerdict(await parseVerdict(verdict, record.verdict_digest, "verdict"), record);
    words.push("the oracle's verdict has the digest on chain and says the same");
  }
  if (verdict && envelope) {
    matchSigners(await verifyVerdictEnvelope(envelope, verdict, "envelope"), record);
    words.push("an oracle that signed the record signed the verdict");
  }
  if (proof && record.batch) {
    matchProof(proof, record, record.batch);
    words.push(`leaf ${record.batch.leaf} leads to the root of the batch`);
  }
  return words;
}

function matchSigners(found: readonly string[], { signers }: RecordFacts): void {
  const known = signers.flatMap(({ address }) => address?.toLowerCase() ?? []);
  if (known.length < signers.length || found.some((one) => known.includes(one.toLowerCase()))) return;
  const problem = "the verdict is signed by another key than the record";
  throw forged("registry-record", problem, "envelope", found.join(", "), known.join(" or "));
}

function matchProof(document: Bytes, record: RecordFacts, batch: NonNullable<RecordFacts["batch"]>): void {
  const { root, leaf, record: proven } = verifyProofDocument(document, "proof");
  const got = [hexOf(root), leaf, hexOf(proven.id), hexOf(bytesOf(proven.fields.verdictDigest))].join(" ");
  const wanted = [batch.root, batch.leaf, record.record_id, record.verdict_digest].join(" ");
  if (got !== wanted) throw forged("registry-record", "the proof is of another record", "proof", got, wanted);
}

/** The identity on chain: the publisher whom the manifest names, else the code that the VM launched with. */
function publisherOf({ rootKind, report }: Claims, { publisher }: Manifest): string {
  return publisher || `${rootKind === "simulator" ? "simulated-" : ""}snp-measurement ${hexOf(report.measurement)}`;
}
