// The place of a registry, in the format of `provenance deploy --deployments`, and the EIP-712 domains that follow from
// it.

import { hexIn, wholeIn, type Hex } from "./bytes.js";

export interface Deployment {
  readonly chainId: number;
  readonly registry: Hex;
  readonly namespaces: Hex;
  readonly lineage: Hex;
  readonly block: number;
  readonly transaction: Hex;
  /** EXTCODEHASH */
  readonly codeHash: Hex;
  /** If releases can be proven on chain. */
  readonly hardwareProofs?: Hex;
}

/** From a chain's JSON file. */
export function parseDeployment(file: unknown): Deployment {
  const hex = (name: string, length: number): Hex => hexIn(file, name, length);
  const number = (name: string): number => Number(wholeIn(file, name, 53));
  return {
    chainId: number("chain_id"),
    registry: hex("registry", 20),
    namespaces: hex("namespaces", 20),
    lineage: hex("lineage", 20),
    block: number("block"),
    transaction: hex("transaction", 32),
    codeHash: hex("code_hash", 32),
    ...("hardware_proofs" in Object(file) && { hardwareProofs: hex("hardware_proofs", 20) }),
  };
}

/** EIP-712 */
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
