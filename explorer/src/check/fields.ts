// The members of a JSON object, taken one by one, as verifier/strict/parse_json.py takes them.

import { type Bytes, compareTexts, lengthOf, parseBase64, parseHex } from "./bytes.js";
import { type Check, type CheckError, malformed } from "./checks.js";
import { type Json, type JsonObject, MAX_INTEGER } from "./json.js";

/** An object whose members are taken one by one, by name and type. `finish` refuses members that are left. */
export class Fields {
  readonly #left: Map<string, Json>;

  constructor(
    value: Json,
    private readonly document: string,
    private readonly check: Check,
    private readonly path = "",
  ) {
    if (!(value instanceof Map)) throw this.error("", "wrong type", kindOf(value), "an object");
    this.#left = new Map(value);
  }

  /** Names of the members that are not taken yet, in the document's order. */
  get keys(): readonly string[] {
    return [...this.#left.keys()];
  }

  has(key: string): boolean {
    return this.#left.has(key);
  }

  /** The document and the path of a member, or of this object, for a message. */
  where(key = ""): string {
    const path = this.#pathOf(key);
    return path ? `${this.document}, ${path}` : this.document;
  }

  error(key: string, problem: string, got: string, wanted: string): CheckError {
    return malformed(this.check, problem, this.where(key), got, wanted);
  }

  value(key: string): Json {
    const value = this.#left.get(key);
    if (value === undefined) throw this.error(key, "missing", "no such key", key);
    this.#left.delete(key);
    return value;
  }

  /** Takes a string of at most `maxChars` code points. */
  text(key: string, maxChars = 1024): string {
    const value = this.value(key);
    if (typeof value !== "string") throw this.error(key, "wrong type", kindOf(value), "a string");
    const length = lengthOf(value);
    if (length > maxChars) throw this.error(key, "too long", `${length} characters`, `at most ${maxChars}`);
    return value;
  }

  optionalText(key: string, maxChars = 1024): string | undefined {
    return this.has(key) ? this.text(key, maxChars) : undefined;
  }

  constant(key: string, wanted: string): void {
    const got = this.text(key);
    if (got !== wanted) throw this.error(key, "unknown value", got, wanted);
  }

  integer(key: string, minimum = 0n, maximum = MAX_INTEGER): bigint {
    const value = this.value(key);
    if (typeof value !== "bigint") throw this.error(key, "wrong type", kindOf(value), "an integer");
    if (value < minimum || value > maximum) {
      throw this.error(key, "out of range", String(value), `${minimum} to ${maximum}`);
    }
    return value;
  }

  /** Takes exactly `size` bytes, written as lower-case hex digits. */
  hexBytes(key: string, size: number): Bytes {
    const text = this.text(key);
    const bytes = parseHex(text);
    if (bytes?.length !== size) throw this.error(key, "not a digest", text, `${2 * size} lower-case hex digits`);
    return bytes;
  }

  optionalHexBytes(key: string, size: number): Bytes | undefined {
    return this.has(key) ? this.hexBytes(key, size) : undefined;
  }

  /** Takes at most `maxBytes` bytes in canonical standard base64. */
  base64Bytes(key: string, maxBytes: number): Bytes {
    const text = this.text(key, 4 * (Math.floor(maxBytes / 3) + 1));
    const data = parseBase64(text);
    if (!data || data.length > maxBytes) {
      throw this.error(key, "not canonical base64", text.slice(-8), "standard alphabet, padded, no stray bits");
    }
    return data;
  }

  fields(key: string): Fields {
    return this.#nested(this.value(key), key);
  }

  optionalFields(key: string): Fields | undefined {
    return this.has(key) ? this.fields(key) : undefined;
  }

  /** Takes a list of `minimum` to `maximum` objects. */
  fieldsList(key: string, minimum: number, maximum: number): readonly Fields[] {
    const value = this.value(key);
    if (!Array.isArray(value)) throw this.error(key, "wrong type", kindOf(value), "a list");
    if (value.length < minimum || value.length > maximum) {
      const wanted = minimum === maximum ? `exactly ${minimum}` : `${minimum} to ${maximum}`;
      throw this.error(key, "wrong number of entries", String(value.length), wanted);
    }
    return value.map((item: Json, index) => this.#nested(item, `${key}[${index}]`));
  }

  /** Takes optional members of any form, and ignores them. None may have more JSON than `maxChars`. */
  passOver(keys: readonly string[], maxChars: number): void {
    for (const key of keys) {
      if (this.has(key)) this.#refuseLarge(key, this.value(key), maxChars);
    }
  }

  /** Takes all members that are left, and ignores them, as `passOver` does. */
  passOverRest(maxChars: number): void {
    this.passOver(this.keys, maxChars);
  }

  finish(): void {
    const [key] = [...this.#left.keys()].sort(compareTexts);
    if (key !== undefined) throw this.error(key, "unknown key", key, "only keys that the format defines");
  }

  #refuseLarge(key: string, value: Json, maxChars: number): void {
    const chars = charsOf(value);
    if (chars > maxChars) throw this.error(key, "too large", `${chars} characters`, `at most ${maxChars}`);
  }

  #pathOf(key: string): string {
    return this.path && key ? `${this.path}.${key}` : this.path || key;
  }

  #nested(value: Json, key: string): Fields {
    return new Fields(value, this.document, this.check, this.#pathOf(key));
  }
}

/** The number of characters of a value in JSON as Python writes it: ASCII, with a space after each comma and colon. */
function charsOf(value: Json): number {
  if (value === null || typeof value === "boolean" || typeof value === "bigint") return String(value).length;
  if (typeof value === "string") return charsOfText(value);
  const between = (count: number): number => 2 + 2 * Math.max(count - 1, 0);
  if (value instanceof Map) {
    let chars = between(value.size);
    for (const [key, inner] of value as JsonObject) chars += charsOfText(key) + 2 + charsOf(inner);
    return chars;
  }
  return (value as readonly Json[]).reduce<number>((chars, item) => chars + charsOf(item), between((value as []).length));
}

function charsOfText(text: string): number {
  let chars = 2;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    chars += /["\\\b\f\n\r\t]/.test(text[at]!) ? 2 : unit < 0x20 || unit > 0x7e ? 6 : 1;
  }
  return chars;
}

function kindOf(value: Json): string {
  if (value instanceof Map) return "an object";
  if (Array.isArray(value)) return "a list";
  return typeof value === "string" ? `the string ${JSON.stringify(Array.from(value).slice(0, 40).join(""))}` : String(value);
}
