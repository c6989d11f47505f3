// The attestation report, for showing: its fields are claims until the re-check has verified the chip's signature.

import { isDigestOf } from "./documents.js";
import type { Source } from "./source.js";
import type { Entry } from "./types.js";

export interface ShownReport {
  /** Launch measurement: the software that the VM was started with. */
  readonly measurement: string;
  readonly chipId: string;
  /** Whether these are the bytes that the record names; null where the browser hashes nothing. */
  readonly matches: boolean | null;
}

// AMD SEV-SNP ABI 56860, table ATTESTATION_REPORT.
const MEASUREMENT_AT = 0x90;
const CHIP_ID_AT = 0x1a0;
const SIGNED_BYTES = 0x2a0;

export async function readReport(source: Source, entry: Entry): Promise<ShownReport> {
  const report = await source.evidenceFile(entry.manifest_digest, "provenance/snp/report.bin");
  const hex = (at: number, length: number): string =>
    Array.from(report.subarray(at, at + length), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return {
    measurement: hex(MEASUREMENT_AT, 48),
    chipId: hex(CHIP_ID_AT, 64),
    matches: await isDigestOf(report.slice(0, SIGNED_BYTES), entry.report_digest),
  };
}
