// The evidence of GPUs: each is genuine, was made for the VM's key, and is there once.
// The rules are those of verifier/gpu_evidence and verifier/judgement/gpus.py.

import { asciiOf, type Bytes, hexOf, isEqual, isZero } from "./bytes.js";
import { type Certificate, extensionOf, parseCertificate, splitPem } from "./certificates.js";
import { about, type CheckError, type CheckSheet, forged, malformed } from "./checks.js";
import { OBJECT_ID, OCTET_STRING, parseDer, SEQUENCE, type Value } from "./der.js";
import { Fields } from "./fields.js";
import { parseJson } from "./json.js";
import { digestOf, isSignedBy, isSignedRaw, type PublicKey } from "./key.js";
import type { EvidenceFiles } from "./release.js";
import { DRIVER_VERSION, FIRMWARE_ID, type Measurements, NONCE_BYTES, parseMeasurements } from "./spdm.js";

const CHECK = "gpu-evidence";
const FILE_BYTES_MAX = 64 << 10;
/** The beginnings of the names of chips, by architecture. */
const CHIPS = new Map([
  ["HOPPER", "GH"],
  ["BLACKWELL", "GB"],
]);
const CERTIFICATES = 5;
/** SHA-256 of the DER of "NVIDIA Device Identity CA". */
const NVIDIA_ROOT = "102bf659d5419614c9d8e6aecebc80454eb26b1df6a769ac720b9a690b167b48";
const ECDSA_SHA384 = "300a06082a8648ce3d040303";
const SHA384_ID = "0609608648016503040202";
const SHA384_BYTES = 48;
const [SUBJECT_KEY_ID, AUTHORITY_KEY_ID] = ["2.5.29.14", "2.5.29.35"];
const [KEY_USAGE, BASIC_CONSTRAINTS] = ["2.5.29.15", "2.5.29.19"];
/** The firmware id: on Hopper in TCG's older extension, on Blackwell in DiceTcbInfo. */
const FIRMWARE_IDS = ["2.23.133.5.4.1", "2.23.133.5.4.1.1"];
const KNOWN = [
  ...[SUBJECT_KEY_ID, AUTHORITY_KEY_ID, KEY_USAGE, BASIC_CONSTRAINTS, ...FIRMWARE_IDS],
  ...["2.5.29.17", "2.5.29.31", "1.3.6.1.5.5.7.1.1"], // alternative names, revocation lists, information access
];
const CA = "30030101ff"; // NVIDIA sets no limit to the path
const LEAF_USAGE = ["03020780"]; // digital signature and nothing else
const AUTHORITY_USAGE = ["03020204", "03020106"]; // certificates; certificates and lists
const MEANING = "made for this key; not proved to be attached to this VM";

/** What a genuine GPU signed. `chip` is its identity's common name, `device` tells two GPUs apart. */
export interface GpuClaims {
  readonly chip: string;
  readonly device: string;
  readonly driver: string;
  readonly nonce: string;
  readonly where: string;
}

/** Verifies the files of GPUs, by path, for a key and a moment, and enters the finding. */
export async function verifyGpus(
  files: EvidenceFiles,
  key: PublicKey,
  at: number,
  sheet: CheckSheet,
  root = NVIDIA_ROOT,
): Promise<readonly GpuClaims[]> {
  const nonce = hexOf(await digestOf("SHA-256", key.spki));
  const found: GpuClaims[] = [];
  for (const [where, data] of files) {
    const claims = await verifyGpuEvidence(data, where, at, root);
    if (claims.nonce !== nonce) {
      const wanted = `${nonce}, SHA-256 of the key`;
      throw forgedGpu(where, "the evidence was not made for this key", claims.nonce, wanted);
    }
    const twin = found.find(({ device }) => device === claims.device);
    if (twin) throw forgedGpu(where, "one GPU made two files of evidence", `the GPU of ${twin.where}`, "each GPU once");
    found.push(claims);
  }
  const wanted = "NVIDIA's device root, the GPU's signature, and SHA-256 of the VM's key as nonce";
  sheet.passed(CHECK, `genuine ${describe(found)}, ${MEANING}`, wanted);
  return found;
}

