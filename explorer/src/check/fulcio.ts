// Certificates of sigstore's CA, Fulcio: the proof that a log has them (SCT, RFC 6962), and the identities in them.
// The rules are those of verifier/identity/keyless_names.py and keyless_rules.py.

import { bigEndian, type Bytes, concat, hexOf, parseUtf8 } from "./bytes.js";
import { malformed, type Problem } from "./checks.js";
import {
  contextTag,
  encodeDer,
  OBJECT_ID,
  OCTET_STRING,
  parseDer,
  parseObjectId,
  SEQUENCE,
  UTF8_STRING,
  type Value,
} from "./der.js";
import { isIdentity } from "./identity.js";
import type { SigningCertificate } from "./signing_certificates.js";
import { forgedAt } from "./signer.js";
import { findLogs, isWithin, type TrustedRootJson } from "./sigstore_root.js";
import { sequence } from "./x509_values.js";

export const SCTS = "1.3.6.1.4.1.11129.2.4.2";
const ALTERNATIVE_NAME = "2.5.29.17";
const FULCIO = "1.3.6.1.4.1.57264.1";
const [ISSUER_TEXT, OTHER_NAME, ISSUER, BUILD_SIGNER] = [1, 7, 8, 9].map((number) => `${FULCIO}.${number}`);
const SHA256_ECDSA = "0403";
const PRECERTIFICATE = Uint8Array.of(0, 1);

/** The lines of the identities of a leaf: `sigstore ISSUER KIND:NAME`, and for CI `workflow ISSUER URI`. */
export function identityLines(leaf: SigningCertificate): readonly string[] {
  const problem: Problem = (what, got, wanted) =>
    malformed("publisher-signature", `malformed certificate: ${what}`, leaf.where, got, wanted);
  const raw = (oid: string | undefined): Bytes => valueOf(leaf, oid!) ?? new Uint8Array();
  const names = sequence(parseDer(raw(ALTERNATIVE_NAME), problem), problem);
  const [name] = names;
  if (!name || names.length !== 1) throw unnamed(leaf, `${names.length} names`, "exactly one alternative name");
  const [plain, encoded] = [raw(ISSUER_TEXT), textOf(raw(ISSUER), problem)];
  const issuer = encoded || new TextDecoder("utf-8", { ignoreBOM: true }).decode(plain);
  if (encoded && plain.length && parseUtf8(plain) !== encoded) throw unnamed(leaf, "two issuers", "one issuer");
  const workflow = textOf(raw(BUILD_SIGNER), problem);
  const lines = [`sigstore ${issuer} ${nameOf(name, leaf, problem)}`];
  if (workflow) lines.push(`workflow ${issuer} ${withoutRef(workflow)}`);
  return lines.filter(isIdentity);
}

function nameOf(name: Value, leaf: SigningCertificate, problem: Problem): string {
  const [type, value] = name.children;
  if (name.tag === 0x81 || name.tag === 0x86) {
    return `${name.tag === 0x81 ? "email" : "uri"}:${parseUtf8(name.content) ?? ""}`;
  }
  const isOther = name.tag === contextTag(0) && type?.tag === OBJECT_ID && parseObjectId(type, problem) === OTHER_NAME;
  if (isOther && value?.children.length === 1) return `other:${textOf(value.children[0]!.encoding, problem)}`;
  throw unnamed(leaf, "a name of another kind", "an e-mail address, a URI or sigstore's other name");
}

/** A Build Signer URI without the branch, tag or commit after @. A tag may hold @ itself. */
function withoutRef(uri: string): string {
  return uri.includes("@refs/") ? uri.slice(0, uri.indexOf("@refs/")) : uri.slice(0, Math.max(uri.lastIndexOf("@"), 0));
}

/** The text in a DER UTF8String; empty if there is none. */
function textOf(der: Bytes, problem: Problem): string {
  if (!der.length) return "";
  const value = parseDer(der, problem);
  if (value.tag !== UTF8_STRING) throw problem("a text of another type", `tag ${value.tag}`, "UTF8String");
  return parseUtf8(value.content)!;
}

