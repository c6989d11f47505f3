// What a report claims about the rules of a policy, in words. The page shows the policy; its rules are not judged here,
// because a policy is YAML with tables that change, and the registry says which one the oracle judged by.

import { hexOf } from "./bytes.js";
import type { Check, Finding } from "./checks.js";
import type { Claims } from "./claims.js";
import { tcbText } from "./roots.js";
import { hexWord, HOST_VMPL } from "./snp.js";

const WHY = "the policy's rule is not judged in a browser";

// Bit positions, as AMD 56860 names them (guest policy, PLATFORM_INFO).
const GUEST_POLICY_BITS: readonly (readonly [name: string, position: bigint])[] = [
  ["smt", 16n],
  ["migrate_ma", 18n],
  ["debug", 19n],
  ["single_socket", 20n],
  ["cxl_allow", 21n],
  ["mem_aes_256_xts", 22n],
  ["rapl_dis", 23n],
  ["ciphertext_hiding", 24n],
  ["page_swap_disable", 25n],
];
const PLATFORM_INFO_BITS: readonly (readonly [name: string, position: bigint])[] = [
  ["smt", 0n],
  ["tsme", 1n],
  ["ecc", 2n],
  ["rapl_dis", 3n],
  ["ciphertext_hiding", 4n],
  ["alias_check_complete", 5n],
  ["iommu_write_safe", 6n],
  ["tio", 7n],
];

/** A finding for each check that only a policy decides. The one that needs no policy: a guest asked for the report. */
export function claimFindings(claims: Claims): readonly Finding[] {
  const { report } = claims;
  const chip = claims.chipId ? `chip ${hexOf(claims.chipId)}` : `no chip id, ${claims.cspId ?? "masked by the host"}`;
  return [
    notJudged("guest-policy", `${hexWord(report.policy)}: ${bitNames(report.policy, GUEST_POLICY_BITS)}`),
    notJudged("platform-info", `${hexWord(report.platformInfo)}: ${bitNames(report.platformInfo, PLATFORM_INFO_BITS)}`),
    vmplFinding(report.vmpl),
    notJudged("tcb-floor", `reported ${tcbText(claims.reportedTcb)}`),
    notJudged("tcb-consistency", `current ${tcbText(claims.currentTcb)}, committed ${tcbText(claims.committedTcb)}`),
    notJudged("mitigations", mitigations(claims)),
    notJudged("measurement", `measurement ${hexOf(report.measurement)}`),
    notJudged("host-data", `host_data ${hexOf(report.hostData)}`),
    notJudged("id-key", `id_key_digest ${hexOf(report.idKeyDigest)}, guest_svn ${report.guestSvn}`),
    notJudged("chip-allow-list", chip),
  ];
}

function notJudged(check: Check, shown: string): Finding {
  return { check, outcome: "not-checked", got: `${shown}; ${WHY}`, wanted: "" };
}

function vmplFinding(vmpl: number): Finding {
  if (vmpl !== HOST_VMPL) return notJudged("vmpl", `VMPL ${vmpl}`);
  const [got, wanted] = ["a report that the host asked for", "one that the guest asked for"];
  return { check: "vmpl", outcome: "failed", got, wanted };
}

function mitigations({ report: { version, launchMitVector, currentMitVector } }: Claims): string {
  if (launchMitVector === undefined || currentMitVector === undefined) {
    return `report version ${version} has no mitigation vectors`;
  }
  return `launch ${hexWord(launchMitVector)}, current ${hexWord(currentMitVector)}`;
}

function bitNames(bits: bigint, positions: readonly (readonly [string, bigint])[]): string {
  return positions.filter(([, at]) => (bits >> at) & 1n).map(([name]) => name).join(", ") || "no bit on";
}
