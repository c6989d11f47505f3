// A release that has only its publisher's signature: who signed the files, and no more.
// The order and the findings are those of verifier/judgement/judge_signed.py.

import { type Bytes, hexOf } from "./bytes.js";
import { CHECKS, CheckSheet, forged } from "./checks.js";
import { coverageText, matchHashed, signedDigests } from "./coverage.js";
import { type FileDigest, modelDigest } from "./fsverity.js";
import { identityDigest } from "./identity.js";
import { enterRecord, type KeptDocuments, matchFacts, type RecordFacts } from "./match_record.js";
import { type ReleaseSignature, verifySignedRelease } from "./modelsig.js";
import type { Accepted, RecheckOptions } from "./recheck.js";
import { BeyondThisPage } from "./signer.js";

const NO_HARDWARE = "no confidential hardware: the release has only a signature";
const NO_MANIFEST = "no manifest: the signature names the files";
const NO_DIGEST = "00".repeat(32);

/** What is judged: the bundle, and the size of every other file of the model, by path. */
export interface SignedFolder {
  readonly bundle: Bytes;
  readonly sizes: ReadonlyMap<string, bigint>;
}

/** As for `recheck`, but every file is read, and its SHA-256 is needed of these paths. */
export interface SignedOptions extends Pick<RecheckOptions, "at" | "onFinding"> {
  readonly record: RecordFacts;
  readonly kept: KeptDocuments;
  readonly hashFiles: (sha256Paths: ReadonlySet<string>) => Promise<readonly FileDigest[]>;
}

/** Judges a release of which every file is at hand. Throws as `recheck`, and BeyondThisPage. */
export async function recheckSigned({ bundle, sizes }: SignedFolder, options: SignedOptions): Promise<Accepted> {
  const sheet = new CheckSheet(options.onFinding);
  return sheet.guard(async () => {
    // (1) the signature is genuine, whoever made it, and covers exactly the files that are there
    const signature = await verifySignedRelease(bundle, sizes, options.at);
    const digests = signedDigests(signature.signed);
    if (!digests.size) throw new BeyondThisPage("the files are signed in shards, or by a hash that browsers do not have");
    refuseUncovered(signature);
    sheet.passed("file-set", `${sizes.size} files`, "the files that the signature covers, and none besides");
    // (2) one read of every byte
    const files = await options.hashFiles(new Set(digests.keys()));
    matchHashed(signature.signed, files);
    const model = hexOf(await modelDigest(files));
    enter(sheet, signature, model);
    // (3) the record
    await matchRecord(options.record, options.kept, signature, model, sheet);
    return { findings: sheet.findings(), isSimulated: false };
  });
}

/** Python sets files of git and of the hub aside by their contents. Here they have to go. */
function refuseUncovered({ coverage: { allowed } }: ReleaseSignature): void {
  const [path] = allowed;
  if (path === undefined) return;
  throw forged("file-set", "the signature does not cover the file; take it out of the folder", path, "one more file", "none");
}

function enter(sheet: CheckSheet, { identity, coverage }: ReleaseSignature, model: string): void {
  const ofManifests = CHECKS.indexOf("manifest-format");
  for (const check of CHECKS.slice(0, ofManifests)) sheet.notChecked(check, NO_HARDWARE);
  for (const check of ["manifest-format", "manifest-signature"] as const) sheet.notChecked(check, NO_MANIFEST);
  sheet.passed("file-digests", `model digest ${model.slice(0, 16)}…`, "the signed digests");
  sheet.passed("publisher-signature", coverageText(coverage), "genuine, over every file");
  sheet.passed("publisher-identity", identity, "the signer");
  sheet.notChecked("lineage", "the signature names no ancestors");
}

async function matchRecord(
  record: RecordFacts,
  kept: KeptDocuments,
  { identity, signed }: ReleaseSignature,
  model: string,
  sheet: CheckSheet,
): Promise<void> {
  matchFacts(record, {
    manifest_digest: hexOf(signed.payloadDigest),
    model_digest: model,
    report_digest: NO_DIGEST,
    publisher_identity: await identityDigest(identity),
  });
  await enterRecord(record, kept, "the record names these files and this signer", sheet);
}
