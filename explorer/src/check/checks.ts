// The checks by their stable ids, their findings, and the failures that end a re-check. They equal those of Python
// (verifier/checks.py, verifier/errors.py, verifier/judgement/sheet.py).

/** The checks. The order gives the bit number on chain: append only, never reorder. */
export const CHECKS = [
  "report-format",
  "endorsements-format",
  "product-line",
  "vek-chain",
  "vek-validity",
  "vek-revocation",
  "vek-match",
  "report-signature",
  "guest-policy",
  "platform-info",
  "vmpl",
  "tcb-floor",
  "tcb-consistency",
  "mitigations",
  "measurement",
  "host-data",
  "id-key",
  "chip-allow-list",
  "key-binding",
  "manifest-format",
  "manifest-signature",
  "file-set",
  "file-digests",
  "publisher-signature",
  "publisher-identity",
  "lineage",
  "registry-record",
  "gpu-evidence",
] as const;

export type Check = (typeof CHECKS)[number];
export type Outcome = "passed" | "failed" | "not-checked";

/** The outcome of one check: the value found and the requirement, in words. A hostile release wrote some of them. */
export interface Finding {
  readonly check: Check;
  readonly outcome: Outcome;
  readonly got: string;
  readonly wanted: string;
}

/**
 * The kinds of failures, and the exit codes of the Python classes that they stand for:
 * malformed (3), forged (4), refused (5), and incomplete (7): a file that a release gets last is not there yet.
 */
export type Kind = "malformed" | "forged" | "refused" | "incomplete";

/** A release that is not accepted. `where` is the file or field at fault, `findings` every outcome known by then. */
export class CheckError extends Error {
  static override readonly name = "CheckError";
  override readonly name = "CheckError";
  findings: readonly Finding[] = [];

  constructor(
    readonly kind: Kind,
    readonly problem: string,
    readonly check: Check,
    readonly where: string,
    readonly got: string,
    readonly wanted: string,
  ) {
    super(`${where}: ${check}: ${problem}: got ${got || "nothing"}, wanted ${wanted || "nothing"}`);
  }
}

/** This browser lacks an algorithm or WebCrypto, so nothing can be said about the release. */
export class UnsupportedError extends Error {
  static override readonly name = "UnsupportedError";
  override readonly name = "UnsupportedError";
}

/** Bytes that do not have the format that they claim. */
export function malformed(check: Check, problem: string, where: string, got: string, wanted: string): CheckError {
  return new CheckError("malformed", problem, check, where, got, wanted);
}

/** A signature, a certificate or a digest that does not match. */
export function forged(check: Check, problem: string, where: string, got: string, wanted: string): CheckError {
  return new CheckError("forged", problem, check, where, got, wanted);
}

/** Genuine evidence of another release than the one asked for. */
export function refused(check: Check, problem: string, where: string, got: string, wanted: string): CheckError {
  return new CheckError("refused", problem, check, where, got, wanted);
}

/** Lets the errors of a parser that several checks share name this check. */
export function about<T>(check: Check, step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof CheckError)) throw error;
    throw new CheckError(error.kind, error.problem, check, error.where, error.got, error.wanted);
  }
}

/** Builds the error of the module that reads a format, from a problem, the value found and the value wanted. */
export type Problem = (what: string, got: string, wanted: string) => CheckError;

const NOT_REACHED = "not reached";
// A judgement of a release without this evidence has no finding of it.
const OPTIONAL: ReadonlySet<Check> = new Set(["gpu-evidence"]);
const WEIGHT: readonly Outcome[] = ["failed", "passed", "not-checked"];

/** Collects the findings of one re-check, and tells each of them to `onFinding` as it comes. */
export class CheckSheet {
  readonly #findings = new Map<Check, Finding>();
  readonly #onFinding: (finding: Finding) => void;

  constructor(onFinding: (finding: Finding) => void = () => undefined) {
    this.#onFinding = onFinding;
  }

  passed(check: Check, got: string, wanted: string): void {
    this.add({ check, outcome: "passed", got, wanted });
  }

  notChecked(check: Check, why: string): void {
    this.add({ check, outcome: "not-checked", got: why, wanted: "" });
  }

  /** Enters a finding. Two of one check become one: failed outweighs passed, and passed outweighs not-checked. */
  add(finding: Finding): void {
    const old = this.#findings.get(finding.check);
    if (old && WEIGHT.indexOf(old.outcome) < WEIGHT.indexOf(finding.outcome)) return;
    this.#findings.set(finding.check, finding);
    this.#onFinding(finding);
  }

  /** One finding a check, in the order of CHECKS. An optional check has one only if it was made. */
  findings(): readonly Finding[] {
    const due = CHECKS.filter((check) => this.#findings.has(check) || !OPTIONAL.has(check));
    return due.map((check) => this.#findings.get(check) ?? { check, outcome: "not-checked", got: NOT_REACHED, wanted: "" });
  }

  /** Runs a step, and gives the error that leaves it a finding of its own and all findings so far. */
  async guard<T>(step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (error) {
      if (error instanceof CheckError) {
        this.#enter(error);
        error.findings = this.findings();
      }
      throw error;
    }
  }

  #enter(error: CheckError): void {
    if (this.#findings.get(error.check)?.outcome === "failed") return;
    // what could not be decided did not fail; a failure replaces whatever was entered before
    const got = error.got || error.problem;
    const finding: Finding =
      error.kind === "incomplete"
        ? { check: error.check, outcome: "not-checked", got: error.problem, wanted: "" }
        : { check: error.check, outcome: "failed", got: error.where ? `${error.where}: ${got}` : got, wanted: error.wanted };
    this.#findings.set(error.check, finding);
    this.#onFinding(finding);
  }
}
