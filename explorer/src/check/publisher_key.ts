// The method `key`: ECDSA on P-256, P-384 or P-521 by a key that lies beside the signature.
// The rules are those of verifier/identity/key_method.py.

import type { SignatureBundle } from "./bundle.js";
import { asciiOf, type Bytes, hexOf, parseBase64, utf8Of } from "./bytes.js";
import { type CheckError, malformed } from "./checks.js";
import { algorithmOf, digestOf, pemOf, type PublicKey } from "./key.js";
import { forgedAt, type ModelSigner, verifyModelSignature } from "./signer.js";

const KEY_BYTES_MAX = 16 << 10;
const BEGIN = "-----BEGIN ";
const END = "-----END PUBLIC KEY-----";
const SPACE_AROUND = /^[ \t-\r]+|[ \t-\r]+$/g;
const WANTED = "one PEM block PUBLIC KEY: ECDSA on P-256, P-384 or P-521";

/** A publisher's key. `pem` is its canonical text. */
export interface PublisherKey {
  readonly key: PublicKey;
  readonly pem: string;
  /** `key` and SHA-256 of the DER SubjectPublicKeyInfo. */
  readonly line: string;
}

/** One canonical block in at most 16 KiB. Text before and after it is passed over (RFC 7468, section 2). */
export async function parsePublisherKey(data: Bytes, where: string): Promise<PublisherKey> {
  if (data.length > KEY_BYTES_MAX) throw notAKey(where, `${data.length} bytes`, `at most ${KEY_BYTES_MAX} bytes`);
  const text = asciiOf(data);
  const isOne = text.split(BEGIN).length === 2;
  const block = text.slice(text.indexOf(BEGIN), text.lastIndexOf(END) + END.length).replaceAll("\r\n", "\n");
  const spki = isOne ? parseBase64(block.split("\n").slice(1, -1).join("")) : undefined;
  if (!spki?.length) throw notAKey(where, "no such block, or a malformed one", WANTED);
  const pem = pemOf(spki, "PUBLIC KEY");
  if (`${block}\n` !== pem) throw notAKey(where, "another encoding of a key", "the canonical PUBLIC KEY block");
  const algorithm = algorithmOf(spki);
  if (!algorithm || algorithm === "Ed25519") throw notAKey(where, "another kind of key", WANTED);
  return { key: { spki, algorithm }, pem, line: `key ${hexOf(await digestOf("SHA-256", spki))}` };
}

/** Verifies that the key signed the payload of a bundle. */
export async function verifyByKey(bundle: SignatureBundle, publisher: PublisherKey): Promise<ModelSigner> {
  const hint = hexOf(await digestOf("SHA-256", utf8Of(publisher.pem)));
  if (bundle.keyHint && bundle.keyHint !== hint) {
    throw forgedAt(bundle.where, "the bundle names another key", bundle.keyHint, `${hint}, the hint of the key given`);
  }
  if (bundle.rawKey.length && asciiOf(bundle.rawKey).replace(SPACE_AROUND, "") !== publisher.pem.trim()) {
    throw forgedAt(bundle.where, "the bundle holds another key", "another key", publisher.line);
  }
  await verifyModelSignature(bundle, publisher.key);
  return { method: bundle.method, lines: [publisher.line] };
}

function notAKey(where: string, got: string, wanted: string): CheckError {
  return malformed("publisher-signature", "not an acceptable publisher's key", where, got, wanted);
}
