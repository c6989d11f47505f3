// Sigstore's keyless method: a short-lived certificate, and logs that vouch for it and for the signature.
// What Python leaves to sigstore-python and adds in verifier/identity/keyless.py is done here with WebCrypto.

import type { LogEntry, SignatureBundle } from "./bundle.js";
import { hexOf } from "./bytes.js";
import { CODE_SIGNING, verifyIssued } from "./certificate_method.js";
import { CheckError } from "./checks.js";
import { identityLines, SCTS, verifySct } from "./fulcio.js";
import { DSSE_ENTRY, verifyLogEntry } from "./log_entry.js";
import { parseSigningCertificate, type SigningCertificate } from "./signing_certificates.js";
import { BeyondThisPage, forgedAt, type ModelSigner, verifyModelSignature } from "./signer.js";
import { isWithin, type RootAuthority, rootAuthority, type TrustedRootJson, wasValid } from "./sigstore_root.js";
import { verifyStamp } from "./timestamp.js";
import { DIGITAL_SIGNATURE } from "./x509_values.js";

/** A signature may be dated at most five minutes after the moment of judgement. */
const FUTURE_MAX = 300;

/** Verifies a bundle of the method `sigstore`. Whether the signer is the expected one is for the caller to decide. */
export async function verifyKeyless(bundle: SignatureBundle, at: number, root: TrustedRootJson): Promise<ModelSigner> {
  const { where } = bundle;
  const entry = bundle.entry as LogEntry;
  // (1) every moment of signing that the log or a timestamp authority vouches for
  const moments = await momentsOf(bundle, entry, root);
  // (2) the certificate, by a CA of the root that counts at each of them
  const leaf = await parseLeaf(bundle);
  const issuers = await Promise.all(moments.map((moment) => findIssuer(leaf, root, moment)));
  const issuer = issuers[0]!;
  await verifySct(leaf, issuer, root, at + FUTURE_MAX);
  const log = await verifyLogEntry(bundle, entry, root);
  // (3) one name, and the issuer that vouched for it
  const lines = identityLines(leaf);
  // (4) the moments lie in the log's window
  for (const moment of moments) {
    if (moment > at + FUTURE_MAX) throw forgedAt(where, "the signature is dated in the future", `${moment}`, `${at}`);
    if (!isWithin(log.window, moment)) {
      throw forgedAt(where, "the log's key was not valid then", `${moment}`, "a moment in its window");
    }
  }
  // (5) the signature
  if (!("curve" in leaf.key) || leaf.key.curve !== "P-256") throw new BeyondThisPage("a key of another curve");
  await verifyModelSignature(bundle, { spki: leaf.spki, algorithm: "ECDSA P-256" });
  return { method: bundle.method, lines };
}

async function momentsOf(bundle: SignatureBundle, entry: LogEntry, root: TrustedRootJson): Promise<readonly number[]> {
  const { where, stamps, envelope } = bundle;
  const promised = entry.promise.length && entry.integratedAt ? [entry.integratedAt] : [];
  if (promised.length && entry.kind !== DSSE_ENTRY) throw forgedAt(where, "a promise for such an entry", entry.kind, DSSE_ENTRY);
  if (new Set(stamps.map(hexOf)).size !== stamps.length) throw forgedAt(where, "two equal timestamps", "two", "one");
  const stamped = await Promise.all(stamps.map((stamp) => verifyStamp(stamp, envelope.signature, root, where)));
  if (promised.length + stamped.length) return [...promised, ...stamped];
  throw forgedAt(where, "nobody vouches for a time", "no promise and no timestamp", "one of them");
}

async function parseLeaf(bundle: SignatureBundle): Promise<SigningCertificate> {
  const { where } = bundle;
  const leaf = await parseSigningCertificate(bundle.certificates[0]!, where, [SCTS]).catch((error: unknown) => {
    if (error instanceof CheckError) throw forgedAt(where, error.problem, error.got, error.wanted);
    throw error;
  });
  const maySign = (leaf.usage ?? 0) & DIGITAL_SIGNATURE && leaf.purposes?.includes(CODE_SIGNING);
  if (maySign) return leaf;
  throw forgedAt(where, "the certificate may not sign", "another purpose", "digitalSignature and codeSigning");
}

/** The CA that issued the leaf, in a window in which all of its certificates and the leaf were valid. */
async function findIssuer(leaf: SigningCertificate, root: TrustedRootJson, moment: number): Promise<SigningCertificate> {
  const isValid = leaf.begins <= moment && moment <= leaf.ends;
  const authorities: RootAuthority[] = await Promise.all(root.certificateAuthorities.map(rootAuthority));
  for (const authority of authorities) {
    const [issuer] = authority.chain;
    if (isValid && issuer && wasValid(authority, moment) && (await issued(leaf, issuer))) return issuer;
  }
  const got = `no CA of the trusted root was valid at ${moment} and issued the certificate`;
  throw forgedAt(leaf.where, "the certificate was not valid then", got, "a CA within its window");
}

async function issued(leaf: SigningCertificate, issuer: SigningCertificate): Promise<boolean> {
  try {
    await verifyIssued(leaf, issuer);
    return true;
  } catch (error) {
    if (error instanceof CheckError) return false;
    throw error;
  }
}
