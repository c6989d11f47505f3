// Proofs of releases by AMD's signature. The same format is in contracts/proofs/ProofWords.sol.

import { unpackBits, type Layout } from "./bytes.js";

const PROOF = [
  ["provenAt", 40],
  ["guestPolicy", 26],
  ["platformInfo", 8],
  ["vmpl", 2],
  ["fromHost", 1],
  ["namesNoChip", 1],
  ["isVlek", 1],
  ["productLine", 8],
  ["reportVersion", 8],
  ["lowestTcb", 64],
  ["cpuid", 24],
  ["certificateLine", 8],
  ["intermediate", 16],
  ["", 48],
  ["revoked", 1],
] as const satisfies Layout;

type Value<Bits> = Bits extends 1 ? boolean : Bits extends 64 ? bigint : number;

/** What a proof says. */
export type ReleaseProof = {
  readonly [Part in (typeof PROOF)[number] as Exclude<Part[0], "">]: Value<Part[1]>;
};

/** What HardwareGate refuses: debugger, migration agent, VMPL 1 to 3, the host's report, simulated hardware. @internal */
export const FORBIDDEN = (3n << 58n) | (7n << 74n) | (1n << 86n);

/** The word of `proofOf`. */
export function unpackProof(word: bigint): ReleaseProof {
  const { "": _, ...proof } = unpackBits(PROOF, word);
  return proof as ReleaseProof;
}
