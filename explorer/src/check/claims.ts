// Matches a report with its VEK (product line, chip and TCB) and verifies its signature. Its fields are then claims.
// It equals verifier/snp/signature.py. Sources: AMD 56860, AMD 57230.

import { type Bytes, concat, hexOf, isEqual, isZero, reversed } from "./bytes.js";
import { extensionOf } from "./certificates.js";
import type { Revocation, VerifiedChain } from "./chain.js";
import { type CheckError, forged } from "./checks.js";
import { SPL4, type VekCertificate, type VekKind } from "./endorsements.js";
import { isSignedRaw } from "./key.js";
import {
  type Cpuid,
  describeCpuid,
  lineOfCpuid,
  parseTcb,
  type ProductLine,
  type RootKind,
  type Tcb,
  TCB_LAYOUTS,
  tcbText,
  VEK_FORMS,
} from "./roots.js";
import type { Report } from "./snp.js";

/** The claims of a verified report. They are as trustworthy as AMD's keys and firmware. */
export interface Claims {
  readonly report: Report;
  readonly line: ProductLine;
  readonly rootKind: RootKind;
  readonly cpuid: Cpuid | undefined;
  readonly currentTcb: Tcb;
  readonly reportedTcb: Tcb;
  readonly committedTcb: Tcb;
  readonly launchTcb: Tcb;
  readonly vekKind: VekKind;
  readonly cspId: string | undefined; // the cloud provider of a VLEK
  readonly chipId: Bytes | undefined; // undefined if the host masked it, and for a VLEK
  readonly at: number;
  readonly revocation: Revocation;
}

/** A verified chain and a report that name the same chip and firmware. Its signature is not verified yet. */
export interface MatchedVek {
  readonly chain: VerifiedChain;
  readonly report: Report;
  readonly reportedTcb: Tcb;
  readonly isChipIdMasked: boolean;
}

/** Compares product line, kind of key, reported TCB and chip (checks `product-line`, `vek-match`, `report-format`). */
export function matchVekToReport(chain: VerifiedChain, report: Report): MatchedVek {
  const { vek } = chain.endorsements;
  matchProductLine(chain.line, vek, report);
  if (report.signingKey !== vek.kind) throw mismatch(vek, "signing key", report.signingKey, vek.kind);
  const reportedTcb = tcbOf(report, "reportedTcb", chain.line);
  const names = [...TCB_LAYOUTS[chain.line].keys()];
  const isSame = names.every((name) => vek.tcb.get(name) === reportedTcb.get(name));
  if (!isSame || vek.tcb.size !== names.length) {
    throw mismatch(vek, "reported TCB", tcbText(reportedTcb), tcbText(vek.tcb));
  }
  return { chain, report, reportedTcb, isChipIdMasked: matchChip(vek, report) };
}

/** Verifies the VEK's ECDSA P-384 signature with SHA-384 over the signed bytes (check `report-signature`). */
export async function verifyReportSignature(matched: MatchedVek): Promise<Claims> {
  const { report, chain } = matched;
  const { vek } = chain.endorsements;
  const raw = concat(reversed(report.signatureR), reversed(report.signatureS));
  if (!(await isSignedRaw(vek.certificate.spki, "P-384", raw, report.signed, "SHA-384"))) {
    const wanted = `an ECDSA P-384 signature by the ${vek.kind}`;
    const problem = "the report's signature does not verify";
    throw forged("report-signature", problem, report.where, "another key or other bytes", wanted);
  }
  return {
    report,
    line: chain.line,
    rootKind: chain.rootKind,
    cpuid: report.cpuid,
    currentTcb: tcbOf(report, "currentTcb", chain.line),
    reportedTcb: matched.reportedTcb,
    committedTcb: tcbOf(report, "committedTcb", chain.line),
    launchTcb: tcbOf(report, "launchTcb", chain.line),
    vekKind: vek.kind,
    cspId: vek.cspId,
    chipId: matched.isChipIdMasked || vek.kind === "VLEK" ? undefined : report.chipId,
    at: chain.at,
    revocation: chain.revocation,
  };
}

function tcbOf(report: Report, name: "currentTcb" | "reportedTcb" | "committedTcb" | "launchTcb", line: ProductLine): Tcb {
  return parseTcb(report[name], line, `${report.where}: ${name.replace("Tcb", "_tcb")}`);
}

function matchProductLine(line: ProductLine, vek: VekCertificate, report: Report): void {
  const form = VEK_FORMS[line];
  const { productName, structVersion, hwid } = vek;
  if (!form.productNames.includes(productName)) {
    throw otherLine(vek, "productName", productName, form.productNames.join(" or "));
  }
  if (structVersion !== form.structVersion) {
    throw otherLine(vek, "structVersion", `${structVersion}`, `${form.structVersion}`);
  }
  if (hwid && hwid.length !== form.hwidBytes) {
    throw otherLine(vek, "hwID", `${hwid.length} bytes`, `${form.hwidBytes} bytes`);
  }
  const hasSpl4 = extensionOf(vek.certificate, SPL4) !== undefined;
  if (hasSpl4 !== form.hasSpl4) {
    throw otherLine(vek, "extension .3.4", `present: ${hasSpl4}`, `present: ${form.hasSpl4}`);
  }
  if (report.cpuid && lineOfCpuid(report.cpuid) !== line) {
    const problem = "the processor belongs to another product line";
    const got = `CPUID ${describeCpuid(report.cpuid)}`;
    throw forged("product-line", problem, report.where, got, `a processor of ${line}`);
  }
}

/** Compares the chip ids, and returns whether the report's is masked. A VLEK names no chip. */
function matchChip(vek: VekCertificate, report: Report): boolean {
  const isMasked = isZero(report.chipId);
  if (vek.kind === "VLEK") {
    if (isMasked) return false;
    throw mismatch(vek, "chip id", hexOf(report.chipId), "zero, as a VLEK names no chip");
  }
  const chipId = new Uint8Array(report.chipId.length);
  chipId.set(vek.hwid ?? []);
  if (!isMasked && !isEqual(report.chipId, chipId)) {
    throw mismatch(vek, "chip id", hexOf(report.chipId), `the certificate's ${hexOf(chipId)}`);
  }
  return isMasked;
}

function mismatch(vek: VekCertificate, what: string, got: string, wanted: string): CheckError {
  const problem = `the report does not match the ${vek.kind} (${what})`;
  return forged("vek-match", problem, vek.certificate.where, got, wanted);
}

function otherLine(vek: VekCertificate, what: string, got: string, wanted: string): CheckError {
  const problem = `the certificate belongs to another product line (${what})`;
  return forged("product-line", problem, vek.certificate.where, got, wanted);
}
