// A dApp's queries to a registry, without a library.

import { FormatError, hexIn, keccak256, nameDigest, wholeIn, type Hex } from "./bytes.js";
import { decodeAnswer, decodeRefusal, encodeCall, topicOf } from "./calls.js";
import type { Proof, Refusal, Requirements, Standing } from "./calls.js";
import { asNodeError, askProvider, askUrl, NodeError, revertData, type Ask, type Provider } from "./node.js";
import { FORBIDDEN, unpackProof, type ReleaseProof } from "./proof.js";
import { decodeRecord, recordIdOf, type ModelRecord } from "./record.js";

/** The gate is shut. */
export class GateError extends Error {
  /** @internal */
  static override readonly name = "GateError";
  override readonly name = "GateError";

  constructor(readonly refusal: Refusal) {
    const told = Object.entries(refusal).map((field) => field.join("="));
    super(told.join(" ").slice("error=".length));
  }
}

export type ReaderOptions = {
  readonly chainId: number;
  readonly registry: Hex;
  /** For `proofOf` and `requireProven`. */
  readonly hardwareProofs?: Hex;
  /** First block of the events. Default: 0 */
  readonly block?: number;
  /** Default: "latest", which a reorganisation may undo. */
  readonly at?: "latest" | "safe" | "finalized" | bigint;
  /** Milliseconds. Default: 10,000 */
  readonly timeout?: number;
  /** AbortSignal */
  readonly signal?: { readonly aborted: boolean };
} & ({ readonly rpcUrl: string } | { readonly provider: Provider });

/** Trusts the node, except for its chain. Throws GateError, NodeError and FormatError. */
export class RegistryReader {
  readonly #options: ReaderOptions;
  readonly #chainId: number;
  readonly #registry: Hex;
  readonly #fromBlock: string;
  readonly #at: string;
  readonly #ask: Ask;

  constructor(options: ReaderOptions) {
    const { at = "latest", block = 0 } = options;
    this.#options = options;
    this.#chainId = Number(wholeIn(options, "chainId", 53));
    this.#registry = hexIn(options, "registry", 20);
    this.#fromBlock = quantity({ block }, "block");
    this.#at = typeof at === "bigint" ? quantity({ at }, "at") : at;
    this.#ask = askOf(options);
  }

  /** The gate: throws unless the release is recorded, in good standing, on real hardware, with this grade. */
  requireModel(modelDigest: Hex, manifestDigest: Hex, minimumGrade: number): Promise<void> {
    return this.#must("isModel", "requireModel", modelDigest, manifestDigest, minimumGrade);
  }

  isModel(modelDigest: Hex, manifestDigest: Hex, minimumGrade: number): Promise<boolean> {
    return this.#call("isModel", modelDigest, manifestDigest, minimumGrade);
  }

  /** {@link isModel} for simulated hardware only. */
  isSimulatedModel(modelDigest: Hex, manifestDigest: Hex): Promise<boolean> {
    return this.#call("isSimulatedModel", modelDigest, manifestDigest);
  }

  /** The gate by publisher. */
  requireSignedBy(modelDigest: Hex, manifestDigest: Hex, identity: Hex): Promise<void> {
    return this.#must("isSignedBy", "requireSignedBy", modelDigest, manifestDigest, identity);
  }

  isSignedBy(modelDigest: Hex, manifestDigest: Hex, identity: Hex): Promise<boolean> {
    return this.#call("isSignedBy", modelDigest, manifestDigest, identity);
  }

  /** The gate for a record in a batch. */
  requireModelFromProof(modelDigest: Hex, manifestDigest: Hex, proof: Proof, minimumGrade: number): Promise<void> {
    return this.#must("isModelFromProof", "requireModelFromProof", modelDigest, manifestDigest, proof, minimumGrade);
  }

