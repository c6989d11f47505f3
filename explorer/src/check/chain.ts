// The chain from a VCEK or VLEK up to AMD's root: pinned root, names, algorithms, validity and revocation.
// It equals verifier/snp/chain.py. Sources: AMD 57230; RFC 5280, sections 4.1.2.5 and 5.

import {
  authorityKeyIdOf,
  expectSubject,
  INTERMEDIATE,
  ROOT,
  verifyAuthority,
  verifyIssued,
  verifyPss,
  wrong,
} from "./authority.js";
import { hexOf, isEqual } from "./bytes.js";
import type { Certificate } from "./certificates.js";
import { forged } from "./checks.js";
import { covers, type Crl } from "./crl.js";
import type { Endorsements } from "./endorsements.js";
import { digestOf } from "./key.js";
import type { ProductLine, RootKind, TrustedRoot } from "./roots.js";
import { timeText } from "./times.js";

/** The state of the intermediate. There is no value for "revoked": `verifyChain` throws instead. */
export type Revocation = "not revoked" | "unavailable" | "stale";

/** Endorsements that verify up to a trusted root at the moment `at`. */
export interface VerifiedChain {
  readonly line: ProductLine;
  readonly rootKind: RootKind;
  readonly endorsements: Endorsements;
  readonly at: number;
  readonly revocation: Revocation;
}

/**
 * Verifies the certificates that endorse a report, from the root down. `at` is in seconds since 1970.
 * Throws a forged CheckError (checks `vek-chain`, `vek-validity`, `vek-revocation`).
 */
export async function verifyChain(
  endorsements: Endorsements,
  roots: readonly TrustedRoot[],
  at: number,
): Promise<VerifiedChain> {
  const { intermediate, ark, crl } = endorsements;
  const { certificate: vek, kind } = endorsements.vek;
  // (1) the ARK is one of the trusted roots and is self-signed
  const { line, kind: rootKind } = await matchRoot(ark, roots);
  expectSubject(ark, `ARK-${line}`);
  await verifyAuthority(ark, ark, ROOT);
  // (2) the ARK signed the intermediate: an ASK for a VCEK, an ASVK for a VLEK
  expectSubject(intermediate, kind === "VCEK" ? `SEV-${line}` : `SEV-VLEK-${line}`);
  await verifyAuthority(intermediate, ark, INTERMEDIATE);
  // (3) both are valid at `at`, and the intermediate is not revoked
  refuseInvalid(ark, at);
  refuseInvalid(intermediate, at);
  const revocation = await verifyRevocation(intermediate, ark, crl, at);
  // (4) the VEK has a P-384 key, is signed by the intermediate, and is valid at `at`
  expectSubject(vek, `SEV-${kind}`);
  await verifyIssued(vek, intermediate);
  if (!("curve" in vek.key) || vek.key.curve !== "P-384") {
    throw wrong(vek, "wrong kind of key", "another key", "elliptic curve P-384");
  }
  refuseInvalid(vek, at);
  return { line, rootKind, endorsements, at, revocation };
}

async function matchRoot(ark: Certificate, roots: readonly TrustedRoot[]): Promise<TrustedRoot> {
  const digest = hexOf(await digestOf("SHA-256", ark.der));
  const root = roots.find(({ arkSha256 }) => arkSha256 === digest);
  if (root) return root;
  const kinds = [...new Set(roots.map(({ kind }) => kind))].sort().join(", ");
  throw wrong(ark, "root is not trusted", `${ark.commonName} ${digest}`, `a pinned root (${kinds})`);
}

/** The state of the intermediate by the ARK's list. A VEK cannot be revoked: all VEKs share the serial number 0. */
async function verifyRevocation(
  intermediate: Certificate,
  ark: Certificate,
  crl: Crl | undefined,
  at: number,
): Promise<Revocation> {
  if (!crl) return "unavailable";
  const check = "vek-revocation";
  if (!isEqual(crl.issuer, ark.subject)) {
    throw forged(check, "wrong issuer of the CRL", crl.where, "another name", ark.commonName);
  }
  if (!isEqual(crl.authorityKeyId, authorityKeyIdOf(ark))) {
    throw forged(check, "wrong authority key id of the CRL", crl.where, "another key", ark.commonName);
  }
  await verifyPss(crl.signed, ark, check, crl.where, "the CRL");
  // an old list still proves that the certificate was revoked
  if (crl.revokedSerials.has(intermediate.serial)) {
    const problem = `${intermediate.commonName} is revoked`;
    const got = `serial ${intermediate.serial} in CRL no. ${crl.number}`;
    throw forged(check, problem, intermediate.where, got, "a certificate that AMD has not revoked");
  }
  return covers(crl, at) ? "not revoked" : "stale";
}

function refuseInvalid(certificate: Certificate, at: number): void {
  const { notBefore, notAfter, commonName, where } = certificate;
  if (notBefore <= at && at <= notAfter) return;
  const wanted = `${timeText(notBefore)} to ${timeText(notAfter)}`;
  throw forged("vek-validity", `${commonName} is not valid at this time`, where, timeText(at), wanted);
}
