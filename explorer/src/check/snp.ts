// The attestation report: 1184 bytes to fields, which are not trusted yet. It equals verifier/snp/report.py.
// Source: AMD 56860, structure ATTESTATION_REPORT, versions 2 to 5. Integers are little-endian.

import { type Bytes, isZero, littleEndian } from "./bytes.js";
import { malformed } from "./checks.js";
import type { VekKind } from "./endorsements.js";
import type { Cpuid } from "./roots.js";

export const REPORT_BYTES = 0x4a0;
const SIGNED_BYTES = 0x2a0;
const COMPONENT_BYTES = 48;
/** The VMPL of a report that the host requested instead of a guest. */
export const HOST_VMPL = 0xffffffff;
export const P384_ORDER =
  0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n;
const POLICY_KNOWN_BITS = (1n << 26n) - 1n;
const POLICY_RESERVED_ONE = 1n << 17n;

/** The fields of a report, under AMD's names. `cpuid` is undefined in version 2, the mitigation vectors before version 5. */
export interface Report {
  readonly version: number;
  readonly guestSvn: number;
  readonly policy: bigint;
  readonly familyId: Bytes;
  readonly imageId: Bytes;
  readonly vmpl: number;
  readonly platformInfo: bigint;
  readonly signingKey: VekKind;
  readonly reportData: Bytes;
  readonly measurement: Bytes;
  readonly hostData: Bytes;
  readonly idKeyDigest: Bytes;
  readonly authorKeyDigest: Bytes;
  readonly reportId: Bytes;
  readonly reportIdMa: Bytes;
  readonly cpuid: Cpuid | undefined;
  readonly chipId: Bytes;
  readonly currentTcb: Bytes;
  readonly reportedTcb: Bytes;
  readonly committedTcb: Bytes;
  readonly launchTcb: Bytes;
  readonly currentFirmware: string;
  readonly committedFirmware: string;
  readonly launchMitVector: bigint | undefined;
  readonly currentMitVector: bigint | undefined;
  readonly signatureR: Bytes; // 48 bytes, little-endian
  readonly signatureS: Bytes;
  readonly signed: Bytes; // the bytes that the signature covers; their SHA-256 is the identity of the report
  readonly where: string;
}

/** Parses a report of exactly 1184 bytes. Throws a malformed CheckError (check `report-format`). */
export function parseReport(data: Bytes, where: string): Report {
  const expect = (holds: boolean, what: string, got: string, wanted: string): void => {
    if (!holds) throw malformed("report-format", what, where, got, wanted);
  };
  expect(data.length === REPORT_BYTES, "wrong report size", `${data.length} bytes`, `${REPORT_BYTES} bytes`);
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const u32 = (at: number): number => view.getUint32(at, true);
  const u64 = (at: number): bigint => view.getBigUint64(at, true);
  const version = u32(0x000);
  expect(version >= 2 && version <= 5, "unsupported report version", `${version}`, "2, 3, 4 or 5");
  expect(u32(0x034) === 1, "unsupported signature_algo", `${u32(0x034)}`, "1 (ECDSA P-384)");
  const keyInfo = u32(0x048); // bit 0 AUTHOR_KEY_EN, bit 1 MASK_CHIP_KEY, bits 4:2 SIGNING_KEY, the rest is reserved
  expect(keyInfo >>> 5 === 0, "reserved bits of key_info are set", `${keyInfo}`, "bits 5 to 31 zero");
  expect((keyInfo & 2) === 0, "mask_chip_key is set", "1 (the report is not signed)", "0");
  expect(keyInfo >>> 2 <= 1, "unsupported signing_key", `${keyInfo >>> 2}`, "0 (VCEK) or 1 (VLEK)");
  for (const [start, end] of reservedRanges(version)) {
    expect(isZero(data.subarray(start, end)), `reserved bytes ${start} to ${end} are set`, "not zero", "zero");
  }
  const policy = u64(0x008);
  expect((policy & ~POLICY_KNOWN_BITS) === 0n, "reserved bits of policy are set", hexWord(policy), "bits 26 to 63 zero");
  expect((policy & POLICY_RESERVED_ONE) !== 0n, "reserved bit 17 of policy is not set", "0", "1");
  const vmpl = u32(0x030);
  expect(vmpl <= 3 || vmpl === HOST_VMPL, "unknown vmpl", `${vmpl}`, "0 to 3");
  // a high s is genuine, because AMD does not normalise s
  const [signatureR, signatureS] = [0x2a0, 0x2e8].map((at) => data.subarray(at, at + COMPONENT_BYTES)) as [Bytes, Bytes];
  for (const component of [signatureR, signatureS].map(littleEndian)) {
    const wanted = "0 < r, s < order of P-384";
    expect(component > 0n && component < P384_ORDER, "invalid signature", "a component out of range", wanted);
  }
  const firmware = (at: number): string => `${data[at + 2]}.${data[at + 1]}.${data[at]}`;
  return {
    version,
    guestSvn: u32(0x004),
    policy,
    familyId: data.subarray(0x010, 0x020),
    imageId: data.subarray(0x020, 0x030),
    vmpl,
    platformInfo: u64(0x040),
    signingKey: keyInfo >>> 2 === 0 ? "VCEK" : "VLEK",
    reportData: data.subarray(0x050, 0x090),
    measurement: data.subarray(0x090, 0x0c0),
    hostData: data.subarray(0x0c0, 0x0e0),
    idKeyDigest: data.subarray(0x0e0, 0x110),
    authorKeyDigest: data.subarray(0x110, 0x140),
    reportId: data.subarray(0x140, 0x160),
    reportIdMa: data.subarray(0x160, 0x180),
    cpuid: version === 2 ? undefined : { family: data[0x188]!, model: data[0x189]!, stepping: data[0x18a]! },
    chipId: data.subarray(0x1a0, 0x1e0),
    currentTcb: data.subarray(0x038, 0x040),
    reportedTcb: data.subarray(0x180, 0x188),
    committedTcb: data.subarray(0x1e0, 0x1e8),
    launchTcb: data.subarray(0x1f0, 0x1f8),
    currentFirmware: firmware(0x1e8),
    committedFirmware: firmware(0x1ec),
    launchMitVector: version >= 5 ? u64(0x1f8) : undefined,
    currentMitVector: version >= 5 ? u64(0x200) : undefined,
    signatureR,
    signatureS,
    signed: data.subarray(0, SIGNED_BYTES),
    where,
  };
}

/** The ranges of bytes that must be zero; else a firmware flaw could let an attacker choose bytes that no check reads. */
function reservedRanges(version: number): readonly (readonly [start: number, end: number])[] {
  return [
    [0x04c, 0x050],
    [version === 2 ? 0x188 : 0x18b, 0x1a0],
    [0x1eb, 0x1ec],
    [0x1ef, 0x1f0],
    [version >= 5 ? 0x208 : 0x1f8, 0x2a0],
    [0x2a0 + COMPONENT_BYTES, 0x2e8],
    [0x2e8 + COMPONENT_BYTES, REPORT_BYTES],
  ];
}

export function hexWord(value: bigint): string {
  return `0x${value.toString(16)}`;
}

