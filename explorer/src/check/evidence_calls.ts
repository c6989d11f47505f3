// From a release to what proves it on chain. Nothing here reads a chain, and nothing here is a judgement.
// It equals verifier/proofs/evidence_calls.py: the contract reads no JSON, so it refuses a manifest that says the same in
// other bytes, or whose key or names it does not know, however genuine the release is.

import { asciiOf, type Bytes, concat, hexOf, isEqual, littleEndian } from "./bytes.js";
import { parseCertificate, splitCertificates } from "./certificates.js";
import { type CheckError, malformed, refused } from "./checks.js";
import { MANIFEST_PATH, parseEnvelope } from "./dsse.js";
import { parseVek } from "./endorsements.js";
import { addedIntermediate, PINNED } from "./intermediates.js";
import { digestOf, type HashName, parsePublicKey, type PublicKey, rawSignature } from "./key.js";
import { keccakOf } from "./record.js";
import { KEY_PATH, REPORT_PATH, type Release } from "./release.js";
import { lineCodeOf } from "./roots.js";
import { parseReport } from "./snp.js";

/** Solidity's struct Evidence, in its order; see contracts/proofs/IHardwareProofs.sol. */
export interface EvidenceCall {
  readonly report: Bytes;
  readonly vek: Bytes;
  readonly vekKey: Bytes;
  readonly vekFacts: bigint;
  readonly vekChip: Bytes;
  readonly key: Bytes;
  readonly signature: Bytes;
  readonly payload: Bytes;
  readonly internalAt: number;
  readonly subjectsAt: number;
  readonly intermediate: Bytes;
}

/** What AMD's certificate says of a key, as the contract keeps it. `key` is x and y, 96 bytes. */
export interface VekFacts {
  readonly facts: bigint;
  readonly chip: Bytes;
  readonly key: Bytes;
}

// The conventions of `binding.ts` that the contract knows.
const PROVABLE_BINDINGS: readonly (readonly [name: string, hash: HashName])[] = [
  ["sha256-spki", "SHA-256"],
  ["sha384-spki", "SHA-384"],
];
const REPORT_DATA_BYTES = 64;
const CHIP_ID_BYTES = 64;
const POINT_BYTES = 96;
const SUBJECTS = '"predicateType":"https://slsa.dev/provenance/v1","subject":[';
const ONE_FILE =
  /\{"annotations":\{"size":(?:0|[1-9][0-9]{0,15})\},"digest":\{"fsverity_sha256_4096":"[0-9a-f]{64}"(?:,"sha256":"[0-9a-f]{64}")?\},"name":"([ !#-[\]-~]+)"\}/y;
const SHOWN_MAX = 200;
const NOTHING: Bytes = new Uint8Array(0);
const AS_PACKED = "the RFC 8785 form that `provenance pack` writes";

/**
 * What proves a release. The certificate is part of it; `withEndorsedKey` leaves it out. The contract has to know the
 * intermediate by then, see `addedIntermediate`. Throws a malformed CheckError if a file is, and a refused one if the
 * contract cannot read the release: its message names what, and the way out.
 */
export async function evidenceOf(release: Release): Promise<EvidenceCall> {
  const envelope = parseEnvelope(release.envelope);
  const key = parsePublicKey(release.key, KEY_PATH);
  const report = parseReport(release.report.data, REPORT_PATH);
  await requireBound(report.reportData, key);
  const { payload } = envelope;
  const [internalAt, subjectsAt] = placesIn(payload, await digestOf("SHA-256", report.signed));
  const veks = splitCertificates(release.vek.data, release.vek.where);
  const [vek] = veks;
  if (!vek || veks.length !== 1) {
    const got = `${veks.length}`;
    throw malformed("endorsements-format", "wrong number of certificates", release.vek.where, got, "one, the VCEK or VLEK");
  }
  const added = await addedIntermediate(release);
  const signature = signatureOf(key, envelope.signature);
  const endorsed = { vekKey: NOTHING, vekFacts: 0n, vekChip: new Uint8Array(32) };
  const places = { internalAt, subjectsAt, intermediate: added?.digest ?? PINNED };
  return { report: release.report.data, vek, ...endorsed, key: key.spki, signature, payload, ...places };
}

/** The same evidence for a chain that knows the certificate already, which is then left out. */
export function withEndorsedKey(call: EvidenceCall): EvidenceCall {
  const { key, facts, chip } = vekFactsOf(call.report, call.vek);
  return { ...call, vek: NOTHING, vekKey: key, vekFacts: facts, vekChip: chip };
}

