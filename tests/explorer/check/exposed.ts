// What the tests call in a browser or in Node.js: `exposed.NAME(argument)` gives a promise of a JSON value.

import { base64Of, type Bytes, hexOf, parseBase64, parseHex } from "../../../explorer/src/check/bytes.js";
import { isAcceptable } from "../../../explorer/src/check/characters.js";
import { CheckError, type Finding } from "../../../explorer/src/check/checks.js";
import { modelDigest } from "../../../explorer/src/check/fsverity.js";
import { hashFile, hashFiles } from "../../../explorer/src/check/hash_file.js";
import { algorithmOf, isSignedBy, isSignedPss } from "../../../explorer/src/check/key.js";
import { folded } from "../../../explorer/src/check/names.js";
import type { RecordFacts } from "../../../explorer/src/check/match_record.js";
import { recheck } from "../../../explorer/src/check/recheck.js";
import { encodedEach, unpackEach } from "./proof_calls.js";
import { parseEach } from "./parse_each.js";
import { judge, type Judged, judgeKept, judgeSigned, type KeptQuestion, type SignedQuestion } from "./publisher_judge.js";

/** Files are in base64. */
interface Case {
  readonly files: { readonly [path: string]: string };
  readonly at: number;
  readonly record?: RecordFacts;
  /** Files of the model that the reader dropped on the page. */
  readonly model?: { readonly [path: string]: string };
}

const SMALL = 8_000_000;

interface Vector {
  readonly spki: string;
  readonly message: string;
  readonly signature: string;
}

const bytes = (hex: string): Bytes => parseHex(hex) as Bytes;

async function judged({ files, at, record, model = {} }: Case): Promise<unknown> {
  const seen: string[] = [];
  const onFinding = ({ check, outcome }: Finding): void => void seen.push(`${check} ${outcome}`);
  const dropped = [...parsed(model)].map(([path, data]) => ({ path, file: new Blob([data]) }));
  const hashed = (_manifest: unknown, sha256Paths: ReadonlySet<string>) =>
    hashFiles(dropped.map((one) => ({ ...one, withSha256: sha256Paths.has(one.path) })), () => undefined);
  try {
    const options = { at, onFinding, hashFiles: hashed, ...(record && { record }) };
    const { findings, isSimulated, modelDigest: digest } = await recheck(parsed(files), options);
    const outcomes = outcomesOf(findings);
    return { kind: "accepted", check: null, outcomes, seen, isSimulated, model: digest ? hexOf(digest) : null };
  } catch (error) {
    if (!(error instanceof CheckError)) return { kind: String(error), check: null, outcomes: {} };
    return { kind: error.kind, check: error.check, outcomes: outcomesOf(error.findings), seen, why: error.message };
  }
}

function parsed(files: { readonly [path: string]: string }): ReadonlyMap<string, Bytes> {
  return new Map(Object.entries(files).map(([path, text]) => [path, parseBase64(text) as Bytes]));
}

function outcomesOf(findings: readonly { check: string; outcome: string }[]): { [check: string]: string } {
  return Object.fromEntries(findings.map(({ check, outcome }) => [check, outcome]));
}

/** Byte n is n modulo 251. */
function patterned(size: number): Bytes {
  const data = new Uint8Array(size);
  for (let at = 0; at < Math.min(size, 251); at++) data[at] = at;
  for (let done = 251; done < size; done *= 2) data.copyWithin(done, 0, done);
  return data;
}

const exposed = {
  recheck: (cases: readonly Case[]): Promise<unknown> => Promise.all(cases.map(judged)),

  judge: (cases: readonly Judged[]): Promise<unknown> => Promise.all(cases.map(judge)),

  signed: (questions: readonly SignedQuestion[]): Promise<unknown> => Promise.all(questions.map(judgeSigned)),

  kept: (questions: readonly KeptQuestion[]): Promise<unknown> => Promise.all(questions.map(judgeKept)),

  parse: parseEach,

  encode: encodedEach,

  unpack: unpackEach,

  /** Whether each signature verifies, by the key's kind alone. */
  signatures: (vectors: readonly Vector[]): Promise<unknown> =>
    Promise.all(
      vectors.map(({ spki, message, signature }) => {
        const algorithm = algorithmOf(bytes(spki));
        if (!algorithm) return isSignedPss(bytes(spki), bytes(signature), bytes(message), "SHA-384", 48);
        return isSignedBy({ spki: bytes(spki), algorithm }, bytes(signature), bytes(message));
      }),
    ),

  algorithms: async (spkis: readonly string[]): Promise<unknown> => spkis.map((spki) => algorithmOf(bytes(spki)) ?? null),

  /** The digests of files of these sizes, and how many bytes were told of; of large files no SHA-256. */
  async digests(sizes: readonly number[]): Promise<unknown> {
    const digests = [];
    for (const size of sizes) {
      let read = 0;
      const file = { path: "file", file: new Blob([patterned(size)]), withSha256: size < SMALL };
      const { fsverity, sha256 } = await hashFile(file, (count) => {
        read += count;
      });
      digests.push([hexOf(fsverity), sha256 ? hexOf(sha256) : null, read]);
    }
    return digests;
  },

  /** The digest of a file in a worker, how many bytes it told of, and what it says of a file that it cannot read. */
  async inWorker(size: number): Promise<unknown> {
    const worker = new Worker("worker.js");
    let read = 0;
    const onBytes = (count: number): void => {
      read += count;
    };
    const good = { path: "file", file: new Blob([patterned(size)]), withSha256: true };
    const [digest, again] = await hashFiles([good, good], onBytes, worker);
    const unreadable = { path: "file", file: { size: 1 } as Blob, withSha256: false };
    const why = await hashFiles([unreadable], onBytes, worker).then(String, String);
    return [hexOf(digest!.fsverity), hexOf(again!.sha256!), read, why];
  },

  /** What becomes of a release in a page without WebCrypto. */
  async insecure(one: Case): Promise<unknown> {
    Object.defineProperty(globalThis.crypto, "subtle", { value: undefined });
    return judged(one);
  },

  /** What becomes of a release in a browser that has no such algorithm. */
  async outdated(one: Case): Promise<unknown> {
    SubtleCrypto.prototype.importKey = () => Promise.reject(new DOMException("no such algorithm", "NotSupportedError"));
    return judged(one);
  },

  async model(files: readonly { path: string; size: number; fsverity: string }[]): Promise<unknown> {
    const found = files.map(({ path, size, fsverity }) => ({ path, size: BigInt(size), fsverity: bytes(fsverity) }));
    return hexOf(await modelDigest(found));
  },

  /** For each code point, whether a name may have it; surrogates are passed over. */
  async acceptable(): Promise<unknown> {
    const table = Uint8Array.from({ length: 0x110000 }, (_, code) => {
      const isSurrogate = code >= 0xd800 && code < 0xe000;
      return !isSurrogate && isAcceptable(String.fromCodePoint(code)) ? 1 : 0;
    });
    return base64Of(table);
  },

  folded: async (names: readonly string[]): Promise<unknown> => names.map(folded),
};

Object.assign(globalThis, { exposed });
