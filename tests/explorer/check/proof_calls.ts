// Encodes the call that proves a release, and unpacks words of proofs, for `exposed.ts`.

import { type Bytes, parseBase64 } from "../../../explorer/src/check/bytes.js";
import { CheckError } from "../../../explorer/src/check/checks.js";
import { evidenceOf, withEndorsedKey } from "../../../explorer/src/check/evidence_calls.js";
import { releaseOf } from "../../../explorer/src/check/release.js";
import { proofFacts } from "../../../explorer/src/data/proofs.js";
import { encodeProve } from "../../../explorer/src/prove/interface.js";

/** Files in base64, and the record in hex. */
interface Release {
  readonly files: { readonly [path: string]: string };
  readonly record: `0x${string}`;
}

/** The data of both calls: with the certificate, and for a chain that knows it. Or what keeps the release from the chain. */
async function encoded({ files, record }: Release): Promise<unknown> {
  const parsed = Object.entries(files).map(([path, text]) => [path, parseBase64(text) as Bytes] as const);
  try {
    const call = await evidenceOf(releaseOf(new Map(parsed)));
    return { calls: [call, withEndorsedKey(call)].map((one) => encodeProve(one, record)) };
  } catch (error) {
    if (!(error instanceof CheckError)) throw error;
    const { kind, problem, where, got, wanted } = error;
    return { refusal: { kind, problem, where, got, wanted } };
  }
}

export function encodedEach(releases: readonly Release[]): Promise<unknown> {
  return Promise.all(releases.map(encoded));
}

/** What each word (decimal) says; null if the contract cannot hold it. */
export async function unpackEach(words: readonly string[]): Promise<unknown> {
  return words.map((word) => {
    try {
      return proofFacts(BigInt(word));
    } catch {
      return null;
    }
  });
}
