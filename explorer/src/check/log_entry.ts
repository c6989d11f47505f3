// An entry of sigstore's transparency log, Rekor, is the log's: by its promise (version 1), and by the proof that the log's signed
// checkpoint includes it. The rules are those of sigstore-python and verifier/identity/keyless_rules.py.

import type { LogEntry, SignatureBundle } from "./bundle.js";
import { base64Of, type Bytes, concat, hexOf, isEqual, parseBase64, utf8Of } from "./bytes.js";
import type { CheckError } from "./checks.js";
import { PAYLOAD_TYPE, preAuthentication } from "./dsse.js";
import { Fields } from "./fields.js";
import { parseJson } from "./json.js";
import { digestOf, pemOf } from "./key.js";
import { forgedAt } from "./signer.js";
import { findLogs, type RootLog, type TrustedRootJson } from "./sigstore_root.js";

export const DSSE_ENTRY = "dsse 0.0.1";
const HASH_ENTRY = "hashedrekord 0.0.2";
const HINT_BYTES = 4;

/** Verifies the entry of a bundle and what it says of the signature. Returns the log. */
export async function verifyLogEntry(bundle: SignatureBundle, entry: LogEntry, root: TrustedRootJson): Promise<RootLog> {
  const forged = (problem: string, got: string, wanted: string): CheckError => forgedAt(bundle.where, problem, got, wanted);
  if (entry.kind !== DSSE_ENTRY && entry.kind !== HASH_ENTRY) throw forged("another kind of entry", entry.kind, DSSE_ENTRY);
  const [log, second] = await findLogs(root.tlogs, hexOf(entry.logId));
  if (!log || second) throw forged("no such log", hexOf(entry.logId), "a log of the trusted root");
  if (!(await isIncluded(entry))) {
    throw forged("the log does not include the entry", `index ${entry.proofIndex}`, "a proof that leads to the root");
  }
  const checkpoint = await verifyCheckpoint(bundle, entry, log);
  const isOfTree = checkpoint.size === entry.treeSize && isEqual(checkpoint.root, entry.root);
  if (!isOfTree || entry.proofIndex >= entry.treeSize) {
    const got = `index ${entry.proofIndex} of ${entry.treeSize}`;
    throw forged("the proof is not for the checkpoint's tree", got, `a proof for a tree of ${checkpoint.size}`);
  }
  const promised = `{"body":"${base64Of(entry.body)}","integratedTime":${entry.integratedAt},"logID":"${log.id}","logIndex":${entry.index}}`;
  if (entry.promise.length && !(await log.signed(entry.promise, utf8Of(promised)))) {
    throw forged("the log's promise does not verify", `entry ${entry.index}`, "one by the log's key");
  }
  if (!entry.promise.length && entry.kind === HASH_ENTRY && entry.index !== entry.proofIndex) {
    throw forged("the entry has two indices", `${entry.index}`, `${entry.proofIndex}`);
  }
  const isBound = await (entry.kind === DSSE_ENTRY ? isOfEnvelope(bundle, entry) : isOfHash(bundle, entry));
  if (!isBound) {
    throw forged("the log's entry is about something else", "another payload or signature", "this bundle's");
  }
  return log;
}

/** Whether the proof leads from the body to the root (RFC 9162, section 2.1.3.2). */
async function isIncluded(entry: LogEntry): Promise<boolean> {
  let [index, last] = [entry.proofIndex, entry.treeSize - 1n];
  if (index > last) return false;
  let node = await digestOf("SHA-256", concat(Uint8Array.of(0), entry.body));
  for (const sibling of entry.hashes) {
    if (last === 0n) return false;
    const isRight = (index & 1n) === 1n || index === last;
    node = await digestOf("SHA-256", concat(Uint8Array.of(1), ...(isRight ? [sibling, node] : [node, sibling])));
    while (isRight && (index & 1n) === 0n && index !== 0n) [index, last] = [index >> 1n, last >> 1n];
    [index, last] = [index >> 1n, last >> 1n];
  }
  return last === 0n && isEqual(node, entry.root);
}

