// The OpenSSF signature of a release: genuine, by the publisher whom the manifest names, over every file.
// The rules are those of verifier/judgement/signature.py and judge_signed.py. The model's own files are compared by
// whoever reads them.

import { parseBundle, type SignatureBundle, type SigningMethod } from "./bundle.js";
import type { Bytes } from "./bytes.js";
import { verifyByCertificate } from "./certificate_method.js";
import { CheckError, type CheckSheet, malformed, refused } from "./checks.js";
import { type Coverage, coverageOf, coverageText, matchBytes, matchNames, refuseGaps } from "./coverage.js";
import { MANIFEST_PATH } from "./dsse.js";
import { kindOf, parseIdentity } from "./identity.js";
import { verifyKeyless } from "./keyless.js";
import type { Manifest, ManifestFile } from "./manifest.js";
import { parsePublisherKey, verifyByKey } from "./publisher_key.js";
import { BUNDLE_PATH, type EvidenceFiles, PUBLISHER_KEY_PATH } from "./release.js";
import { parseSignedFiles, type SignedFiles } from "./signed_files.js";
import { PINNED_ROOT, type TrustedRootJson } from "./sigstore_root.js";
import { BeyondThisPage, matchSigner, type ModelSigner } from "./signer.js";

/** Where a release that has only a signature holds it. */
export const SIGNED_BUNDLE_PATH = "model.sig";

/** The part of a manifest that a signature is compared with. */
export type NamedFiles = Pick<Manifest, "publisher"> & { readonly files: readonly Pick<ManifestFile, "path" | "size">[] };

const SIGNATURE = "publisher-signature";
const IDENTITY = "publisher-identity";
/** The kinds of identities that each method can prove. */
const KINDS: { readonly [method in SigningMethod]: readonly string[] } = {
  key: ["key"],
  certificate: ["certificate", "authority"],
  sigstore: ["sigstore", "workflow"],
};

/** A genuine signature of a release. Only the digests of the model's files may not be compared yet. */
export interface ReleaseSignature {
  readonly signer: ModelSigner;
  /** The identity that the manifest names; the narrowest that fits if it names none. */
  readonly identity: string;
  readonly isNamed: boolean;
  readonly signed: SignedFiles;
  readonly coverage: Coverage;
}

/**
 * Verifies the signature of a release, and that the publisher whom its manifest names made it.
 * `files` are those of `provenance/`, `at` is the moment of judgement in seconds since 1970.
 * Returns undefined if there is no signature, or one that this page cannot judge; the sheet then says so.
 */
export async function verifyReleaseSignature(
  files: EvidenceFiles,
  manifest: NamedFiles,
  at: number,
  sheet: CheckSheet,
  root: TrustedRootJson = PINNED_ROOT,
): Promise<ReleaseSignature | undefined> {
  const named = namedIdentity(manifest);
  const data = files.get(BUNDLE_PATH);
  if (!data) {
    if (named === undefined) refuseLonelyKey(files);
    for (const check of [SIGNATURE, IDENTITY] as const) sheet.notChecked(check, "no OpenSSF signing bundle");
    return undefined;
  }
  try {
    const signature = await verifyBundle(parseBundle(data, BUNDLE_PATH), files, manifest, named, at, root);
    enter(sheet, signature);
    return signature;
  } catch (error) {
    if (!(error instanceof BeyondThisPage)) throw error;
    for (const check of [SIGNATURE, IDENTITY] as const) sheet.notChecked(check, `not in a browser: ${error.message}`);
    return undefined;
  }
}

async function verifyBundle(
  bundle: SignatureBundle,
  files: EvidenceFiles,
  manifest: NamedFiles,
  named: string | undefined,
  at: number,
  root: TrustedRootJson,
): Promise<ReleaseSignature> {
  // (1) the signature is genuine
  const signer = await verifySigner(bundle, files.get(PUBLISHER_KEY_PATH), named, at, root);
  const signed = await parseSignedFiles(bundle.envelope.payload, BUNDLE_PATH);
  // (2) the publisher is the one whom the manifest names
  const identity = matchSigner(signer, named, BUNDLE_PATH);
  // (3) the signed files are there, with the signed bytes as far as these are in memory
  const sizes = manifest.files.map(({ path, size }) => [path, size] as const);
  const own = [...files].map(([path, bytes]) => [path, BigInt(bytes.length)] as const);
  matchNames(signed, new Map([...sizes, ...own]));
  await matchBytes(signed, files);
  const manifestSize = BigInt(files.get(MANIFEST_PATH)?.length ?? 0);
  const coverage = coverageOf(signed, new Map([...sizes, [MANIFEST_PATH, manifestSize]]));
  // (4) the publisher vouches for every file, and for the manifest that holds name, version and parents
  if (named !== undefined) refuseGaps(coverage, BUNDLE_PATH);
  return { signer, identity, isNamed: named !== undefined, signed, coverage };
}

