// Queries to an Ethereum node. The form of its answers is never trusted.

import { bytesOf, type Hex } from "./bytes.js";

/** An EIP-1193 provider, or a viem client. */
export interface Provider {
  request(call: { readonly method: string; readonly params?: unknown }): Promise<unknown>;
}

/** No answer, or an impossible one. Says nothing about the record. */
export class NodeError extends Error {
  /** @internal */
  static override readonly name = "NodeError";
  override readonly name = "NodeError";
}

type Call = Parameters<Provider["request"]>[0];

/** @internal */
export type Ask = (call: Call, signal: AbortSignal) => Promise<unknown>;

const ANSWER_LENGTH_MAX = 1 << 20;

/** Queries a provider, for as long as the signal allows. @internal */
export function askProvider(provider: Provider): Ask {
  return (call, signal) =>
    new Promise((resolve, reject) => {
      signal.throwIfAborted();
      signal.addEventListener("abort", () => reject(signal.reason));
      provider.request(call).then(resolve, reject);
    });
}

/** Queries a node over HTTP. Throws the node's own error object if it sends one. @internal */
export function askUrl(rpcUrl: string): Ask {
  return async (call, signal) => {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, ...call });
    const headers = { "content-type": "application/json" };
    const response = await fetch(rpcUrl, { method: "POST", headers, body, signal, redirect: "error" });
    const { error, result } = Object(JSON.parse(await readText(response)));
    if (error) throw error;
    return result;
  };
}

/** The data of a contract's revert, found in the error of a node or provider. @internal */
export function revertData(thrown: unknown): Uint8Array | undefined {
  for (let depth = 0, inside = thrown; depth < 5; depth++) {
    const { data, cause } = Object(inside);
    if (typeof data === "string" && /^0x([0-9a-f]{2})+$/i.test(data)) return bytesOf(data as Hex);
    inside = Object(data) === data ? data : cause;
  }
  return undefined;
}

/** @internal */
export function asNodeError(thrown: unknown): NodeError {
  if (thrown instanceof NodeError) return thrown;
  const { message = "the node failed" } = Object(thrown);
  return new NodeError(String(message).slice(0, 200), { cause: thrown });
}

async function readText(response: Response): Promise<string> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (reader) {
    const { done, value } = await reader.read();
    if (done) break;
    text += value;
    if (text.length > ANSWER_LENGTH_MAX) {
      await reader.cancel();
      throw new NodeError("too long an answer");
    }
  }
  return text;
}
