// Encodes the call that proves a release, and unpacks words of proofs, for `exposed.ts`.

import { base64Of, type Bytes, hexOf, parseBase64 } from "../../../explorer/src/check/bytes.js";
import { CheckError } from "../../../explorer/src/check/checks.js";
import { evidenceOf, withEndorsedKey } from "../../../explorer/src/check/evidence_calls.js";
import { addedIntermediate } from "../../../explorer/src/check/intermediates.js";
import { releaseOf } from "../../../explorer/src/check/release.js";
import { proofFacts } from "../../../explorer/src/data/proofs.js";
import { encodeAddIntermediate, encodeInOrder, encodeProve, encodeSubmitCrl } from "../../../explorer/src/prove/interface.js";

/** Files in base64, and the record in hex. */
interface Release {
  readonly files: { readonly [path: string]: string };
  readonly record: `0x${string}`;
}

/**
 * The data of both calls: with the certificate, and for a chain that knows it. Then the intermediate that the contracts do
 * not have, with the calls that add it before the first of both: without a list, and with the release's own. Or what keeps
 * the release from the chain.
 */
async function encoded({ files, record }: Release): Promise<unknown> {
  const parsed = Object.entries(files).map(([path, text]) => [path, parseBase64(text) as Bytes] as const);
  try {
    const release = releaseOf(new Map(parsed));
    const call = await evidenceOf(release);
    const calls = [call, withEndorsedKey(call)].map((one) => encodeProve(one, record));
    return { calls, added: await added(release, calls[0]!) };
  } catch (error) {
    if (!(error instanceof CheckError)) throw error;
    const { kind, problem, where, got, wanted } = error;
    return { refusal: { kind, problem, where, got, wanted } };
  }
}

async function added(release: ReturnType<typeof releaseOf>, prove: `0x${string}`): Promise<unknown> {
  const found = await addedIntermediate(release);
  if (!found) return null;
  const { certificate, digest, name, line, crl } = found;
  const adding = encodeAddIntermediate(certificate);
  const orders = [[adding], ...(crl ? [[encodeSubmitCrl(crl.der), adding]] : [])];
  const together = orders.map((before) => encodeInOrder(before, prove));
  return { certificate: base64Of(certificate), digest: hexOf(digest), name, line, listEnds: crl?.nextUpdate ?? null, together };
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