/** What a certificate (DER) says, given a report that its key signed. The TCB is that of the report, which it repeats. */
export function vekFactsOf(report: Bytes, vek: Bytes): VekFacts {
  const { certificate, kind, productName, hwid } = parseVek(parseCertificate(vek, "vek"));
  const line = lineCodeOf(productName);
  const [notBefore, notAfter] = [certificate.notBefore, certificate.notAfter].map((at) => BigInt(Math.max(0, at))) as [bigint, bigint];
  const tcb = littleEndian(parseReport(report, REPORT_PATH).reportedTcb);
  const kindCode = kind === "VCEK" ? 0n : 1n;
  const facts = tcb | (notBefore << 64n) | (notAfter << 104n) | (BigInt(line) << 144n) | (kindCode << 152n);
  const chipId = concat(hwid ?? NOTHING, new Uint8Array(CHIP_ID_BYTES - (hwid?.length ?? 0)));
  return { facts, chip: keccakOf(chipId), key: certificate.spki.slice(-POINT_BYTES) };
}

async function requireBound(reportData: Bytes, key: PublicKey): Promise<void> {
  for (const [, hash] of PROVABLE_BINDINGS) {
    const wanted = new Uint8Array(REPORT_DATA_BYTES);
    wanted.set(await digestOf(hash, key.spki));
    if (isEqual(reportData, wanted)) return;
  }
  const wanted = PROVABLE_BINDINGS.map(([name]) => name).join(" or ");
  throw refused("key-binding", "the chain cannot read how the report binds the VM's key", REPORT_PATH, "another one", wanted);
}

/** r and s, each with as many bytes as the curve's order. */
function signatureOf(key: PublicKey, signature: Bytes): Bytes {
  if (key.algorithm === "Ed25519") {
    const wanted = "ECDSA on P-256 or P-384; `provenance attest --new-key` makes one";
    throw refused("key-binding", "the chain does not know the algorithm of the VM's key", KEY_PATH, key.algorithm, wanted);
  }
  const raw = rawSignature(signature, key.algorithm === "ECDSA P-256" ? 32 : 48);
  if (raw) return raw;
  const problem = "the signature is not one of ECDSA";
  throw refused("manifest-signature", problem, MANIFEST_PATH, `${signature.length} bytes`, "DER");
}

/** Where a manifest names its report, and where its list of files begins, after reading both as the EVM does. */
function placesIn(payload: Bytes, reportDigest: Bytes): readonly [internalAt: number, subjectsAt: number] {
  const text = asciiOf(payload); // one character for each byte
  return [internalIn(text, hexOf(reportDigest)), subjectsIn(text, payload)];
}

function internalIn(text: string, reportDigest: string): number {
  const publisher = '(?:"publisher":\\{"identity":"[^"\\\\\\x00-\\x1f]*"\\},)?';
  const at = text.search(new RegExp(`"internalParameters":\\{${publisher}"snpReport":\\{"sha256":"${reportDigest}"\\}\\}`));
  if (at >= 0) return at;
  const problem = "the chain does not see that the manifest names this report";
  throw refused("manifest-format", problem, MANIFEST_PATH, "no such member", AS_PACKED);
}

function subjectsIn(text: string, payload: Bytes): number {
  const start = text.lastIndexOf(SUBJECTS);
  if (start < 0) {
    const problem = "the chain does not see the list of files at the end of the manifest";
    throw refused("manifest-format", problem, MANIFEST_PATH, "another form", AS_PACKED);
  }
  let [at, before] = [start + SUBJECTS.length, ""];
  for (;;) {
    ONE_FILE.lastIndex = at;
    const path = ONE_FILE.exec(text)?.[1];
    if (path === undefined) break;
    if (path <= before) throw unreadFile(`${path} after ${before}`, "paths in ascending order of their bytes");
    [at, before] = [ONE_FILE.lastIndex, path];
    if (text.slice(at) === "]}") return start;
    if (text[at] !== ",") break;
    at += 1;
  }
  const shown = new TextDecoder().decode(payload.subarray(at, at + SHOWN_MAX));
  throw unreadFile(shown, "printable ASCII in names, without quotation mark and backslash, and an fs-verity digest");
}

function unreadFile(got: string, wanted: string): CheckError {
  return refused("manifest-format", "the chain cannot read a file of the manifest", MANIFEST_PATH, got, wanted);
}
