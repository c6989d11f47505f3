// Bounded answers over HTTP.

/** No answer, or an impossible one. Says nothing about a record. */
export class NoAnswer extends Error {
  override readonly name = "NoAnswer";
}

/** The server has no such thing. */
export class NotFound extends Error {
  override readonly name = "NotFound";
}

const ANSWER_BYTES_MAX = 8 << 20;
const TIMEOUT_MS = 20_000;
const AT_ONCE_MAX = 3;
const TRIES_MAX = 4;
const RETRY_SECONDS_MAX = 5;

/** The bytes of an address. Throws NoAnswer and NotFound. */
export async function fetchBytes(url: string, most = ANSWER_BYTES_MAX): Promise<Uint8Array<ArrayBuffer>> {
  const response = await answer(url);
  if (response.status === 404) throw new NotFound(await problem(response));
  if (!response.ok) throw new NoAnswer(`${url}: ${response.status}: ${await problem(response)}`);
  return read(response, most);
}

/** The JSON of an address. */
export async function fetchJson(url: string): Promise<unknown> {
  const bytes = await fetchBytes(url);
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new NoAnswer(`${url}: the answer is not JSON`);
  }
}

async function answer(url: string): Promise<Response> {
  for (let tries = 1; ; tries++) {
    const response = await inTurn(() => ask(url));
    const isBusy = response.status === 503 || response.status === 429;
    if (!isBusy || tries === TRIES_MAX) return response;
    await response.body?.cancel();
    const seconds = Number(response.headers.get("retry-after")) || 1;
    await new Promise((resolve) => setTimeout(resolve, 1000 * Math.min(seconds, RETRY_SECONDS_MAX)));
  }
}

async function ask(url: string): Promise<Response> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    return await fetch(url, { signal, redirect: "error", credentials: "omit", referrerPolicy: "no-referrer" });
  } catch (error) {
    throw new NoAnswer(`${url}: ${error instanceof Error ? error.message : "failed"}`);
  }
}

let running = 0;
const waiting: (() => void)[] = [];

/** A page asks for many things at once, and a server has few turns for what takes long. */
async function inTurn<T>(act: () => Promise<T>): Promise<T> {
  if (running === AT_ONCE_MAX) await new Promise<void>((resolve) => waiting.push(resolve));
  else running++;
  try {
    return await act();
  } finally {
    const next = waiting.shift();
    if (next) next();
    else running--;
  }
}

/** The words of an `application/problem+json`. */
async function problem(response: Response): Promise<string> {
  try {
    const told: unknown = JSON.parse(new TextDecoder().decode(await read(response, 1 << 16)));
    const { detail, title } = Object(told);
    return String(detail ?? title ?? response.statusText).slice(0, 500);
  } catch {
    return response.statusText;
  }
}

async function read(response: Response, most: number): Promise<Uint8Array<ArrayBuffer>> {
  const reader = response.body?.getReader();
  const pieces: Uint8Array[] = [];
  let length = 0;
  while (reader) {
    const { done, value } = await reader.read().catch(() => {
      throw new NoAnswer(`${response.url}: the answer broke off`);
    });
    if (done) break;
    pieces.push(value);
    length += value.length;
    if (length <= most) continue;
    await reader.cancel();
    throw new NoAnswer(`${response.url}: an answer of more than ${most} bytes`);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
