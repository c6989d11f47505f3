// Bytes and their text, and the one hash that the registry uses.

/** Bytes as text: `0x`, and two digits for each. */
export type Hex = `0x${string}`;

/** What was given is not what it should be. */
export class FormatError extends Error {
  override readonly name = "FormatError";
}

/** Bytes from their text, or as they are. With `length`, exactly so many. @internal */
export function bytesOf(value: Hex | Uint8Array, length?: number): Uint8Array {
  const bytes = typeof value === "string" ? parseHex(value) : value;
  if (!(bytes instanceof Uint8Array)) throw new FormatError("not bytes");
  if (length !== undefined && bytes.length !== length) throw new FormatError(`${bytes.length} bytes, not ${length}`);
  return bytes;
}

/** The text of bytes, in lower case; with `length`, of exactly so many. @internal */
export function hexOf(value: Hex | Uint8Array, length?: number): Hex {
  return `0x${Array.from(bytesOf(value, length), (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/** @internal */
export function joinHex(parts: readonly Hex[]): Hex {
  return `0x${parts.map((part) => part.slice(2)).join("")}`;
}

/** A word of 32 bytes from numbers of so many bits each, the lowest first. @internal */
export function packBits(fields: readonly (readonly [value: bigint | number | boolean, bits: number])[]): Hex {
  let word = 0n;
  let shift = 0n;
  for (const [value, bits] of fields) {
    const isWhole = typeof value === "bigint" || typeof value === "boolean" || Number.isSafeInteger(value);
    const whole = isWhole ? BigInt(value) : -1n;
    if (whole < 0n || whole >> BigInt(bits) !== 0n) throw new FormatError(`${value}, not a number of ${bits} bits`);
    word |= whole << shift;
    shift += BigInt(bits);
  }
  return `0x${word.toString(16).padStart(64, "0")}`;
}

/** @internal */
export function utf8(text: string): Uint8Array {
  if (/\p{Surrogate}/u.test(text)) throw new FormatError("half a character");
  return new TextEncoder().encode(text);
}

/** The id of a namespace, or of `model@version` in it. */
export function nameDigest(text: string): Hex {
  return keccak256(utf8(text));
}

const RATE = 136;

/** For the few hundred bytes of a record: some 0.2 ms for each 136 of them. */
export function keccak256(value: Hex | Uint8Array): Hex {
  const data = bytesOf(value);
  const padded = new Uint8Array(data.length + RATE - (data.length % RATE));
  padded.set(data);
  padded[data.length] = 1;
  padded[padded.length - 1]! |= 0x80;
  const words = new DataView(padded.buffer);
  const state = new BigUint64Array(25);
  for (let block = 0; block < padded.length; block += RATE) {
    for (let i = 0; i < RATE / 8; i++) state[i]! ^= words.getBigUint64(block + 8 * i, true);
    permute(state);
  }
  const digest = new DataView(new ArrayBuffer(32));
  for (let i = 0; i < 4; i++) digest.setBigUint64(8 * i, state[i]!, true);
  return hexOf(new Uint8Array(digest.buffer));
}

/** Keccak-f[1600], FIPS 202 section 3.2 with its names. The array drops what is above 64 bits. */
function permute(a: BigUint64Array): void {
  const rotated = (lane: bigint, by: number): bigint => (lane << BigInt(by)) | (lane >> BigInt(64 - by));
  const c = new BigUint64Array(5);
  const d = new BigUint64Array(5);
  let lfsr = 1;
  for (let round = 0; round < 24; round++) {
    // theta
    for (let x = 0; x < 5; x++) c[x] = a[x]! ^ a[x + 5]! ^ a[x + 10]! ^ a[x + 15]! ^ a[x + 20]!;
    for (let x = 0; x < 5; x++) d[x] = c[(x + 4) % 5]! ^ rotated(c[(x + 1) % 5]!, 1);
    for (let i = 0; i < 25; i++) a[i]! ^= d[i % 5]!;
    // rho and pi
    let moved = a[1]!;
    for (let t = 0, x = 1, y = 0; t < 24; t++) {
      [x, y] = [y, (2 * x + 3 * y) % 5];
      const next = a[x + 5 * y]!;
      a[x + 5 * y] = rotated(moved, (((t + 1) * (t + 2)) / 2) % 64);
      moved = next;
    }
    // chi
    for (let row = 0; row < 25; row += 5) {
      const b = a.slice(row, row + 5);
      for (let x = 0; x < 5; x++) a[row + x] = b[x]! ^ (~b[(x + 1) % 5]! & b[(x + 2) % 5]!);
    }
    // iota
    for (let j = 0; j < 7; j++) {
      if (lfsr & 1) a[0]! ^= 1n << BigInt(2 ** j - 1);
      lfsr = (lfsr << 1) ^ (lfsr & 0x80 ? 0x171 : 0);
    }
  }
}

function parseHex(text: string): Uint8Array {
  if (!/^0x([0-9a-f]{2})*$/i.test(text)) throw new FormatError("not 0x and pairs of digits");
  const bytes = new Uint8Array(text.length / 2 - 1);
  for (let i = 0; i < bytes.length; i++) bytes[i] = parseInt(text.slice(2 * i + 2, 2 * i + 4), 16);
  return bytes;
}