interface Checkpoint {
  readonly size: bigint;
  readonly root: Bytes;
}

// Nothing signs the lines of signatures, so each has one form.
const NOTE =
  /^(?<text>[^\n]+\n(?<size>[0-9]{1,19})\n(?<root>[^\n]+)\n(?:[^\n]+\n)*)\n(?<signatures>(?:\u2014 [!-*,-~]+ [A-Za-z0-9+/=]+\n)+)$/;

/** Size and root of the log's tree, after its signature was verified (C2SP signed note). */
async function verifyCheckpoint(bundle: SignatureBundle, entry: LogEntry, log: RootLog): Promise<Checkpoint> {
  const { text = "", size = "", root = "", signatures = "" } = NOTE.exec(entry.checkpoint)?.groups ?? {};
  const parsed = root ? parseBase64(root) : undefined;
  const lines = signatures.split("\n").slice(0, -1).map((line) => parseBase64(line.split(" ")[2]!));
  if (!parsed || !lines.every((line) => line && line.length > HINT_BYTES)) {
    throw forgedAt(bundle.where, "malformed checkpoint", "another text", "a signed note");
  }
  const own = lines.find((line) => isEqual(line!.subarray(0, HINT_BYTES), entry.logId.subarray(0, HINT_BYTES)));
  if (!own || !(await log.signed(own.subarray(HINT_BYTES), utf8Of(text)))) {
    throw forgedAt(bundle.where, "the checkpoint does not verify", `${lines.length} signatures`, "one by the log's key");
  }
  return { size: BigInt(size), root: parsed };
}

function bodyOf(bundle: SignatureBundle, entry: LogEntry): Fields {
  const limits = { where: `${bundle.where}, entry of the log`, check: "publisher-signature", maxBytes: 1 << 20 } as const;
  return new Fields(parseJson(entry.body, limits), limits.where, limits.check);
}

/** Whether the body, of version 1 of the log, is about the bundle's payload, signature and certificate. */
async function isOfEnvelope(bundle: SignatureBundle, entry: LogEntry): Promise<boolean> {
  const { payload, signature } = bundle.envelope;
  const body = bodyOf(bundle, entry);
  const spec = body.fields("spec");
  const hash = spec.fields("payloadHash");
  const [signed] = spec.fieldsList("signatures", 1, 1) as [Fields];
  const pem = pemOf(bundle.certificates[0]!, "CERTIFICATE");
  return (
    `${body.text("kind")} ${body.text("apiVersion")}` === DSSE_ENTRY &&
    hash.text("algorithm") === "sha256" &&
    hash.text("value") === hexOf(await digestOf("SHA-256", payload)) &&
    signed.text("signature") === base64Of(signature) &&
    signed.text("verifier", 64 << 10) === base64Of(utf8Of(pem))
  );
}

/** Whether the body, of version 2, is about the bundle's signed bytes, signature and certificate (of a P-256 key). */
async function isOfHash(bundle: SignatureBundle, entry: LogEntry): Promise<boolean> {
  const { payload, signature } = bundle.envelope;
  const body = bodyOf(bundle, entry);
  const spec = body.fields("spec").fields("hashedRekordV002");
  const [data, signed] = [spec.fields("data"), spec.fields("signature")];
  const verifier = signed.fields("verifier");
  const digest = await digestOf("SHA-256", preAuthentication(PAYLOAD_TYPE, payload));
  return (
    `${body.text("kind")} ${body.text("apiVersion")}` === HASH_ENTRY &&
    data.text("algorithm") === "SHA2_256" &&
    data.text("digest") === base64Of(digest) &&
    signed.text("content") === base64Of(signature) &&
    verifier.text("keyDetails") === "PKIX_ECDSA_P256_SHA_256" &&
    verifier.fields("x509Certificate").text("rawBytes", 64 << 10) === base64Of(bundle.certificates[0]!)
  );
}
