// Certificates of signers and of the CAs above them, read whole before any rule looks at them.
// The rules are those of verifier/identity/certificates.py.

import { type Bytes, hexOf, isEqual } from "./bytes.js";
import {
  type CertifiedKey,
  type Extension,
  parseKey,
  parseTaggedExtensions,
  problemAt,
  type Signed,
  splitSigned,
} from "./certificates.js";
import { about, malformed, type Problem } from "./checks.js";
import { contextTag, INTEGER, isValue, OBJECT_ID, parseDer, parseObjectId, SEQUENCE, type Value } from "./der.js";
import { digestOf, type HashName } from "./key.js";
import { BeyondThisPage } from "./signer.js";
import {
  type BasicConstraints,
  distinguishedName,
  parseAlternativeNames,
  parseAuthorityKeyId,
  parseBasicConstraints,
  parseDistributionPoints,
  parseInformationAccess,
  parseKeyUsage,
  parsePurposes,
  parseSubjectKeyId,
  parseValidity,
} from "./x509_values.js";

const V3 = Uint8Array.of(2);
const EC_KEY = "1.2.840.10045.2.1";
const RSA_KEY = "1.2.840.113549.1.1.1";
const NULL_VALUE = "0500";
const UNIQUE_IDS = [0x81, 0x82]; // of issuer and subject (RFC 5280, section 4.1.2.8)
const OLD_TEXTS = ["0x12", "0x14", "0x1c", "0x1e"]; // NumericString, TeletexString, UniversalString, BMPString
const RSA_PSS = "1.2.840.113549.1.1.10";
// SEC 1, section 2.3.3: compressed points, and points in both forms at once.
const POINT_FORMS = [2, 3, 6, 7];
const NIST_CURVES = ["1.2.840.10045.3.1.7", "1.3.132.0.34", "1.3.132.0.35"];

/** The hashes of signatures by ECDSA, and by RSASSA-PKCS1-v1_5. */
export const SIGNATURE_HASHES: { readonly [algorithm: string]: { readonly by: "EC" | "RSA"; readonly hash: HashName } } = {
  "1.2.840.10045.4.3.2": { by: "EC", hash: "SHA-256" },
  "1.2.840.10045.4.3.3": { by: "EC", hash: "SHA-384" },
  "1.2.840.10045.4.3.4": { by: "EC", hash: "SHA-512" },
  "1.2.840.113549.1.1.11": { by: "RSA", hash: "SHA-256" },
  "1.2.840.113549.1.1.12": { by: "RSA", hash: "SHA-384" },
  "1.2.840.113549.1.1.13": { by: "RSA", hash: "SHA-512" },
};

export interface SigningCertificate {
  readonly where: string;
  readonly der: Bytes;
  readonly signed: Signed;
  /** The identifier of the signature's algorithm, and whether both places have the same. */
  readonly algorithm: string;
  readonly isConsistent: boolean;
  readonly issuer: Bytes;
  readonly subject: Bytes;
  readonly begins: number;
  readonly ends: number;
  readonly spki: Bytes;
  readonly spkiDigest: string;
  readonly key: CertifiedKey;
  readonly basic: BasicConstraints | undefined;
  /** The first byte of the key usage. */
  readonly usage: number | undefined;
  readonly purposes: readonly string[] | undefined;
  /** Critical extensions that no rule looks at. */
  readonly unknown: readonly string[];
  /** `kind:name`: the alternative names, or without any the subject as `dn:name`. */
  readonly names: readonly string[];
  /** The fields of the signed part, and its extensions. */
  readonly fields: readonly Value[];
  readonly extensions: readonly Extension[];
  readonly subjectKeyId: Bytes | undefined;
  readonly authorityKeyId: Bytes | undefined;
}

/** Parses a DER certificate. `read` are extensions that the caller reads itself. */
export async function parseSigningCertificate(
  der: Bytes,
  where: string,
  read: readonly string[] = [],
): Promise<SigningCertificate> {
  const problem: Problem = (what, got, wanted) =>
    malformed("publisher-signature", `not an acceptable certificate: ${what}`, where, got, wanted);
  const { signed, fields } = about("publisher-signature", () => splitSigned(der, where, problemOfText(where)));
  const left = [...fields];
  const version = left[0]?.tag === contextTag(0) ? left.shift()! : undefined;
  const isKnown = version === undefined || (version.children.length === 1 && isValue(version.children[0], INTEGER, V3));
  const extensions = left.at(-1)?.tag === contextTag(3) ? left.pop()! : undefined;
  const [serial, algorithm, issuer, validity, subject, spki, ...rest] = left;
  if (rest.length > 0 && rest.every(({ tag }) => UNIQUE_IDS.includes(tag))) {
    throw new BeyondThisPage("a certificate has a unique identifier");
  }
  const isComplete = serial?.tag === INTEGER && algorithm?.tag === SEQUENCE && validity?.tag === SEQUENCE;
  if (!isKnown || !isComplete || validity.children.length !== 2 || spki?.tag !== SEQUENCE || rest.length) {
    throw problem("another structure", `${fields.length} fields`, "a certificate of version 3");
  }
  parseAlgorithm(algorithm, problem);
  distinguishedName(issuer!, problem);
  return {
    where,
    der,
    signed,
    algorithm: parseAlgorithm(parseDer(signed.algorithm, problem), problem),
    isConsistent: isEqual(signed.algorithm, algorithm.encoding),
    issuer: issuer!.encoding,
    subject: subject!.encoding,
    begins: parseValidity(validity.children[0]!, problem),
    ends: parseValidity(validity.children[1]!, problem),
    spki: spki.encoding,
    spkiDigest: hexOf(await digestOf("SHA-256", spki.encoding)),
    key: about("publisher-signature", () => parseSigningKey(spki, where, problem)),
    fields,
    ...parseRead(extensions, distinguishedName(subject!, problem), where, problem, read),
  };
}

