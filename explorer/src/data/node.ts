// Calls and events of contracts through a node, all at one block. Nothing that a node says is trusted in form.

import { bytesOf, hexOf, joinHex, nameDigest, wordOf, type Hex } from "../../../contracts/npm/src/bytes.js";
import { asNodeError, NodeError, revertData, type Ask } from "../../../contracts/npm/src/node.js";

export interface Log {
  readonly topics: readonly Hex[];
  readonly data: Uint8Array;
  readonly block: number;
  readonly index: number;
  readonly transaction: Hex;
}

type Word = Hex | number | bigint | boolean;

const TIMEOUT_MS = 15_000;
/** Public nodes allow from 500 to 10,000 blocks at a time. */
const SPAN_MIN = 500;
const REQUESTS_MAX = 400;
const LOGS_MAX = 20_000;

/** A node at one block. */
export class NodeReader {
  /** `block` is the last one that is looked at. */
  constructor(
    private readonly ask: Ask,
    readonly chainId: number,
    readonly block: number,
  ) {}

  /** The words of a function's answer. `signature` is as in `epochOf(uint16)`; arguments of one word each. */
  async call(contract: Hex, signature: string, ...values: readonly Word[]): Promise<readonly Hex[]> {
    const data = joinHex([`0x${nameDigest(signature).slice(2, 10)}`, ...values.map(encoded)]);
    const answer = await this.question("eth_call", [{ to: contract, data }, quantity(this.block)]);
    return wordsOf(answer, `${signature} at ${contract}`);
  }

  /** One word, where the function returns one value. */
  async callOne(contract: Hex, signature: string, ...values: readonly Word[]): Promise<Hex> {
    const [word] = await this.call(contract, signature, ...values);
    if (word === undefined) throw new NodeError(`no answer of ${signature} at ${contract}`);
    return word;
  }

  /** Null where the contract reverts. */
  async tryCall(contract: Hex, signature: string, ...values: readonly Word[]): Promise<readonly Hex[] | null> {
    try {
      return await this.call(contract, signature, ...values);
    } catch (error) {
      if (error instanceof NodeError && revertData(error.cause)) return null;
      throw error;
    }
  }

  /** Events, oldest first. `topics` follow the event's own; null matches any. */
  async logs(
    contract: Hex,
    event: string,
    topics: readonly (Hex | null)[],
    first: number,
    last = this.block,
  ): Promise<readonly Log[]> {
    const filter = { address: contract, topics: [nameDigest(event), ...topics] };
    const found: Log[] = [];
    let [at, span] = [first, Math.max(1, last - first + 1)];
    for (let requests = 0; at <= last; requests++) {
      if (requests === REQUESTS_MAX) throw new NodeError(`more than ${REQUESTS_MAX} requests for one list of events`);
      const to = Math.min(last, at + span - 1);
      try {
        const range = { ...filter, fromBlock: quantity(at), toBlock: quantity(to) };
        found.push(...parseLogs(await this.question("eth_getLogs", [range])));
        at = to + 1;
      } catch (error) {
        if (span <= SPAN_MIN) throw error;
        span = Math.max(SPAN_MIN, Math.floor(span / 4));
      }
      if (found.length > LOGS_MAX) throw new NodeError(`more than ${LOGS_MAX} events`);
    }
    return found;
  }

  /** Seconds since 1970. */
  async timeOf(block: number): Promise<number> {
    const told = Object(await this.question("eth_getBlockByNumber", [quantity(block), false]));
    return numberOf(told["timestamp"], "timestamp");
  }

  async codeOf(contract: Hex): Promise<Uint8Array> {
    const code = await this.question("eth_getCode", [contract, quantity(this.block)]);
    return dataOf(code, "code");
  }

  private question(method: string, params: readonly unknown[]): Promise<unknown> {
    return question(this.ask, method, params);
  }
}

/** A node, looked at up to its newest block. Throws NodeError if it is of another chain. */
export async function readNode(ask: Ask, chainId: number | undefined): Promise<NodeReader> {
  const [chain, block] = await Promise.all([question(ask, "eth_chainId", []), question(ask, "eth_blockNumber", [])]);
  const found = numberOf(chain, "chain id");
  if (chainId !== undefined && found !== chainId) throw new NodeError(`the node is of chain ${found}, not ${chainId}`);
  return new NodeReader(ask, found, numberOf(block, "block number"));
}

export function bigOf(word: Hex | undefined): bigint {
  return BigInt(word ?? 0);
}

/** A word with a small number, such as a count or a time. */
export function smallOf(word: Hex | undefined): number {
  const value = bigOf(word);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new NodeError(`an impossible number: ${value}`);
  return Number(value);
}

export function addressOf(word: Hex | undefined): Hex {
  return `0x${(word ?? wordOf(0n)).slice(26)}`;
}

/** The words of a log's data, up to the last whole one. */
export function wordsIn(data: Uint8Array): readonly Hex[] {
  return Array.from({ length: Math.floor(data.length / 32) }, (_, i) => hexOf(data.subarray(32 * i, 32 * i + 32)));
}

/** Asks once, for at most `timeout` milliseconds. Throws NodeError. */
export async function question(ask: Ask, method: string, params: readonly unknown[], timeout = TIMEOUT_MS): Promise<unknown> {
  try {
    return await ask({ method, params }, AbortSignal.timeout(timeout));
  } catch (error) {
    throw asNodeError(error);
  }
}

function encoded(value: Word): Hex {
  return typeof value === "string" ? `0x${value.slice(2).padStart(64, "0")}` : wordOf(BigInt(value));
}

export function quantity(block: number | bigint): Hex {
  return `0x${block.toString(16)}`;
}

function wordsOf(answer: unknown, where: string): readonly Hex[] {
  const data = dataOf(answer, where);
  if (data.length === 0 || data.length % 32 !== 0) throw new NodeError(`no registry answers ${where}`);
  return wordsIn(data);
}

export function dataOf(value: unknown, where: string): Uint8Array {
  try {
    return bytesOf(value as Hex);
  } catch (cause) {
    throw new NodeError(`${where}: not bytes`, { cause });
  }
}

export function numberOf(value: unknown, where: string): number {
  const number = typeof value === "string" && /^0x[0-9a-f]{1,13}$/i.test(value) ? Number(value) : NaN;
  if (!Number.isSafeInteger(number)) throw new NodeError(`${where}: not a number`);
  return number;
}

function parseLogs(answer: unknown): readonly Log[] {
  if (!Array.isArray(answer)) throw new NodeError("events: not a list");
  return answer.map((one: unknown) => {
    const { topics, data, blockNumber, logIndex, transactionHash } = Object(one);
    if (!Array.isArray(topics) || topics.length > 4) throw new NodeError("an event without topics");
    return {
      topics: topics.map((topic) => hexOf(dataOf(topic, "topic"))),
      data: dataOf(data, "event"),
      block: numberOf(blockNumber, "block number"),
      index: numberOf(logIndex, "log index"),
      transaction: hexOf(dataOf(transactionHash, "transaction")),
    };
  });
}
