// AMD's certificate authorities: names, keys, extensions and signatures, each in the one form that AMD uses.
// It equals verifier/snp/authority.py. Sources: AMD 57230; RFC 5280, section 4.2.1; RFC 4055, section 3.1.

import { type Bytes, concat, hexOf, isEqual, parseHex, utf8Of } from "./bytes.js";
import { type Certificate, extensionOf, type Signed } from "./certificates.js";
import { type Check, type CheckError, forged } from "./checks.js";
import { encodeDer, OBJECT_ID, PRINTABLE_STRING, SEQUENCE, SET, UTF8_STRING } from "./der.js";
import { isSignedPss } from "./key.js";

const bytes = (hex: string): Bytes => parseHex(hex) as Bytes;

// RSASSA-PSS with SHA-384, MGF1 with SHA-384 and a salt of 48 bytes, in the two forms that AMD writes: many certificates
// encode the default trailerField, which strict DER omits.
const PSS_PARAMETERS =
  "a00f300d06096086480165030402020500a11c301a06092a864886f70d010108300d06096086480165030402020500a203020130";
const PSS_OID = "06092a864886f70d01010a";
const PSS_FORMS = [`3041${PSS_OID}3034${PSS_PARAMETERS}`, `3046${PSS_OID}3039${PSS_PARAMETERS}a303020101`].map(bytes);
const [RSA_BITS, RSA_EXPONENT, SALT_BYTES] = [4096, 65537n, 48];

export const AUTHORITY_KEY_ID = "2.5.29.35";
const [SUBJECT_KEY_ID, KEY_USAGE, BASIC_CONSTRAINTS] = ["2.5.29.14", "2.5.29.15", "2.5.29.19"];
// The extensions of an authority with their names, and whether AMD marks each as critical.
const CA_EXTENSIONS: ReadonlyMap<string, readonly [name: string, critical: boolean]> = new Map([
  [SUBJECT_KEY_ID, ["SubjectKeyIdentifier", false]],
  [KEY_USAGE, ["KeyUsage", true]],
  [BASIC_CONSTRAINTS, ["BasicConstraints", true]],
  ["2.5.29.31", ["CRLDistributionPoints", false]],
  [AUTHORITY_KEY_ID, ["AuthorityKeyIdentifier", false]],
]);
const [KEY_CERT_SIGN, CRL_SIGN] = [0x04, 0x02]; // bits 5 and 6 of KeyUsage, counted from the highest
const BIT_STRING_OF_ONE_BYTE = bytes("0302");

/** The form of a root or an intermediate: the DER of BasicConstraints and the required bits of KeyUsage. */
export interface AuthorityForm {
  readonly constraints: Bytes;
  readonly usage: number;
}
export const ROOT: AuthorityForm = { constraints: bytes("30030101ff"), usage: KEY_CERT_SIGN | CRL_SIGN };
export const INTERMEDIATE: AuthorityForm = { constraints: bytes("30060101ff020100"), usage: KEY_CERT_SIGN };

/** Verifies an authority against its issuer. Throws a forged CheckError (check `vek-chain`). */
export async function verifyAuthority(certificate: Certificate, issuer: Certificate, form: AuthorityForm): Promise<void> {
  expectAuthorityKey(certificate);
  const odd = certificate.extensions.filter(({ oid, critical }) => CA_EXTENSIONS.get(oid)?.[1] !== critical);
  if (odd.length > 0) {
    const got = `foreign or wrongly marked: ${odd.map(({ oid }) => oid).join(", ")}`;
    throw wrong(certificate, "wrong extensions", got, "those of an authority");
  }
  const constraints = needed(certificate, BASIC_CONSTRAINTS);
  const usage = needed(certificate, KEY_USAGE);
  if (!isEqual(constraints, form.constraints)) {
    const wanted = `${hexOf(form.constraints)}: a CA of this level`;
    throw wrong(certificate, "wrong basic constraints", hexOf(constraints), wanted);
  }
  // the byte before the bits counts unused bits; AMD's count is not the one that DER requires, so it is not checked
  const bits = usage.at(-1) ?? 0;
  if (!isEqual(usage.subarray(0, -2), BIT_STRING_OF_ONE_BYTE) || (bits & form.usage) !== form.usage) {
    throw wrong(certificate, "wrong key usage", `${hexOf(usage)}: may not sign all it signs`, `bits ${form.usage}`);
  }
  if (certificate !== issuer) {
    const authority = needed(certificate, AUTHORITY_KEY_ID);
    const wanted = authorityKeyIdOf(issuer);
    if (!isEqual(authority, wanted)) throw wrong(certificate, "wrong authority key id", hexOf(authority), hexOf(wanted));
  }
  await verifyIssued(certificate, issuer);
}

