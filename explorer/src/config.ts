// What the page reads from: the data block in index.html, which `provenance serve` fills, and the page's own address.

import { hexIn, type Hex } from "../../contracts/npm/src/bytes.js";
import { parseDeployment } from "../../contracts/npm/src/deployment.js";

/** The contracts by which releases are proven on chain, and keccak256 of their code. */
export interface ProofsPlace {
  readonly proofs: Hex;
  readonly proofsCodeHash: Hex;
  readonly verifier: Hex;
  readonly verifierCodeHash: Hex;
}

/** Where the registry is. What is undefined is not compared. */
export interface Place {
  readonly registry: Hex;
  readonly chainId?: number | undefined;
  /** First block of its events. */
  readonly block: number;
  /** keccak256 of its code. */
  readonly codeHash?: Hex | undefined;
  /** Undefined where no release can be proven. */
  readonly proofs?: ProofsPlace | undefined;
}

export interface Config {
  /** A node to which the browser talks. */
  readonly rpcUrl: string | undefined;
  /** A second node: every answer is compared. */
  readonly secondUrl: string | undefined;
  readonly place: Place | undefined;
  /** Where evidence lies: `EVIDENCE/MANIFEST_DIGEST/PATH`. */
  readonly evidence: string | undefined;
  readonly api: string | undefined;
  /** A site that shows the chain's transactions at `SITE/tx/HASH`. */
  readonly blockExplorer: string | undefined;
  /** What the address of the page chose, rather than whoever serves it: the sender of a link can choose a liar. */
  readonly chosenByLink: readonly string[];
}

/** Throws if the data block is malformed: whoever serves the page has to mend it. */
export function readConfig(block: string, query: string): Config {
  const told: { readonly [name: string]: unknown } = Object(JSON.parse(block));
  const chosen = new URLSearchParams(query);
  const registry = chosen.get("registry") ?? "";
  const deployed = told["deployment"] ? placeOf(told["deployment"]) : undefined;
  const isOther = /^0x[0-9a-f]{40}$/i.test(registry);
  return {
    rpcUrl: address(chosen.get("rpc")) ?? address(told["rpcUrl"]),
    secondUrl: address(chosen.get("rpc2")) ?? address(told["secondRpcUrl"]),
    place: isOther ? { registry: registry.toLowerCase() as Hex, block: 0 } : deployed,
    evidence: isOther ? undefined : folder(told["evidence"]),
    // An index of another registry would answer for the wrong one.
    api: isOther ? undefined : folder(told["api"]),
    blockExplorer: isOther ? undefined : folder(told["blockExplorer"]),
    chosenByLink: [...(address(chosen.get("rpc")) ? ["node"] : []), ...(isOther ? ["registry"] : [])],
  };
}

/** A deployment file; see verifier/registry/deployment.py. */
function placeOf(file: unknown): Place {
  if (!("hardware_proofs" in Object(file))) return parseDeployment(file);
  const proofs = {
    proofs: hexIn(file, "hardware_proofs", 20),
    proofsCodeHash: hexIn(file, "hardware_proofs_code_hash", 32),
    verifier: hexIn(file, "amd_verifier", 20),
    verifierCodeHash: hexIn(file, "amd_verifier_code_hash", 32),
  };
  return { ...parseDeployment(file), proofs };
}

function address(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  try {
    return ["http:", "https:"].includes(new URL(value).protocol) ? value : undefined;
  } catch {
    return undefined;
  }
}

function folder(value: unknown): string | undefined {
  return typeof value === "string" && /^(\/|https?:\/\/)/.test(value) ? value.replace(/\/+$/, "") : undefined;
}
