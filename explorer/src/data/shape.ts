// Shapes of JSON documents: each parser gives the type as well, so that what is checked and what is typed cannot differ.

/** JSON of another form than ours. Says nothing about a record. */
export class ShapeError extends Error {
  override readonly name = "ShapeError";
}

export type Parse<T> = (value: unknown, where: string) => T;
export type Parsed<P> = P extends Parse<infer T> ? T : never;

const TEXT_LENGTH_MAX = 1 << 16;
const ITEMS_MAX = 10_000;

export const text: Parse<string> = (value, where) => {
  if (typeof value !== "string" || value.length > TEXT_LENGTH_MAX) throw wrong(where, "text");
  return value;
};

export const whole: Parse<number> = (value, where) => {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw wrong(where, "a whole number");
  return value as number;
};

export const flag: Parse<boolean> = (value, where) => {
  if (typeof value !== "boolean") throw wrong(where, "true or false");
  return value;
};

/** 32 bytes in hex, without 0x. */
export const digest: Parse<string> = (value, where) => matching(value, where, /^[0-9a-f]{64}$/, "64 hex digits");
export const address: Parse<string> = (value, where) => matching(value, where, /^0x[0-9a-f]{40}$/i, "an address");
export const anything: Parse<unknown> = (value) => value;

/** Null, or absent: REST leaves a field out where a command of an older version printed none. */
export function maybe<T>(parse: Parse<T>): Parse<T | null> {
  return (value, where) => (value === null || value === undefined ? null : parse(value, where));
}

export function list<T>(parse: Parse<T>): Parse<readonly T[]> {
  return (value, where) => {
    if (!Array.isArray(value) || value.length > ITEMS_MAX) throw wrong(where, `a list of at most ${ITEMS_MAX}`);
    return value.map((item, i) => parse(item, `${where}[${i}]`));
  };
}

/** Members that are not named are ignored: a newer version may add some. */
export function fields<S extends { readonly [name: string]: Parse<unknown> }>(
  shape: S,
): Parse<{ readonly [N in keyof S]: Parsed<S[N]> }> {
  return (value, where) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrong(where, "an object");
    const told = value as { readonly [name: string]: unknown };
    const parsed = Object.entries(shape).map(([name, parse]) => [name, parse(told[name], `${where}.${name}`)]);
    return Object.fromEntries(parsed);
  };
}

function matching(value: unknown, where: string, pattern: RegExp, wanted: string): string {
  if (typeof value !== "string" || !pattern.test(value)) throw wrong(where, wanted);
  return value;
}

function wrong(where: string, wanted: string): ShapeError {
  return new ShapeError(`${where}: not ${wanted}`);
}
