// DSSE envelopes: a signature over the payload bytes as received. Narrower than the format: exactly one signature, one
// payload type, canonical base64, no unknown keys. Format: secure-systems-lab/dsse, protocol.md and envelope.md (v1.0).

import { type Bytes, concat, utf8Of } from "./bytes.js";
import { forged } from "./checks.js";
import { Fields } from "./fields.js";
import { parseJson } from "./json.js";
import { isSignedBy, type PublicKey } from "./key.js";

export const PAYLOAD_TYPE = "application/vnd.in-toto+json";
export const MANIFEST_PATH = "provenance/manifest.dsse.json";
export const ENVELOPE_BYTES_MAX = 64 * 1024 * 1024;
const SIGNATURE_BYTES_MAX = 256;
const TOKENS_MAX = 64; // a good envelope has 18

/** A parsed envelope. Nothing in it is trusted; `keyid` is a hint that nothing uses. */
export interface Envelope {
  readonly payload: Bytes;
  readonly signature: Bytes;
  readonly keyid: string;
}

/** The bytes that the signature covers (DSSE v1.0, pre-authentication encoding). */
export function preAuthentication(payloadType: string, payload: Bytes): Bytes {
  const kind = utf8Of(payloadType);
  return concat(utf8Of(`DSSEv1 ${kind.length} ${payloadType} ${payload.length} `), payload);
}

/** Parses an envelope of at most 64 MiB. Throws a malformed CheckError (check `manifest-format`). */
export function parseEnvelope(data: Bytes, where = MANIFEST_PATH): Envelope {
  const check = "manifest-format";
  const value = parseJson(data, { where, check, maxBytes: ENVELOPE_BYTES_MAX, maxTokens: TOKENS_MAX });
  const fields = new Fields(value, where, check);
  fields.constant("payloadType", PAYLOAD_TYPE);
  const payload = fields.base64Bytes("payload", ENVELOPE_BYTES_MAX);
  const [signed] = fields.fieldsList("signatures", 1, 1) as [Fields];
  const signature = signed.base64Bytes("sig", SIGNATURE_BYTES_MAX);
  const keyid = signed.optionalText("keyid", 256) ?? "";
  signed.finish();
  fields.finish();
  return { payload, signature, keyid };
}

/** Returns the payload after verifying that `key` signed it. Throws a forged CheckError (check `manifest-signature`). */
export async function verifyEnvelope(envelope: Envelope, key: PublicKey, where = MANIFEST_PATH): Promise<Bytes> {
  const { payload, signature } = envelope;
  if (await isSignedBy(key, signature, preAuthentication(PAYLOAD_TYPE, payload))) return payload;
  throw forged(
    "manifest-signature",
    "the signature does not verify",
    where,
    `${signature.length} bytes that this key did not make over these bytes`,
    `${key.algorithm} by the key in provenance/cvm-key.pem`,
  );
}
