// Strict JSON for untrusted input: narrower than RFC 8259, so that every reader sees the same document. It accepts and
// refuses what verifier/strict/parse_json.py does; JSON.parse would take the last of two equal keys.

import { type Bytes, parseUtf8 } from "./bytes.js";
import { type Check, type CheckError, malformed } from "./checks.js";

export type Json = null | boolean | bigint | string | readonly Json[] | JsonObject;
export type JsonObject = ReadonlyMap<string, Json>;

export const MAX_INTEGER = 2n ** 63n - 1n;
const MIN_INTEGER = -(2n ** 63n);
const INTEGER_CHARS_MAX = 20;
const TOKENS_MAX = 3_000_000; // strings, brackets and commas
const DEPTH_MAX = 32;
const WANTED = "one UTF-8 JSON value: unique keys, 64-bit integers, no floats, no lone surrogates";
const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?/y;
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const SPACE = /[ \t\n\r]*/y;
const ESCAPES: { readonly [letter: string]: string } = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};
const WORDS: readonly (readonly [string, Json])[] = [
  ["true", true],
  ["false", false],
  ["null", null],
];

export interface JsonLimits {
  readonly where: string;
  readonly check: Check;
  readonly maxBytes: number;
  readonly maxDepth?: number;
  readonly maxTokens?: number;
  /** Read numbers such as `1000.0` as integers; some signers write their sizes so. */
  readonly wholeFloats?: boolean;
}

/** Parses one UTF-8 JSON value of objects, lists, strings, 64-bit integers, true, false and null. */
export function parseJson(data: Bytes, limits: JsonLimits): Json {
  const { check, where, maxBytes } = limits;
  if (data.length > maxBytes) {
    throw malformed(check, "too large", where, `${data.length} bytes`, `at most ${maxBytes} bytes`);
  }
  const text = parseUtf8(data);
  const fail = (got: string): CheckError => malformed(check, "not strict JSON", where, got, WANTED);
  if (text === undefined) throw fail("bytes that are not UTF-8");
  return new Parser(text, limits, fail).document();
}

class Parser {
  #at = 0;
  #tokens = 0;

  constructor(
    private readonly text: string,
    private readonly limits: JsonLimits,
    private readonly fail: (got: string) => CheckError,
  ) {}

  document(): Json {
    const value = this.#value(0);
    this.#space();
    if (this.#at !== this.text.length) throw this.fail(`extra data at character ${this.#at}`);
    return value;
  }

  #value(depth: number): Json {
    this.#space();
    const first = this.text[this.#at];
    if (first === '"') return this.#string();
    if (first === "{") return this.#object(depth + 1);
    if (first === "[") return this.#list(depth + 1);
    const word = WORDS.find(([name]) => this.text.startsWith(name, this.#at));
    if (!word) return this.#number();
    this.#at += word[0].length;
    return word[1];
  }

  #object(depth: number): JsonObject {
    const members = new Map<string, Json>();
    this.#open(depth);
    if (this.#closes("}")) return members;
    do {
      this.#space();
      if (this.text[this.#at] !== '"') throw this.fail(`no key at character ${this.#at}`);
      const key = this.#string();
      this.#space();
      if (this.text[this.#at++] !== ":") throw this.fail(`no colon at character ${this.#at - 1}`);
      const value = this.#value(depth);
      if (members.has(key)) throw this.fail(`key ${JSON.stringify(key)} occurs twice`);
      members.set(key, value);
    } while (this.#continues("}"));
    return members;
  }

  #list(depth: number): readonly Json[] {
    const items: Json[] = [];
    this.#open(depth);
    if (this.#closes("]")) return items;
    do items.push(this.#value(depth));
    while (this.#continues("]"));
    return items;
  }

  #open(depth: number): void {
    const { maxDepth = DEPTH_MAX } = this.limits;
    if (depth > maxDepth) throw this.fail(`nested more than ${maxDepth} deep at character ${this.#at}`);
    this.#token();
  }

  #closes(bracket: string): boolean {
    this.#space();
    if (this.text[this.#at] !== bracket) return false;
    this.#token();
    return true;
  }

  /** Whether a comma follows; false after the closing bracket. */
  #continues(bracket: string): boolean {
    if (this.#closes(bracket)) return false;
    if (this.text[this.#at] !== ",") throw this.fail(`no comma or ${bracket} at character ${this.#at}`);
    this.#token();
    return true;
  }

  #token(): void {
    this.#count();
    this.#at++;
  }

  #count(): void {
    const { maxTokens = TOKENS_MAX } = this.limits;
    if (++this.#tokens > maxTokens) throw this.fail(`more than ${maxTokens} strings, brackets and commas`);
  }

  #space(): void {
    SPACE.lastIndex = this.#at;
    SPACE.test(this.text);
    this.#at = SPACE.lastIndex;
  }

  #string(): string {
    this.#count();
    const parts: string[] = [];
    for (this.#at++; ; ) {
      PLAIN.lastIndex = this.#at;
      PLAIN.test(this.text);
      parts.push(this.text.slice(this.#at, PLAIN.lastIndex));
      this.#at = PLAIN.lastIndex;
      const next = this.text[this.#at++];
      if (next === '"') break;
      if (next !== "\\") throw this.fail(`a control character or the end in a string at character ${this.#at - 1}`);
      parts.push(this.#escape());
    }
    const value = parts.join("");
    // only an escape can carry a lone surrogate past the UTF-8 decoder
    if (parts.length > 1 && /\p{Cs}/u.test(value)) throw this.fail("a lone surrogate");
    return value;
  }

  #escape(): string {
    const letter = this.text[this.#at++] ?? "";
    const simple = Object.hasOwn(ESCAPES, letter) ? ESCAPES[letter] : undefined;
    if (simple !== undefined) return simple;
    const digits = this.text.slice(this.#at, this.#at + 4);
    if (letter !== "u" || !/^[0-9A-Fa-f]{4}$/.test(digits)) throw this.fail(`a wrong escape at character ${this.#at - 2}`);
    this.#at += 4;
    return String.fromCharCode(Number.parseInt(digits, 16));
  }

  #number(): bigint {
    NUMBER.lastIndex = this.#at;
    const found = NUMBER.exec(this.text);
    if (!found) throw this.fail(`no value at character ${this.#at}`);
    const [text, fraction, exponent] = found;
    this.#at += text.length;
    if (fraction === undefined && exponent === undefined) return this.#integer(text);
    if (!this.limits.wholeFloats || fraction !== ".0" || exponent !== undefined) {
      throw this.fail(`number ${text.slice(0, INTEGER_CHARS_MAX)} is not an integer`);
    }
    return this.#integer(text.slice(0, -2));
  }

  #integer(digits: string): bigint {
    const number = digits.length <= INTEGER_CHARS_MAX ? BigInt(digits) : MAX_INTEGER + 1n;
    if (number < MIN_INTEGER || number > MAX_INTEGER) {
      throw this.fail(`integer ${digits.slice(0, INTEGER_CHARS_MAX)}… does not fit 64 bits`);
    }
    return number;
  }
}
