// Shows what a proof would cost and what the chain says to it, and has the reader's wallet send it.

import type { Hex } from "../../../contracts/npm/src/bytes.js";
import { NodeError, type Ask } from "../../../contracts/npm/src/node.js";
import type { proofFacts } from "../data/proofs.js";
import type * as Dom from "../dom.js";
import type * as View from "../view.js";
import { type Plan, planProof, type Proposal, ProofRefused } from "./plan.js";
import { sendByWallet, waitForBlock, type Wallet, WalletError, watchWallets } from "./wallet.js";

/** The page's own parts: with them passed in, this script has no second copy. */
export type Kit = Pick<typeof Dom, "el" | "fill" | "on"> & Pick<typeof View, "banner" | "copyButton" | "digestOf" | "facts" | "failure" | "note"> & { readonly proofFacts: typeof proofFacts };

export interface Offer {
  readonly kit: Kit;
  /** Where everything is shown. */
  readonly place: HTMLElement;
  /** The page's first node. */
  readonly ask: Ask;
  readonly rpcUrl: string;
  readonly chainId: number;
  readonly proposal: Proposal;
  /** The release of the page, which the contract has to come to as well. */
  readonly releaseId: Hex;
  /** Called once the proof is in a block. */
  onProven(): void;
}

const WEI_PER_GWEI = 10n ** 9n;
const COIN_DIGITS = 18;

/** Simulates the proof and shows the outcome. */
export async function offerProof(offer: Offer): Promise<void> {
  const { kit, place, ask, proposal, releaseId } = offer;
  try {
    const plan = await planProof(ask, proposal);
    if (plan.releaseId !== releaseId) throw new ProofRefused("Another release.", "These files are genuine, and of another release than this page shows.");
    kit.fill(place, accepted(offer, plan));
  } catch (error) {
    kit.fill(place, unsent(kit, error));
  }
}

/** Why nothing was sent. The errors of this script are classes of its own, which the rest of the page does not know. */
function unsent(kit: Kit, error: unknown): HTMLElement {
  if (error instanceof ProofRefused) return kit.banner("bad", error.title, `${error.message} Nothing was sent.`);
  if (error instanceof WalletError) return kit.banner("note", "Not sent.", error.message);
  if (error instanceof NodeError) return kit.banner("warn", "No verdict.", `The node gave no usable answer, which says nothing about the release: ${error.message}`);
  return kit.failure(error, "the proof");
}

function accepted(offer: Offer, plan: Plan): readonly Dom.Child[] {
  const { kit, proposal } = offer;
  const { gas, gasMax, price, data, isKeyKnown, adds } = plan;
  const facts = kit.proofFacts(plan.word);
  const hardware = `${facts.isSimulated ? "SIMULATED hardware" : `AMD EPYC ${facts.line}`}, ${facts.key}, lowest TCB ${facts.lowestTcb}`;
  const told = facts.isSimulated ? "It would say that the hardware was SIMULATED, which proves nothing." : "It would be proven for everybody.";
  return [
    kit.banner(facts.isSimulated ? "warn" : "good", "The chain accepts it.", `The node simulated the proof with this evidence, and nothing was sent. ${told}`),
    kit.facts(
      ["The proof would say", hardware],
      ["Gas", `${gas.toLocaleString("en")}; a transaction may have ${gasMax.toLocaleString("en")}`],
      ["Cost now", `${coins(BigInt(gas) * price)} coins of this chain, at ${decimal(price, WEI_PER_GWEI)} gwei a unit of gas`],
      ["Size", `${((data.length - 2) / 2).toLocaleString("en")} bytes`],
      ["Certificate", isKeyKnown ? "known to the contract, so it is left out" : "new to the contract, which keeps it"],
      ["Intermediate", adds && `${adds.name}: this chain does not know it yet, so the transaction adds it`],
      ["The oracles’ record", proposal.record === "0x" ? "left out" : "confirmed too"],
    ),
    walletPart(offer),
    byHand(offer, plan),
  ];
}

/** A button for each wallet, now and as they announce themselves. */
function walletPart(offer: Offer): HTMLElement {
  const { kit } = offer;
  const none = kit.note("There is no wallet in this browser. Any account on any machine can send the proof: see below.");
  const buttons = kit.el("div", { class: "choices" }, none);
  const status = kit.el("div", { class: "wallet", role: "status" });
  watchWallets((wallet) => {
    none.remove();
    const button = kit.el("button", { type: "button", class: "primary" }, `Prove with ${wallet.name}`);
    buttons.append(kit.on(button, "click", () => void proveWith(offer, wallet, buttons, status)));
  });
  return kit.el("div", {}, buttons, status);
}

async function proveWith(offer: Offer, wallet: Wallet, buttons: HTMLElement, status: HTMLElement): Promise<void> {
  const { kit, ask, chainId, proposal } = offer;
  const all = [...buttons.querySelectorAll("button")];
  const tell = (...words: readonly Dom.Child[]): void => kit.fill(status, ...words);
  for (const button of all) button.disabled = true;
  try {
    const hash = await sendByWallet(wallet, chainId, proposal, (words) => tell(kit.note(words)));
    tell(kit.note("Sent. Waiting for a block with the transaction ", kit.digestOf(hash, "transaction"), " …"));
    const isDone = await waitForBlock(ask, hash);
    if (isDone) return offer.onProven();
    const [word, told] = isDone === undefined ? ["Not in a block yet.", "The wallet sent the transaction. Look at this page again later."] : ["It failed.", "The transaction is in a block and was reverted, so nothing is proven."];
    tell(kit.banner(isDone === undefined ? "note" : "bad", word, told, " ", kit.digestOf(hash, "transaction")));
  } catch (error) {
    tell(unsent(kit, error));
  } finally {
    for (const button of all) button.disabled = false;
  }
}

/** What anybody needs who sends it otherwise. */
function byHand({ kit, rpcUrl, chainId, proposal }: Offer, { data, limit }: Plan): HTMLElement {
  const record = proposal.record === "0x" ? " --no-record" : "";
  const command = `provenance prove RELEASE --rpc ${rpcUrl} --registry deployments/${chainId}.json${record} --keystore payer.json --password-file pw`;
  return kit.el(
    "details",
    {},
    kit.el("summary", {}, "Send it yourself, without a wallet in this browser"),
    kit.el("p", {}, "This command does the same, with the folder of the release: ", kit.el("code", {}, command), " ", kit.copyButton(command, "command")),
    kit.el("p", {}, "Or send a transaction without value from any account:"),
    kit.facts(
      ["Chain", chainId],
      ["To", kit.digestOf(proposal.proofs, "address of the contract")],
      ["Gas limit", limit.toLocaleString("en")],
      ["Data", kit.copyButton(data, "data of the transaction")],
    ),
    kit.el("pre", { tabindex: "0", "aria-label": "Data of the transaction" }, kit.el("span", { class: "line" }, data)),
  );
}

/** An amount in coins of 18 digits, such as `0.00325`. */
export function coins(wei: bigint): string {
  return decimal(wei, 10n ** BigInt(COIN_DIGITS));
}

/** A fraction with up to six digits that count. */
export function decimal(value: bigint, unit: bigint): string {
  const digits = unit.toString().length - 1;
  const [whole, rest] = [value / unit, (value % unit).toString().padStart(digits, "0")];
  const zeros = /^0*/.exec(rest)![0].length;
  const kept = rest.slice(0, whole > 0n ? 6 : zeros + 6).replace(/0+$/, "");
  return kept ? `${whole}.${kept}` : `${whole}`;
}
