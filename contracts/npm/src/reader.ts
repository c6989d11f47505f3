// What a dApp asks a registry, without a library.

import { hexOf, keccak256, nameDigest, type Hex } from "./bytes.js";
import { decodeAnswer, decodeRefusal, encodeCall, topicOf } from "./calls.js";
import type { Proof, Refusal, Requirements, Standing } from "./calls.js";
import { asNodeError, askProvider, askUrl, isObject, NodeError, revertData, type Ask, type Provider } from "./node.js";
import { decodeRecord, recordIdOf, type ModelRecord } from "./record.js";

/** The gate is shut. */
export class GateError extends Error {
  override readonly name = "GateError";

  constructor(readonly refusal: Refusal) {
    super(Object.entries(refusal).join(" "));
  }
}

/** Where the registry is, and how it is asked. */
export type ReaderOptions = {
  readonly chainId: number;
  readonly registry: Hex;
  /** The registry's first block; events are looked for from there. */
  readonly block?: number;
  /** Default: "latest", which a reorganisation may still take back. */
  readonly at?: "latest" | "safe" | "finalized" | bigint;
  /** Milliseconds to wait for an answer. Default: 10,000. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
} & ({ readonly rpcUrl: string } | { readonly provider: Provider });

/** The gates that say yes or no, and those that say why not. */
const REASONS = {
  isModel: "requireModel",
  isModelFromProof: "requireModelFromProof",
  meets: "requireMeets",
  meetsFromProof: "requireMeetsFromProof",
} as const;

/**
 * Believes the node, but for its chain, of which it makes sure with every question. Throws {@link GateError},
 * {@link NodeError}, and {@link FormatError} for arguments that cannot be right.
 */
export class RegistryReader {
  readonly #options: ReaderOptions;
  readonly #registry: Hex;
  readonly #at: string;
  readonly #ask: Ask;

  constructor(options: ReaderOptions) {
    const { registry, at = "latest" } = options;
    this.#options = options;
    this.#registry = hexOf(registry, 20);
    this.#at = typeof at === "bigint" ? quantity(at) : at;
    this.#ask = "rpcUrl" in options ? askUrl(options.rpcUrl) : askProvider(options.provider);
  }

  /** The gate: throws unless the release is recorded, in good standing, on real hardware, with this grade. */
  requireModel(modelDigest: Hex, manifestDigest: Hex, minimumGrade: number): Promise<void> {
    return this.#require("isModel", modelDigest, manifestDigest, minimumGrade);
  }

  isModel(modelDigest: Hex, manifestDigest: Hex, minimumGrade: number): Promise<boolean> {
    return this.#yes("isModel", modelDigest, manifestDigest, minimumGrade);
  }

  /** {@link isModel} for simulated hardware alone. */
  isSimulatedModel(modelDigest: Hex, manifestDigest: Hex): Promise<boolean> {
    return this.#yes("isSimulatedModel", modelDigest, manifestDigest);
  }

  /** The gate for a record in a batch. */
  requireModelFromProof(modelDigest: Hex, manifestDigest: Hex, proof: Proof, minimumGrade: number): Promise<void> {
    return this.#require("isModelFromProof", modelDigest, manifestDigest, proof, minimumGrade);
  }

  isModelFromProof(modelDigest: Hex, manifestDigest: Hex, proof: Proof, minimumGrade: number): Promise<boolean> {
    return this.#yes("isModelFromProof", modelDigest, manifestDigest, proof, minimumGrade);
  }

  /** The exact gate: grade, age, policies, and the weight that the signers have today. */
  requireMeets(modelDigest: Hex, manifestDigest: Hex, requirements: Requirements): Promise<void> {
    return this.#require("meets", modelDigest, manifestDigest, requirements);
  }

  meets(modelDigest: Hex, manifestDigest: Hex, requirements: Requirements): Promise<boolean> {
    return this.#yes("meets", modelDigest, manifestDigest, requirements);
  }

  /** The exact gate for a record in a batch: sees a revocation that has not reached the batch. */
  requireMeetsFromProof(modelDigest: Hex, manifestDigest: Hex, proof: Proof, requirements: Requirements): Promise<void> {
    return this.#require("meetsFromProof", modelDigest, manifestDigest, proof, requirements);
  }

  meetsFromProof(modelDigest: Hex, manifestDigest: Hex, proof: Proof, requirements: Requirements): Promise<boolean> {
    return this.#yes("meetsFromProof", modelDigest, manifestDigest, proof, requirements);
  }

  /** Of the latest judgement; undefined if there is none. */
  async standingOf(modelDigest: Hex, manifestDigest: Hex): Promise<Standing | undefined> {
    const standing = (await this.#call("standingOf", modelDigest, manifestDigest)) as Standing;
    return standing.recordedAt === 0 ? undefined : standing;
  }

  /** The latest judgement: the one among the events whose hash the registry keeps. */
  async recordOf(modelDigest: Hex, manifestDigest: Hex): Promise<ModelRecord> {
    const latestId = await this.#call("latestIdOf", recordIdOf(modelDigest, manifestDigest));
    const content = await this.#call("contentOf", latestId);
    const topics = [topicOf("RecordPublished"), modelDigest, manifestDigest];
    const fromBlock = quantity(this.#options.block ?? 0);
    const logs = await this.#question("eth_getLogs", [{ address: this.#registry, topics, fromBlock, toBlock: this.#at }]);
    for (const log of Array.isArray(logs) ? logs : []) {
      // three words, of which the last is the record's length
      const data = /^0x[0-9a-f]{128}([0-9a-f]{64})(([0-9a-f]{2})*)$/i.exec(String(isObject(log) && log["data"]));
      const record: Hex = `0x${data?.[2]?.slice(0, 2 * Number(`0x${data[1]}`)) ?? ""}`;
      if (keccak256(record) === content) return decodeRecord(record);
    }
    throw new NodeError("no event with the record");
  }

  /** The id of the record that a name leads to; undefined if to none. */
  async recordOfName(namespace: string, release: string): Promise<Hex | undefined> {
    const recordId = await this.#named("recordOfName", nameDigest(namespace), nameDigest(release));
    return /[^0x]/.test(recordId) ? recordId : undefined;
  }

  /** The gate by name: the id of the record that it leads to. */
  requireNamed(namespace: string, release: string, minimumGrade: number): Promise<Hex> {
    return this.#named("requireNamed", nameDigest(namespace), nameDigest(release), minimumGrade);
  }

  async #named(name: string, ...values: unknown[]): Promise<Hex> {
    const namespaces = (await this.#call("namespaces")) as Hex;
    return (await this.#callAt(namespaces, name, values)) as Hex;
  }

  // Where there is no contract, a call that returns nothing succeeds. So only a yes opens; a no is asked for its reason.
  async #require(gate: keyof typeof REASONS, ...values: unknown[]): Promise<void> {
    if (await this.#yes(gate, ...values)) return;
    await this.#call(REASONS[gate], ...values);
    throw new NodeError("the answer changed meanwhile");
  }

  async #yes(name: string, ...values: unknown[]): Promise<boolean> {
    return (await this.#call(name, ...values)) === true;
  }

  #call(name: string, ...values: unknown[]): Promise<unknown> {
    return this.#callAt(this.#registry, name, values);
  }

  async #callAt(to: Hex, name: string, values: readonly unknown[]): Promise<unknown> {
    const answer = await this.#question("eth_call", [{ to, data: encodeCall(name, values) }, this.#at]);
    try {
      return decodeAnswer(name, answer as Hex);
    } catch (cause) {
      throw new NodeError(`no registry at ${to}`, { cause });
    }
  }

  async #question(method: string, params: readonly unknown[]): Promise<unknown> {
    const { chainId, timeout = 10_000, signal } = this.#options;
    const end = AbortSignal.any([AbortSignal.timeout(timeout), ...(signal ? [signal] : [])]);
    const [chain, answer] = await Promise.allSettled([
      this.#ask({ method: "eth_chainId", params: [] }, end),
      this.#ask({ method, params }, end),
    ]);
    if (chain.status === "rejected") throw asNodeError(chain.reason);
    const found = Number(chain.value);
    if (found !== chainId) throw new NodeError(`chain ${found}, not ${chainId}`);
    if (answer.status === "fulfilled") return answer.value;
    throw gateError(answer.reason) ?? asNodeError(answer.reason);
  }
}

function gateError(thrown: unknown): GateError | undefined {
  const data = revertData(thrown);
  try {
    return data && new GateError(decodeRefusal(data));
  } catch {
    return undefined; // not an error of a gate
  }
}

function quantity(value: number | bigint): Hex {
  return `0x${value.toString(16)}`;
}