/** Verifies that a genuine GPU signed the evidence, for whatever nonce. */
export async function verifyGpuEvidence(
  data: Bytes,
  where: string,
  at: number,
  root = NVIDIA_ROOT,
): Promise<GpuClaims> {
  const bundle = parseGpuBundle(data, where);
  const measured = parseMeasurements(bundle.messages, where);
  // (1) the certificates, up to NVIDIA's root
  const [leaf, identity] = await verifyChain(bundle.chain, where, at, root);
  const firmwareIds = firmwareIdsOf(leaf);
  const chip = identity.commonName;
  if (!chip.startsWith(CHIPS.get(bundle.arch)!)) {
    throw forgedGpu(where, "the GPU is of another architecture", chip, `a chip of ${bundle.arch}`);
  }
  // (2) the GPU's signature over request and response
  if (!(await isSignedRaw(leaf.spki, "P-384", measured.signature, measured.signed, "SHA-384"))) {
    const wanted = "an ECDSA P-384 signature by the GPU's key";
    throw forgedGpu(where, "the signature does not verify", "another key or other bytes", wanted);
  }
  // (3) the certificate was issued for the firmware that answered
  const firmware = hexOf(measured.opaque.get(FIRMWARE_ID) ?? new Uint8Array());
  if (!firmwareIds.includes(firmware)) {
    const got = firmware || "no firmware id";
    throw forgedGpu(where, "the certificate is for other firmware", got, firmwareIds.join(" or "));
  }
  // (4) the nonce beside the evidence is the one inside
  const nonce = hexOf(measured.nonce);
  if (hexOf(bundle.nonce) !== nonce) {
    throw forgedGpu(where, "the nonce is not that of the evidence", hexOf(bundle.nonce), nonce);
  }
  const device = hexOf(await digestOf("SHA-256", identity.spki));
  return { chip, device, driver: driverOf(measured), nonce, where };
}

interface GpuBundle {
  readonly arch: string;
  readonly messages: Bytes;
  readonly chain: Bytes;
  readonly nonce: Bytes;
}

function parseGpuBundle(data: Bytes, where: string): GpuBundle {
  const value = parseJson(data, { where, check: CHECK, maxBytes: FILE_BYTES_MAX, maxDepth: 2, maxTokens: 64 });
  const fields = new Fields(value, where, CHECK);
  const arch = fields.text("arch", 32);
  if (!CHIPS.has(arch)) throw fields.error("arch", "unknown architecture", arch, [...CHIPS.keys()].join(" or "));
  const messages = fields.base64Bytes("evidence", 0x2000);
  const chain = fields.base64Bytes("certificate", 16 << 10);
  const nonce = fields.hexBytes("nonce", NONCE_BYTES);
  fields.finish();
  return { arch, messages, chain, nonce };
}

/** Five certificates, leaf first, each issued by the next: the leaf and the GPU's identity. */
async function verifyChain(pem: Bytes, where: string, at: number, root: string): Promise<[Certificate, Certificate]> {
  const ders = about(CHECK, () => splitPem(pem, "CERTIFICATE", where, CERTIFICATES));
  const chain = about(CHECK, () => ders.map((der) => parseCertificate(der, where)));
  const last = chain.at(-1);
  if (!last || chain.length !== CERTIFICATES) {
    const wanted = `${CERTIFICATES}, from the GPU's to NVIDIA's root`;
    throw malformed(CHECK, "wrong number of certificates", where, `${chain.length}`, wanted);
  }
  const digest = hexOf(await digestOf("SHA-256", last.der));
  if (digest !== root) throw refuse(last, "root is not trusted", digest, "NVIDIA Device Identity CA");
  for (const [i, certificate] of chain.entries()) {
    refuseForm(certificate, i === 0);
    await verifyIssued(certificate, chain[i + 1] ?? last);
    if (at < certificate.notBefore || at > certificate.notAfter) {
      throw refuse(certificate, "not valid at this time", `${at}`, `${certificate.notBefore} to ${certificate.notAfter}`);
    }
  }
  curveOf(chain[0]!);
  return [chain[0]!, chain[1]!];
}

/** Only known extensions; a leaf signs evidence and nothing else, the others sign certificates. */
function refuseForm(certificate: Certificate, isLeaf: boolean): void {
  const { extensions } = certificate;
  const odd = extensions.filter(({ oid }) => !KNOWN.includes(oid)).map(({ oid }) => oid);
  if (odd.length) throw refuse(certificate, "unknown extensions", odd.join(", "), "those of NVIDIA's certificates");
  const critical = extensions.filter((extension) => extension.critical).map(({ oid }) => oid).sort().join(", ");
  if (critical !== (isLeaf ? [KEY_USAGE] : [KEY_USAGE, BASIC_CONSTRAINTS]).join(", ")) {
    const wanted = "key usage, and basic constraints of an authority";
    throw refuse(certificate, "wrong critical extensions", critical, wanted);
  }
  const [constraints, usage] = [BASIC_CONSTRAINTS!, KEY_USAGE!].map((oid) => hexIfAny(extensionOf(certificate, oid)));
  if (constraints !== (isLeaf ? "none" : CA)) {
    throw refuse(certificate, "wrong basic constraints", constraints!, isLeaf ? "none" : CA);
  }
  const allowed = isLeaf ? LEAF_USAGE : AUTHORITY_USAGE;
  if (!allowed.includes(usage!)) throw refuse(certificate, "wrong key usage", usage!, allowed.join(" or "));
}