  isModelFromProof(modelDigest: Hex, manifestDigest: Hex, proof: Proof, minimumGrade: number): Promise<boolean> {
    return this.#call("isModelFromProof", modelDigest, manifestDigest, proof, minimumGrade);
  }

  /** The exact gate: grade, age, policies, and the weight that the signers have today. */
  requireMeets(modelDigest: Hex, manifestDigest: Hex, requirements: Requirements): Promise<void> {
    return this.#must("meets", "requireMeets", modelDigest, manifestDigest, requirements);
  }

  meets(modelDigest: Hex, manifestDigest: Hex, requirements: Requirements): Promise<boolean> {
    return this.#call("meets", modelDigest, manifestDigest, requirements);
  }

  /** The exact gate for a record in a batch: sees a revocation that has not reached the batch. */
  requireMeetsFromProof(modelDigest: Hex, manifestDigest: Hex, proof: Proof, requirements: Requirements): Promise<void> {
    return this.#must("meetsFromProof", "requireMeetsFromProof", modelDigest, manifestDigest, proof, requirements);
  }

  meetsFromProof(modelDigest: Hex, manifestDigest: Hex, proof: Proof, requirements: Requirements): Promise<boolean> {
    return this.#call("meetsFromProof", modelDigest, manifestDigest, proof, requirements);
  }

  /** The gate by id. */
  requireOpen(recordId: Hex, minimumGrade: number): Promise<void> {
    return this.#must("isOpen", "requireOpen", recordId, minimumGrade);
  }

  isOpen(recordId: Hex, minimumGrade: number): Promise<boolean> {
    return this.#call("isOpen", recordId, minimumGrade);
  }

  /** How many of these, in ascending order, signed. Ignores the standing. */
  async countSigners(modelDigest: Hex, manifestDigest: Hex, oracles: readonly Hex[]): Promise<number> {
    return Number(await this.#call("countSigners", modelDigest, manifestDigest, oracles));
  }

  /** For `policies`; undefined if there is none. */
  async policyIdOf(policyDigest: Hex): Promise<number | undefined> {
    return Number(await this.#call("policyIdOf", policyDigest)) || undefined;
  }

  /** Of the latest judgement; undefined if there is none. */
  async standingOf(modelDigest: Hex, manifestDigest: Hex): Promise<Standing | undefined> {
    const standing = await this.#call<Standing>("standingOf", modelDigest, manifestDigest);
    return standing.recordedAt === 0 ? undefined : standing;
  }

  /** The latest judgement, from the events. */
  async recordOf(modelDigest: Hex, manifestDigest: Hex): Promise<ModelRecord> {
    const latestId = await this.#call("latestIdOf", recordIdOf(modelDigest, manifestDigest));
    const content = await this.#call("contentOf", latestId);
    const topics = [topicOf("RecordPublished"), modelDigest, manifestDigest];
    const where = { address: this.#registry, topics, fromBlock: this.#fromBlock, toBlock: this.#at };
    const logs = await this.#question("eth_getLogs", [where]);
    for (const log of Array.isArray(logs) ? logs : []) {
      // three words; the last one is the record's length
      const data = /^0x.{128}(.{64})(([0-9a-f]{2})*)$/i.exec(Object(log)["data"]);
      const record: Hex = `0x${data?.[2]?.slice(0, 2 * Number(`0x${data[1]}`)) ?? ""}`;
      if (keccak256(record) === content) return decodeRecord(record);
    }
    throw new NodeError("no event with the record");
  }

  /** The id that a name leads to; undefined if there is none. */
  async recordOfName(namespace: string, release: string): Promise<Hex | undefined> {
    const recordId = await this.#named("recordOfName", namespace, release);
    return /[^0x]/.test(recordId) ? recordId : undefined;
  }

  /** The gate by name. Returns the id. */
  requireNamed(namespace: string, release: string, minimumGrade: number): Promise<Hex> {
    return this.#named("requireNamed", namespace, release, minimumGrade);
  }

  async #named(name: string, namespace: string, release: string, ...values: unknown[]): Promise<Hex> {
    const ids = [namespace, release].map(nameDigest);
    return this.#callAt(await this.#call("namespaces"), name, [...ids, ...values]);
  }

  /** AMD's signature, checked by the EVM; undefined if nobody has proven the release. */
  async proofOf(modelDigest: Hex, manifestDigest: Hex): Promise<ReleaseProof | undefined> {
    const word = await this.#proven<bigint>("proofOf", recordIdOf(modelDigest, manifestDigest));
    return word ? unpackProof(word) : undefined;
  }

  /** The gate of HardwareGate: throws unless the release is proven. The masks are of the proof's word. */
  async requireProven(modelDigest: Hex, manifestDigest: Hex, required = 0n, forbidden = FORBIDDEN): Promise<void> {
    // This answer is a word, so there is a contract.
    await this.proofOf(modelDigest, manifestDigest);
    await this.#proven("requireProven", modelDigest, manifestDigest, required, forbidden);
  }

  async #proven<T>(name: string, ...values: unknown[]): Promise<T> {
    if (!this.#options.hardwareProofs) {
      throw new FormatError("hardwareProofs: none; `provenance deploy --with-proofs` makes it");
    }
    return this.#callAt(hexIn(this.#options, "hardwareProofs", 20), name, values);
  }

  // At an address without a contract, a call that returns nothing succeeds. So only `true` opens the gate; after
  // `false` the second call gives the reason.
  async #must(gate: string, why: string, ...values: unknown[]): Promise<void> {
    if (await this.#call(gate, ...values)) return;
    await this.#call(why, ...values);
    throw new NodeError("the answer changed meanwhile");
  }

  #call<T>(name: string, ...values: unknown[]): Promise<T> {
    return this.#callAt(this.#registry, name, values);
  }

