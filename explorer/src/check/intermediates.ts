// The intermediates of AMD that a release leads over: pinned in the contracts, or to be added by their certificate.
// It equals verifier/proofs/intermediates.py. Nothing here is a judgement.

import { type Bytes, hexOf } from "./bytes.js";
import type { Crl } from "./crl.js";
import { parseEndorsements } from "./endorsements.js";
import { digestOf } from "./key.js";
import { keccakOf } from "./record.js";
import type { Release } from "./release.js";
import { lineCodeOf } from "./roots.js";

/** What the contracts call the intermediates whose keys they have. */
export const PINNED: Bytes = new Uint8Array(32);
// SHA-256 of the certificates whose keys are in the code of AmdKeys.sol: ASK and ASVK of Milan, Genoa and Turin. Then of
// those in SimulatorKeys.sol.
const PINNED_CERTIFICATES: ReadonlySet<string> = new Set([
  "67d303bd3905fd38db8b20e0793699870e7fa612eaad5dec358293fd8c0bac1b",
  "c5e081f59b7efab1fe2f8b505e159704e72f29cab7ef7cf628a05a42439082f5",
  "5464738c1546aed5f2cecf1dc98c5c960a92e8913238a61711bc90ec6e828521",
  "197e610743a917d6b9bb982a5a9226ccc0a15b611be0619e626aca9151457372",
  "5b77ef5fe7a7a004fd9032668fba9d0fda22f88c4442069a479636a6ae3b3185",
  "104e10a8bd060a3c20a434261a57d0588fd65a88915b4f65b08bdecaf8df1a3c",
  "89d2b724949e25b3be4d80833e49d3552f53989aead7ff9cea478db0bd8d796e",
  "adf5c99499544532c3121d0cafdb9c21444f58e5fddd50ac5b2b70e17ca91ae6",
  "d2ce5b774aa54575f583e79c55e9df1d04d672144e94f287250148c5bb998d8f",
  "7da0a28b79fde126a6f93a5f9b9809c9d148bc20166c34d74b85105e53cbd79b",
  "206dc8424fb6414cd188b12a998c74d507f85c6497f3ddbd73664206d38ed440",
  "8dd448649fb89094f1a3fc776d681c66f953583c4945a7bb75815482fe777132",
]);

/** An intermediate that the contracts know only once somebody added it. */
export interface AddedIntermediate {
  /** In DER. */
  readonly certificate: Bytes;
  /** What the contracts call it: keccak256 of the certificate. */
  readonly digest: Bytes;
  /** Its common name and serial number, for people. Nobody has checked them. */
  readonly name: string;
  /** The product line's code. */
  readonly line: number;
  /** The revocation list of the evidence, which the contracts need before; undefined without one. */
  readonly crl: Crl | undefined;
}

/** The intermediate of a release; undefined if its key is one of those in the contracts. Throws a malformed CheckError. */
export async function addedIntermediate({ vek, chain, crl }: Release): Promise<AddedIntermediate | undefined> {
  const found = parseEndorsements(vek, chain, crl);
  const { der, commonName, serial } = found.intermediate;
  if (PINNED_CERTIFICATES.has(hexOf(await digestOf("SHA-256", der)))) return undefined;
  const line = lineCodeOf(found.vek.productName);
  return { certificate: der, digest: keccakOf(der), name: `${commonName} ${serial}`, line, crl: found.crl };
}