/** Verifies that a log of the root, within its window, promised to hold the leaf that `issuer` signed. */
export async function verifySct(
  leaf: SigningCertificate,
  issuer: SigningCertificate,
  root: TrustedRootJson,
  latest: number,
): Promise<void> {
  const sct = parseSct(leaf);
  const [log, second] = sct ? await findLogs(root.ctlogs, hexOf(sct.logId)) : [];
  const moment = sct ? Number(bigEndian(sct.moment)) / 1000 : 0;
  const isKnown = log?.spkiDigest === log?.id && !second && log && isWithin(log.window, moment) && moment <= latest;
  if (sct && isKnown && (await log.signed(sct.signature, signedBySct(sct, leaf, issuer)))) return;
  throw forgedAt(leaf.where, "no log vouches for the certificate", "no such SCT", "one SCT by a log of the root");
}

interface Sct {
  readonly logId: Bytes;
  /** Milliseconds since 1970, 8 bytes. */
  readonly moment: Bytes;
  /** With its length. */
  readonly extensions: Bytes;
  readonly signature: Bytes;
}

/** The only SCT in a leaf (RFC 6962, sections 3.2 and 3.3); undefined if it has none, more, or another form. */
function parseSct(leaf: SigningCertificate): Sct | undefined {
  const none: Problem = () => forgedAt(leaf.where, "no SCT", "another form", "a list of SCTs");
  const value = parseDer(valueOf(leaf, SCTS) ?? new Uint8Array(), none);
  const list = value.content;
  const size = (at: number): number => Number(bigEndian(list.subarray(at, at + 2)));
  const extensionsEnd = 4 + 43 + size(45);
  const signatureAt = extensionsEnd + 4;
  const isOne = value.tag === OCTET_STRING && size(0) === list.length - 2 && size(2) === list.length - 4 && list[4] === 0;
  const isSigned = hexOf(list.subarray(extensionsEnd, extensionsEnd + 2)) === SHA256_ECDSA;
  if (!isOne || !isSigned || signatureAt + size(extensionsEnd + 2) !== list.length) return undefined;
  return {
    logId: list.subarray(5, 37),
    moment: list.subarray(37, 45),
    extensions: list.subarray(45, extensionsEnd),
    signature: list.subarray(signatureAt),
  };
}

function signedBySct(sct: Sct, leaf: SigningCertificate, issuer: SigningCertificate): Bytes {
  const tbs = withoutScts(leaf);
  const size = Uint8Array.of(tbs.length >> 16, (tbs.length >> 8) & 0xff, tbs.length & 0xff);
  const head = concat(Uint8Array.of(0, 0), sct.moment, PRECERTIFICATE);
  const issuerKey = Uint8Array.from(issuer.spkiDigest.match(/../g)!, (digits) => Number.parseInt(digits, 16));
  return concat(head, issuerKey, size, tbs, sct.extensions);
}

/** The signed part of a leaf as it was before its CA put the SCTs in. */
function withoutScts({ fields }: SigningCertificate): Bytes {
  const none: Problem = (what) => new Error(what) as never;
  const [extensions] = fields.at(-1)!.children;
  const left = extensions!.children.filter(({ children: [id] }) => parseObjectId(id!, none) !== SCTS);
  const listed = encodeDer(SEQUENCE, concat(...left.map(({ encoding }) => encoding)));
  const before = fields.slice(0, -1).map(({ encoding }) => encoding);
  return encodeDer(SEQUENCE, concat(...before, encodeDer(contextTag(3), listed)));
}

function valueOf({ extensions }: SigningCertificate, oid: string): Bytes | undefined {
  return extensions.find((extension) => extension.oid === oid)?.value;
}

function unnamed(leaf: SigningCertificate, got: string, wanted: string): Error {
  return forgedAt(leaf.where, "the certificate does not name one signer", got, wanted);
}
