// The conventions by which a report's REPORT_DATA names the VM's public key: a hash of the key's DER
// SubjectPublicKeyInfo, followed by zero bytes up to 64. It equals verifier/judgement/binding.py.

import { type Bytes, hexOf, isEqual, isZero } from "./bytes.js";
import { forged } from "./checks.js";
import { digestOf, type HashName, type PublicKey } from "./key.js";

const REPORT_DATA_BYTES = 64;
const BINDINGS: readonly (readonly [name: string, hash: HashName])[] = [
  ["sha256-spki", "SHA-256"],
  ["sha384-spki", "SHA-384"],
  ["sha512-spki", "SHA-512"],
];

/** The name of the convention by which `reportData` names `key`. Throws a forged CheckError (check `key-binding`). */
export async function verifyKeyBinding(reportData: Bytes, key: PublicKey): Promise<string> {
  const expected: string[] = [];
  for (const [name, hash] of BINDINGS) {
    const wanted = new Uint8Array(REPORT_DATA_BYTES);
    wanted.set(await digestOf(hash, key.spki));
    if (isEqual(reportData, wanted)) return name;
    expected.push(`${hexOf(wanted)} (${name})`);
  }
  const got = isZero(reportData) ? "64 zero bytes" : hexOf(reportData);
  throw forged("key-binding", "the report does not name this key", "report_data", got, expected.join(" or "));
}
