// The judgement of a release, repeated in the browser: the order and the check ids of verifier/judgement/appraise.py.
//
// Malformed and forged input ends it at once. What only a policy decides ends as "not-checked", with the claim in words.

import { verifyKeyBinding } from "./binding.js";
import { type Bytes, hexOf } from "./bytes.js";
import { verifyChain, type VerifiedChain } from "./chain.js";
import { CheckError, CheckSheet, type Finding } from "./checks.js";
import { type Claims, matchVekToReport, verifyReportSignature } from "./claims.js";
import { matchHashed, signedDigests } from "./coverage.js";
import { parseEnvelope, verifyEnvelope } from "./dsse.js";
import { parseEndorsements } from "./endorsements.js";
import { type FileDigest, modelDigest } from "./fsverity.js";
import { type GpuClaims, verifyGpus } from "./gpu.js";
import { digestOf, parsePublicKey, type PublicKey } from "./key.js";
import { type Manifest, matchReport, parseStatement } from "./manifest.js";
import { matchFiles } from "./match_files.js";
import { type KeptDocuments, matchRecord, type RecordFacts } from "./match_record.js";
import { refuseUnsigned, type ReleaseSignature, verifyReleaseSignature } from "./modelsig.js";
import { type EvidenceFiles, KEY_PATH, type Release, releaseOf } from "./release.js";
import { AMD_ROOTS, SIMULATOR_ROOTS, tcbText } from "./roots.js";
import { claimFindings } from "./shown_claims.js";
import { parseReport } from "./snp.js";
import { timeText } from "./times.js";

export interface RecheckOptions {
  /** The moment for which certificates must be valid, in seconds since 1970: the record's `judged_at`. */
  readonly at: number;
  readonly record?: RecordFacts;
  /** What an oracle keeps of the record, as far as it is at hand. */
  readonly kept?: KeptDocuments;
  /**
   * Reads and hashes files of the model; called only once evidence and manifest are accepted. The SHA-256 of the whole
   * file is needed of `sha256Paths`, which the manifest or the publisher's signature states.
   */
  readonly hashFiles?: (manifest: Manifest, sha256Paths: ReadonlySet<string>) => Promise<readonly FileDigest[]>;
  /** Called with each finding as it is made, in the order of the judgement. */
  readonly onFinding?: (finding: Finding) => void;
}

/** A release that this browser accepts. Simulated, its root is the simulator's, and it is no evidence of any hardware. */
export interface Accepted {
  readonly findings: readonly Finding[];
  readonly isSimulated: boolean;
}

/** `modelDigest` is undefined if it could not be computed. */
export interface RecheckResult extends Accepted {
  readonly claims: Claims;
  readonly manifest: Manifest;
  readonly modelDigest: Bytes | undefined;
  readonly gpus: readonly GpuClaims[];
  /** The publisher's signature; undefined if there is none, or one that a browser cannot judge. */
  readonly signature: ReleaseSignature | undefined;
}

/**
 * Judges the files of a release's provenance folder.
 *
 * Throws a CheckError if the release is malformed, forged, refused or incomplete; its `findings` has every outcome.
 * Throws an UnsupportedError if this browser lacks an algorithm.
 */
export async function recheck(files: EvidenceFiles, options: RecheckOptions): Promise<RecheckResult> {
  const sheet = new CheckSheet(options.onFinding);
  return sheet.guard(async () => {
    const release = releaseOf(files);
    // (1) to (4): the chip's certificates and the report
    const claims = await appraiseEvidence(release, options.at, sheet);
    // (5) the report names the key: all 64 bytes of REPORT_DATA match
    const key = await bindKey(claims, release.key, sheet);
    // (6) the key signed the manifest; parsed only after the signature holds
    const manifest = await readManifest(release, claims, key, sheet);
    // (7) genuine GPUs made their evidence for this key, if the release has such evidence
    const gpus = release.gpus.size > 0 ? await verifyGpus(release.gpus, key, options.at, sheet) : [];
    // (8) the publisher whom the manifest names signed it, if there is a signature
    const signature = await verifyReleaseSignature(release.provenance, manifest, options.at, sheet);
    // (9) what a policy need not decide counts only now, so that forged input is reported as forged
    refuseFailed(sheet);
    refuseUnsigned(release.provenance, manifest);
    const digest = await matchModel(manifest, signature, options, sheet);
    sheet.notChecked("lineage", "the record's parents are shown, and not judged again");
    const { record, kept = {} } = options;
    if (record) await matchRecord(record, kept, { claims, manifest, modelDigest: digest }, sheet);
    else sheet.notChecked("registry-record", "no record was given");
    const isSimulated = claims.rootKind === "simulator";
    return { findings: sheet.findings(), claims, manifest, modelDigest: digest, gpus, signature, isSimulated };
  });
}

