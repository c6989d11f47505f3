// A record's bytes: the layout that contracts/npm reads, and the rules of every registry (verifier/record/codec.py).

import { FormatError, keccak256 } from "../../../contracts/npm/src/bytes.js";
import { decodeRecord, type ModelRecord } from "../../../contracts/npm/src/record.js";
import { type Bytes, concat, hexOf, isZero, parseHex } from "./bytes.js";
import { CHECKS, type CheckError, malformed } from "./checks.js";

const GRADE_MAX = 2;
const [SIGNED_LINE, SIMULATED_LINE] = [254, 255];
const MOMENT_MAX = 253_402_300_799; // the last second of the year 9999
const FACTS_AT = 192;
const TCB_BYTES = 8;

/** A parsed record. `facts` are its 32 bytes of numbers, `id` is the name under which the registry keeps it. */
export interface ParsedRecord {
  readonly fields: ModelRecord;
  readonly facts: Bytes;
  readonly id: Bytes;
}

/** Parses the bytes of one record that a registry may hold. `where` names them in messages. */
export function parseRecord(data: Bytes, where: string): ParsedRecord {
  const fields = decode(data, where);
  const { passed, grade, productLine, policyId, judgedAt, revision, parents, namespace, release } = fields;
  const earnsGrade = passed && productLine !== SIGNED_LINE && productLine !== SIMULATED_LINE;
  if (policyId === 0 || grade > (earnsGrade ? GRADE_MAX : 0)) {
    throw malformedRecord(where, `grade ${grade}, policy ${policyId}`, "a policy, and a grade that was earned");
  }
  if (!passed && (revision || parents.length)) {
    throw malformedRecord(where, "a FAILED verdict with a revision or parents", "neither");
  }
  if (!namespace || namespace.includes("/") || !release.includes("@")) {
    throw malformedRecord(where, `${namespace}/${release}`, "namespace/model@version");
  }
  if (judgedAt > MOMENT_MAX) throw malformedRecord(where, `${judgedAt}`, "seconds since 1970, before the year 10000");
  const facts = data.subarray(FACTS_AT, FACTS_AT + 32);
  if (productLine === SIGNED_LINE && passed) refuseHardware(fields, facts, where);
  return { fields, facts, id: idOf(fields) };
}

/** A release that has only a signature names its publisher, and claims nothing of hardware. */
function refuseHardware(fields: ModelRecord, facts: Bytes, where: string): void {
  const ofHardware = CHECKS.map((check, bit) => (bit < CHECKS.indexOf("manifest-format") || check === "gpu-evidence" ? bit : -1));
  const isClaimed = ofHardware.some((bit) => bit >= 0 && fields.checks & (1 << bit));
  if (isZero(bytesOf(fields.publisherIdentity))) {
    throw malformedRecord(where, "a signed release without a publisher", "the identity of the signer");
  }
  const isPlain = isZero(bytesOf(fields.reportDigest)) && isZero(facts.subarray(-TCB_BYTES)) && !fields.grade;
  if (!isPlain || isClaimed) {
    throw malformedRecord(where, "claims of hardware", "no report, TCB, grade or check of hardware in a signed release");
  }
}

function idOf(fields: ModelRecord): Bytes {
  const { passed, revision } = fields;
  const [model, manifest, verdict] = [fields.modelDigest, fields.manifestDigest, fields.verdictDigest].map(bytesOf);
  if (!passed) return keccakOf(model!, manifest!, verdict!);
  const release = keccakOf(model!, manifest!);
  return revision ? keccakOf(release, Uint8Array.of(revision >> 8, revision & 0xff)) : release;
}

export function keccakOf(...parts: readonly Uint8Array[]): Bytes {
  return bytesOf(keccak256(concat(...parts)));
}

/** The bytes of hex with 0x. */
export function bytesOf(hex: string): Bytes {
  return parseHex(hex.slice(2))!;
}

function decode(data: Bytes, where: string): ModelRecord {
  try {
    return decodeRecord(data);
  } catch (error) {
    if (error instanceof FormatError) throw malformedRecord(where, error.message, hexOf(data.subarray(0, 16)));
    throw error;
  }
}

function malformedRecord(where: string, got: string, wanted: string): CheckError {
  return malformed("registry-record", "the record is malformed", where, got, wanted);
}
