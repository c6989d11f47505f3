// Timestamps of an authority (RFC 3161) over a signature. A token is CMS SignedData (RFC 5652) around a TSTInfo.
// Python leaves them to rfc3161-client and OpenSSL, and has the rules for what nothing signs in verifier/identity/stamp_form.py.

import { type Bytes, concat, hexOf, isEqual } from "./bytes.js";
import { type CheckError, type Problem } from "./checks.js";
import {
  contextTag,
  encodeDer,
  GENERALIZED_TIME,
  INTEGER,
  OBJECT_ID,
  OCTET_STRING,
  parseDer,
  parseObjectId,
  secondsOf,
  SEQUENCE,
  SET,
  type Value,
} from "./der.js";
import { digestOf, type HashName, isSignedBy } from "./key.js";
import { SIGNATURE_HASHES } from "./signing_certificates.js";
import { forgedAt } from "./signer.js";
import { type RootAuthority, rootAuthority, type TrustedRootJson, wasValid } from "./sigstore_root.js";

// Nothing signs these three, so each has its only form: the status, and the versions of RFC 5652.
const [GRANTED, DATA_VERSION, SIGNER_VERSION] = ["3003020100", "020103", "020101"];
const [SIGNED_DATA, TST_INFO] = ["1.2.840.113549.1.7.2", "1.2.840.113549.1.9.16.1.4"];
const LEVELS_MAX = 20; // a name in an attribute of the signer is deeper than any in a certificate
const MESSAGE_DIGEST = "1.2.840.113549.1.9.4";
const CONTENT_TYPE = "1.2.840.113549.1.9.3";
const HASHES: { readonly [oid: string]: HashName } = {
  "2.16.840.1.101.3.4.2.1": "SHA-256",
  "2.16.840.1.101.3.4.2.2": "SHA-384",
  "2.16.840.1.101.3.4.2.3": "SHA-512",
};

/** Verifies that an authority of the root, in its window, stamped a signature. Returns the moment, in seconds since 1970. */
export async function verifyStamp(stamp: Bytes, signature: Bytes, root: TrustedRootJson, where: string): Promise<number> {
  const refuse: Problem = (what, got, wanted): CheckError => forgedAt(where, `timestamp: ${what}`, got, wanted);
  const token = parseToken(stamp, refuse);
  const { moment, imprint, imprintHash } = parseInfo(token.info, refuse);
  const isOfSignature = isEqual(await digestOf(imprintHash, signature), imprint);
  const isOfInfo = isEqual(await digestOf(token.hash, token.info), token.infoDigest);
  const authorities = await Promise.all(root.timestampAuthorities.map(rootAuthority));
  for (const authority of authorities) {
    const isOurs = isOfSignature && isOfInfo && wasValid(authority, moment) && namesSigner(token, authority);
    if (isOurs && (await isStampedBy(token, authority))) return moment;
  }
  throw refuse("no authority made it in its window", `a timestamp of ${moment}`, "one by an authority of the root");
}

interface Token {
  readonly info: Bytes;
  readonly infoDigest: Bytes;
  readonly hash: HashName;
  readonly certificates: readonly Bytes[];
  /** Issuer and serial number of the signer, in DER. */
  readonly signer: Bytes;
  readonly attributes: Bytes;
  readonly signature: Bytes;
}

function parseToken(stamp: Bytes, refuse: Problem): Token {
  const take = taker(refuse);
  const [status, content] = take(parseDer(stamp, refuse, LEVELS_MAX), SEQUENCE, 2);
  if (hexOf(status!.encoding) !== GRANTED) throw refuse("not granted", "another status", "granted");
  const [kind, wrapped] = take(content!, SEQUENCE, 2);
  const [signed] = take(wrapped!, contextTag(0), 1);
  const parts = [...take(signed!, SEQUENCE)];
  const [version, hashes, encapsulated] = parts.splice(0, 3);
  const certificates = parts[0]?.tag === contextTag(0) ? parts.shift()!.children.map(({ encoding }) => encoding) : [];
  const [signerInfo] = take(parts.shift(), SET, 1);
  const [infoKind, infoField] = take(encapsulated, SEQUENCE, 2);
  const [info] = take(infoField!, contextTag(0), 1);
  const [signerVersion, signer, hash, attributes, algorithm, signature, ...more] = take(signerInfo!, SEQUENCE);
  const versions = [version, signerVersion].map((one) => one && hexOf(one.encoding)).join();
  const tags = [versions, info!.tag, signer?.tag, attributes?.tag, signature?.tag];
  const wanted = [DATA_VERSION, SIGNER_VERSION, OCTET_STRING, SEQUENCE, contextTag(0), OCTET_STRING];
  const kinds = [kind, infoKind].map((one) => parseObjectId(one!, refuse)).join();
  if (tags.join() !== wanted.join() || kinds !== [SIGNED_DATA, TST_INFO].join() || parts.length || more.length) {
    throw refuse("another structure", kinds, "signed data around a TSTInfo");
  }
  const digest = attribute(attributes!, MESSAGE_DIGEST, refuse);
  const [isListed] = take(hashes, SET, 1).map(({ encoding }) => isEqual(encoding, hash!.encoding));
  const [how] = take(algorithm, SEQUENCE, 1).map((id) => SIGNATURE_HASHES[parseObjectId(id, refuse)]);
  const type = attribute(attributes!, CONTENT_TYPE, refuse);
  if (!isListed || how?.by !== "EC" || how.hash !== parseHash(hash!, refuse) || digest.tag !== OCTET_STRING || parseObjectId(type, refuse) !== TST_INFO) {
    throw refuse("another structure", "other attributes", "a digest of a TSTInfo");
  }
  return {
    info: info!.content,
    infoDigest: digest.content,
    hash: how.hash,
    certificates,
    signer: signer!.encoding,
    // the signature covers the attributes as a SET
    attributes: concat(Uint8Array.of(SET), attributes!.encoding.subarray(1)),
    signature: signature!.content,
  };
}

