// The reader's own wallet: EIP-1193 providers, announced by EIP-6963 or at `window.ethereum`. Nothing that a wallet says is
// trusted in form, and it is asked to pay only for what its own node simulated.

import type { Hex } from "../../../contracts/npm/src/bytes.js";
import { askProvider, NodeError, type Ask, type Provider } from "../../../contracts/npm/src/node.js";
import { numberOf, quantity, question } from "../data/node.js";
import { planProof, type Plan, type Proposal } from "./plan.js";

export interface Wallet {
  readonly name: string;
  readonly ask: Ask;
}

/** The reader's wallet did not send: nothing was paid. */
export class WalletError extends Error {
  override readonly name = "WalletError";
}

const WALLETS_MAX = 8;
const NAME_MAX = 40;
/** People read before they confirm. */
const PERSON_MS = 10 * 60_000;
/** EIP-1193 and EIP-3085. */
const [REFUSED_BY_PERSON, UNKNOWN_CHAIN] = [4001, 4902];
const RECEIPT_MS = 5 * 60_000;
const POLL_MS = 2_000;

/** Tells of each wallet in this browser, now and whenever one announces itself later. */
export function watchWallets(onWallet: (wallet: Wallet) => void): void {
  const found: unknown[] = [];
  const tell = (provider: unknown, name: unknown): void => {
    const isProvider = typeof Object(provider)["request"] === "function";
    if (!isProvider || found.includes(provider) || found.length === WALLETS_MAX) return;
    found.push(provider);
    const shown = typeof name === "string" && name ? name.slice(0, NAME_MAX) : "your wallet";
    onWallet({ name: shown, ask: askProvider(provider as Provider) });
  };
  addEventListener("eip6963:announceProvider", (event) => {
    const { info, provider } = Object((event as CustomEvent<unknown>).detail);
    tell(provider, Object(info)["name"]);
  });
  dispatchEvent(new Event("eip6963:requestProvider"));
  // Wallets answer at once, so this one announces nothing.
  if (found.length === 0) tell(Object(globalThis)["ethereum"], undefined);
}

/**
 * Has a wallet send a proof, and returns the transaction's hash. `tell` hears what the reader has to do. Throws
 * ProofRefused before the wallet is asked to pay, WalletError if the reader or the wallet refuses, and NodeError.
 */
export async function sendByWallet({ name, ask }: Wallet, chainId: number, proposal: Proposal, tell: (words: string) => void): Promise<Hex> {
  tell(`Waiting for ${name}: it asks whether this page may see your account.`);
  const accounts = await asked(ask, "eth_requestAccounts", []);
  const [from] = Array.isArray(accounts) ? (accounts as readonly unknown[]) : [];
  if (!isHex(from, 20)) throw new WalletError("The wallet named no account.");
  await switchChain(ask, chainId, tell);
  tell("The wallet’s own node simulates the proof …");
  const { data, limit }: Plan = await planProof(ask, proposal, from);
  tell(`Waiting for ${name}: it asks you to confirm the transaction.`);
  const sent = await asked(ask, "eth_sendTransaction", [{ from, to: proposal.proofs, data, gas: quantity(limit), value: "0x0" }]);
  if (!isHex(sent, 32)) throw new WalletError("The wallet gave no hash of a transaction. Look there whether it sent one.");
  return sent;
}

async function switchChain(ask: Ask, chainId: number, tell: (words: string) => void): Promise<void> {
  const current = async (): Promise<number> => numberOf(await asked(ask, "eth_chainId", []), "chain id");
  if ((await current()) === chainId) return;
  tell(`Waiting for the wallet: it asks whether it may switch to chain ${chainId}.`);
  await asked(ask, "wallet_switchEthereumChain", [{ chainId: quantity(chainId) }]);
  const found = await current();
  if (found !== chainId) throw new WalletError(`The wallet is on chain ${found}, and the registry is on chain ${chainId}.`);
}

async function asked(ask: Ask, method: string, params: readonly unknown[]): Promise<unknown> {
  try {
    return await question(ask, method, params, PERSON_MS);
  } catch (error) {
    const { code } = Object((error as Error).cause);
    if (code === REFUSED_BY_PERSON) throw new WalletError("You refused it in the wallet. Nothing was sent.");
    if (code === UNKNOWN_CHAIN) throw new WalletError("The wallet does not know this chain. Add it there, with its node, and try again.");
    throw new WalletError(`The wallet did not do it: ${(error as Error).message}`);
  }
}

/** Waits until a transaction is in a block, and says whether it succeeded there; undefined if it is in none in time. */
export async function waitForBlock(ask: Ask, hash: Hex): Promise<boolean | undefined> {
  for (const end = Date.now() + RECEIPT_MS; Date.now() < end; ) {
    const receipt = await question(ask, "eth_getTransactionReceipt", [hash]).catch((error: unknown) => {
      if (error instanceof NodeError) return null; // asked again until the time is over
      throw error;
    });
    if (receipt) return numberOf(Object(receipt)["status"], "status") === 1;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return undefined;
}

function isHex(value: unknown, bytes: number): value is Hex {
  return typeof value === "string" && new RegExp(`^0x[0-9a-f]{${2 * bytes}}$`, "i").test(value);
}
