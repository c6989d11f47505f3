// Files of a release that were hashed, compared with its manifest (verifier/digest/match_files.py, judgement/part.py).

import { type Bytes, hexOf, isEqual } from "./bytes.js";
import { type CheckError, type CheckSheet, forged } from "./checks.js";
import type { FileDigest } from "./fsverity.js";
import type { Manifest, ManifestFile } from "./manifest.js";

/**
 * Compares names, sizes and digests, enters the findings, and returns whether these are all files of the manifest.
 * Throws a forged CheckError (checks `file-set`, `file-digests`).
 */
export function matchFiles(manifest: Manifest, files: readonly FileDigest[], sheet: CheckSheet): boolean {
  const named = new Map(manifest.files.map((file) => [file.path, file]));
  for (const file of files) {
    const entry = named.get(file.path);
    const wanted = "a file of the manifest";
    const got = "a path that the manifest does not name";
    if (!entry) throw forged("file-set", "not a file of this release", file.path, got, wanted);
    matchFile(entry, file);
  }
  const isWhole = new Set(files.map(({ path }) => path)).size === named.size;
  if (isWhole) sheet.passed("file-set", `${named.size} files`, "exactly the files that the manifest names");
  else sheet.notChecked("file-set", `only ${files.length} of ${named.size} files were looked at`);
  sheet.passed("file-digests", `${files.length} of ${named.size} files`, "their digests in the manifest");
  return isWhole;
}

function matchFile(named: ManifestFile, found: FileDigest): void {
  if (found.size !== named.size) {
    const problem = "the file has another size";
    throw forged("file-set", problem, named.path, `${found.size} bytes`, `${named.size} bytes`);
  }
  const pairs: readonly (readonly [string, Bytes | undefined, Bytes | undefined])[] = [
    ["fsverity_sha256_4096", found.fsverity, named.fsverity],
    ["sha256", found.sha256, named.sha256],
  ];
  for (const [algorithm, got, wanted] of pairs) {
    if (wanted && !(got && isEqual(got, wanted))) throw differs(algorithm, named.path, got, wanted);
  }
}

function differs(algorithm: string, path: string, got: Bytes | undefined, wanted: Bytes): CheckError {
  return forged("file-digests", `${algorithm} differs`, path, got ? hexOf(got) : "not computed", hexOf(wanted));
}
