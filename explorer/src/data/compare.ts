// A second node: each answer of the first is compared with it.

import { revertData, type Ask } from "../../../contracts/npm/src/node.js";
import { hexOf } from "../../../contracts/npm/src/bytes.js";

export interface Difference {
  readonly what: string;
  readonly first: string;
  readonly second: string;
}

const SHOWN_MAX = 200;
/** Heads differ by a few blocks all the time, and both nodes know the earlier one. A node that is further behind would
 * hide what happened since, such as a revocation. */
const HEADS_APART_MAX = 16;

/** Asks both nodes and gives the answer of the first. `differs` hears of each answer that the second one contradicts;
 * `isSilent` hears if the second one fails, which is no contradiction. */
export function comparing(
  first: Ask,
  second: Ask,
  differs: (difference: Difference) => void,
  isSilent: (why: string) => void,
): Ask {
  return async (call, signal) => {
    const [one, two] = await Promise.all([settled(first, call, signal), settled(second, call, signal)]);
    const isHead = call.method === "eth_blockNumber" && one.isAnswer && two.isAnswer;
    if (isHead && apart(one.value, two.value) <= HEADS_APART_MAX) return lower(one.value, two.value);
    if (!two.isAnswer) isSilent(two.shown);
    else if (one.isAnswer && one.shown !== two.shown) {
      const [a, b] = [one.shown, two.shown].map((text) => text.slice(0, SHOWN_MAX)) as [string, string];
      differs({ what: call.method, first: a, second: b });
    }
    if (one.error !== undefined) throw one.error;
    return one.value;
  };
}

interface Settled {
  /** A revert is an answer: the contract gave it. */
  readonly isAnswer: boolean;
  readonly shown: string;
  readonly value?: unknown;
  readonly error?: unknown;
}

async function settled(ask: Ask, call: Parameters<Ask>[0], signal: AbortSignal): Promise<Settled> {
  try {
    const value = await ask(call, signal);
    return { isAnswer: true, shown: canonical(value), value };
  } catch (error) {
    const data = revertData(error);
    const told = error instanceof Error ? error.message : String(Object(error)["message"] ?? "failed");
    return { isAnswer: data !== undefined, shown: data ? `reverts: ${hexOf(data)}` : told, error: error ?? "failed" };
  }
}

/** Only the members that both nodes must agree on, in one order: nodes add members of their own. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return value.map(canonical).join(", ") || "nothing";
  if (typeof value !== "object" || value === null) return String(value).toLowerCase();
  const kept = ["address", "topics", "data", "blockHash", "blockNumber", "transactionHash", "logIndex", "hash", "timestamp"];
  const told = value as { readonly [name: string]: unknown };
  return kept.filter((name) => name in told).map((name) => `${name} ${canonical(told[name])}`).join(" ");
}

function apart(one: unknown, two: unknown): number {
  return Math.abs(Number(one) - Number(two));
}

function lower(one: unknown, two: unknown): unknown {
  return Number(one) <= Number(two) ? one : two;
}