function enter(sheet: CheckSheet, { identity, isNamed, coverage }: ReleaseSignature): void {
  const files = coverageText(coverage);
  if (isNamed) {
    sheet.passed(IDENTITY, identity, "the publisher whom the manifest names");
    sheet.passed(SIGNATURE, files, "genuine, over every file and the manifest");
    return;
  }
  sheet.notChecked(IDENTITY, `signed by ${identity}, but the manifest names no publisher`);
  sheet.notChecked(SIGNATURE, `genuine, over ${files}, but the manifest names no publisher`);
}

async function verifySigner(
  bundle: SignatureBundle,
  pem: Bytes | undefined,
  named: string | undefined,
  at: number,
  root: TrustedRootJson,
): Promise<ModelSigner> {
  const { method } = bundle;
  const got = `a signature by the method ${method}`;
  if (named !== undefined && !KINDS[method].includes(kindOf(named))) {
    const problem = "another kind of signer than the one whom the manifest names";
    throw refused(IDENTITY, problem, BUNDLE_PATH, got, named);
  }
  if ((pem === undefined) === (method === "key")) {
    const problem = "the file goes with signatures by the method key, and only with these";
    const wanted = pem ? "no such file" : "the publisher's public key";
    throw malformed(SIGNATURE, problem, PUBLISHER_KEY_PATH, pem ? got : "no such file", wanted);
  }
  const key = pem && (await parsePublisherKey(pem, PUBLISHER_KEY_PATH));
  if (key) return verifyByKey(bundle, key);
  if (method === "certificate") return verifyByCertificate(bundle, named, at);
  return verifyKeyless(bundle, at, root);
}

function namedIdentity({ publisher }: NamedFiles): string | undefined {
  if (!publisher) return undefined;
  const line = parseIdentity(publisher, `${MANIFEST_PATH}, internalParameters.publisher`);
  const provable = Object.values(KINDS).flat();
  if (provable.includes(kindOf(line))) return line;
  const wanted = `an identity that begins with ${provable.join(", ")}`;
  throw malformed(IDENTITY, "no signature can prove this publisher", MANIFEST_PATH, line, wanted);
}

/** Refuses a release as incomplete whose manifest names a publisher, and that has no signature yet. */
export function refuseUnsigned(files: EvidenceFiles, { publisher }: NamedFiles): void {
  if (!publisher || files.has(BUNDLE_PATH)) return;
  const problem = "the manifest names a publisher, whose signature is not there yet";
  throw new CheckError("incomplete", problem, SIGNATURE, BUNDLE_PATH, "no such file", `a signature by ${publisher}`);
}

/** A key without a signature means nothing. It may come before a signature that must come. */
function refuseLonelyKey(files: EvidenceFiles): void {
  if (!files.has(PUBLISHER_KEY_PATH)) return;
  const problem = "the release has a publisher's key and no signature";
  throw malformed(SIGNATURE, problem, PUBLISHER_KEY_PATH, `no ${BUNDLE_PATH}`, "both files or neither");
}

/**
 * Verifies the signature of a release that has nothing else. The last certificate of its bundle is its own anchor, whose
 * key is part of the identity. `sizes` are those of all files but the bundle.
 * Throws BeyondThisPage where a browser cannot judge: a bundle of the method key does not hold the key.
 */
export async function verifySignedRelease(
  data: Bytes,
  sizes: ReadonlyMap<string, bigint>,
  at: number,
  root: TrustedRootJson = PINNED_ROOT,
): Promise<ReleaseSignature> {
  const bundle = parseBundle(data, SIGNED_BUNDLE_PATH);
  if (bundle.method === "key") throw new BeyondThisPage("the bundle names a key and does not hold it");
  const isKeyless = bundle.method === "sigstore";
  const signer = await (isKeyless ? verifyKeyless(bundle, at, root) : verifyByCertificate(bundle, undefined, at));
  const signed = await parseSignedFiles(bundle.envelope.payload, SIGNED_BUNDLE_PATH);
  const identity = matchSigner(signer, undefined, SIGNED_BUNDLE_PATH);
  matchNames(signed, sizes);
  const coverage = coverageOf(signed, sizes);
  refuseGaps(coverage, SIGNED_BUNDLE_PATH);
  return { signer, identity, isNamed: true, signed, coverage };
}
