// Where a registry is, as `provenance deploy --deployments` writes it down, and the EIP-712 domains that follow from it.

import { FormatError, hexOf, type Hex } from "./bytes.js";
import { isObject } from "./node.js";

/** Where a registry and its satellites are, and since when. */
export interface Deployment {
  readonly chainId: number;
  readonly registry: Hex;
  readonly namespaces: Hex;
  readonly lineage: Hex;
  readonly block: number;
  readonly transaction: Hex;
  /** As EXTCODEHASH gives it. */
  readonly codeHash: Hex;
}

/** From what is in a chain's JSON file. */
export function parseDeployment(file: unknown): Deployment {
  const field = (name: string): unknown => (isObject(file) ? file[name] : undefined);
  const hex = (name: string, length: number): Hex => hexOf(field(name) as Hex, length);
  const number = (name: string): number => {
    const value = field(name);
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
    throw new FormatError(`no ${name}`);
  };
  return {
    chainId: number("chain_id"),
    registry: hex("registry", 20),
    namespaces: hex("namespaces", 20),
    lineage: hex("lineage", 20),
    block: number("block"),
    transaction: hex("transaction", 32),
    codeHash: hex("code_hash", 32),
  };
}

/** What is signed in a domain is worth nothing on another chain, or at another contract. */
export interface Domain {
  readonly name: string;
  readonly version: string;
  readonly chainId: number;
  readonly verifyingContract: Hex;
}

/** For `reportTypes` and `batchTypes`. */
export function registryDomain({ chainId, registry }: Pick<Deployment, "chainId" | "registry">): Domain {
  return { name: "ProvenanceRegistry", version: "1", chainId, verifyingContract: registry };
}

/** For `claimTypes`. */
export function namespacesDomain({ chainId, namespaces }: Pick<Deployment, "chainId" | "namespaces">): Domain {
  return { name: "ProvenanceNamespaces", version: "1", chainId, verifyingContract: namespaces };
}
