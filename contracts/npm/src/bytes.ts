// Bytes, their hexadecimal text, and the registry's only hash function.

export type Hex = `0x${string}`;

/** An invalid argument. */
export class FormatError extends Error {
  /** A minified class has another name, and stack traces print it. @internal */
  static override readonly name = "FormatError";
  override readonly name = "FormatError";
}

/** Adds the name of the value to a FormatError. @internal */
export function about<T>(name: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw error instanceof FormatError ? new FormatError(`${name}: ${error.message}`) : error;
  }
}

/** Bytes, from their text if necessary. With `length`, of exactly this length. @internal */
export function bytesOf(value: Hex | Uint8Array, length?: number): Uint8Array {
  const bytes = value instanceof Uint8Array ? value : parseHex(value);
  if (bytes.length !== (length ?? bytes.length)) throw new FormatError(`${bytes.length} bytes, not ${length}`);
  return bytes;
}

/** Lower-case text of bytes. With `length`, of exactly this length. @internal */
export function hexOf(value: Hex | Uint8Array, length?: number): Hex {
  return `0x${Array.from(bytesOf(value, length), (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/** One of several values. @internal */
export function hexIn(values: unknown, name: string, length: number): Hex {
  return about(name, () => hexOf(Object(values)[name] as Hex, length));
}

/** @internal */
export function joinHex(parts: readonly Hex[]): Hex {
  return `0x${parts.map((part) => part.slice(2)).join("")}`;
}

/** A number of at most this many bits. A single bit can be a boolean. @internal */
export function wholeOf(value: unknown, bits: number): bigint {
  const isBit = bits === 1 && typeof value === "boolean";
  const isWhole = isBit || typeof value === "bigint" || Number.isSafeInteger(value);
  const whole = isWhole ? BigInt(value as number) : -1n;
  if (whole < 0n || whole >> BigInt(bits) !== 0n) throw new FormatError(`${value}, not a number of ${bits} bits`);
  return whole;
}

/** One of several values. @internal */
export function wholeIn(values: unknown, name: string, bits: number): bigint {
  return about(name, () => wholeOf(Object(values)[name], bits));
}

/** The JavaScript type for a number of this many bits. @internal */
export function valueOf(whole: bigint, bits: number): bigint | number | boolean {
  return bits === 1 ? whole === 1n : bits > 48 ? whole : Number(whole);
}

/** Fields of a word: numbers of the given bits, lowest first. @internal */
export type Layout = readonly (readonly [name: string, bits: number])[];

/** @internal */
export function packBits(layout: Layout, values: { readonly [name: string]: unknown }): Hex {
  let word = 0n;
  let shift = 0n;
  for (const [name, bits] of layout) {
    word |= wholeIn(values, name, bits) << shift;
    shift += BigInt(bits);
  }
  return wordOf(word);
}

/** @internal */
export function unpackBits(layout: Layout, word: bigint): { readonly [name: string]: unknown } {
  let rest = word;
  const fields = layout.map(([name, bits]) => {
    const value = valueOf(BigInt.asUintN(bits, rest), bits);
    rest >>= BigInt(bits);
    return [name, value];
  });
  return Object.fromEntries(fields);
}

/** @internal */
export function wordOf(value: bigint): Hex {
  return `0x${value.toString(16).padStart(64, "0")}`;
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

/** Lanes of 64 bits in a block. */
const LANES = 17;

/** Slow: 0.2 ms for each 136 bytes. */
export function keccak256(value: Hex | Uint8Array): Hex {
  const data = bytesOf(value);
  const padded = new Uint8Array(data.length + 8 * LANES - (data.length % (8 * LANES)));
  padded.set(data);
  padded[data.length] = 1;
  padded[padded.length - 1]! |= 0x80;
  const words = new DataView(padded.buffer);
  const state = new BigUint64Array(25);
  for (let i = 0; 8 * i < padded.length; i++) {
    state[i % LANES]! ^= words.getBigUint64(8 * i, true);
    if (i % LANES === LANES - 1) permute(state);
  }
  const digest = new DataView(new ArrayBuffer(32));
  for (let i = 0; i < 4; i++) digest.setBigUint64(8 * i, state[i]!, true);
  return hexOf(new Uint8Array(digest.buffer));
}

/** Keccak-f[1600], with the names of FIPS 202 section 3.2. The array truncates values to 64 bits. */
function permute(a: BigUint64Array): void {
  const rotated = (lane: bigint, by: number): bigint => (lane << BigInt(by)) | (lane >> BigInt(64 - by));
  const c = new BigUint64Array(5);
  let lfsr = 1;
  for (let round = 0; round < 24; round++) {
    // theta
    for (let x = 0; x < 5; x++) c[x] = a[x]! ^ a[x + 5]! ^ a[x + 10]! ^ a[x + 15]! ^ a[x + 20]!;
    for (let i = 0; i < 25; i++) a[i]! ^= c[(i + 4) % 5]! ^ rotated(c[(i + 1) % 5]!, 1);
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
  const isHex = typeof text === "string" && /^0x([0-9a-f]{2})*$/i.test(text);
  if (!isHex) throw new FormatError("not 0x and pairs of digits");
  return Uint8Array.from(text.slice(2).match(/../g) ?? [], (byte) => parseInt(byte, 16));
}
