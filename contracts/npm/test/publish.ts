// The README's second example as a function: the tests insert it in place of the last comment.

import {
  encodeRecord,
  parseDeployment,
  registryAbi,
  registryDomain,
  reportTypes,
  type ModelRecord,
} from "@provenance-oracle/registry";
import {
  createWalletClient,
  defineChain,
  http,
  parseSignature,
  publicActions,
  serializeCompactSignature,
  signatureToCompactSignature,
  type Hex,
} from "viem";
import { privateKeyToAccount } from "viem/accounts";

export async function publish(rpcUrl: string, key: Hex, file: unknown, fields: ModelRecord): Promise<void> {
  const deployment = parseDeployment(file);
  const chain = defineChain({
    id: deployment.chainId,
    name: "here",
    nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
    rpcUrls: { default: { http: [rpcUrl] } },
  });
  const account = privateKeyToAccount(key);
  const client = createWalletClient({ account, chain, transport: http() }).extend(publicActions);
  // README
}
