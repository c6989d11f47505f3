// Codes and states in words. A code that is newer than this page is shown as its number, never as a refusal.

interface Check {
  readonly id: string;
  readonly title: string;
  readonly meaning: string;
}

const check = (id: string, title: string, meaning: string): Check => ({ id, title, meaning });

/** In the order of verifier/checks.py: the position is the bit on chain. */
export const CHECKS: readonly Check[] = [
  check("report-format", "Attestation report", "The chip's report is well formed."),
  check("endorsements-format", "AMD's certificates", "The certificates are well formed and have AMD's extensions."),
  check("product-line", "Processor line", "Report and certificates name the same line of AMD processors."),
  check("vek-chain", "Chain to AMD's root", "AMD's root vouches for the key of this chip."),
  check("vek-validity", "Certificate dates", "Every certificate was valid at the moment of judgement."),
  check("vek-revocation", "AMD's revocation list", "AMD had not withdrawn the intermediate key."),
  check("vek-match", "Certificate of this chip", "The certificate is that of the chip and firmware in the report."),
  check("report-signature", "The chip's signature", "This chip signed the report."),
  check("guest-policy", "Rules of the VM", "Nobody could debug the VM or move it to another machine."),
  check("platform-info", "State of the machine", "Memory protection of the machine was as required."),
  check("vmpl", "Privilege level", "The report comes from the VM's most trusted software."),
  check("tcb-floor", "Firmware age", "No firmware is older than the oldest version that the policy allows."),
  check("tcb-consistency", "Firmware versions agree", "The versions that the report tells do not contradict each other."),
  check("mitigations", "Mitigations", "The firmware's reported mitigations are as required."),
  check("measurement", "Software of the VM", "The VM was launched with a software image that the policy names."),
  check("host-data", "Host data", "The data that the host gave the VM is as required."),
  check("id-key", "Identity key of the VM", "The VM was launched with an identity key that the policy names."),
  check("chip-allow-list", "Allowed chips", "The chip is on the policy's list."),
  check("key-binding", "Key of the VM", "The chip's report names the key that only this VM had."),
  check("manifest-format", "Manifest", "The list of files and sources is well formed."),
  check("manifest-signature", "Signature of the manifest", "The VM's key signed the manifest."),
  check("file-set", "Set of files", "There is no file more and no file fewer than the manifest names."),
  check("file-digests", "Bytes of the files", "Every byte of every file is as the manifest says."),
  check("publisher-signature", "Publisher's signature", "The publisher signed the manifest and the files."),
  check("publisher-identity", "Publisher's identity", "The signer is the one whom the manifest names."),
  check("lineage", "Ancestors", "The models it was made from have records of their own."),
  check("registry-record", "Record on chain", "The record on chain is of this release and active."),
  check("gpu-evidence", "GPU evidence", "NVIDIA's root vouches for a genuine GPU and a report made for the VM's key."),
];

const BY_ID: ReadonlyMap<string, Check> = new Map(CHECKS.map((one) => [one.id, one]));

/** The id of a check by its bit on chain. */
export function checkName(bit: number): string {
  return CHECKS[bit]?.id ?? `check ${bit}`;
}

export function checkTitle(id: string): string {
  return BY_ID.get(id)?.title ?? id;
}

export function checkMeaning(id: string): string {
  return BY_ID.get(id)?.meaning ?? "A check that is newer than this page.";
}

export const SIMULATED = "simulated";
export const SIGNED_ONLY = "no confidential hardware";
const LINES: { readonly [code: number]: string } = {
  1: "Milan",
  2: "Genoa",
  3: "Turin",
  254: SIGNED_ONLY,
  255: SIMULATED,
};

export function lineName(code: number): string {
  return LINES[code] ?? `line ${code}`;
}

export function gradeWords(grade: number): string {
  return `${grade} (${["not graded", "baseline", "strict"][grade] ?? "newer than this page"})`;
}

/** As verifier/record/closure.py: if several apply, the first one counts. */
const EXPLANATIONS = {
  failed: "the verdict is FAILED",
  revoked: "the record was revoked",
  held: "the record is held: its namespace does not trust the publisher",
  doubtful: "the record is doubtful: oracle keys that signed it were revoked",
  superseded: "the record was superseded",
} as const;
export type Closure = keyof typeof EXPLANATIONS;

export function closureOf(facts: {
  readonly passed: boolean;
  readonly revoked_at: string | null;
  readonly held: boolean;
  readonly doubtful: boolean;
  readonly revision: number;
  readonly revisions: number;
}): Closure | null {
  if (!facts.passed) return "failed";
  if (facts.revoked_at !== null) return "revoked";
  if (facts.held) return "held";
  if (facts.doubtful) return "doubtful";
  return facts.revisions > facts.revision ? "superseded" : null;
}

export function explanationOf(closure: Closure): string {
  return EXPLANATIONS[closure];
}

/** As `gate_shut_because` of verifier/documents/record.py. */
export function shutBecause(facts: { readonly closure: Closure | null; readonly product_line: string }): string {
  const reasons: string[] = facts.closure ? [explanationOf(facts.closure)] : [];
  if (facts.product_line === SIMULATED) reasons.push("the hardware was simulated");
  if (facts.product_line === SIGNED_ONLY) {
    reasons.push("the release has only a signature: no confidential hardware");
  }
  return reasons.join("; ") || "the contract says so";
}

/** Kinds of entries of a namespace's history, in the contract's order. */
const KINDS: readonly (readonly [words: string, subject: "account" | "record" | "identity"])[] = [
  ["claimed by", "account"],
  ["took in the record", "record"],
  ["held the record", "record"],
  ["released the record", "record"],
  ["trusts the publisher", "identity"],
  ["proposed the publisher", "identity"],
  ["dropped the publisher", "identity"],
  ["offered to", "account"],
  ["handed over to", "account"],
  ["adopted the record", "record"],
];

export function kindWords(kind: number): readonly [words: string, subject: string] {
  return KINDS[kind] ?? [`entry of kind ${kind}`, "record"];
}

/** Where the security versions stand in the eight bytes of a TCB (AMD 57230, and 56860 for Turin). */
const TCB_BYTES: { readonly [line: string]: readonly (readonly [name: string, at: number])[] } = {
  Milan: [["bootloader", 0], ["tee", 1], ["snp", 6], ["microcode", 7]],
  Genoa: [["bootloader", 0], ["tee", 1], ["snp", 6], ["microcode", 7]],
  Turin: [["fmc", 0], ["bootloader", 1], ["tee", 2], ["snp", 3], ["microcode", 7]],
};

/** Firmware versions in words, such as `bootloader 10, tee 0`; the bytes where the line is unknown. */
export function tcbWords(line: string, tcb: string): string {
  const layout = Object.hasOwn(TCB_BYTES, line) ? TCB_BYTES[line] : undefined; // a line may be called constructor
  if (!layout || !/^[0-9a-f]{16}$/.test(tcb)) return tcb;
  return layout.map(([name, at]) => `${name} ${parseInt(tcb.slice(2 * at, 2 * at + 2), 16)}`).join(", ");
}
