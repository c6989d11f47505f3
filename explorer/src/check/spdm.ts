// The messages that a GPU signs: an SPDM 1.1 GET_MEASUREMENTS request and the MEASUREMENTS response to it.
// The rules are those of verifier/gpu_evidence/spdm.py, whose sources are DMTF DSP0274 1.1.0 and NVIDIA/nvtrust.

import { bigEndian, type Bytes, hexOf } from "./bytes.js";
import { malformed } from "./checks.js";
import { P384_ORDER } from "./snp.js";

export const NONCE_BYTES = 32;
/** Types of NVIDIA's fields in the opaque data. */
export const DRIVER_VERSION = 3;
export const FIRMWARE_ID = 20;

/** SPDM 1.1, code, Param1 (a signature is asked for), Param2 (all measurements). */
const REQUEST_HEAD = "11e001ff";
/** SPDM 1.1, code, Param1 (reserved). */
const RESPONSE_HEAD = "116000";
const SLOT_MAX = 7;
const NUMBER_BYTES = 48;
const DMTF_SPECIFICATION = 1;
const VALUE_HEAD_BYTES = 3;
const OPAQUE_MAX_BYTES = 1024;

/** Nothing in it is trusted. `signature` is r and s, 48 bytes each, over `signed`. */
export interface Measurements {
  readonly nonce: Bytes;
  readonly count: number;
  readonly opaque: ReadonlyMap<number, Bytes>;
  readonly signed: Bytes;
  readonly signature: Bytes;
}

/** A request of 37 bytes and the response to it, which fills the rest but for one zero byte of some drivers. */
export function parseMeasurements(data: Bytes, where: string): Measurements {
  const reader = new Reader(data, where);
  // (1) the request: signed measurements, all of them
  reader.constant(REQUEST_HEAD, "not an SPDM 1.1 request for all measurements, signed");
  const nonce = reader.take(NONCE_BYTES, "the request's nonce");
  const slot = reader.number(1, "the request's slot");
  reader.expect(slot <= SLOT_MAX, "unknown slot", `${slot}`, `0 to ${SLOT_MAX}`);
  // (2) the response: measurements, the GPU's nonce, NVIDIA's fields
  reader.constant(RESPONSE_HEAD, "not an SPDM 1.1 response with measurements");
  const answered = reader.number(1, "the response's slot");
  reader.expect(answered === slot, "the response is of another slot", `${answered}`, `${slot}`);
  const count = reader.number(1, "the number of measurements");
  const record = reader.part(reader.number(3, "the length of the measurements"), "the measurements");
  expectRecord(record, count);
  reader.take(NONCE_BYTES, "the response's nonce");
  const size = reader.number(2, "the length of NVIDIA's fields");
  reader.expect(size <= OPAQUE_MAX_BYTES, "too many fields", `${size} bytes`, `at most ${OPAQUE_MAX_BYTES}`);
  const opaque = parseOpaque(reader.part(size, "NVIDIA's fields"));
  // (3) the signature
  const signed = data.subarray(0, reader.position);
  const signature = reader.take(2 * NUMBER_BYTES, "the signature");
  const numbers = [0, NUMBER_BYTES].map((at) => bigEndian(signature.subarray(at, at + NUMBER_BYTES)));
  const inRange = numbers.every((number) => 0n < number && number < P384_ORDER);
  reader.expect(inRange, "invalid signature", "a component out of range", "0 < r, s < order of P-384");
  const rest = data.subarray(reader.position);
  const isPadded = rest.length === 1 && rest[0] === 0;
  const wanted = "none, or one zero byte";
  reader.expect(rest.length === 0 || isPadded, "bytes after the signature", `${rest.length} bytes`, wanted);
  return { nonce, count, opaque, signed, signature };
}

/** `count` measurement blocks fill the record, and their indices rise. */
function expectRecord(reader: Reader, count: number): void {
  reader.expect(count > 0, "no measurements", "0", "one or more");
  let last = 0;
  for (let i = 0; i < count; i++) {
    const index = reader.number(1, "the index of a measurement");
    const rises = last < index && index < 255;
    reader.expect(rises, "measurements out of order", `${index} after ${last}`, "rising, 1 to 254");
    last = index;
    const specification = reader.number(1, "the specification of a measurement");
    const isDmtf = specification === DMTF_SPECIFICATION;
    reader.expect(isDmtf, "unknown measurement specification", `${specification}`, "1 (DMTF)");
    const size = reader.number(2, "the size of a measurement");
    reader.number(1, "the type of a measurement");
    const valueSize = reader.number(2, "the size of a measurement's value");
    const fits = size === VALUE_HEAD_BYTES + valueSize;
    reader.expect(fits, "conflicting sizes of a measurement", `${size} and ${valueSize}`, "the first 3 larger");
    reader.take(valueSize, "the value of a measurement");
  }
  reader.finish("bytes after the last measurement");
}

/** NVIDIA's fields, which fill the opaque data. A type that is not known may occur, but none twice. */
function parseOpaque(reader: Reader): ReadonlyMap<number, Bytes> {
  const fields = new Map<number, Bytes>();
  while (!reader.isAtEnd) {
    const kind = reader.number(2, "the type of a field");
    reader.expect(!fields.has(kind), "a field occurs twice", `type ${kind}`, "each type once");
    fields.set(kind, reader.take(reader.number(2, "the size of a field"), `the field of type ${kind}`));
  }
  return fields;
}

/** Takes little-endian fields from the start of bytes, and refuses any that does not fit. */
class Reader {
  position = 0;

  constructor(
    private readonly data: Bytes,
    private readonly where: string,
  ) {}

  get isAtEnd(): boolean {
    return this.position === this.data.length;
  }

  take(size: number, what: string): Bytes {
    const taken = this.data.subarray(this.position, this.position + size);
    this.expect(taken.length === size, `${what}: cut short`, `${taken.length} bytes`, `${size} bytes`);
    this.position += size;
    return taken;
  }

  number(size: number, what: string): number {
    return this.take(size, what).reduceRight((number, byte) => 256 * number + byte, 0);
  }

  part(size: number, what: string): Reader {
    return new Reader(this.take(size, what), this.where);
  }

  constant(wanted: string, problem: string): void {
    const got = hexOf(this.take(wanted.length / 2, "the head of a message"));
    this.expect(got === wanted, problem, got, wanted);
  }

  finish(problem: string): void {
    this.expect(this.isAtEnd, problem, `${this.data.length - this.position} bytes`, "none");
  }

  expect(holds: boolean, problem: string, got: string, wanted: string): void {
    if (!holds) throw malformed("gpu-evidence", problem, this.where, got, wanted);
  }
}
