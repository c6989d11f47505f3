// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {Batch, Standing} from "../Types.sol";

/**
 * @title Standings and batches in one word
 * @notice Packs {Standing} and {Batch} by hand: a gate must read one slot, and decode no more of it than it needs.
 * @dev Bits from the lowest. The first 112, the stamp, have the same meaning in both:
 *
 *     recordedAt 40 | signers 32 | weight 16 | epoch 16 | flags 8 |
 *         a standing:  revokedAt 40 | judgedAt 40 | policyId 32 | revisions 16 | grade 8 | productLine 8
 *         a batch:     count 8 | unused 8 | materialised 128
 */
library Standings {
    uint256 internal constant FAILED = 1 << 104;
    uint256 internal constant HELD = 1 << 105;
    uint256 internal constant DOUBTFUL = 1 << 106;
    uint256 internal constant NAMED = 1 << 107;
    /// @dev The hardware was simulated.
    uint256 internal constant SIMULATED = 1 << 108;
    /// @dev A later judgement: its id is not that of a release.
    uint256 internal constant REVISION = 1 << 109;
    /// @dev The release has only a signature: no confidential hardware.
    uint256 internal constant SIGNED_ONLY = 1 << 110;
    /// @dev Each of these bits says that no real hardware stands behind the record.
    uint256 internal constant UNBACKED = SIMULATED | SIGNED_ONLY;
    /// @dev Each of these bits shuts a release's gate.
    uint256 internal constant CLOSING = HELD | DOUBTFUL;
    /// @dev If a word has none of these bits, it is that of a release whose gate is open, provided that the grade is
    /// high enough.
    uint256 internal constant SPECIAL = SPECIAL_IF_SIGNED | SIGNED_ONLY;
    /// @dev The same for a gate that asks for the publisher, whatever the hardware.
    uint256 internal constant SPECIAL_IF_SIGNED = CLOSING | FAILED | SIMULATED | REVISION | REVOKED_AT | REVISIONS;

    uint256 private constant REVOKED_AT = uint256(type(uint40).max) << 112;
    uint256 private constant REVISIONS = uint256(type(uint16).max) << REVISIONS_SHIFT;
    uint256 private constant REVISIONS_SHIFT = 224;
    uint256 private constant JUDGEMENT_SHIFT = 152;
    uint8 private constant LAST_BACKED_LINE = 253;
    uint8 private constant SIGNED_LINE = 254;
    uint8 private constant SIMULATED_LINE = 255;
    uint256 private constant MATERIALISED_SHIFT = 128;

    /// @dev Returns the stamp of these signers and this time of recording.
    function stamp(uint256 recordedAt, uint32 signers, uint16 weight, uint16 epoch) internal pure returns (uint256) {
        return recordedAt | uint256(signers) << 40 | uint256(weight) << 72 | uint256(epoch) << 88;
    }

    function recordedAtOf(uint256 word) internal pure returns (uint40) {
        return uint40(word);
    }

    function signersOf(uint256 word) internal pure returns (uint32) {
        return uint32(word >> 40);
    }

    function weightOf(uint256 word) internal pure returns (uint16) {
        return uint16(word >> 72);
    }

    function epochOf(uint256 word) internal pure returns (uint16) {
        return uint16(word >> 88);
    }

    /// @dev Returns the word with other signers.
    function withSigners(uint256 word, uint32 signers, uint16 weight) internal pure returns (uint256) {
        return word & ~(uint256(type(uint48).max) << 40) | uint256(signers) << 40 | uint256(weight) << 72;
    }

    /// @dev Returns the stamp and the flags only.
    function stampOf(uint256 word) internal pure returns (uint256) {
        return uint256(uint112(word));
    }

    /// @dev Returns the bits of a standing that come from a record's facts: all above REPORTED_TCB and the checks,
    /// without the record's own revision.
    function judgementOf(uint256 facts) internal pure returns (uint256) {
        uint256 judgement = facts >> JUDGEMENT_SHIFT << JUDGEMENT_SHIFT & ~REVISIONS;
        if (productLineOf(facts) > LAST_BACKED_LINE) judgement |= isSimulated(facts) ? SIMULATED : SIGNED_ONLY;
        return judgement;
    }

    function revokedAtOf(uint256 word) internal pure returns (uint40) {
        return uint40(word >> 112);
    }

    function judgedAtOf(uint256 word) internal pure returns (uint40) {
        return uint40(word >> 152);
    }

    function policyIdOf(uint256 word) internal pure returns (uint32) {
        return uint32(word >> 192);
    }

    function revisionsOf(uint256 word) internal pure returns (uint16) {
        return uint16(word >> REVISIONS_SHIFT);
    }

    function gradeOf(uint256 word) internal pure returns (uint8) {
        return uint8(word >> 240);
    }

    function productLineOf(uint256 word) internal pure returns (uint8) {
        return uint8(word >> 248);
    }

    function isSimulated(uint256 word) internal pure returns (bool) {
        return productLineOf(word) == SIMULATED_LINE;
    }

    function isSignedOnly(uint256 word) internal pure returns (bool) {
        return productLineOf(word) == SIGNED_LINE;
    }

    function isRevoked(uint256 word) internal view returns (bool) {
        uint40 revokedAt = revokedAtOf(word);
        return revokedAt != 0 && revokedAt <= block.timestamp;
    }

    function withRevokedAt(uint256 word, uint40 revokedAt) internal pure returns (uint256) {
        return word & ~REVOKED_AT | uint256(revokedAt) << 112;
    }

    function withRevisions(uint256 word, uint16 revisions) internal pure returns (uint256) {
        return word & ~REVISIONS | uint256(revisions) << REVISIONS_SHIFT;
    }

    function countOf(uint256 batch) internal pure returns (uint8) {
        return uint8(batch >> 112);
    }

    function withCount(uint256 batch, uint8 count) internal pure returns (uint256) {
        return batch | uint256(count) << 112;
    }

    function isMaterialised(uint256 batch, uint8 index) internal pure returns (bool) {
        return batch >> MATERIALISED_SHIFT >> index & 1 != 0;
    }

    function withMaterialised(uint256 batch, uint8 index) internal pure returns (uint256) {
        return batch | 1 << MATERIALISED_SHIFT << index;
    }

    /// @dev Returns the standing as a struct, for readers outside of the contract.
    function unpackStanding(uint256 word) internal pure returns (Standing memory) {
        return Standing({
            recordedAt: recordedAtOf(word),
            revokedAt: revokedAtOf(word),
            judgedAt: judgedAtOf(word),
            policyId: policyIdOf(word),
            signers: signersOf(word),
            weight: weightOf(word),
            epoch: epochOf(word),
            revisions: revisionsOf(word),
            grade: gradeOf(word),
            productLine: productLineOf(word),
            failed: word & FAILED != 0,
            held: word & HELD != 0,
            doubtful: word & DOUBTFUL != 0,
            named: word & NAMED != 0
        });
    }

    /// @dev Returns the batch as a struct, for readers outside of the contract.
    function unpackBatch(uint256 batch) internal pure returns (Batch memory) {
        return Batch({
            recordedAt: recordedAtOf(batch),
            signers: signersOf(batch),
            weight: weightOf(batch),
            epoch: epochOf(batch),
            count: countOf(batch),
            doubtful: batch & DOUBTFUL != 0,
            materialised: uint128(batch >> MATERIALISED_SHIFT)
        });
    }
}