  /** `T` is the type in the ABI. */
  async #callAt<T>(to: Hex, name: string, values: readonly unknown[]): Promise<T> {
    const answer = await this.#question("eth_call", [{ to, data: encodeCall(name, values) }, this.#at]);
    try {
      return decodeAnswer(name, answer as Hex) as T;
    } catch (cause) {
      throw new NodeError(`no registry at ${to}, block ${this.#at}`, { cause });
    }
  }

  async #question(method: string, params: readonly unknown[]): Promise<unknown> {
    const { timeout = 10_000, signal } = this.#options;
    const end = AbortSignal.any([AbortSignal.timeout(timeout), ...(signal ? [signal as AbortSignal] : [])]);
    const [chain, answer] = await Promise.allSettled([
      this.#ask({ method: "eth_chainId", params: [] }, end),
      this.#ask({ method, params }, end),
    ]);
    if (chain.status === "rejected") throw asNodeError(chain.reason);
    const found = Number(chain.value);
    if (found !== this.#chainId) throw new NodeError(`chain ${found}, not ${this.#chainId}`);
    if (answer.status === "fulfilled") return answer.value;
    throw gateError(answer.reason) ?? asNodeError(answer.reason);
  }
}

function gateError(thrown: unknown): GateError | undefined {
  const data = revertData(thrown);
  try {
    const refusal = data && decodeRefusal(data);
    return refusal && new GateError(refusal);
  } catch {
    return undefined; // cut off
  }
}

function quantity(values: unknown, name: string): Hex {
  return `0x${wholeIn(values, name, 64).toString(16)}`;
}

// A value that its type requires can still be undefined, such as a URL from the environment.
function askOf({ rpcUrl, provider }: { readonly rpcUrl?: unknown; readonly provider?: unknown }): Ask {
  if (typeof rpcUrl === "string") return askUrl(rpcUrl);
  if (typeof Object(provider)["request"] === "function") return askProvider(provider as Provider);
  throw new FormatError("neither rpcUrl nor provider");
}