/** The issuer's name, its key id and its signature. */
async function verifyIssued(certificate: Certificate, issuer: Certificate): Promise<void> {
  const { signed } = certificate;
  if (!isEqual(certificate.issuer, issuer.subject)) {
    throw refuse(certificate, "wrong issuer", "another name", issuer.commonName);
  }
  const keyId = hexOf(extensionOf(issuer, SUBJECT_KEY_ID!) ?? new Uint8Array()).slice(2);
  if (hexIfAny(extensionOf(certificate, AUTHORITY_KEY_ID!)) !== `301680${keyId}`) {
    throw refuse(certificate, "wrong authority key id", "another key's", `that of ${issuer.commonName}`);
  }
  const algorithm = hexOf(signed.algorithm);
  if (algorithm !== ECDSA_SHA384) {
    throw refuse(certificate, "wrong signature algorithm", algorithm, "ecdsa-with-SHA384");
  }
  const key: PublicKey = { spki: issuer.spki, algorithm: `ECDSA ${curveOf(issuer)}` };
  if (await isSignedBy(key, signed.signature, signed.tbs, "SHA-384")) return;
  throw refuse(certificate, "invalid signature", "does not verify", `a signature by ${issuer.commonName}`);
}

function curveOf(certificate: Certificate): "P-384" {
  const { key } = certificate;
  if ("curve" in key && key.curve === "P-384") return key.curve;
  throw refuse(certificate, "wrong kind of key", "another key", "elliptic curve P-384");
}

/** The digests of firmware in the leaf's extension: each SEQUENCE { SHA-384, OCTET STRING of 48 bytes }, none zero. */
function firmwareIdsOf(leaf: Certificate): readonly string[] {
  const values = FIRMWARE_IDS.flatMap((oid) => extensionOf(leaf, oid) ?? []);
  const [value] = values;
  if (!value || values.length !== 1) {
    throw refuse(leaf, "wrong number of firmware id extensions", `${values.length}`, "one");
  }
  const der = parseDer(value, (what, got, wanted) =>
    malformed(CHECK, `${what} in the firmware id`, leaf.where, got, wanted),
  );
  const digests = pairsIn(der).filter(([kind, { content }]) => {
    return hexOf(kind.encoding) === SHA384_ID && content.length === SHA384_BYTES && !isZero(content);
  });
  if (digests.length) return digests.map(([, { content }]) => hexOf(content));
  throw refuse(leaf, "no firmware id", "none", "one or more SHA-384 digests");
}

function pairsIn({ tag, children }: Value): readonly (readonly [Value, Value])[] {
  const [first, second] = children;
  const isPair = children.length === 2 && first!.tag === OBJECT_ID && second!.tag === OCTET_STRING;
  const own: readonly [Value, Value][] = tag === SEQUENCE && isPair ? [[first!, second!]] : [];
  return [...own, ...children.flatMap(pairsIn)];
}

/** The GPUs in words; equal ones are counted. */
function describe(gpus: readonly GpuClaims[]): string {
  const words = gpus.map(({ chip, driver }) => `${chip}, driver ${driver || "not told"}`);
  const listed = [...new Set(words)].map((one) => {
    const count = words.filter((other) => other === one).length;
    return count > 1 ? `${count} x ${one}` : one;
  });
  return `GPU${gpus.length > 1 ? "s" : ""} (${listed.join("; ")})`;
}

function driverOf(measured: Measurements): string {
  return asciiOf(measured.opaque.get(DRIVER_VERSION) ?? new Uint8Array()).replace(/\0+$/, "");
}

function hexIfAny(bytes: Bytes | undefined): string {
  return bytes ? hexOf(bytes) : "none";
}

function refuse(certificate: Certificate, problem: string, got: string, wanted: string): CheckError {
  return forgedGpu(certificate.where, `${problem} (${certificate.commonName || "unnamed"})`, got, wanted);
}

function forgedGpu(where: string, problem: string, got: string, wanted: string): CheckError {
  return forged(CHECK, problem, where, got, wanted);
}
