// The parts of HardwareProofs and its verifier that proving needs. A test compares them with the ABI in verifier/abi.

import { hexOf, joinHex, nameDigest, wordOf, type Hex } from "../../../contracts/npm/src/bytes.js";
import type { EvidenceCall } from "../check/evidence_calls.js";

type Type = "bytes" | "bytes32" | "uint256";

/** The struct Evidence: each member with its type, in Solidity's order. */
export const EVIDENCE: readonly (readonly [member: keyof EvidenceCall, type: Type])[] = [
  ["report", "bytes"],
  ["vek", "bytes"],
  ["vekKey", "bytes"],
  ["vekFacts", "uint256"],
  ["vekChip", "bytes32"],
  ["key", "bytes"],
  ["signature", "bytes"],
  ["payload", "bytes"],
  ["internalAt", "uint256"],
  ["subjectsAt", "uint256"],
  ["intermediate", "bytes32"],
];
type Value = Uint8Array | Hex | number | bigint;

const PROVE = `prove((${EVIDENCE.map(([, type]) => type).join()}),bytes)`;
const ADD_INTERMEDIATE = "addIntermediate(bytes)";
const SUBMIT_CRL = "submitCrl(bytes)";
const MULTICALL = "multicall(bytes[])";
/** What a call that makes several reverts with if one of them has no gas left: one alone then reverts without data. */
export const OUT_OF_GAS = "FailedCall()";
export const IS_ENDORSED = "isEndorsed(bytes32,uint256,bytes32,bytes32)";
export const NUMBER_OF = "numberOf(bytes32)";
export const LISTS_CURRENT_UNTIL = "listsCurrentUntil(uint256)";

/** Errors with which a proof may be refused, and what each means. `docs/proofs.md` explains the rest. */
export const ERRORS: readonly (readonly [signature: string, meaning: string])[] = [
  ["IntermediateDiffers(bytes32)", "the later key of AMD is of another product line or kind than the chip’s certificate says"],
  ["IntermediateIsRevoked(uint256,uint256)", "AMD revoked the key above this certificate (the numbers are its product line and serial number)"],
  ["IntermediateUnknown(bytes32)", "nobody has added the later key of AMD above this certificate"],
  ["KeyAlgorithmUnknown(uint256,uint256)", "the chain does not know the algorithm of the VM’s key"],
  ["KeyNotBound()", "the report does not bind the VM’s key in a way that the chain knows"],
  ["KeyNotEndorsed(bytes32)", "the chain has not seen this certificate before"],
  ["ManifestMalformed(uint256)", "the chain cannot read the manifest at this byte"],
  ["ManifestNotSigned()", "the VM’s key did not sign this manifest"],
  ["NoCurrentList(uint256)", "the chain has no current revocation list of this product line"],
  ["NotInTime(uint256,uint256,uint256)", "the certificate does not hold at the time in question (the numbers are it, the beginning and the end, in seconds since 1970)"],
  ["RecordDiffers(uint8)", "the oracles’ record says something else than the evidence; prove the release without it"],
  ["RecordUnknown(bytes32)", "the registry has no such record; prove the release without it"],
  ["TooManyIntermediates()", "the chain has no room for another intermediate of AMD"],
  ["CertificateMalformed(uint256)", "the chip’s certificate is malformed at this byte"],
  ["CertificateNotSigned()", "no key of AMD that the contract has signed the chip’s certificate"],
  ["CrlNotSigned()", "no root of AMD that the contract has signed the revocation list"],
  ["DerMalformed(uint256)", "a certificate or the revocation list is malformed at this byte"],
  ["IntermediateNotSigned()", "no root of AMD that the contract has signed the later key"],
  ["ReportMalformed(uint256)", "the report is malformed at this byte"],
  ["ReportNotSigned()", "the chip’s key did not sign the report"],
  ["UnknownAuthority(bytes32)", "the contract has no key of AMD with the issuer’s name"],
  ["VekMismatch(uint8)", "certificate and report are not of one chip"],
];

export function selectorOf(signature: string): Hex {
  return nameDigest(signature).slice(0, 10) as Hex;
}

/** The data of the call that proves a release. `record` is empty to confirm none. */
export function encodeProve(call: EvidenceCall, record: Hex): Hex {
  const evidence = encodeStruct(EVIDENCE.map(([member, type]) => [type, call[member]]));
  const recordAt = 64 + (evidence.length - 2) / 2;
  return joinHex([selectorOf(PROVE), wordOf(64n), wordOf(BigInt(recordAt)), evidence, encodeBytes(record)]);
}

/** The data of the call that adds an intermediate by its certificate (DER). */
export function encodeAddIntermediate(certificate: Uint8Array): Hex {
  return joinHex([selectorOf(ADD_INTERMEDIATE), wordOf(32n), encodeBytes(hexOf(certificate))]);
}

/** The data of the call that submits a revocation list (DER). */
export function encodeSubmitCrl(crl: Uint8Array): Hex {
  return joinHex([selectorOf(SUBMIT_CRL), wordOf(32n), encodeBytes(hexOf(crl))]);
}

/** The data of one call that makes several in their order, or of the last as it is if it is the only one. */
export function encodeInOrder(before: readonly Hex[], last: Hex): Hex {
  if (before.length === 0) return last;
  const calls = [...before, last];
  const list = encodeStruct(calls.map((data) => ["bytes", data]));
  return joinHex([selectorOf(MULTICALL), wordOf(32n), wordOf(BigInt(calls.length)), list]);
}

/** Values of one word stand in their place, and bytes after all members: an offset stands for them. */
function encodeStruct(members: readonly (readonly [Type, Value])[]): Hex {
  const heads: Hex[] = [];
  const tails: Hex[] = [];
  let end = 32 * members.length;
  for (const [type, value] of members) {
    if (type !== "bytes") {
      heads.push(value instanceof Uint8Array ? hexOf(value, 32) : wordOf(BigInt(value)));
      continue;
    }
    const tail = encodeBytes(hexOf(value as Uint8Array | Hex));
    heads.push(wordOf(BigInt(end)));
    tails.push(tail);
    end += (tail.length - 2) / 2;
  }
  return joinHex([...heads, ...tails]);
}

function encodeBytes(data: Hex): Hex {
  const digits = data.slice(2);
  return `0x${wordOf(BigInt(digits.length / 2)).slice(2)}${digits.padEnd(64 * Math.ceil(digits.length / 64), "0")}`;
}

/** A contract's refusal by its name and numbers, and in words; the bytes themselves where no error has them. */
export function refusalWords(data: Uint8Array): { readonly name: string; readonly meaning: string } {
  const hex = hexOf(data);
  const [signature, meaning] = ERRORS.find(([one]) => hex.startsWith(selectorOf(one))) ?? [];
  if (!signature || !meaning) return { name: hex.slice(0, 74), meaning: "an error that this page does not know" };
  const types = signature.slice(signature.indexOf("(") + 1, -1).split(",").filter(Boolean);
  const words = types.map((type, i) => {
    const word = hexOf(data.subarray(4 + 32 * i, 36 + 32 * i));
    return type === "bytes32" || word.length !== 66 ? word : BigInt(word).toString();
  });
  return { name: `${signature.slice(0, signature.indexOf("("))}(${words.join(", ")})`, meaning };
}
