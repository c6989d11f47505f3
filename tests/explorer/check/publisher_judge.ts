// Judges a signature, a GPU, a proof or a verdict as the page does, for comparison with Python. Bytes are base64.

import { verifyProofDocument } from "../../../explorer/src/check/batch.js";
import { type Bytes, hexOf, parseBase64 } from "../../../explorer/src/check/bytes.js";
import { CheckError, CheckSheet } from "../../../explorer/src/check/checks.js";
import { verifyGpuEvidence, verifyGpus } from "../../../explorer/src/check/gpu.js";
import { hashFiles } from "../../../explorer/src/check/hash_file.js";
import { type KeptDocuments, matchKept, type RecordFacts } from "../../../explorer/src/check/match_record.js";
import {
  refuseUnsigned,
  SIGNED_BUNDLE_PATH,
  verifyReleaseSignature,
  verifySignedRelease,
} from "../../../explorer/src/check/modelsig.js";
import type { TrustedRootJson } from "../../../explorer/src/check/sigstore_root.js";
import { recheckSigned } from "../../../explorer/src/check/recheck_signed.js";
import { BeyondThisPage } from "../../../explorer/src/check/signer.js";
import { parseVerdict, verifyVerdictEnvelope } from "../../../explorer/src/check/verdict.js";

export interface Judged {
  readonly kind: keyof typeof JUDGES;
  readonly files: { readonly [path: string]: string };
  readonly sizes: { readonly [path: string]: number };
  readonly text: string;
  readonly at: number;
  readonly root: string;
}

const bytes = (text: string): Bytes => parseBase64(text)!;
const filesOf = ({ files }: Judged): Map<string, Bytes> =>
  new Map(Object.entries(files).map(([path, data]) => [path, bytes(data)]));
const sizesOf = ({ sizes }: Judged): Map<string, bigint> =>
  new Map(Object.entries(sizes).map(([path, size]) => [path, BigInt(size)]));

const rootOf = ({ root }: Judged): TrustedRootJson | undefined =>
  root ? (JSON.parse(root) as TrustedRootJson) : undefined;

const JUDGES = {
  /** `text` is the publisher whom the manifest names, `root` a root of sigstore; empty for the public one. */
  async release(given: Judged): Promise<string> {
    const sheet = new CheckSheet();
    const files = [...sizesOf(given)].map(([path, size]) => ({ path, size }));
    const manifest = { publisher: given.text, files };
    const found = await verifyReleaseSignature(filesOf(given), manifest, given.at, sheet, rootOf(given));
    refuseUnsigned(filesOf(given), manifest);
    if (found) return `${found.identity} ${found.coverage.covered.length} ${hexOf(found.signed.root)}`;
    const { got } = sheet.findings().find(({ check }) => check === "publisher-signature")!;
    return got.startsWith("not in a browser") ? Promise.reject(new BeyondThisPage(got)) : "no signature";
  },

  /** A release that has only a signature, judged until a byte of its files is read. */
  async signed(given: Judged): Promise<string> {
    const found = await verifySignedRelease(filesOf(given).get("model.sig")!, sizesOf(given), given.at, rootOf(given));
    return `${found.identity} ${found.coverage.covered.length} ${hexOf(found.signed.root)}`;
  },

  /** `text` is the root that counts as NVIDIA's; empty for NVIDIA's own. */
  async gpu(given: Judged): Promise<string> {
    const claims = await verifyGpuEvidence(filesOf(given).get("gpu")!, "gpu", given.at, given.text || undefined);
    return `${claims.chip} ${claims.device} ${claims.driver} ${claims.nonce}`;
  },

  /** All files but `key`, the VM's key in DER, are evidence of GPUs. `text` is the root that counts as NVIDIA's. */
  async gpus(given: Judged): Promise<string> {
    const files = filesOf(given);
    const key = { spki: files.get("key")!, algorithm: "ECDSA P-256" } as const;
    files.delete("key");
    const sheet = new CheckSheet();
    await verifyGpus(files, key, given.at, sheet, given.text);
    return sheet.findings().find(({ check }) => check === "gpu-evidence")!.got;
  },

  async proof(given: Judged): Promise<string> {
    const { root, leaf, record } = verifyProofDocument(filesOf(given).get("proof")!, "proof");
    return `${hexOf(root)} ${leaf} ${hexOf(record.id)}`;
  },

  /** `text` is the digest in the record. */
  async verdict(given: Judged): Promise<string> {
    const files = filesOf(given);
    const verdict = await parseVerdict(files.get("verdict")!, given.text, "verdict");
    const envelope = files.get("envelope");
    const signers = envelope ? await verifyVerdictEnvelope(envelope, files.get("verdict")!, "envelope") : [];
    return [verdict.policyDigest, verdict.findings.length, verdict.inputs.size, ...signers].join(" ");
  },
};

/** A record, and documents of an oracle in base64. */
export interface KeptQuestion {
  readonly record: RecordFacts;
  readonly kept: { readonly [name in keyof KeptDocuments]: string };
}

/** Compares a record with what an oracle keeps of it. */
export function judgeKept({ record, kept }: KeptQuestion): Promise<Outcome> {
  const parsed = Object.fromEntries(Object.entries(kept).map(([name, data]) => [name, bytes(data)]));
  return outcomeOf(async () => `${(await matchKept(record, parsed)).length}`);
}

/** A folder of a release that has only a signature; files are in base64. */
export interface SignedQuestion {
  readonly files: { readonly [path: string]: string };
  readonly at: number;
  readonly record: RecordFacts;
}

/** The outcome of every check of an accepted release, in the order of the checks. */
export function judgeSigned({ files, at, record }: SignedQuestion): Promise<Outcome> {
  return outcomeOf(async () => {
    const { [SIGNED_BUNDLE_PATH]: bundle = "", ...others } = files;
    const blobs = Object.entries(others).map(([path, data]) => ({ path, file: new Blob([bytes(data)]) }));
    const sizes = new Map(blobs.map(({ path, file }) => [path, BigInt(file.size)]));
    const hashed = (paths: ReadonlySet<string>) =>
      hashFiles(blobs.map((one) => ({ ...one, withSha256: paths.has(one.path) })), () => undefined);
    const options = { at, record, kept: {}, hashFiles: hashed };
    const { findings } = await recheckSigned({ bundle: bytes(bundle), sizes }, options);
    return findings.map(({ check, outcome }) => `${check} ${outcome}`).join("\n");
  });
}

type Outcome = readonly [outcome: string, what: string];

export function judge(given: Judged): Promise<Outcome> {
  return outcomeOf(() => JUDGES[given.kind](given));
}

/** `passed` and what was found, or the kind of the failure and its check, or `not-checked` and why. */
async function outcomeOf(step: () => Promise<string>): Promise<Outcome> {
  try {
    return ["passed", await step()];
  } catch (error) {
    if (error instanceof CheckError) return [error.kind, error.check];
    if (error instanceof BeyondThisPage) return ["not-checked", error.message];
    throw error;
  }
}