/** The DER that the authority key id of every certificate and list by `issuer` must have. */
export function authorityKeyIdOf(issuer: Certificate): Bytes {
  return concat(bytes("301680"), needed(issuer, SUBJECT_KEY_ID).subarray(1));
}

/** Verifies that a certificate names `issuer` and that the issuer's key signed it. */
export async function verifyIssued(certificate: Certificate, issuer: Certificate): Promise<void> {
  if (!isEqual(certificate.issuer, issuer.subject)) {
    throw wrong(certificate, "wrong issuer", "another name", issuer.commonName);
  }
  await verifyPss(certificate.signed, issuer, "vek-chain", certificate.where, certificate.commonName);
}

/** Verifies the signature of an authority; its algorithm's DER must equal one of AMD's two forms. `what` names it. */
export async function verifyPss(
  signed: Signed,
  issuer: Certificate,
  check: Check,
  where: string,
  what: string,
): Promise<void> {
  if (!PSS_FORMS.some((form) => isEqual(form, signed.algorithm))) {
    const problem = `unsupported signature algorithm of ${what}`;
    throw forged(check, problem, where, hexOf(signed.algorithm), "RSASSA-PSS, SHA-384, salt 48");
  }
  expectAuthorityKey(issuer);
  const isWhole = signed.signature.length * 8 === RSA_BITS; // OpenSSL takes one without its leading zero bytes
  if (isWhole && (await isSignedPss(issuer.spki, signed.signature, signed.tbs, "SHA-384", SALT_BYTES))) return;
  throw forged(check, `invalid signature of ${what}`, where, "does not verify", `a signature by ${issuer.commonName}`);
}

/** Verifies that the subject is AMD's name with this common name. */
export function expectSubject(certificate: Certificate, commonName: string): void {
  if (isEqual(certificate.subject, amdName(commonName))) return;
  const wanted = `CN=${commonName}, Advanced Micro Devices`;
  throw wrong(certificate, "wrong subject", certificate.commonName || "another name", wanted);
}

/** The DER of AMD's name: these six attributes under 2.5.4, each in a set of its own, in this order. */
function amdName(commonName: string): Bytes {
  const attributes: readonly (readonly [kind: number, tag: number, text: string])[] = [
    [11, UTF8_STRING, "Engineering"],
    [6, PRINTABLE_STRING, "US"],
    [7, UTF8_STRING, "Santa Clara"],
    [8, UTF8_STRING, "CA"],
    [10, UTF8_STRING, "Advanced Micro Devices"],
    [3, UTF8_STRING, commonName],
  ];
  const names = attributes.map(([kind, tag, text]) => {
    const attribute = concat(encodeDer(OBJECT_ID, Uint8Array.of(0x55, 4, kind)), encodeDer(tag, utf8Of(text)));
    return encodeDer(SET, encodeDer(SEQUENCE, attribute));
  });
  return encodeDer(SEQUENCE, concat(...names));
}

function expectAuthorityKey(certificate: Certificate): void {
  const { key } = certificate;
  if ("bits" in key && key.bits === RSA_BITS && key.exponent === RSA_EXPONENT) return;
  throw wrong(certificate, "wrong kind of key", "another key", `RSA-${RSA_BITS}, exponent ${RSA_EXPONENT}`);
}

function needed(certificate: Certificate, oid: string): Bytes {
  const value = extensionOf(certificate, oid);
  if (value) return value;
  throw wrong(certificate, "missing extension", `no ${CA_EXTENSIONS.get(oid)?.[0]}`, "one");
}

/** The error about a certificate of the chain. */
export function wrong(certificate: Certificate, what: string, got: string, wanted: string): CheckError {
  return forged("vek-chain", `${what} (${certificate.commonName || "unnamed"})`, certificate.where, got || "nothing", wanted);
}
