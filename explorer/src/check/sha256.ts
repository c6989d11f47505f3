// SHA-256 (FIPS 180-4) of a stream. WebCrypto only hashes bytes that are all in memory, and a model file may be larger.

import { type Bytes, concat } from "./bytes.js";

const BLOCK_BYTES = 64;
const PRIMES = primes(64);
// the first 32 bits of the fractions of the roots of primes
const CONSTANTS = Uint32Array.from(PRIMES, (prime) => (Math.cbrt(prime) % 1) * 2 ** 32);
const START = Uint32Array.from(PRIMES.slice(0, 8), (prime) => (Math.sqrt(prime) % 1) * 2 ** 32);

export class Sha256 {
  readonly #state = START.slice();
  readonly #schedule = new Uint32Array(64);
  #pending: Bytes = new Uint8Array();
  #size = 0;

  update(data: Bytes): void {
    this.#size += data.length;
    const all = this.#pending.length ? concat(this.#pending, data) : data;
    const whole = all.length - (all.length % BLOCK_BYTES);
    const view = new DataView(all.buffer, all.byteOffset, all.length);
    for (let at = 0; at < whole; at += BLOCK_BYTES) this.#compress(view, at);
    this.#pending = all.slice(whole);
  }

  /** The digest (32 bytes). Ends the stream. */
  digest(): Bytes {
    const size = this.#size;
    const padding = new Uint8Array(BLOCK_BYTES - ((size + 8) % BLOCK_BYTES) + 8);
    padding[0] = 0x80;
    new DataView(padding.buffer).setBigUint64(padding.length - 8, BigInt(size) * 8n);
    this.update(padding);
    const digest = new DataView(new ArrayBuffer(32));
    this.#state.forEach((word, index) => digest.setUint32(4 * index, word));
    return new Uint8Array(digest.buffer);
  }

  #compress(view: DataView, at: number): void {
    const w = this.#schedule;
    for (let t = 0; t < 16; t++) w[t] = view.getUint32(at + 4 * t);
    for (let t = 16; t < 64; t++) {
      const [x, y] = [w[t - 15]!, w[t - 2]!];
      const low = rotate(x, 7) ^ rotate(x, 18) ^ (x >>> 3);
      const high = rotate(y, 17) ^ rotate(y, 19) ^ (y >>> 10);
      w[t] = w[t - 16]! + low + w[t - 7]! + high;
    }
    const state = this.#state;
    let [a, b, c, d, e, f, g, h] = state as unknown as [number, number, number, number, number, number, number, number];
    for (let t = 0; t < 64; t++) {
      const one = (h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + CONSTANTS[t]! + w[t]!) | 0;
      const two = ((rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
    }
    [a, b, c, d, e, f, g, h].forEach((word, index) => {
      state[index] = state[index]! + word;
    });
  }
}

function rotate(word: number, by: number): number {
  return (word >>> by) | (word << (32 - by));
}

function primes(count: number): readonly number[] {
  const found: number[] = [];
  for (let number = 2; found.length < count; number++) {
    if (found.every((prime) => number % prime !== 0)) found.push(number);
  }
  return found;
}
