// The accounts that may have made an ECDSA signature on secp256k1 (SEC 1, section 4.1.6), which WebCrypto does not know.
// Everything here is public, so the time that it takes tells nobody anything.

import { keccak256 } from "../../../contracts/npm/src/bytes.js";
import { bigEndian, type Bytes, parseHex, utf8Of } from "./bytes.js";

const PRIME = 2n ** 256n - 2n ** 32n - 977n;
export const CURVE_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const GENERATOR: Point = {
  x: 0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798n,
  y: 0x483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8n,
};

/** A point of y² = x³ + 7; null is the point at infinity. */
type Point = { readonly x: bigint; readonly y: bigint } | null;

/** The addresses, in checksum form, of the keys for which r and s are a signature over a digest: two at most. */
export function possibleSigners(digest: Bytes, r: bigint, s: bigint): readonly string[] {
  const square = modulo(r ** 3n + 7n, PRIME);
  const root = power(square, (PRIME + 1n) / 4n);
  const isValid = modulo(root * root, PRIME) === square && r > 0n && r < CURVE_ORDER && s > 0n && s < CURVE_ORDER;
  if (!isValid) return [];
  const inverse = inverseOf(r, CURVE_ORDER);
  const [ofGenerator, ofPoint] = [-bigEndian(digest) * inverse, s * inverse];
  const keys = [root, PRIME - root].map((y) =>
    sum(multiple(GENERATOR, modulo(ofGenerator, CURVE_ORDER)), multiple({ x: r, y }, modulo(ofPoint, CURVE_ORDER))),
  );
  return keys.flatMap((key) => (key ? [addressOf(key)] : []));
}

/** An address in checksum form (ERC-55). */
function addressOf({ x, y }: NonNullable<Point>): string {
  const point = [x, y].map((number) => number.toString(16).padStart(64, "0")).join("");
  const digits = keccak256(parseHex(point)!).slice(-40);
  const marks = keccak256(utf8Of(digits)).slice(2);
  return `0x${[...digits].map((digit, i) => (marks[i]! >= "8" ? digit.toUpperCase() : digit)).join("")}`;
}

function sum(one: Point, other: Point): Point {
  if (!one || !other) return one ?? other;
  if (one.x === other.x && one.y !== other.y) return null;
  const [rise, run] = one.x === other.x ? [3n * one.x ** 2n, 2n * one.y] : [other.y - one.y, other.x - one.x];
  const slope = modulo(rise * inverseOf(modulo(run, PRIME), PRIME), PRIME);
  const x = modulo(slope ** 2n - one.x - other.x, PRIME);
  return { x, y: modulo(slope * (one.x - x) - one.y, PRIME) };
}

function multiple(point: Point, times: bigint): Point {
  let found: Point = null;
  for (let doubled = point, left = times; left > 0n; left >>= 1n) {
    if (left & 1n) found = sum(found, doubled);
    doubled = sum(doubled, doubled);
  }
  return found;
}

function power(base: bigint, exponent: bigint): bigint {
  let found = 1n;
  for (let squared = base, left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) found = modulo(found * squared, PRIME);
    squared = modulo(squared * squared, PRIME);
  }
  return found;
}

/** The inverse of a number that is not zero, modulo a prime (Euclid). */
function inverseOf(number: bigint, prime: bigint): bigint {
  let [low, high, factor, next] = [number, prime, 1n, 0n];
  while (low > 1n) {
    const quotient = high / low;
    [low, high] = [high - quotient * low, low];
    [factor, next] = [next - quotient * factor, factor];
  }
  return modulo(factor, prime);
}

function modulo(number: bigint, prime: bigint): bigint {
  const rest = number % prime;
  return rest < 0n ? rest + prime : rest;
}