async function appraiseEvidence(release: Release, at: number, sheet: CheckSheet): Promise<Claims> {
  const endorsements = parseEndorsements(release.vek, release.chain, release.crl);
  const listed = `${endorsements.vek.kind}, two issuers${endorsements.crl ? ", CRL" : ", no CRL"}`;
  sheet.passed("endorsements-format", listed, "strict DER with AMD's extensions");
  const report = parseReport(release.report.data, release.report.where);
  const versions = report.version === 4 ? "4" : "2, 3 or 5";
  const wanted = `version ${versions}, reserved bytes zero`;
  sheet.passed("report-format", `version ${report.version}, 1184 bytes`, wanted);
  // (1) VCEK or VLEK up to a pinned root, valid at `at`, not revoked
  const chain = await verifyChain(endorsements, [...AMD_ROOTS, ...SIMULATOR_ROOTS], at);
  enterChain(chain, sheet);
  // (2) same product line, same chip, same TCB
  const matched = matchVekToReport(chain, report);
  sheet.passed("product-line", chain.line, "chain, certificate and processor agree");
  // (3) that key signed the report
  const claims = await verifyReportSignature(matched);
  sheet.passed("vek-match", `${claims.vekKind}, ${tcbText(claims.reportedTcb)}`, "the chip and TCB the report names");
  const digest = hexOf(await digestOf("SHA-256", report.signed));
  sheet.passed("report-signature", `report ${digest.slice(0, 16)}…`, "ECDSA P-384 by the VEK");
  // (4) the claims that a policy has rules for
  for (const finding of claimFindings(claims)) sheet.add(finding);
  return claims;
}

function enterChain({ line, rootKind, at, revocation, endorsements: { crl } }: VerifiedChain, sheet: CheckSheet): void {
  const simulated = rootKind === "simulator" ? " (SIMULATED: its keys are public, so this proves no hardware)" : "";
  sheet.passed("vek-chain", `${rootKind} root of ${line}${simulated}`, "a pinned root");
  const moment = timeText(at).replace("T", " ");
  sheet.passed("vek-validity", `all valid at ${moment}`, "every certificate in its window");
  if (crl && revocation === "not revoked") {
    sheet.passed("vek-revocation", `CRL no. ${crl.number}`, "issuer not in a current CRL");
  } else {
    sheet.notChecked("vek-revocation", `CRL ${revocation}`);
  }
}

async function bindKey(claims: Claims, pem: Bytes, sheet: CheckSheet): Promise<PublicKey> {
  const key = parsePublicKey(pem, KEY_PATH);
  const convention = await verifyKeyBinding(claims.report.reportData, key);
  sheet.passed("key-binding", `REPORT_DATA is ${convention} of the key`, "all 64 bytes");
  return key;
}

async function readManifest(release: Release, claims: Claims, key: PublicKey, sheet: CheckSheet): Promise<Manifest> {
  const payload = await verifyEnvelope(parseEnvelope(release.envelope), key);
  sheet.passed("manifest-signature", `signed by the ${key.algorithm} key of the VM`, "the bound key's signature");
  const manifest = await parseStatement(payload);
  // the key is public, so reports of other VMs can name it too; only the manifest names the right report
  matchReport(manifest, await digestOf("SHA-256", claims.report.signed));
  const unnamed = manifest.reportDigest ? "" : ", no report named";
  const got = `${manifest.name} ${manifest.version}, ${manifest.files.length} files${unnamed}`;
  sheet.passed("manifest-format", got, "in-toto Statement v1 with SLSA provenance v1");
  return manifest;
}

function refuseFailed(sheet: CheckSheet): void {
  const failed = sheet.findings().find(({ outcome }) => outcome === "failed");
  if (!failed) return;
  const problem = "every policy refuses the evidence";
  throw new CheckError("refused", problem, failed.check, "evidence", failed.got, failed.wanted);
}

/** Compares the files that were given, and returns the model digest: of the files, or as the manifest states it. */
async function matchModel(
  manifest: Manifest,
  signature: ReleaseSignature | undefined,
  options: RecheckOptions,
  sheet: CheckSheet,
): Promise<Bytes | undefined> {
  const stating = manifest.files.filter(({ sha256 }) => sha256).map(({ path }) => path);
  const signed = signature ? signedDigests(signature.signed).keys() : [];
  const files = (await options.hashFiles?.(manifest, new Set([...stating, ...signed]))) ?? [];
  if (files.length > 0) {
    const isWhole = matchFiles(manifest, files, sheet);
    if (signature) matchHashed(signature.signed, files);
    if (isWhole) return modelDigest(files);
  } else {
    const why = "drop the model's files on the page to compare them";
    sheet.notChecked("file-set", why);
    sheet.notChecked("file-digests", why);
  }
  const stated = manifest.files.flatMap(({ path, size, fsverity }) => (fsverity ? [{ path, size, fsverity }] : []));
  return stated.length === manifest.files.length ? modelDigest(stated) : undefined;
}
