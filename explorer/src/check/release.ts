// The files of a release's provenance folder: only those that it may hold, each up to a limit.
// It equals verifier/judgement/release.py.

import type { Bytes } from "./bytes.js";
import { type Check, CheckError, malformed } from "./checks.js";
import { ENVELOPE_BYTES_MAX, MANIFEST_PATH } from "./dsse.js";
import type { NamedFile } from "./endorsements.js";
import { PROVENANCE_FOLDER } from "./names.js";

/** Path in the release, such as `provenance/snp/report.bin`, and bytes. */
export type EvidenceFiles = ReadonlyMap<string, Bytes>;

const SNP_FOLDER = `${PROVENANCE_FOLDER}/snp`;
const GPU_FOLDER = `${PROVENANCE_FOLDER}/nvidia`;
export const KEY_PATH = `${PROVENANCE_FOLDER}/cvm-key.pem`;
export const REPORT_PATH = `${SNP_FOLDER}/report.bin`;
const [VEK_PEM_PATH, VEK_DER_PATH] = [`${SNP_FOLDER}/vek.pem`, `${SNP_FOLDER}/vek.der`];
export const CHAIN_PATH = `${SNP_FOLDER}/chain.pem`;
export const CRL_PATH = `${SNP_FOLDER}/ark.crl`;
export const BUNDLE_PATH = `${PROVENANCE_FOLDER}/model.sig`;
export const PUBLISHER_KEY_PATH = `${PROVENANCE_FOLDER}/publisher-key.pem`;

const KIB = 1024;
// The size limit of each file, and the check that fails if it is missing or larger.
const FILES: ReadonlyMap<string, readonly [most: number, check: Check]> = new Map([
  [MANIFEST_PATH, [ENVELOPE_BYTES_MAX, "manifest-format"]],
  [KEY_PATH, [16 * KIB, "key-binding"]],
  [REPORT_PATH, [8 * KIB, "report-format"]],
  [VEK_PEM_PATH, [64 * KIB, "endorsements-format"]],
  [VEK_DER_PATH, [64 * KIB, "endorsements-format"]],
  [CHAIN_PATH, [64 * KIB, "endorsements-format"]],
  [CRL_PATH, [1024 * KIB, "endorsements-format"]],
  [BUNDLE_PATH, [64 * 1024 * KIB, "publisher-signature"]],
  [PUBLISHER_KEY_PATH, [16 * KIB, "publisher-signature"]],
]);
const GPU_FILE_BYTES_MAX = 64 * KIB;
const GPU_PATHS = Array.from({ length: 16 }, (_, number) => `${GPU_FOLDER}/gpu-${number}.json`);

/** The paths of all files that a release's provenance folder may hold. */
export const RELEASE_PATHS: readonly string[] = [...FILES.keys(), ...GPU_PATHS];

/** A complete release; nothing in it is trusted. `gpus` has the evidence of GPUs by path. */
export interface Release {
  readonly envelope: Bytes;
  readonly key: Bytes;
  readonly report: NamedFile;
  readonly vek: NamedFile;
  readonly chain: NamedFile;
  readonly crl: NamedFile | undefined;
  readonly gpus: EvidenceFiles;
  readonly provenance: EvidenceFiles;
}

/** The release that these files make. Throws a malformed or incomplete CheckError. */
export function releaseOf(files: EvidenceFiles): Release {
  for (const [path, data] of files) refuseFile(path, data.length);
  const envelope = files.get(MANIFEST_PATH);
  if (!envelope) {
    const wanted = "the manifest, written last";
    throw new CheckError("incomplete", "no signed manifest yet", "manifest-format", MANIFEST_PATH, "no such file", wanted);
  }
  const vek = vekPath(files);
  const [key, report, chain] = [KEY_PATH, REPORT_PATH, CHAIN_PATH].map((path) => needed(files, path)) as [
    NamedFile,
    NamedFile,
    NamedFile,
  ];
  const crl = files.has(CRL_PATH) ? needed(files, CRL_PATH) : undefined;
  return { envelope, key: key.data, report, vek: needed(files, vek), chain, crl, gpus: gpusOf(files), provenance: files };
}

function refuseFile(path: string, size: number): void {
  if (!RELEASE_PATHS.includes(path)) {
    const wanted = `only ${[...FILES.keys()].join(", ")}`;
    throw malformed("file-set", "a release may not hold this", path, "a file", wanted);
  }
  const [most, check] = FILES.get(path) ?? [GPU_FILE_BYTES_MAX, "gpu-evidence"];
  if (size > most) throw malformed(check, "the file is too large", path, `${size} bytes`, `at most ${most} bytes`);
}

function needed(files: EvidenceFiles, path: string): NamedFile {
  const data = files.get(path);
  if (data) return { where: path, data };
  const [, check] = FILES.get(path) as readonly [number, Check];
  throw malformed(check, "the file is missing", path, "no such file", "this file in every release");
}

function vekPath(files: EvidenceFiles): string {
  const [path = VEK_PEM_PATH, second] = [VEK_PEM_PATH, VEK_DER_PATH].filter((known) => files.has(known));
  if (!second) return path;
  const [problem, got] = ["the release has two VEK certificates", "vek.pem and vek.der"];
  throw malformed("endorsements-format", problem, SNP_FOLDER, got, "one of them");
}

/** The evidence of GPUs in the order of its numbers. A gap would hide that a file is missing. */
function gpusOf(files: EvidenceFiles): EvidenceFiles {
  const found = GPU_PATHS.filter((path) => files.has(path));
  const gap = found.findIndex((path, number) => path !== GPU_PATHS[number]);
  if (gap < 0) return new Map(found.map((path) => [path, files.get(path) as Bytes]));
  const wanted = `this file, as there is ${found.at(-1)}`;
  throw malformed("gpu-evidence", "the evidence of a GPU is missing", GPU_PATHS[gap]!, "no such file", wanted);
}
