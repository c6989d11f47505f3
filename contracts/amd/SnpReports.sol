// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/**
 * @title SEV-SNP attestation reports of versions 2 to 5
 * @notice AMD 56860 (SEV Secure Nested Paging Firmware ABI), structure ATTESTATION_REPORT, 1184 bytes:
 *
 *     000 version u32       004 guest_svn u32     008 policy u64        010 family_id 16      020 image_id 16
 *     030 vmpl u32          034 signature_algo    038 current_tcb       040 platform_info u64 048 key_info u32
 *     050 report_data 64    090 measurement 48    0c0 host_data 32      0e0 id_key_digest 48
 *     110 author_key_digest 48                    140 report_id 32      160 report_id_ma 32
 *     180 reported_tcb      188 CPUID family, model, stepping (from version 3)                1a0 chip_id 64
 *     1e0 committed_tcb     1e8 current build, minor, major             1ec committed build, minor, major
 *     1f0 launch_tcb        1f8 launch_mit_vector, 200 current_mit_vector (from version 5)
 *     2a0 r, 72 bytes       2e8 s, 72 bytes       signed: 000 to 2a0
 *
 * All else is reserved and zero. Integers are little-endian in a report; the functions return them as numbers. Version
 * 4 has the fields of version 3.
 */
library SnpReports {
    /// @dev Thrown when a report has another form; `offset` is the offset of the field, or the length that a report has
    /// not.
    error ReportMalformed(uint256 offset);

    uint256 internal constant REPORT_BYTES = 0x4a0;
    uint256 internal constant SIGNED_BYTES = 0x2a0;

    // Offsets of fields
    uint256 internal constant POLICY = 0x008;
    uint256 internal constant VMPL = 0x030;
    uint256 internal constant CURRENT_TCB = 0x038;
    uint256 internal constant REPORTED_TCB = 0x180;
    uint256 internal constant CPUID = 0x188;
    uint256 internal constant CHIP_ID = 0x1a0;
    uint256 internal constant COMMITTED_TCB = 0x1e0;
    uint256 internal constant LAUNCH_TCB = 0x1f0;
    uint256 internal constant SIGNATURE_R = 0x2a0;
    uint256 internal constant SIGNATURE_S = 0x2e8;

    /// @dev The product line of a processor that is none of {AmdForms}: no certificate has it.
    uint256 internal constant UNKNOWN_LINE = 255;

    uint256 private constant SIGNATURE_ALGO = 0x034;
    uint256 private constant KEY_INFO = 0x048;
    uint256 private constant ECDSA_P384_SHA384 = 1;
    uint256 private constant MASK_CHIP_KEY = 2;
    uint256 private constant POLICY_BITS = 26;
    uint256 private constant POLICY_ONE = 1 << 17;
    /// @dev VMPL of a report that the host asked for instead of a guest. Gates refuse it.
    uint256 private constant HOST = 0xffffffff;

    /// @dev Reverts with {ReportMalformed} unless the report has the form and says that it is signed. The numbers r
    /// and s are left to {P384}.
    /// @return version 2 to 5.
    /// @return kind The kind of the key that signed it, {AmdForms-VCEK} or {AmdForms-VLEK}.
    function requireFormat(bytes calldata report) internal pure returns (uint256 version, uint256 kind) {
        if (report.length != REPORT_BYTES) revert ReportMalformed(report.length);
        version = u32(report, 0);
        if (version < 2 || version > 5) revert ReportMalformed(0);
        if (u32(report, SIGNATURE_ALGO) != ECDSA_P384_SHA384) revert ReportMalformed(SIGNATURE_ALGO);
        // AUTHOR_KEY_EN, MASK_CHIP_KEY (zeros instead of a signature), SIGNING_KEY
        uint256 keyInfo = u32(report, KEY_INFO);
        kind = keyInfo >> 2;
        if (kind > 1 || keyInfo & MASK_CHIP_KEY != 0) revert ReportMalformed(KEY_INFO);
        uint256 policy = u64(report, POLICY);
        if (policy >> POLICY_BITS != 0 || policy & POLICY_ONE == 0) revert ReportMalformed(POLICY);
        uint256 vmpl = u32(report, VMPL);
        if (vmpl > 3 && vmpl != HOST) revert ReportMalformed(VMPL);
        _requireZero(report, 0x04c, 0x050);
        _requireZero(report, version == 2 ? CPUID : 0x18b, CHIP_ID);
        _requireZero(report, 0x1eb, 0x1ec);
        _requireZero(report, 0x1ef, LAUNCH_TCB);
        _requireZero(report, version == 5 ? 0x208 : 0x1f8, SIGNED_BYTES);
        _requireZero(report, SIGNATURE_R + 48, SIGNATURE_S);
        _requireZero(report, SIGNATURE_S + 48, REPORT_BYTES);
    }

    /// @dev Returns the product line by CPUID, as in {AmdForms}; 0 for version 2, which has none; {UNKNOWN_LINE} for a
    /// processor of another line. Bergamo and Siena belong to Genoa.
    function lineOf(bytes calldata report, uint256 version) internal pure returns (uint256) {
        if (version == 2) return 0;
        uint256 family = uint8(report[CPUID]);
        uint256 model = uint8(report[CPUID + 1]);
        if (family == 0x19 && model < 0x10) return 1;
        if (family == 0x19 && (model < 0x20 || model >= 0xa0 && model < 0xb0)) return 2;
        if (family == 0x1a && model < 0x12) return 3;
        return UNKNOWN_LINE;
    }

    function u32(bytes calldata report, uint256 offset) internal pure returns (uint256) {
        return u64(report, offset) & 0xffffffff;
    }

    function u64(bytes calldata report, uint256 offset) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := shr(192, calldataload(add(report.offset, offset)))
        }
        value = (value & 0x00ff00ff00ff00ff) << 8 | value >> 8 & 0x00ff00ff00ff00ff;
        value = (value & 0x0000ffff0000ffff) << 16 | value >> 16 & 0x0000ffff0000ffff;
        return (value & 0xffffffff) << 32 | value >> 32;
    }

    /// @dev Returns r or s, 48 bytes of a report, as the number that {P384} takes: its first 32 bytes, and its last 16,
    /// which zeros follow.
    function scalar(bytes calldata report, uint256 offset) internal pure returns (bytes32 high, bytes32 low) {
        uint256 first;
        uint256 last;
        assembly ("memory-safe") {
            first := calldataload(add(report.offset, offset))
            last := calldataload(add(add(report.offset, offset), 16))
        }
        return (bytes32(_reversed(last)), bytes32(_reversed(first) << 128));
    }

    /// @dev Returns a word with its bytes in the opposite order.
    function _reversed(uint256 word) private pure returns (uint256) {
        uint256 mask = 0x00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff;
        word = (word & mask) << 8 | word >> 8 & mask;
        mask = 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff;
        word = (word & mask) << 16 | word >> 16 & mask;
        mask = 0x00000000ffffffff00000000ffffffff00000000ffffffff00000000ffffffff;
        word = (word & mask) << 32 | word >> 32 & mask;
        mask = 0x0000000000000000ffffffffffffffff0000000000000000ffffffffffffffff;
        word = (word & mask) << 64 | word >> 64 & mask;
        return word << 128 | word >> 128;
    }

    function _requireZero(bytes calldata report, uint256 start, uint256 end) private pure {
        uint256 bits = 0;
        assembly ("memory-safe") {
            let offset := add(report.offset, start)
            let limit := add(report.offset, end)
            for {} iszero(gt(add(offset, 32), limit)) { offset := add(offset, 32) } {
                bits := or(bits, calldataload(offset))
            }
            // the rest, of 0 to 31 bytes
            bits := or(bits, shr(sub(256, shl(3, sub(limit, offset))), calldataload(offset)))
        }
        if (bits != 0) revert ReportMalformed(start);
    }
}
