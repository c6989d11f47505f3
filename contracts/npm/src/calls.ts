// As much of the ABI encoding as the gates need, from the ABI itself: types, selectors, arguments, answers.

import { gateErrors, namespacesAbi, registryAbi } from "./abi.js";
import { bytesOf, FormatError, hexOf, nameDigest, packBits, type Hex } from "./bytes.js";

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

/** What a dApp asks of a record; see Types.sol, like all of these. */
export type Requirements = Struct<View<"meets">["inputs"][2]["components"]>;
/** A leaf of a batch, and the way up to its root. */
export type Proof = Struct<View<"isModelFromProof">["inputs"][2]["components"]>;
/** What the registry keeps beside a record. */
export type Standing = Struct<View<"standingOf">["outputs"][0]["components"]>;
/** Why a gate is shut: the contract's error and its arguments. */
export type Refusal = RefusalOf<(typeof gateErrors)[number]>;
type RefusalOf<E> = E extends { name: infer N; inputs: infer P extends readonly Named[] }
  ? { readonly error: N } & Struct<P>
  : never;

interface Parameter {
  readonly name?: string;
  readonly type: string;
  readonly components?: readonly Parameter[];
}

interface Item {
  readonly name: string;
  readonly inputs: readonly Parameter[];
  readonly outputs?: readonly Parameter[];
}

function itemOf(name: string): Item {
  const item = [...registryAbi, ...namespacesAbi].find((one) => one.name === name);
  if (!item) throw new FormatError(`no ${name} in the ABI`);
  return item;
}

/** keccak256 of a signature: an event's topic, and in its first four bytes what selects a function or an error. */
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

/** What a function answered, if it answers with one value, or one struct of such. @internal */
export function decodeAnswer(name: string, answer: Hex): unknown {
  const data = bytesOf(answer);
  const [output] = itemOf(name).outputs ?? [];
  if (output?.components) return decodeWords(output.components, data);
  return decodeWords(output ? [{ ...output, name: "value" }] : [], data)["value"];
}

/** Throws for what is no error of a gate. @internal */
export function decodeRefusal(data: Uint8Array): Refusal {
  const selector = hexOf(data.subarray(0, 4));
  const item = gateErrors.find((error) => signatureHash(error).startsWith(selector));
  if (!item) throw new FormatError(`no error ${selector}`);
  // The type is made from the same list.
  return { error: item.name, ...decodeWords(item.inputs, data.subarray(4)) } as Refusal;
}

/** Values of one word each. */
function decodeWords(parameters: readonly Parameter[], data: Uint8Array): { readonly [name: string]: unknown } {
  if (data.length !== 32 * parameters.length) throw new FormatError(`${data.length} bytes`);
  const values = parameters.map(({ name, type }, i) => [name, decode(type, hexOf(data.subarray(32 * i, 32 * i + 32)))]);
  return Object.fromEntries(values);
}

function decode(type: string, word: Hex): unknown {
  if (type === "bytes32") return word;
  if (type === "address") return `0x${word.slice(26)}`;
  const value = BigInt(word);
  if (value >> BigInt(bitsOf(type)) !== 0n) throw new FormatError(`${word} is no ${type}`);
  return type === "bool" ? value === 1n : bitsOf(type) > 48 ? value : Number(value);
}

type Encoded = [words: string, isDynamic: boolean];

function encode({ type, components }: Parameter, value: unknown): Encoded {
  const [, item, size] = /^(.+)\[(\d*)\]$/.exec(type) ?? [];
  if (item) {
    if (!Array.isArray(value) || (size && value.length !== Number(size))) throw new FormatError(`no ${type}`);
    const [words, isDynamic] = encodeAll(value.map((one: unknown) => [{ type: item }, one]));
    return size ? [words, isDynamic] : [number(value.length, 256) + words, true];
  }
  if (components) {
    const fields: { readonly [name: string]: unknown } = Object(value);
    return encodeAll(components.map((part) => [part, fields[part.name ?? ""]]));
  }
  return [type === "bytes32" ? hexOf(value as Hex, 32).slice(2) : number(value as number, bitsOf(type)), false];
}

/** What is dynamic goes behind the others, which have its place. */
function encodeAll(parts: readonly (readonly [Parameter, unknown])[]): Encoded {
  const encoded = parts.map(([parameter, value]) => encode(parameter, value));
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

function number(value: number | bigint | boolean, bits: number): string {
  return packBits([[value, bits]]).slice(2);
}

function bitsOf(type: string): number {
  return type === "bool" ? 1 : Number(type.slice(4));
}