/** Builds the errors for the DER parser, which does not know the texts that OpenSSL reads in old names. */
function problemOfText(where: string): Problem {
  return (what, got, wanted) => {
    if (OLD_TEXTS.includes(got)) throw new BeyondThisPage("a certificate has a text of an old type");
    return problemAt(where)(what, got, wanted);
  };
}

/** The identifier of a signature's algorithm. ECDSA has no parameters, RSA has none or NULL (RFC 5758, 3.2; RFC 4055, 5). */
function parseAlgorithm(value: Value, problem: Problem): string {
  const [id, parameters] = value.children;
  const oid = id && value.children.length <= 2 ? parseObjectId(id, problem) : "";
  if (oid === RSA_PSS) throw new BeyondThisPage("a certificate is signed by RSA-PSS");
  const known = Object.hasOwn(SIGNATURE_HASHES, oid) ? SIGNATURE_HASHES[oid] : undefined;
  const isNull = parameters && hexOf(parameters.encoding) === NULL_VALUE;
  if (oid && (!known || !parameters || (isNull && known.by === "RSA"))) return oid;
  throw problem("malformed algorithm", hexOf(value.encoding.subarray(0, 24)), "an identifier");
}

function parseSigningKey(spki: Value, where: string, problem: Problem): CertifiedKey {
  const [kind, bits] = spki.children;
  const [type, curve] = kind?.children ?? [];
  const isOnCurve = type?.tag === OBJECT_ID && curve?.tag === OBJECT_ID && parseObjectId(type, problem) === EC_KEY;
  const isBareRsa = kind?.children.length === 1 && type?.tag === OBJECT_ID && parseObjectId(type, problem) === RSA_KEY;
  if (isBareRsa) throw new BeyondThisPage("a certificate holds an RSA key without parameters");
  if (!isOnCurve) return parseKey(spki, where);
  const name = parseObjectId(curve, problem);
  if (NIST_CURVES.includes(name) && POINT_FORMS.includes(bits?.content[1] ?? 0)) {
    throw new BeyondThisPage("a certificate holds a key in a form that browsers do not read");
  }
  return parseKey(spki, where);
}

type Extensions = Pick<
  SigningCertificate,
  "extensions" | "basic" | "usage" | "purposes" | "unknown" | "names" | "subjectKeyId" | "authorityKeyId"
>;

// Extensions that Python's libraries read and this page does not. Their content could make a certificate invalid.
const UNREAD = new Set([
  "2.5.29.16", // private key usage period
  "2.5.29.18", // issuer alternative name
  "2.5.29.30", // name constraints
  "2.5.29.32", // certificate policies
  "2.5.29.36", // policy constraints
  "2.5.29.54", // inhibit any policy
  "1.3.6.1.5.5.7.1.7", // addresses of RFC 3779
  "1.3.6.1.5.5.7.1.8",
  "1.3.6.1.5.5.7.1.14", // proxy
  "1.3.6.1.5.5.7.1.24", // TLS feature
  "1.3.6.1.5.5.7.48.1.5", // OCSP no check
  "1.3.6.1.4.1.11129.2.4.2", // SCTs
  "1.3.6.1.4.1.11129.2.4.3", // poison
  "1.3.6.1.4.1.311.21.7", // Microsoft's template
  "1.3.36.8.3.3", // admissions
  "2.16.840.1.113730.1.1", // Netscape's certificate type
]);
const LOOKED_AT = ["2.5.29.15", "2.5.29.17", "2.5.29.19", "2.5.29.37"];

function parseRead(
  tagged: Value | undefined,
  subject: string,
  where: string,
  problem: Problem,
  own: readonly string[],
): Extensions {
  const extensions = tagged ? about("publisher-signature", () => parseTaggedExtensions(tagged, 3, where)) : [];
  const unread = extensions.find(({ oid }) => UNREAD.has(oid) && !own.includes(oid));
  if (unread) throw new BeyondThisPage(`a certificate has the extension ${unread.oid}, which this page does not read`);
  const read = <T>(oid: string, parse: (data: Bytes, problem: Problem) => T): T | undefined => {
    const data = extensions.find((extension) => extension.oid === oid)?.value;
    return data && parse(data, (what, got, wanted) => problem(`${what} in extension ${oid}`, got, wanted));
  };
  for (const oid of ["1.3.6.1.5.5.7.1.1", "1.3.6.1.5.5.7.1.11"]) read(oid, parseInformationAccess);
  for (const oid of ["2.5.29.31", "2.5.29.46"]) read(oid, parseDistributionPoints);
  const authority = read("2.5.29.35", parseAuthorityKeyId);
  if (authority?.namesIssuer) throw new BeyondThisPage("a certificate names its issuer's certificate by number");
  return {
    extensions,
    basic: read("2.5.29.19", parseBasicConstraints),
    usage: read("2.5.29.15", parseKeyUsage),
    purposes: read("2.5.29.37", parsePurposes),
    unknown: extensions.filter(({ critical, oid }) => critical && !LOOKED_AT.includes(oid)).map(({ oid }) => oid),
    names: read("2.5.29.17", parseAlternativeNames) ?? [`dn:${subject}`],
    subjectKeyId: read("2.5.29.14", parseSubjectKeyId),
    authorityKeyId: authority?.keyId,
  };
}
