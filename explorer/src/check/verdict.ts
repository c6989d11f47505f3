// The verdict that an oracle keeps: SLSA verification summary v1. The record on chain has its digest.
// The rules are those of verifier/judgement/recorded_verdict.py and verifier/registry/signed_verdict.py.

import { bigEndian, type Bytes, hexOf, isEqual } from "./bytes.js";
import { type Check, type CheckError, CHECKS, type Finding, forged, type Outcome } from "./checks.js";
import { PAYLOAD_TYPE, preAuthentication } from "./dsse.js";
import { Fields } from "./fields.js";
import { type Json, parseJson } from "./json.js";
import { digestOf, rawSignature } from "./key.js";
import { CURVE_ORDER, possibleSigners } from "./secp256k1.js";

const CHECK = "registry-record";
const VERDICT_BYTES_MAX = 4 << 20;
const FINDINGS_MAX = 1000;
const INPUTS_MAX = 64;
const SIGNATURES_MAX = 8;
const TOKENS_MAX = 32 + 16 * SIGNATURES_MAX;
const EXTENSION = "tag:provenance-oracle,2026:verdict/v1";
const OUTCOMES: readonly string[] = ["passed", "failed", "not-checked"];
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

/** A PASSED verdict. Its bytes are as untrusted as the oracle. Digests are lower-case hex. */
export interface RecordedVerdict {
  readonly digest: string;
  readonly judgedAt: string;
  readonly policyDigest: string;
  /** The version of the package that judged. */
  readonly version: string;
  readonly findings: readonly Finding[];
  /** SHA-256 of each file of the evidence, by name. */
  readonly inputs: ReadonlyMap<string, string>;
  readonly stated: StatedRecord;
}

/** What a verdict says of a release, in the words of the record: members of an entry of `provenance show --json`. */
export interface StatedRecord {
  readonly name: string;
  readonly version: string;
  readonly model_digest: string;
  readonly manifest_digest: string;
  readonly report_digest: string;
  readonly reported_tcb: string;
  readonly product_line: string;
  readonly grade: number;
  readonly policy_digest: string;
  readonly judged_at: string;
  readonly passed_checks: readonly string[];
}

/** Parses the bytes of a verdict with this digest (hex). */
export async function parseVerdict(statement: Bytes, digest: string, where: string): Promise<RecordedVerdict> {
  const found = hexOf(await digestOf("SHA-256", statement));
  if (found !== digest) throw forgedVerdict("the verdict is not that of the record", where, found, digest);
  const value = parseJson(statement, { where, check: CHECK, maxBytes: VERDICT_BYTES_MAX });
  const whole = new Fields(value, where, CHECK);
  const predicate = whole.fields("predicate");
  predicate.constant("verificationResult", "PASSED");
  const judgedAt = predicate.text("timeVerified");
  if (!MOMENT.test(judgedAt)) throw predicate.error("timeVerified", "not a time", judgedAt, "2026-11-21T10:00:00Z");
  const policyDigest = hexOf(predicate.fields("policy").fields("digest").hexBytes("sha256", 32));
  const version = predicate.fields("verifier").fields("version").text("provenance-oracle");
  const details = predicate.fields(EXTENSION);
  const findings = details.fieldsList("findings", 0, FINDINGS_MAX).map(parseFinding);
  const inputs = parseInputs(predicate);
  refuseLevels(predicate);
  const subject = whole.fieldsList("subject", 1, 1)[0]!;
  const stated: StatedRecord = {
    name: subject.text("name"),
    version: subject.fields("annotations").text("version"),
    model_digest: hexOf(subject.fields("digest").hexBytes("provenance_model_v1", 32)),
    manifest_digest: hexOf(details.hexBytes("manifestDigest", 32)),
    report_digest: hexOf(details.hexBytes("reportDigest", 32)),
    reported_tcb: hexOf(details.hexBytes("reportedTcb", 8)),
    product_line: details.text("productLine"),
    grade: Number(details.integer("grade", 0n, 2n)),
    policy_digest: policyDigest,
    judged_at: judgedAt,
    passed_checks: passedChecks(findings),
  };
  return { digest, judgedAt, policyDigest, version, findings, inputs, stated };
}

