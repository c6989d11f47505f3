// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {Standings} from "../../../contracts/lib/Standings.sol";
import {Batch, Standing} from "../../../contracts/Types.sol";
import {VM} from "../support/Vm.sol";

/// @dev The word that a gate reads has room for every field, and no field overlaps another.
contract StandingsTest {
    using Standings for uint256;

    function testFuzz_unpacksAStanding(Standing memory standing) public pure {
        VM.assertEq(abi.encode(_pack(standing).unpackStanding()), abi.encode(standing), "standing");
    }

    function testFuzz_everyAccessorReadsItsField(Standing memory standing) public pure {
        uint256 word = _pack(standing);
        VM.assertEq(word.recordedAtOf(), standing.recordedAt, "recordedAt");
        VM.assertEq(word.revokedAtOf(), standing.revokedAt, "revokedAt");
        VM.assertEq(word.judgedAtOf(), standing.judgedAt, "judgedAt");
        VM.assertEq(word.policyIdOf(), standing.policyId, "policyId");
        VM.assertEq(word.signersOf(), standing.signers, "signers");
        VM.assertEq(word.weightOf(), standing.weight, "weight");
        VM.assertEq(word.epochOf(), standing.epoch, "epoch");
        VM.assertEq(word.revisionsOf(), standing.revisions, "revisions");
        VM.assertEq(word.gradeOf(), standing.grade, "grade");
        VM.assertEq(word.productLineOf(), standing.productLine, "productLine");
        VM.assertEq(word.isSimulated(), standing.productLine == 255, "simulated");
        VM.assertEq(word.isSignedOnly(), standing.productLine == 254, "signed only");
    }

    function testFuzz_revocationChangesNothingElse(Standing memory standing, uint40 revokedAt) public pure {
        uint256 word = _pack(standing).withRevokedAt(revokedAt);
        standing.revokedAt = revokedAt;
        VM.assertEq(word, _pack(standing), "word");
    }

    function testFuzz_revisionsChangeNothingElse(Standing memory standing, uint16 revisions) public pure {
        uint256 word = _pack(standing).withRevisions(revisions);
        standing.revisions = revisions;
        VM.assertEq(word, _pack(standing), "word");
    }

    function testFuzz_signersChangeNothingElse(Standing memory standing, uint32 signers, uint16 weight) public pure {
        uint256 word = _pack(standing).withSigners(signers, weight);
        (standing.signers, standing.weight) = (signers, weight);
        VM.assertEq(word, _pack(standing), "word");
    }

    function testFuzz_stampIsWhatBothHave(Standing memory standing) public pure {
        uint256 stamp =
            Standings.stamp(standing.recordedAt, standing.signers, standing.weight, standing.epoch);
        Standing memory stamped;
        stamped.recordedAt = standing.recordedAt;
        stamped.signers = standing.signers;
        stamped.weight = standing.weight;
        stamped.epoch = standing.epoch;
        VM.assertEq(stamp, _pack(stamped), "stamp");
        uint256 flags = (1 << 112) - (1 << 104);
        VM.assertEq(_pack(standing).stampOf(), stamp | _pack(standing) & flags, "stamp and flags");
    }

    /// @dev Facts also hold REPORTED_TCB, checks and the record's own revision, for which a standing has no room.
    function testFuzz_judgementIsTheFactsThatCount(uint256 facts) public pure {
        uint256 judgement = Standings.judgementOf(facts);
        Standing memory wanted;
        wanted.productLine = uint8(facts >> 248);
        wanted.grade = uint8(facts >> 240);
        wanted.policyId = uint32(facts >> 192);
        wanted.judgedAt = uint40(facts >> 152);
        uint256 flag = wanted.productLine == 255 ? Standings.SIMULATED : 0;
        if (wanted.productLine == 254) flag = Standings.SIGNED_ONLY;
        VM.assertEq(judgement, _pack(wanted) | flag, "judgement");
    }

    function test_theLinesWithoutRealHardwareHaveFlags() public pure {
        for (uint256 line = 0; line < 256; ++line) {
            uint256 flag = line == 255 ? Standings.SIMULATED : line == 254 ? Standings.SIGNED_ONLY : 0;
            VM.assertEq(Standings.judgementOf(line << 248), line << 248 | flag, "flag");
        }
        VM.assertEq(Standings.UNBACKED, Standings.SIMULATED | Standings.SIGNED_ONLY, "unbacked");
    }

    function testFuzz_unpacksABatch(Batch memory batch) public pure {
        VM.assertEq(abi.encode(_packBatch(batch).unpackBatch()), abi.encode(batch), "batch");
    }

    function testFuzz_countAndBitsChangeNothingElse(Batch memory batch, uint8 count, uint8 index) public pure {
        index %= 128;
        batch.count = 0;
        uint256 word = _packBatch(batch).withCount(count);
        batch.count = count;
        VM.assertEq(word, _packBatch(batch), "count");
        VM.assertEq(word.countOf(), count, "countOf");
        VM.assertEq(word.isMaterialised(index), batch.materialised >> index & 1 == 1, "isMaterialised");
        word = word.withMaterialised(index);
        batch.materialised |= uint128(1 << index);
        VM.assertEq(word, _packBatch(batch), "bits");
        VM.assertTrue(word.isMaterialised(index), "isMaterialised");
    }

    function test_flagsAreBitsOfTheirOwn() public pure {
        uint256[7] memory flags = [
            Standings.FAILED,
            Standings.HELD,
            Standings.DOUBTFUL,
            Standings.NAMED,
            Standings.SIMULATED,
            Standings.REVISION,
            Standings.SIGNED_ONLY
        ];
        uint256 all = 0;
        for (uint256 i = 0; i < flags.length; ++i) {
            VM.assertEq(flags[i], 1 << 104 + i, "flag");
            all |= flags[i];
        }
        uint256 times = uint256(type(uint40).max) << 112 | uint256(type(uint16).max) << 224;
        VM.assertEq(Standings.SPECIAL, all & ~Standings.NAMED | times, "special");
        VM.assertEq(Standings.SPECIAL_IF_SIGNED, Standings.SPECIAL & ~Standings.SIGNED_ONLY, "special if signed");
        VM.assertEq(Standings.CLOSING, Standings.HELD | Standings.DOUBTFUL, "closing");
    }

    /// @dev The layout, field by field.
    function _pack(Standing memory standing) private pure returns (uint256) {
        uint8 flags = (standing.failed ? 1 : 0) | (standing.held ? 2 : 0) | (standing.doubtful ? 4 : 0)
            | (standing.named ? 8 : 0);
        bytes memory judgement = abi.encodePacked(
            standing.productLine, standing.grade, standing.revisions, standing.policyId, standing.judgedAt
        );
        bytes memory stamp =
            abi.encodePacked(flags, standing.epoch, standing.weight, standing.signers, standing.recordedAt);
        return uint256(bytes32(bytes.concat(judgement, abi.encodePacked(standing.revokedAt), stamp)));
    }

    function _packBatch(Batch memory batch) private pure returns (uint256) {
        uint8 flags = batch.doubtful ? 4 : 0;
        bytes memory stamp = abi.encodePacked(flags, batch.epoch, batch.weight, batch.signers, batch.recordedAt);
        return uint256(bytes32(abi.encodePacked(batch.materialised, uint8(0), batch.count, stamp)));
    }
}
