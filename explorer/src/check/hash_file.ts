// Hashes files of a model: in a worker where there is one, else on the page's own thread (from file:// there is none).

import type { Bytes } from "./bytes.js";
import { fsVerity, type FileDigest, type Source, sourceOf } from "./fsverity.js";
import { Sha256 } from "./sha256.js";

/** A file to hash. `withSha256`: the SHA-256 of the whole file too, because the manifest states one. */
export interface FileToHash {
  readonly path: string;
  readonly file: Blob;
  readonly withSha256: boolean;
}

/** From the page to the worker. The worker hashes one file at a time, in the order of its messages. */
export interface HashRequest extends FileToHash {
  readonly id: number;
}

/** From the worker to the page: bytes read since the last message, then the digest or why there is none. */
export type HashAnswer =
  | { readonly id: number; readonly kind: "bytes"; readonly count: number }
  | { readonly id: number; readonly kind: "digest"; readonly digest: FileDigest }
  | { readonly id: number; readonly kind: "failed"; readonly why: string };

export type OnBytes = (count: number) => void;

/** Reads every byte of a file once. */
export async function hashFile({ path, file, withSha256 }: FileToHash, onBytes: OnBytes): Promise<FileDigest> {
  const whole = withSha256 ? new Sha256() : undefined;
  const source = sourceOf(file);
  const fsverity = await fsVerity(whole ? tapped(source, whole) : source, onBytes);
  return { path, size: BigInt(file.size), fsverity, sha256: whole?.digest() };
}

/** The same source, whose bytes also go to `whole`. `fsVerity` asks for the pieces in their order, each once. */
function tapped(source: Source, whole: Sha256): Source {
  let before: Promise<unknown> = Promise.resolve();
  const read = (begin: number, end: number): Promise<Bytes> => {
    const piece = before.then(() => source.read(begin, end));
    before = piece.then((bytes) => whole.update(bytes), () => undefined); // whoever awaits the piece gets its failure
    return piece;
  };
  return { size: source.size, read };
}

/** Hashes files one after the other, in `worker` if one is given. */
export async function hashFiles(
  files: readonly FileToHash[],
  onBytes: OnBytes,
  worker?: Worker,
): Promise<readonly FileDigest[]> {
  const digests: FileDigest[] = [];
  for (const [id, file] of files.entries()) {
    digests.push(await (worker ? hashInWorker(worker, { id, ...file }, onBytes) : hashFile(file, onBytes)));
  }
  return digests;
}

function hashInWorker(worker: Worker, request: HashRequest, onBytes: OnBytes): Promise<FileDigest> {
  return new Promise((resolve, reject) => {
    worker.onerror = () => reject(new Error("the worker that hashes files failed"));
    worker.onmessage = ({ data }: MessageEvent<HashAnswer>) => {
      if (data.id !== request.id) return;
      if (data.kind === "bytes") onBytes(data.count);
      else if (data.kind === "digest") resolve(data.digest);
      else reject(new Error(data.why));
    };
    worker.postMessage(request);
  });
}
