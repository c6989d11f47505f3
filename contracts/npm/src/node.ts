// Asking an Ethereum node, of which nothing is believed about the form of its answers.

import { bytesOf, type Hex } from "./bytes.js";

/** An EIP-1193 provider, or a viem client. */
export interface Provider {
  request(call: { readonly method: string; readonly params?: unknown }): Promise<unknown>;
}

/** No answer, or one that cannot be: says nothing about the record. Try again. */
export class NodeError extends Error {
  override readonly name = "NodeError";
}

type Call = Parameters<Provider["request"]>[0];

/** @internal */
export type Ask = (call: Call, signal: AbortSignal) => Promise<unknown>;

const ANSWER_BYTES_MAX = 1 << 20;

/** Asks a provider, and waits for it no longer than the signal says. @internal */
export function askProvider(provider: Provider): Ask {
  return (call, signal) =>
    new Promise((resolve, reject) => {
      signal.throwIfAborted();
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      provider.request(call).then(resolve, reject);
    });
}

/** Asks a node by HTTP. Throws the node's own error object if it sends one. @internal */
export function askUrl(rpcUrl: string): Ask {
  return async (call, signal) => {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, ...call });
    const headers = { "content-type": "application/json" };
    const response = await fetch(rpcUrl, { method: "POST", headers, body, signal, redirect: "error" });
    const answer: unknown = JSON.parse(await readText(response));
    if (isObject(answer) && isObject(answer["error"])) throw answer["error"];
    return isObject(answer) ? answer["result"] : undefined;
  };
}

/** What a contract reverted with, somewhere in what a node or provider threw. @internal */
export function revertData(thrown: unknown): Uint8Array | undefined {
  for (let depth = 0, inside = thrown; depth < 5 && isObject(inside); depth++) {
    const data: unknown = inside["data"];
    if (typeof data === "string" && /^0x([0-9a-f]{2})+$/i.test(data)) return bytesOf(data as Hex);
    inside = isObject(data) ? data : inside["cause"];
  }
  return undefined;
}

/** @internal */
export function asNodeError(thrown: unknown): NodeError {
  if (thrown instanceof NodeError) return thrown;
  const message = isObject(thrown) ? String(thrown["message"]).slice(0, 200) : "the node failed";
  return new NodeError(message, { cause: thrown });
}

/** @internal */
export function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null;
}

async function readText(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (let bytes = 0; reader; ) {
    const { done, value } = await reader.read();
    if (done) break;
    bytes += value.length;
    if (bytes > ANSWER_BYTES_MAX) {
      await reader.cancel();
      throw new NodeError("too long an answer");
    }
    text += decoder.decode(value, { stream: true });
  }
  return text;
}
