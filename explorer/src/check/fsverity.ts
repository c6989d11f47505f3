// The file digest `fsverity_sha256_4096` and the model digest `provenance-model-v1`, as verifier/digest/tree/fsverity.py
// defines them: the Linux kernel's fs-verity file digest, version 1, SHA-256, 4096-byte blocks, no salt.
//
// WebCrypto hashes one block a call. Its speed comes from many calls under way at once.

import { type Bytes, concat, compareTexts, hexOf, utf8Of } from "./bytes.js";
import { malformed } from "./checks.js";
import { digestOf } from "./key.js";

const BLOCK_BYTES = 4096;
const DIGEST_BYTES = 32;
const PIECE_BYTES = 4 * 1024 * 1024; // of the file, read ahead while the piece before is hashed
const AT_ONCE = 256;

/** The bytes of a file, read in pieces. A `File` of the browser is one: see `sourceOf`. */
export interface Source {
  readonly size: number;
  read(begin: number, end: number): Promise<Bytes>;
}

/** One file: its size in bytes and its digests, 32 bytes each. */
export interface FileDigest {
  readonly path: string;
  readonly size: bigint;
  readonly fsverity: Bytes;
  readonly sha256: Bytes | undefined;
}

export function sourceOf(blob: Blob): Source {
  const read = async (begin: number, end: number): Promise<Bytes> =>
    new Uint8Array(await blob.slice(begin, end).arrayBuffer());
  return { size: blob.size, read };
}

/** The fs-verity digest (32 bytes). Reads every byte once; `onBytes` gets the number of bytes of each piece. */
export async function fsVerity(source: Source, onBytes: (count: number) => void = () => undefined): Promise<Bytes> {
  let digests = new Uint8Array(DIGEST_BYTES * Math.ceil(source.size / BLOCK_BYTES));
  let ahead = pieceAt(source, 0);
  for (let begin = 0; begin < source.size; begin += PIECE_BYTES) {
    const piece = await ahead;
    ahead = pieceAt(source, begin + PIECE_BYTES);
    ahead.catch(() => undefined); // a failure is thrown by the await of the next turn, or the loop has ended before
    digests.set(await hashBlocks(piece), (begin / BLOCK_BYTES) * DIGEST_BYTES);
    onBytes(piece.length);
  }
  while (digests.length > DIGEST_BYTES) digests = await hashBlocks(digests);
  return descriptorDigest(source.size, digests.length ? digests : new Uint8Array(DIGEST_BYTES));
}

async function pieceAt(source: Source, begin: number): Promise<Bytes> {
  const end = Math.min(begin + PIECE_BYTES, source.size);
  if (begin >= end) return new Uint8Array();
  const piece = await source.read(begin, end);
  if (piece.length === end - begin) return piece;
  throw malformed("file-set", "the file changed while it was read", "file", `${piece.length} bytes`, `${end - begin}`);
}

/** The digests of 4096-byte blocks, 32 bytes each. The last block is padded with zeros. */
async function hashBlocks(data: Bytes): Promise<Bytes> {
  const digests = new Uint8Array(DIGEST_BYTES * Math.ceil(data.length / BLOCK_BYTES));
  for (let first = 0; first < data.length; first += AT_ONCE * BLOCK_BYTES) {
    const last = Math.min(first + AT_ONCE * BLOCK_BYTES, data.length);
    const underWay: Promise<Bytes>[] = [];
    for (let at = first; at < last; at += BLOCK_BYTES) underWay.push(digestOf("SHA-256", blockAt(data, at)));
    digests.set(concat(...(await Promise.all(underWay))), (first / BLOCK_BYTES) * DIGEST_BYTES);
  }
  return digests;
}

function blockAt(data: Bytes, at: number): Bytes {
  const block = data.subarray(at, at + BLOCK_BYTES);
  if (block.length === BLOCK_BYTES) return block;
  const padded = new Uint8Array(BLOCK_BYTES);
  padded.set(block);
  return padded;
}

/** SHA-256 of struct fsverity_descriptor: version 1, SHA-256, blocks of 2^12 bytes, no salt, size, root. */
async function descriptorDigest(size: number, root: Bytes): Promise<Bytes> {
  const descriptor = new Uint8Array(256);
  descriptor.set([1, 1, 12, 0]);
  new DataView(descriptor.buffer).setBigUint64(8, BigInt(size), true);
  descriptor.set(root, 16);
  return digestOf("SHA-256", descriptor);
}

/**
 * The digest `provenance-model-v1` (32 bytes): SHA-256 of the line `provenance-model-v1`, then a line
 * `<fs-verity hex> <size> <path>` for each file, sorted by the UTF-8 bytes of the path.
 */
export async function modelDigest(files: readonly Omit<FileDigest, "sha256">[]): Promise<Bytes> {
  const paths = new Set(files.map(({ path }) => path));
  if (paths.size !== files.length || files.some(({ path }) => path.includes("\n"))) {
    throw malformed("file-set", "a path has a newline or occurs twice", "model digest", "", "");
  }
  const ordered = [...files].sort((one, other) => compareTexts(one.path, other.path));
  const lines = ordered.map(({ fsverity, size, path }) => `${hexOf(fsverity)} ${size} ${path}\n`);
  return digestOf("SHA-256", utf8Of(["provenance-model-v1\n", ...lines].join("")));
}