function parseInfo(data: Bytes, refuse: Problem): { moment: number; imprint: Bytes; imprintHash: HashName } {
  const take = taker(refuse);
  const [version, policy, message, serial, time] = take(parseDer(data, refuse), SEQUENCE);
  const [hash, imprint] = take(message, SEQUENCE, 2);
  const text = String.fromCharCode(...(time?.content.subarray(0, 32) ?? []));
  const digits = /^([0-9]{14})(\.[0-9]+)?Z$/.exec(text);
  const tags = [version?.tag, policy?.tag, serial?.tag, time?.tag, imprint!.tag].join();
  const isForm = digits && tags === [INTEGER, OBJECT_ID, INTEGER, GENERALIZED_TIME, OCTET_STRING].join();
  const [year, month, day, hour, minute, second] = [0, 4, 6, 8, 10, 12].map((at) => Number(text.slice(at, at === 0 ? 4 : at + 2)));
  const whole = isForm ? secondsOf(year!, month!, day!, hour!, minute!, second!) : undefined;
  if (whole === undefined) throw refuse("another structure", tags, "a TSTInfo");
  const moment = whole + Number(`0${digits![2] ?? ""}`);
  return { moment, imprint: imprint!.content, imprintHash: parseHash(hash!, refuse) };
}

/** Whether the token names the authority's own certificate, and holds none but those of its chain. */
function namesSigner({ signer, certificates }: Token, { chain }: RootAuthority): boolean {
  const [own] = chain;
  const serial = own?.fields.find(({ tag }) => tag === INTEGER)?.encoding;
  if (!own || !serial || !isEqual(signer, encodeDer(SEQUENCE, concat(own.issuer, serial)))) return false;
  const isOwn = (der: Bytes): boolean => isEqual(der, own.der);
  const isKnown = (der: Bytes): boolean => chain.some((one) => isEqual(der, one.der));
  return certificates.length === 0 || (certificates.some(isOwn) && certificates.every(isKnown));
}

async function isStampedBy(token: Token, { chain: [own] }: RootAuthority): Promise<boolean> {
  if (!own || !("curve" in own.key)) return false;
  const key = { spki: own.spki, algorithm: `ECDSA ${own.key.curve}` } as const;
  return isSignedBy(key, token.signature, token.attributes, token.hash);
}

/** The only value of the only attribute of this type. */
function attribute(attributes: Value, type: string, refuse: Problem): Value {
  const take = taker(refuse);
  const found = attributes.children.filter((one) => parseObjectId(take(one, SEQUENCE, 2)[0]!, refuse) === type);
  if (found.length !== 1) throw refuse("another structure", `${found.length} attributes ${type}`, "one");
  return take(found[0]!.children[1], SET, 1)[0]!;
}

function parseHash(algorithm: Value, refuse: Problem): HashName {
  const [id, parameters] = algorithm.children;
  const isPlain = parameters === undefined || hexOf(parameters.encoding) === "0500";
  const hash = id && isPlain && algorithm.children.length <= 2 ? HASHES[parseObjectId(id, refuse)] : undefined;
  if (!hash) throw refuse("another hash", hexOf(algorithm.encoding.subarray(0, 16)), Object.values(HASHES).join(" or "));
  return hash;
}

/** Returns the function that gives the parts of a constructed value, of which there must be this many. */
function taker(refuse: Problem): (value: Value | undefined, tag: number, count?: number) => readonly Value[] {
  return (value, tag, count) => {
    const parts = value?.tag === tag ? value.children : undefined;
    if (parts && (count === undefined || parts.length === count)) return parts;
    throw refuse("another structure", `tag ${value?.tag ?? "of nothing"}`, `tag ${tag}`);
  };
}
