// The part of the ABI encoding that the gates need, from the ABI itself: types, selectors, arguments, answers.

import { gateErrors, namespacesAbi, proofsAbi, registryAbi } from "./abi.js";
import { about, bytesOf, FormatError, hexOf, nameDigest, valueOf, wholeOf, wordOf, type Hex } from "./bytes.js";

type Scalar<T> = T extends `${infer Item}[${infer Size}]`
  ? Size extends "7"
    ? readonly [Hex, Hex, Hex, Hex, Hex, Hex, Hex]
    : readonly Scalar<Item>[]
  : T extends "bool"
    ? boolean
    : T extends "uint64" | "uint256"
      ? bigint
      : T extends `uint${string}`
        ? number
        : Hex;
type Struct<P extends readonly Named[]> = { readonly [F in P[number] as F["name"]]: Scalar<F["type"]> };
type Named = { readonly name: string; readonly type: string };
type View<N> = Extract<(typeof registryAbi)[number], { type: "function"; name: N }>;

/** A dApp's requirements for a record; see Types.sol. */
export type Requirements = Struct<View<"meets">["inputs"][2]["components"]>;
/** Proof of a record in a batch. */
export type Proof = Struct<View<"isModelFromProof">["inputs"][2]["components"]>;
/** The registry's status of a record. */
export type Standing = Struct<View<"standingOf">["outputs"][0]["components"]>;
/** The contract's error for a shut gate. */
export type Refusal = RefusalOf<(typeof gateErrors)[number]>;
type RefusalOf<E> = E extends { name: infer N; inputs: infer P extends readonly Named[] }
  ? { readonly error: N } & Struct<P>
  : never;

/** No record has a higher grade, so no gate would ever open. */
const GRADE_MAX = 2;

interface Parameter {
  readonly name: string;
  readonly type: string;
  readonly components?: readonly Parameter[];
}

interface Item {
  readonly name: string;
  readonly inputs: readonly Parameter[];
  readonly outputs?: readonly Parameter[];
}

function itemOf(name: string): Item {
  return [...registryAbi, ...namespacesAbi, ...proofsAbi].find((one) => one.name === name)!;
}

/** keccak256 of a signature: the topic of an event; its first four bytes select a function or an error. */
function signatureHash({ name, inputs }: Item): Hex {
  const typeOf = ({ type, components }: Parameter): string =>
    components ? `(${components.map(typeOf)})${type.slice(5)}` : type;
  return nameDigest(`${name}(${inputs.map(typeOf)})`);
}

/** @internal */
export function topicOf(event: string): Hex {
  return signatureHash(itemOf(event));
}

/** @internal */
export function encodeCall(name: string, values: readonly unknown[]): Hex {
  const item = itemOf(name);
  const [words] = encodeAll(item.inputs.map((input, i) => [input, values[i]]));
  return `0x${signatureHash(item).slice(2, 10)}${words}`;
}

/** The answer of a function that returns one value, or one struct of values. @internal */
export function decodeAnswer(name: string, answer: Hex): unknown {
  const data = bytesOf(answer);
  const { outputs = [] } = itemOf(name);
  const struct = outputs[0]?.components;
  const values = decodeWords(struct ?? outputs, data);
  return struct ? values : Object.values(values)[0];
}

/** Undefined if the data is not an error of a gate. @internal */
export function decodeRefusal(data: Uint8Array): Refusal | undefined {
  const selector = hexOf(data.subarray(0, 4));
  const item = gateErrors.find((error) => signatureHash(error).startsWith(selector));
  // The type is made from the same list.
  return item && ({ error: item.name, ...decodeWords(item.inputs, data.subarray(4)) } as Refusal);
}

/** Decodes values of one word each. */
function decodeWords(parameters: readonly Parameter[], data: Uint8Array): { readonly [name: string]: unknown } {
  if (data.length !== 32 * parameters.length) throw new FormatError(`${data.length} bytes`);
  const values = parameters.map(({ name, type }, i) => [name, decode(type, hexOf(data.subarray(32 * i, 32 * i + 32)))]);
  return Object.fromEntries(values);
}

function decode(type: string, word: Hex): unknown {
  if (type === "bytes32") return word;
  if (type === "address") return `0x${word.slice(26)}`;
  return valueOf(wholeOf(BigInt(word), bitsOf(type)), bitsOf(type));
}

const LENGTHS: { readonly [type: string]: number } = { bytes32: 32, address: 20 };

type Encoded = [words: string, isDynamic: boolean];

function encode({ name, type, components }: Parameter, value: unknown): Encoded {
  const [, item, size] = /^(.+)\[(\d*)\]$/.exec(type) ?? [];
  if (item) {
    if (!Array.isArray(value) || (size && value.length !== Number(size))) throw new FormatError(`no ${type}`);
    const [words, isDynamic] = encodeAll(value.map((one: unknown, i) => [{ name: `${i}`, type: item }, one]));
    return size ? [words, isDynamic] : [number(value.length, 256) + words, true];
  }
  if (components) {
    const fields: { readonly [name: string]: unknown } = Object(value);
    return encodeAll(components.map((part) => [part, fields[part.name]]));
  }
  // `provenance proof` prints the summary in hex, since JSON holds no such number.
  const length = LENGTHS[type === "uint256" && typeof value === "string" ? "bytes32" : type];
  if (length) return [hexOf(value as Hex, length).slice(2).padStart(64, "0"), false];
  if (name === "minimumGrade" && Number(value) > GRADE_MAX) throw new FormatError(`${value}, above ${GRADE_MAX}`);
  return [number(value, bitsOf(type)), false];
}

/** Dynamic values follow the others, which hold their offsets. */
function encodeAll(parts: readonly (readonly [Parameter, unknown])[]): Encoded {
  const encoded = parts.map(([parameter, value]) => about(parameter.name, () => encode(parameter, value)));
  let end = encoded.reduce((sum, [words, isDynamic]) => sum + (isDynamic ? 32 : words.length / 2), 0);
  let [heads, tails] = ["", ""];
  for (const [words, isDynamic] of encoded) {
    heads += isDynamic ? number(end, 256) : words;
    if (!isDynamic) continue;
    tails += words;
    end += words.length / 2;
  }
  return [heads + tails, tails !== ""];
}

function number(value: unknown, bits: number): string {
  return wordOf(wholeOf(value, bits)).slice(2);
}

function bitsOf(type: string): number {
  return type === "bool" ? 1 : Number(type.slice(4));
}
