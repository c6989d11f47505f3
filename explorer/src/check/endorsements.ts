// AMD's endorsements of a report: VCEK or VLEK with AMD's extensions, ASK or ASVK, ARK, and the ARK's revocation list.
// It equals verifier/snp/endorsements.py. Source: AMD 57230. Nothing is trusted yet: chain.ts and claims.ts check it.

import { type Bytes, hexOf, isEqual, utf8Of } from "./bytes.js";
import {
  type Certificate,
  malformedEndorsement,
  parseCertificate,
  problemAt,
  splitCertificates,
} from "./certificates.js";
import { type Crl, parseCrl } from "./crl.js";
import { IA5_STRING, parseDer, parseUnsigned } from "./der.js";
import type { Tcb } from "./roots.js";

const AMD_ARC = "1.3.6.1.4.1.3704.1.";
const [STRUCT_VERSION, PRODUCT_NAME, HWID, CSP_ID] = ["1", "2", "4", "5"].map((suffix) => AMD_ARC + suffix) as [
  string,
  string,
  string,
  string,
];
const TCB_EXTENSIONS: ReadonlyMap<string, string> = new Map([
  [`${AMD_ARC}3.1`, "bootloader"],
  [`${AMD_ARC}3.2`, "tee"],
  [`${AMD_ARC}3.3`, "snp"],
  [`${AMD_ARC}3.8`, "microcode"],
  [`${AMD_ARC}3.9`, "fmc"],
]);
export const SPL4 = `${AMD_ARC}3.4`;
const RESERVED_SPLS = [SPL4, `${AMD_ARC}3.5`, `${AMD_ARC}3.6`, `${AMD_ARC}3.7`];
const OPTIONAL = new Set([SPL4, `${AMD_ARC}3.9`]); // claims.ts checks them, because it knows the product line
const TEXT = /^[\x20-\x7e]{1,256}$/;

/** The kind of key that signed a report. */
export type VekKind = "VCEK" | "VLEK";

/** A VCEK or VLEK. `hwid` is the chip of a VCEK, `cspId` the cloud provider of a VLEK. */
export interface VekCertificate {
  readonly certificate: Certificate;
  readonly kind: VekKind;
  readonly structVersion: number;
  readonly productName: string;
  readonly tcb: Tcb;
  readonly hwid: Bytes | undefined;
  readonly cspId: string | undefined;
}

export interface Endorsements {
  readonly vek: VekCertificate;
  readonly intermediate: Certificate;
  readonly ark: Certificate;
  readonly crl: Crl | undefined;
}

/** A file of the evidence, with its name for messages. */
export interface NamedFile {
  readonly where: string;
  readonly data: Bytes;
}

/** Parses one VEK, the two certificates above it in any order, and the list if there is one. */
export function parseEndorsements(vek: NamedFile, chain: NamedFile, crl: NamedFile | undefined): Endorsements {
  const veks = splitCertificates(vek.data, vek.where);
  const above = splitCertificates(chain.data, chain.where);
  if (veks.length !== 1) {
    throw malformedEndorsement(vek.where, "wrong number of certificates", `${veks.length}`, "one, the VCEK or VLEK");
  }
  if (above.length !== 2) {
    const wanted = "two, ASK or ASVK and ARK";
    throw malformedEndorsement(chain.where, "wrong number of certificates", `${above.length}`, wanted);
  }
  const parsed = above.map((der) => parseCertificate(der, chain.where));
  const selfIssued = parsed.filter(({ subject, issuer }) => isEqual(subject, issuer));
  const [intermediate] = parsed.filter((certificate) => !selfIssued.includes(certificate));
  const [ark] = selfIssued;
  if (selfIssued.length !== 1 || !ark || !intermediate) {
    const got = `${selfIssued.length}`;
    throw malformedEndorsement(chain.where, "wrong number of self-issued certificates", got, "one, the ARK");
  }
  return {
    vek: parseVek(parseCertificate(veks[0]!, vek.where)),
    intermediate,
    ark,
    crl: crl && parseCrl(crl.data, crl.where),
  };
}

/** Parses the extensions of a VCEK or VLEK: each of its kind exactly once, and no other. */
export function parseVek(certificate: Certificate): VekCertificate {
  const { where, commonName } = certificate;
  if (commonName !== "SEV-VCEK" && commonName !== "SEV-VLEK") {
    throw malformedEndorsement(where, "subject", commonName, "SEV-VCEK or SEV-VLEK");
  }
  const kind: VekKind = commonName === "SEV-VCEK" ? "VCEK" : "VLEK";
  const values = extensionValues(certificate, kind);
  const number = (oid: string): number => parseNumber(values.get(oid) as Bytes, oid, where);
  for (const oid of RESERVED_SPLS) {
    if (values.has(oid) && number(oid) !== 0) {
      throw malformedEndorsement(where, `reserved extension ${oid} is set`, "not zero", "zero");
    }
  }
  const components = [...TCB_EXTENSIONS].filter(([oid]) => values.has(oid));
  return {
    certificate,
    kind,
    structVersion: number(STRUCT_VERSION),
    productName: parseText(values.get(PRODUCT_NAME) as Bytes, PRODUCT_NAME, where),
    tcb: new Map(components.map(([oid, name]) => [name, number(oid)])),
    hwid: kind === "VCEK" ? parseHwid(values.get(HWID) as Bytes, where) : undefined,
    cspId: kind === "VLEK" ? parseText(values.get(CSP_ID) as Bytes, CSP_ID, where) : undefined,
  };
}

function extensionValues(certificate: Certificate, kind: VekKind): ReadonlyMap<string, Bytes> {
  const last = kind === "VCEK" ? HWID : CSP_ID;
  const all = [STRUCT_VERSION, PRODUCT_NAME, last, ...TCB_EXTENSIONS.keys(), ...RESERVED_SPLS];
  const values = new Map(certificate.extensions.map(({ oid, value }) => [oid, value]));
  const missing = all.filter((oid) => !values.has(oid) && !OPTIONAL.has(oid));
  const foreign = certificate.extensions.filter(({ oid, critical }) => critical || !all.includes(oid));
  if (missing.length + foreign.length > 0) {
    const got = `missing, foreign or critical: ${[...missing, ...foreign.map(({ oid }) => oid)].sort().join(", ")}`;
    throw malformedEndorsement(certificate.where, "wrong set of extensions", got, `those of a ${kind}`);
  }
  return values;
}

function parseNumber(value: Bytes, oid: string, where: string): number {
  const problem = problemAt(where, ` in extension ${oid}`);
  const number = parseUnsigned(parseDer(value, problem), problem);
  if (number > 0xffn) throw malformedEndorsement(where, `extension ${oid} is out of range`, `${number}`, "0 to 255");
  return Number(number);
}

function parseText(value: Bytes, oid: string, where: string): string {
  const { tag, content } = parseDer(value, problemAt(where, ` in extension ${oid}`));
  const text = String.fromCharCode(...content.subarray(0, 257));
  if (tag === IA5_STRING && TEXT.test(text) && isEqual(utf8Of(text), content)) return text;
  const got = hexOf(value.subarray(0, 32));
  throw malformedEndorsement(where, `extension ${oid} is not a valid text`, got, "a short printable IA5String");
}

/** The chip's id: raw bytes without a DER tag. The first byte of a raw id may look like a tag, so only its size counts. */
function parseHwid(value: Bytes, where: string): Bytes {
  if (value.length === 8 || value.length === 64) return value;
  throw malformedEndorsement(where, "wrong size of hwID", `${value.length} bytes`, "64 raw bytes (8 on Turin)");
}
