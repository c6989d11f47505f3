// The files of a release's provenance folder, from the oracle that kept them or from a folder of the reader's.

import type { Bytes } from "../check/bytes.js";
import type { KeptDocuments } from "../check/match_record.js";
import type { EvidenceFiles } from "../check/release.js";
import { MANIFEST_PATH } from "./documents.js";
import { NoAnswer, NotFound } from "./fetch.js";
import type { ChosenFiles } from "./folder.js";
import type { Source } from "./source.js";
import type { Entry } from "./types.js";

const FOLDER = "provenance/";
const FILE_BYTES_MAX = 64 << 20;
const KEPT_MAX = 64;

/** The evidence that the oracle kept. Throws NotFound if it keeps none. */
export async function fetchEvidence(source: Source, { manifest_digest: manifest }: Entry): Promise<EvidenceFiles> {
  const listed = (await source.evidenceFiles(manifest)).filter(({ path }) => path.startsWith(FOLDER));
  if (listed.length > KEPT_MAX) throw new NoAnswer(`more than ${KEPT_MAX} files of evidence`);
  const pairs = listed.map(async ({ path }): Promise<[string, Bytes]> => [path, await source.evidenceFile(manifest, path)]);
  return new Map(await Promise.all(pairs));
}

/** What the oracle keeps of a record, as far as it can be had: without it, only less is compared. */
export async function fetchKept(source: Source, { verdict_digest: digest, batch }: Entry): Promise<KeptDocuments> {
  const [verdict, proof] = await Promise.all([ifAny(() => source.verdict(digest)), ifAny(() => batch && source.proof(batch))]);
  return { ...(verdict && { verdict }), ...(proof && { proof }) };
}

async function ifAny<T>(ask: () => Promise<T> | null): Promise<T | null> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof NotFound || error instanceof NoAnswer) return null;
    throw error;
  }
}

/** Undefined if the folder has none, so that the oracle's is used. */
export async function evidenceIn(chosen: ChosenFiles): Promise<EvidenceFiles | undefined> {
  const own = [...chosen].filter(([path]) => path.startsWith(FOLDER));
  if (!chosen.has(MANIFEST_PATH)) return undefined;
  return new Map(await Promise.all(own.map(async ([path, file]): Promise<[string, Bytes]> => [path, await bytesOf(file)])));
}

/** The bytes of a file of at most 64 MiB. */
export async function bytesOf(file: File): Promise<Bytes> {
  if (file.size > FILE_BYTES_MAX) throw new Error(`${file.name}: more than ${FILE_BYTES_MAX} bytes`);
  return new Uint8Array(await file.arrayBuffer());
}

/** The files of the model itself. */
export function modelFilesIn(chosen: ChosenFiles): ChosenFiles {
  return new Map([...chosen].filter(([path]) => !path.startsWith(FOLDER)));
}
