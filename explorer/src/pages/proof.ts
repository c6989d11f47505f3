// Whether AMD's signature was checked by the chain itself, for this release.

import type { App } from "../app.js";
import type { ReleaseProof } from "../data/proofs.js";
import { timeOf } from "../data/records.js";
import type { Entry } from "../data/types.js";
import { el, fill, out, type Child } from "../dom.js";
import { announce, banner, digestOf, facts, later, section, time } from "../view.js";
import { SIGNED_ONLY, tcbWords } from "../words.js";
import { provePanel } from "./prove.js";

/** Null where the registry has no contract for proofs, no node is configured, or there is no hardware to prove. */
export function proofSection(app: App, entry: Entry): Child {
  const { chain } = app.source;
  if (!chain?.proofs || entry.product_line === SIGNED_ONLY) return null;
  const place = el("div", {});
  const show = (): void => fill(place, later("the proof", chain.proof(entry).then(shown)));
  const shown = (proof: ReleaseProof | null): Child => (proof ? proven(proof, entry, app.config.blockExplorer) : [notProven(), provePanel(app, chain, entry, again)]);
  const again = (): void => {
    chain.renew();
    announce("Proven on chain");
    show();
  };
  show();
  return section("Proven on chain", place);
}

function notProven(): Child {
  const told = "Nobody has had the chain itself check AMD’s signature for this release. What stands above is what the oracles found.";
  return banner("note", "Not proven.", told);
}

function proven(proof: ReleaseProof, entry: Entry, blockExplorer: string | undefined): Child {
  const { transaction } = proof;
  const link = blockExplorer && el("p", {}, out(`${blockExplorer}/tx/${transaction}`, "The transaction in the chain’s block explorer"));
  return [
    proofBanner(proof),
    proof.reportDigest !== entry.report_digest && banner("bad", "Another report.", "The proof is of another report than the one that the record names."),
    facts(...proofRows(proof), ["Proven", time(timeOf(proof.provenAt))], ["Block", proof.block.toLocaleString("en")], ["Transaction", digestOf(transaction, "transaction of the proof")], ["Workload", digestOf(proof.identity, "measured workload")]),
    link,
  ];
}

/** What the hardware was. */
function proofRows(proof: Pick<ReleaseProof, "isSimulated" | "line" | "key" | "lowestTcb" | "vmpl" | "opensGate">): readonly (readonly [string, Child])[] {
  const kind = proof.key === "VCEK" ? "VCEK, the chip’s own" : "VLEK, which the cloud provider’s machines share";
  return [
    ["Processor", proof.isSimulated ? `SIMULATED, as ${proof.line}` : `AMD EPYC, line ${proof.line}`],
    ["Key that signed", kind],
    ["Lowest firmware", [tcbWords(proof.line, proof.lowestTcb), " ", el("span", { class: "quiet" }, "lowest TCB ", el("code", {}, proof.lowestTcb))]],
    ["Privilege level", `VMPL ${proof.vmpl}`],
    ["Gate for proven hardware", proof.opensGate ? "open" : "shut"],
  ];
}

function proofBanner({ isSimulated, isRevoked, opensGate }: ReleaseProof): HTMLElement {
  if (isSimulated) return banner("warn", "Simulated.", "The chain checked the signature of a SIMULATOR, whose keys are public. That proves nothing about hardware, and opens no gate for proven hardware.");
  if (isRevoked) return banner("bad", "Revoked.", "The chain checked AMD’s signature, and AMD has since withdrawn the key above this certificate. No gate opens.");
  if (!opensGate) return banner("warn", "Proven, but no gate opens.", "The chain checked AMD’s signature. The VM was open to a debugger or to migration, its report came from less trusted software, or the host asked for it.");
  return banner("good", "Proven on chain.", "The chain itself followed AMD’s signature to the chip’s key, the report, the VM’s key, the manifest and the digest of every file. No oracle took part.");
}
