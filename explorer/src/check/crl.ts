// The ARK's certificate revocation list. It is not trusted until chain.ts verified it.
// It equals verifier/snp/crl.py. Source: RFC 5280, section 5.

import { AUTHORITY_KEY_ID } from "./authority.js";
import { type Bytes, hexOf, isEqual, parseHex } from "./bytes.js";
import {
  type Extension,
  isPem,
  malformedEndorsement,
  parseExtensions,
  parseTaggedExtensions,
  problemAt,
  refuseOtherAlgorithm,
  type Signed,
  splitPem,
  splitSigned,
} from "./certificates.js";
import { parseAsn1Time, parseDer, parseUnsigned, SEQUENCE, type Value } from "./der.js";

const CRL_BYTES_MAX = 1024 * 1024;
const V2 = parseHex("020101") as Bytes;
const [CRL_NUMBER, DELTA, SCOPE] = ["2.5.29.20", "2.5.29.27", "2.5.29.28"];

/** A parsed list. Nothing in it is trusted. `der` is the whole list. Times are seconds since 1970. */
export interface Crl {
  readonly der: Bytes;
  readonly signed: Signed;
  readonly issuer: Bytes;
  readonly number: bigint;
  readonly authorityKeyId: Bytes;
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  readonly revokedSerials: ReadonlySet<bigint>;
  readonly where: string;
}

/** Parses one complete X.509 v2 list in PEM or DER, of at most 1 MiB of DER. */
export function parseCrl(data: Bytes, where: string): Crl {
  const der = oneDer(data, where);
  const problem = problemAt(where);
  // RFC 5280, 5.1: six fields in this order; the entries come before the last field and are left out if there are none
  const { signed, fields } = splitSigned(der, where);
  const [version, algorithm, issuer, thisUpdate, nextUpdate, entries] = fields;
  if ((fields.length !== 6 && fields.length !== 7) || !isEqual(version!.encoding, V2)) {
    const wanted = "X.509 v2 with next update and extensions";
    throw malformedEndorsement(where, "wrong structure of the revocation list", `${fields.length} fields`, wanted);
  }
  refuseOtherAlgorithm(algorithm!, signed, where);
  if (issuer!.tag !== SEQUENCE) throw malformedEndorsement(where, "malformed issuer", `tag ${issuer!.tag}`, "a name");
  return {
    der,
    signed,
    issuer: issuer!.encoding,
    ...parseListExtensions(parseTaggedExtensions(fields.at(-1)!, 0, where), where),
    thisUpdate: parseAsn1Time(thisUpdate!, problem),
    nextUpdate: parseAsn1Time(nextUpdate!, problem),
    revokedSerials: fields.length === 7 ? parseEntries(entries!, where) : new Set(),
    where,
  };
}

/** Whether a list is current at a moment: from its update to its next one, both included. */
export function covers(crl: Crl, at: number): boolean {
  return crl.thisUpdate <= at && at <= crl.nextUpdate;
}

function oneDer(data: Bytes, where: string): Bytes {
  if (data.length > 2 * CRL_BYTES_MAX) {
    const wanted = `at most ${CRL_BYTES_MAX}`;
    throw malformedEndorsement(where, "the revocation list is too large", `${data.length} bytes`, wanted);
  }
  const [der, ...others] = isPem(data) ? splitPem(data, "X509 CRL", where) : [data];
  if (!der || others.length > 0 || der.length > CRL_BYTES_MAX) {
    const wanted = `one of at most ${CRL_BYTES_MAX} bytes`;
    throw malformedEndorsement(where, "wrong number or size of revocation lists", `${others.length + 1}`, wanted);
  }
  return der;
}

function parseListExtensions(
  extensions: readonly Extension[],
  where: string,
): { number: bigint; authorityKeyId: Bytes } {
  const values = new Map(extensions.map(({ oid, value }) => [oid, value]));
  const present = [...values.keys()].sort().join(", ");
  if (extensions.some(({ critical }) => critical) || values.has(DELTA!) || values.has(SCOPE!)) {
    const wanted = "a complete list, and no critical extension";
    throw malformedEndorsement(where, "unsupported extensions of the revocation list", present, wanted);
  }
  const [number, authorityKeyId] = [values.get(CRL_NUMBER!), values.get(AUTHORITY_KEY_ID)];
  if (!number || !authorityKeyId) {
    const wanted = "CRL number and authority key id";
    throw malformedEndorsement(where, "missing extensions of the revocation list", present, wanted);
  }
  const problem = problemAt(where, " in the CRL number");
  return { number: parseUnsigned(parseDer(number, problem), problem), authorityKeyId };
}

function parseEntries(field: Value, where: string): ReadonlySet<bigint> {
  if (field.tag !== SEQUENCE || field.children.length === 0) {
    const got = `tag ${field.tag}, ${field.children.length} entries`;
    throw malformedEndorsement(where, "malformed entries of the revocation list", got, "a sequence of one or more");
  }
  const serials = field.children.map((entry) => parseEntry(entry, where));
  const revoked = new Set(serials);
  if (revoked.size !== serials.length) {
    throw malformedEndorsement(where, "repeated entries of the revocation list", "a serial number twice", "each once");
  }
  return revoked;
}

/** The serial number of an entry. Its extensions are ignored unless one is critical. */
function parseEntry(entry: Value, where: string): bigint {
  const [serial, time, extensions, ...more] = entry.children;
  if (entry.tag !== SEQUENCE || !serial || !time || more.length > 0) {
    const got = hexOf(entry.encoding.subarray(0, 16));
    throw malformedEndorsement(where, "malformed entry of the revocation list", got, "a serial number and a time");
  }
  parseAsn1Time(time, problemAt(where));
  if (extensions && parseExtensions(extensions, where).some(({ critical }) => critical)) {
    throw malformedEndorsement(where, "unsupported entry of the revocation list", "a critical extension", "none");
  }
  return parseUnsigned(serial, problemAt(where));
}