/** Compares the record with its verdict, member by member. */
export function matchVerdict(verdict: RecordedVerdict, record: StatedRecord): void {
  for (const name of Object.keys(verdict.stated) as (keyof StatedRecord)[]) {
    const [got, wanted] = [String(record[name]), String(verdict.stated[name])];
    if (got === wanted) continue;
    throw forgedVerdict(`the record says otherwise than its verdict (${name})`, "registry", got, wanted);
  }
}

/** The addresses, in checksum form, of the keys that signed the envelope around a verdict. Compare them with oracles. */
export async function verifyVerdictEnvelope(data: Bytes, statement: Bytes, where: string): Promise<readonly string[]> {
  const value = parseJson(data, { where, check: CHECK, maxBytes: 2 * VERDICT_BYTES_MAX, maxTokens: TOKENS_MAX });
  const fields = new Fields(value, where, CHECK);
  fields.constant("payloadType", PAYLOAD_TYPE);
  const payload = fields.base64Bytes("payload", VERDICT_BYTES_MAX);
  const signatures = fields.fieldsList("signatures", 1, SIGNATURES_MAX);
  fields.finish();
  const digest = await digestOf("SHA-256", preAuthentication(PAYLOAD_TYPE, payload));
  const signers = signatures.map((signed) => verifySigner(signed, digest));
  if (!isEqual(payload, statement)) {
    throw forgedVerdict("the envelope is around another verdict", where, "another payload", "the verdict of the record");
  }
  return signers;
}

function verifySigner(signed: Fields, digest: Bytes): string {
  const where = signed.where("sig");
  const name = signed.text("keyid", 64);
  const der = signed.base64Bytes("sig", 80);
  const raw = rawSignature(der, 32);
  const [r, s] = raw ? [bigEndian(raw.subarray(0, 32)), bigEndian(raw.subarray(32))] : [0n, 0n];
  if (r === 0n || r >= CURVE_ORDER || s === 0n || s > CURVE_ORDER / 2n) {
    const wanted = "ECDSA-Sig-Value in DER with the lower s";
    throw forgedVerdict("the signature of the verdict is malformed", where, `${der.length} other bytes`, wanted);
  }
  signed.finish();
  const found = possibleSigners(digest, r, s);
  if (found.includes(name)) return name;
  const got = found.join(" or ") || "no key";
  throw forgedVerdict("the signature of the verdict is not by the key that it names", where, got, name);
}

function parseFinding(entry: Fields): Finding {
  const [got, wanted] = [entry.text("got", VERDICT_BYTES_MAX), entry.text("wanted", VERDICT_BYTES_MAX)];
  const [check, outcome] = [entry.text("check"), entry.text("outcome")];
  if (!(CHECKS as readonly string[]).includes(check)) throw entry.error("check", "unknown value", check, "a check");
  if (!OUTCOMES.includes(outcome)) throw entry.error("outcome", "unknown value", outcome, OUTCOMES.join(" or "));
  return { check: check as Check, outcome: outcome as Outcome, got, wanted };
}

function passedChecks(findings: readonly Finding[]): readonly string[] {
  const bad = new Set(findings.filter(({ outcome }) => outcome !== "passed").map(({ check }) => check));
  return CHECKS.filter((check) => !bad.has(check) && findings.some((finding) => finding.check === check));
}

function parseInputs(predicate: Fields): ReadonlyMap<string, string> {
  const entries = predicate.fieldsList("inputAttestations", 1, INPUTS_MAX);
  const inputs = new Map(entries.map((one) => [one.text("uri"), hexOf(one.fields("digest").hexBytes("sha256", 32))]));
  if (inputs.size === entries.length) return inputs;
  throw predicate.error("inputAttestations", "a name occurs twice", `${entries.length}`, "each once");
}

function refuseLevels(predicate: Fields): void {
  const levels = predicate.value("verifiedLevels");
  if (Array.isArray(levels) && levels.every((level: Json) => typeof level === "string")) return;
  throw predicate.error("verifiedLevels", "wrong type", "something else", "a list of strings");
}

function forgedVerdict(problem: string, where: string, got: string, wanted: string): CheckError {
  return forged(CHECK, problem, where, got, wanted);
}
