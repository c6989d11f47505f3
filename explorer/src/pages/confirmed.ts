// What was confirmed, by whom, when, on which hardware, and who signed it.

import type { Manifest } from "../data/documents.js";
import type { ShownReport } from "../data/report.js";
import type { Entry } from "../data/types.js";
import { el, out, to, type Child } from "../dom.js";
import { hrefOf } from "../router.js";
import { plural, timeWords } from "../text.js";
import { digestOf, facts, later, note, section, table, time } from "../view.js";
import { gradeWords, SIGNED_ONLY, SIMULATED, tcbWords } from "../words.js";

export function confirmedSection(entry: Entry): HTMLElement {
  const counting = entry.signers.filter(({ counts }) => counts).length;
  return section(
    "What was confirmed",
    el("p", { class: "lead" }, statement(entry)),
    facts(
      ["Release", `${entry.name} ${entry.version}`],
      ["Confirmed by", `${plural(counting, "oracle")} of set ${entry.epoch}, weight ${entry.weight}; ${entry.threshold} is needed`],
      ["Judged for", time(entry.judged_at)],
      ["Recorded", [time(entry.recorded_at), `, judgement ${entry.revision + 1} of this release`]],
      ["Grade", gradeWords(entry.grade)],
      ["Policy", [to(hrefOf("policy", entry.policy_digest), {}, `number ${entry.policy_id} of this registry`)]],
      ["Gate for dApps", gate(entry)],
    ),
    table("Oracles that signed", ["Oracle", "Address", "Weight", "Counts"], entry.signers.map(signerRow)),
  );
}

function statement({ passed, judged_at: judged, product_line: line }: Entry): string {
  if (!passed) return `The oracles judged this release on ${timeWords(judged)} and do not accept it.`;
  if (line === SIGNED_ONLY) {
    return "The oracles confirm that the publisher below signed exactly these files. They say nothing about where the files were made.";
  }
  if (line === SIMULATED) {
    return "The oracles confirm the signatures and every byte of the files. The hardware behind them was simulated, so nothing is known about where the files were made.";
  }
  return `The oracles confirm that this list of files and sources was signed by a key which existed only inside a confidential VM on a genuine AMD ${line} processor, and that every byte of the files is as listed.`;
}

function gate(entry: Entry): string {
  if (entry.gate_open === null) return "not asked";
  if (entry.gate_open) return `open to contracts that ask for grade ${entry.grade} or less`;
  return `shut: ${entry.gate_shut_because ?? "the contract says so"}`;
}

function signerRow({ index, address, weight, counts }: Entry["signers"][number]): readonly Child[] {
  const key = address ? digestOf(address, "address of the oracle") : "a key that its ROFL app has replaced";
  return [`Oracle ${index}`, key, weight, counts ? "yes" : "NO: its key was revoked"];
}

export function hardwareSection(entry: Entry, report: Promise<ShownReport>): HTMLElement {
  const isUnbacked = entry.product_line === SIGNED_ONLY;
  if (isUnbacked) return section("On which hardware", el("p", {}, "Unknown. This release has only a signature: no confidential hardware vouches for it."));
  return section(
    "On which hardware",
    facts(
      ["Processor", entry.product_line === SIMULATED ? "SIMULATED: no processor" : `AMD EPYC, line ${entry.product_line}, with SEV-SNP`],
      ["Firmware", firmware(entry)],
      ["Report", digestOf(entry.report_digest, "digest of the report")],
    ),
    later("the report", report.then(launched, () => note("The report is not at hand here, so the software of the VM is not shown."))),
  );
}

/** The versions in words, and the bytes from which they were read. */
function firmware({ product_line: line, reported_tcb: tcb }: Entry): Child {
  const words = tcbWords(line, tcb);
  const bytes = el("span", { class: "quiet" }, "reported TCB ", el("code", {}, tcb));
  return words === tcb ? bytes : [words, " ", bytes];
}

function launched({ measurement, chipId, matches }: ShownReport): Child {
  const bound = matches ? "" : matches === false ? " DIFFERS from the report that the record names" : " not compared with the record";
  return facts(["Software of the VM", [digestOf(measurement, "launch measurement"), bound]], ["Chip", /[^0]/.test(chipId) ? digestOf(chipId, "id of the chip") : "the report does not name it"]);
}

export function signedSection(entry: Entry, manifest: Promise<Manifest>): HTMLElement {
  const isKnown = /[^0]/.test(entry.publisher_identity);
  return section(
    "Who signed it",
    isKnown
      ? facts(
          ["Publisher", to(hrefOf("p", entry.publisher_identity), {}, el("code", {}, entry.publisher_identity))],
          ["Name", nameWords(entry)],
        )
      : el("p", {}, "No publisher is recorded: only the VM’s own key signed."),
    later("the manifest", manifest.then(identityLine, () => note("The manifest is not at hand here, so the publisher’s own words are not shown."))),
  );
}

function nameWords({ named, held }: Entry): string {
  if (named) return "in a claimed namespace, whose history admitted this publisher";
  return held ? "in a claimed namespace, which has not admitted this publisher" : "the release chose it itself: nobody had claimed the namespace";
}

function identityLine({ publisher, matches, finishedOn }: Manifest): Child {
  const bound = matches === null ? "not compared: this browser hashes nothing here" : matches ? "these are the bytes that the record names" : "DIFFERS from the digest in the record";
  return facts(
    ["The manifest names", publisher && identityWords(publisher)],
    ["Finished", finishedOn && time(finishedOn)],
    ["Manifest", matches === false ? el("strong", { class: "bad-text" }, bound) : bound],
  );
}

/** A line such as `key HEX`, or a keyless identity whose issuer is an address. */
function identityWords(line: string): Child {
  return line.split(" ").map((word) => [word.startsWith("https://") ? out(word) : el("code", {}, word), " "]);
}
