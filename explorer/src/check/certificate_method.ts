// The method `certificate`: a chain in the bundle, from the signer's leaf up to an anchor that the identity names.
// The rules are those of verifier/identity/certificate_method.py and certificates.py.

import type { SignatureBundle } from "./bundle.js";
import { isEqual } from "./bytes.js";
import { anchorOf, isLine } from "./identity.js";
import { isSignedBy, type PublicKey, verifies } from "./key.js";
import { parseSigningCertificate, SIGNATURE_HASHES, type SigningCertificate } from "./signing_certificates.js";
import { forgedAt, type ModelSigner, verifyModelSignature } from "./signer.js";
import { DIGITAL_SIGNATURE, KEY_CERT_SIGN } from "./x509_values.js";

const RSA_BITS_MIN = 2048;
export const CODE_SIGNING = "1.3.6.1.5.5.7.3.3";
const ANY_PURPOSE = "2.5.29.37.0";

/** Verifies the bundle by the anchor that `expected` names, or else by the last certificate in the bundle. */
export async function verifyByCertificate(
  bundle: SignatureBundle,
  expected: string | undefined,
  at: number,
): Promise<ModelSigner> {
  const parsed = bundle.certificates.map((der, i) => parseSigningCertificate(der, `${bundle.where}, certificate ${i + 1}`));
  const certificates = await Promise.all(parsed);
  const anchor = expected === undefined ? certificates.at(-1)! : undefined;
  const chain = await chainOf(bundle, certificates, anchor?.spkiDigest ?? anchorOf(expected!), anchor);
  for (const certificate of chain) refuseCertificate(certificate, at);
  const key = leafKey(chain[0]!);
  chain.slice(1).forEach(refuseIssuer);
  await verifyModelSignature(bundle, key);
  return { method: bundle.method, lines: linesOf(chain[0]!, chain.at(-1)!) };
}

/** The chain from the leaf up to the anchor, each certificate signed by the next. */
async function chainOf(
  bundle: SignatureBundle,
  certificates: readonly SigningCertificate[],
  wanted: string,
  anchor: SigningCertificate | undefined,
): Promise<readonly SigningCertificate[]> {
  const leaf = certificates[0]!;
  const chain = [leaf];
  if (isEqual(leaf.issuer, leaf.subject) && leaf.spkiDigest === wanted) return chain; // its own anchor
  for (const issuer of certificates.slice(1)) {
    await verifyIssued(chain.at(-1)!, issuer);
    const isAnchor = issuer.spkiDigest === wanted;
    const next = isAnchor ? (anchor ?? issuer) : issuer;
    if (next !== issuer) await verifyIssued(chain.at(-1)!, next);
    chain.push(next);
    if (isAnchor) return chain;
  }
  const got = `a chain of ${chain.length} that does not lead to it`;
  throw forgedAt(bundle.where, "the chain leads to another CA", got, "the CA that the identity names");
}

export async function verifyIssued(certificate: SigningCertificate, issuer: SigningCertificate): Promise<void> {
  const { authorityKeyId } = certificate;
  const isNamed = isEqual(certificate.issuer, issuer.subject) && certificate.isConsistent;
  const isOfKey = !authorityKeyId || !issuer.subjectKeyId || isEqual(authorityKeyId, issuer.subjectKeyId);
  if (isNamed && isOfKey && (await isIssuedBy(certificate, issuer))) return;
  const got = `${issuer.where} did not sign it`;
  throw forgedAt(certificate.where, "the chain is broken", got, "a certificate signed by the next");
}

async function isIssuedBy(certificate: SigningCertificate, issuer: SigningCertificate): Promise<boolean> {
  const { algorithm, signed } = certificate;
  const { key, spki } = issuer;
  const how = SIGNATURE_HASHES[algorithm];
  if (how === undefined) return false;
  if ("curve" in key) {
    const kind = { spki, algorithm: `ECDSA ${key.curve}` } as const;
    return how.by === "EC" && isSignedBy(kind, signed.signature, signed.tbs, how.hash);
  }
  const name = "RSASSA-PKCS1-v1_5";
  return how.by === "RSA" && verifies(spki, { name, hash: how.hash }, { name }, signed.signature, signed.tbs);
}

/** The rules for all certificates, from the leaf to the anchor. */
function refuseCertificate(certificate: SigningCertificate, at: number): void {
  const { where, begins, ends, algorithm, key, unknown } = certificate;
  if (at < begins || at > ends) {
    throw forgedAt(where, "the certificate is not valid now", `${begins} to ${ends}`, `one valid at ${at}`);
  }
  if (!Object.hasOwn(SIGNATURE_HASHES, algorithm)) {
    throw forgedAt(where, "the certificate's signature has another hash", algorithm, "SHA-256, SHA-384 or SHA-512");
  }
  if ("bits" in key && key.bits < RSA_BITS_MIN) {
    throw forgedAt(where, "weak key", `${key.bits} bits`, `RSA of ${RSA_BITS_MIN} bits or more`);
  }
  if (unknown.length) {
    const wanted = "only known critical extensions";
    throw forgedAt(where, "a critical extension that nobody knows", unknown.join(", "), wanted);
  }
}

/** The key of a leaf that may sign models. One without extended key usage may, one with a CA flag too. */
function leafKey(leaf: SigningCertificate): PublicKey {
  if (!((leaf.usage ?? 0) & DIGITAL_SIGNATURE)) {
    throw forgedAt(leaf.where, "the certificate may not sign", "no digitalSignature", "keyUsage digitalSignature");
  }
  refusePurpose(leaf, [CODE_SIGNING]);
  const { key, spki } = leaf;
  if ("curve" in key) return { spki, algorithm: `ECDSA ${key.curve}` };
  throw forgedAt(leaf.where, "the signer's key is of another kind", "RSA", "ECDSA on P-256, P-384 or P-521");
}

function refuseIssuer(issuer: SigningCertificate, casBelow: number): void {
  const { where, basic, usage = 0 } = issuer;
  if (!basic?.ca || !(usage & KEY_CERT_SIGN)) {
    throw forgedAt(where, "the issuer is no CA", "no CA flag, or no keyCertSign", "a CA certificate");
  }
  if (basic.pathLength !== undefined && basic.pathLength < casBelow) {
    throw forgedAt(where, "the chain is too long", `${casBelow} CAs below this one`, `at most ${basic.pathLength}`);
  }
  refusePurpose(issuer, [CODE_SIGNING, ANY_PURPOSE]);
}

function refusePurpose({ where, purposes }: SigningCertificate, allowed: readonly string[]): void {
  if (!purposes || purposes.some((purpose) => allowed.includes(purpose))) return;
  const wanted = "codeSigning, or no extended key usage";
  throw forgedAt(where, "the certificate has another purpose", purposes.join(", "), wanted);
}

/** The identities of a leaf that leads up to an anchor. A name that a line cannot hold is left out. */
function linesOf(leaf: SigningCertificate, anchor: SigningCertificate): readonly string[] {
  const lines = leaf.names.map((name) => `certificate ${anchor.spkiDigest} ${name}`);
  return [...lines, `authority ${anchor.spkiDigest}`].filter(isLine);
}
