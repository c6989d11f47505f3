// The signer of a bundle, known after its signature was verified, and the comparison with an expected identity.
// The rules are those of verifier/identity/signer.py and of verify_model_signature in key_method.py.

import type { SignatureBundle, SigningMethod } from "./bundle.js";
import { type CheckError, forged, refused } from "./checks.js";
import { PAYLOAD_TYPE, preAuthentication } from "./dsse.js";
import { isSignedBy, type PublicKey } from "./key.js";

/** The signer of a bundle. `lines` are the identities that fit, the narrowest first. */
export interface ModelSigner {
  readonly method: SigningMethod;
  readonly lines: readonly string[];
}

/** A signature of a kind that this page cannot judge. It says nothing about the release. */
export class BeyondThisPage extends Error {
  static override readonly name = "BeyondThisPage";
  override readonly name = "BeyondThisPage";
}

export async function verifyModelSignature(bundle: SignatureBundle, key: PublicKey): Promise<void> {
  const { payload, signature } = bundle.envelope;
  if (await isSignedBy(key, signature, preAuthentication(PAYLOAD_TYPE, payload))) return;
  const got = `${signature.length} bytes that this key did not make over this payload`;
  throw forgedAt(bundle.where, "the signature does not verify", got, `${key.algorithm} by the signer's key`);
}

/** The expected identity, or the narrowest that fits if none is expected. */
export function matchSigner(signer: ModelSigner, expected: string | undefined, where: string): string {
  const found = expected ?? signer.lines[0];
  if (found !== undefined && signer.lines.includes(found)) return found;
  throw refused(
    "publisher-identity",
    "the signature is genuine, and its signer is not the one expected",
    where,
    signer.lines.join(" or ") || "a signer without a name",
    expected ?? "a signer with a name",
  );
}

/** The error for a bundle or a certificate that is not genuine. */
export function forgedAt(where: string, problem: string, got: string, wanted: string): CheckError {
  return forged("publisher-signature", problem, where, got, wanted);
}
