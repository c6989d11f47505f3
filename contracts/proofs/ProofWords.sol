// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {SnpReports} from "../amd/SnpReports.sol";

/**
 * @title What a proof says, in one word
 * @notice From the lowest bit:
 *
 *     0    40  time of the block that proved it, in seconds since 1970
 *     40   26  GUEST_POLICY: bit b of it is bit 40 + b here
 *     66   8   PLATFORM_INFO, its lowest byte
 *     74   2   VMPL of the guest that asked for the report
 *     76   1   the host asked for the report, no guest
 *     77   1   the report names no chip: the host hides it, or a VLEK signed
 *     78   1   the key is a VLEK, of a cloud service provider; else a VCEK, of a chip
 *     79   8   product line: 1 Milan, 2 Genoa, 3 Turin, 255 simulated hardware, which proves nothing
 *     87   8   version of the report
 *     95   64  byte by byte the least of the current, reported, committed and launch TCB
 *     159  24  CPUID family, model, stepping; 0 for a report of version 2
 *     183  8   product line of the certificate: that of bit 79, but for simulated hardware the simulated one
 *     191  16  number of the intermediate that signed the certificate: 0 for a pinned one, else that of {Intermediates}
 *     255  1   AMD revoked the intermediate key
 */
library ProofWords {
    using SnpReports for bytes;

    uint256 internal constant DEBUG = 1 << 59;
    uint256 internal constant MIGRATION = 1 << 58;
    uint256 internal constant VMPL = 3 << 74;
    uint256 internal constant HOST = 1 << 76;
    uint256 internal constant MASKED_CHIP = 1 << 77;
    uint256 internal constant VLEK = 1 << 78;
    /// @dev Set in no product line but that of simulated hardware.
    uint256 internal constant SIMULATED = 1 << 86;
    uint256 internal constant REVOKED = 1 << 255;

    uint256 internal constant SIMULATED_LINE = 255;

    uint256 private constant POLICY_AT = 40;
    uint256 private constant PLATFORM_AT = 66;
    uint256 private constant VMPL_AT = 74;
    uint256 private constant KIND_AT = 78;
    uint256 private constant LINE_AT = 79;
    uint256 private constant VERSION_AT = 87;
    uint256 private constant TCB_AT = 95;
    uint256 private constant CPUID_AT = 159;
    uint256 private constant CERTIFICATE_LINE_AT = 183;
    uint256 private constant INTERMEDIATE_AT = 191;
    uint256 private constant PLATFORM_INFO = 0x040;
    uint256 private constant TCB_BYTES = 8;

    /// @dev Returns the word of a report that a verifier accepted.
    /// @param facts As {SnpVerifier-verify} returned them.
    /// @param intermediate The number of the intermediate.
    function pack(bytes calldata report, uint256 facts, uint256 intermediate, bool isSimulated)
        internal
        view
        returns (uint256 word)
    {
        uint256 version = uint8(report[0]);
        uint256 vmpl = report.u32(SnpReports.VMPL);
        word = uint40(block.timestamp) | report.u64(SnpReports.POLICY) << POLICY_AT;
        word |= uint256(uint8(report[PLATFORM_INFO])) << PLATFORM_AT | (vmpl & 3) << VMPL_AT;
        if (vmpl > 3) word |= HOST;
        if (_isMasked(report)) word |= MASKED_CHIP;
        word |= (facts >> 152 & 1) << KIND_AT;
        uint256 line = uint8(facts >> 144);
        word |= (isSimulated ? SIMULATED_LINE : line) << LINE_AT | line << CERTIFICATE_LINE_AT;
        word |= intermediate << INTERMEDIATE_AT | version << VERSION_AT | lowestTcb(report) << TCB_AT;
        if (version > 2) word |= _cpuid(report) << CPUID_AT;
    }

    function timeOf(uint256 word) internal pure returns (uint256) {
        return uint40(word);
    }

    function kindOf(uint256 word) internal pure returns (uint256) {
        return word >> KIND_AT & 1;
    }

    function lineOf(uint256 word) internal pure returns (uint256) {
        return uint8(word >> LINE_AT);
    }

    function certificateLineOf(uint256 word) internal pure returns (uint256) {
        return uint8(word >> CERTIFICATE_LINE_AT);
    }

    function intermediateOf(uint256 word) internal pure returns (uint256) {
        return uint16(word >> INTERMEDIATE_AT);
    }

    function tcbOf(uint256 word) internal pure returns (uint64) {
        return uint64(word >> TCB_AT);
    }

    /// @dev Returns whether each byte of a TCB is at least that of a floor.
    function reaches(uint64 tcb, uint64 floor) internal pure returns (bool) {
        return least(tcb, floor) == floor;
    }

    /// @dev Returns, byte by byte, the least of the four TCBs of a report: no part of its firmware was older.
    function lowestTcb(bytes calldata report) internal pure returns (uint256) {
        return least(
            least(report.u64(SnpReports.CURRENT_TCB), report.u64(SnpReports.REPORTED_TCB)),
            least(report.u64(SnpReports.COMMITTED_TCB), report.u64(SnpReports.LAUNCH_TCB))
        );
    }

    /// @dev Returns, byte by byte, the lesser of two TCBs.
    function least(uint256 a, uint256 b) internal pure returns (uint256 lesser) {
        unchecked {
            for (uint256 i = 0; i < 8 * TCB_BYTES; i += 8) {
                uint256 x = uint8(a >> i);
                uint256 y = uint8(b >> i);
                lesser |= (x < y ? x : y) << i;
            }
        }
    }

    function _isMasked(bytes calldata report) private pure returns (bool) {
        bytes calldata chip = report[SnpReports.CHIP_ID:SnpReports.COMMITTED_TCB];
        return bytes32(chip[:32]) | bytes32(chip[32:]) == 0;
    }

    function _cpuid(bytes calldata report) private pure returns (uint256) {
        return report.u64(SnpReports.CPUID) & 0xffffff;
    }
}
