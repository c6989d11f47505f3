// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {IProvenanceRegistry} from "../../../contracts/IProvenanceRegistry.sol";
import {Quorum, Record, Standing} from "../../../contracts/Types.sol";
import {FromShipped, FromSource, RegistryBehaviour} from "../support/RegistryBehaviour.sol";
import {VM} from "../support/Vm.sol";

/// @dev Effects of a publication, which happen once and are never overwritten.
abstract contract PublishingBehaviour is RegistryBehaviour {
    function test_digestsAreThoseOfEip712() public view {
        bytes memory record = _bytes(_record(1));
        bytes32 batch = _batchDigest(address(registry), 7, POLICY, 3, 4, "ipfs://batch");
        VM.assertEq(registry.reportDigest(7, record), _reportDigest(address(registry), 7, record), "report");
        VM.assertEq(registry.batchDigest(7, POLICY, 3, 4, "ipfs://batch"), batch, "batch");
    }

    function test_writesWhatWasSigned() public {
        Record memory record = _record(1);
        record.judgedAt -= 100;
        bytes32 recordId = _publish(record);

        VM.assertEq(registry.contentOf(recordId), keccak256(_bytes(record)), "content");
        VM.assertEq(recordId, registry.recordIdOf(record.modelDigest, record.manifestDigest), "id");
        VM.assertEq(registry.latestIdOf(recordId), recordId, "latest id");
        Standing memory wanted;
        wanted.recordedAt = uint40(START);
        wanted.judgedAt = uint40(START - 100);
        wanted.policyId = 1;
        wanted.signers = THREE;
        wanted.weight = 3;
        wanted.epoch = 1;
        wanted.grade = 2;
        wanted.productLine = 2;
        _sameStanding(registry.standingById(recordId), wanted);
        _sameStanding(registry.standingOf(record.modelDigest, record.manifestDigest), wanted);
    }

    function test_emitsTheRecordAndItsStanding() public {
        Record memory record = _record(1);
        bytes memory encoded = _bytes(record);
        uint256 stamp = START | uint256(THREE) << 40 | 3 << 72 | 1 << 88;
        uint256 standing = stamp | START << 152 | 1 << 192 | 2 << 240 | 2 << 248;
        Quorum memory quorum = _signed(encoded);
        VM.recordLogs();
        VM.expectEmit(address(registry));
        emit IProvenanceRegistry.RecordPublished(
            record.modelDigest, record.manifestDigest, record.reportDigest, standing, encoded
        );
        registry.publish(encoded, quorum);
        VM.assertEq(_countLogs(), 1, "events");
    }

    function test_anyoneSubmits() public {
        bytes memory encoded = _bytes(_record(1));
        Quorum memory quorum = _signed(encoded);
        VM.prank(ANYBODY);
        VM.assertTrue(registry.publish(encoded, quorum), "written");
    }

    function test_knowsWhereEveryKindOfRecordIsKept() public view {
        _sameId(_record(1));
        _sameId(_revision(1, 1));
        _sameId(_revision(1, type(uint16).max));
        _sameId(_failure(1));
    }

    function test_theSameRecordTwiceChangesNothingAndSaysNothing() public {
        bytes memory encoded = _bytes(_record(1));
        bytes32 recordId = _publish(_record(1));
        bytes memory before = abi.encode(registry.standingById(recordId));
        VM.warp(START + 1000 days);
        VM.prank(GUARDIAN);
        registry.pauseWrites();

        VM.recordLogs();
        VM.prank(ANYBODY);
        VM.assertFalse(registry.publish(encoded, Quorum(9, 0, "nobody signed this")), "written again");
        VM.assertEq(_countLogs(), 0, "events");
        VM.assertEq(abi.encode(registry.standingById(recordId)), before, "standing");
    }

    function test_anotherRecordOfTheSameReleaseIsRefused() public {
        bytes32 recordId = _publish(_record(1));
        Record memory other = _record(1);
        other.checks = 1;
        _refuse(other, abi.encodeWithSelector(IProvenanceRegistry.RecordExists.selector, recordId));
        VM.assertEq(registry.contentOf(recordId), keccak256(_bytes(_record(1))), "content");
    }

    function test_nothingIsWrittenWhilePaused() public {
        VM.prank(GUARDIAN);
        registry.pauseWrites();
        _refuse(_record(1), abi.encodeWithSelector(IProvenanceRegistry.WritesArePaused.selector));
        VM.prank(OWNER);
        registry.resumeWrites();
        _publish(_record(1));
    }

    function test_aFailureIsKeptAndStandsInNobodysWay() public {
        bytes32 failure = _publish(_failure(1));
        VM.assertTrue(registry.standingById(failure).failed, "failed");
        VM.assertEq(registry.standingOf(_modelDigest(1), _manifestDigest(1)).recordedAt, 0, "no release yet");
        bytes32 release = _publish(_record(1));
        Record memory later = _failure(1);
        later.verdictDigest = keccak256("another failure");
        _publish(later);
        VM.assertTrue(registry.isOpen(release, 2), "open");
        VM.assertFalse(registry.isOpen(failure, 0), "failure");
    }

    function test_aFailureNeedNotKnowMuch() public {
        Record memory record = _failure(1);
        record.modelDigest = 0;
        record.reportDigest = 0;
        record.productLine = 0;
        record.checks = 0;
        Standing memory standing = registry.standingById(_publish(record));
        VM.assertTrue(standing.failed && standing.recordedAt == START, "kept");
    }

    function test_unknownIdsAreAllZero() public view {
        Standing memory nothing;
        _sameStanding(registry.standingById(POLICY), nothing);
        _sameStanding(registry.standingOf(POLICY, POLICY), nothing);
        VM.assertEq(registry.contentOf(POLICY), bytes32(0), "content");
    }

    function test_policiesAreNumberedOnce() public {
        VM.assertEq(registry.policyIdOf(POLICY), 1, "the first");
        VM.assertEq(registry.policyIdOf(PUBLISHER), 0, "no policy");
        VM.expectEmit(address(registry));
        emit IProvenanceRegistry.PolicyNumbered("second", 2);
        VM.prank(ANYBODY);
        VM.assertEq(registry.numberPolicy("second"), 2, "the second");
        VM.recordLogs();
        VM.assertEq(registry.numberPolicy("second"), 2, "again");
        VM.assertEq(registry.numberPolicy(POLICY), 1, "the first again");
        VM.assertEq(_countLogs(), 0, "events");
        VM.expectRevert(abi.encodeWithSelector(IProvenanceRegistry.ZeroDigest.selector, "policyDigest"));
        registry.numberPolicy(0);
    }

    function test_onlyTheNamesTellOfClaims() public {
        VM.expectRevert(abi.encodeWithSelector(IProvenanceRegistry.NotAllowed.selector, OWNER));
        VM.prank(OWNER);
        registry.noteClaim(keccak256("acme"));
    }

    function testFuzz_whatIsWrittenIsReadBack(Record memory record, uint32 signers) public {
        record = _madeAcceptable(record);
        uint32 chosen = signers & 31 | THREE;
        bytes32 recordId = _publishBy(chosen, record);
        Standing memory standing = registry.standingById(recordId);
        VM.assertEq(registry.contentOf(recordId), keccak256(_bytes(record)), "content");
        VM.assertEq(standing.signers, chosen, "signers");
        VM.assertEq(standing.grade, record.grade, "grade");
        VM.assertEq(standing.productLine, record.productLine, "product line");
        VM.assertEq(standing.policyId, record.policyId, "policy");
        VM.assertEq(standing.judgedAt, record.judgedAt, "judged at");
        VM.assertEq(standing.failed, !record.passed, "failed");
        bool open = record.passed && record.productLine < 254;
        VM.assertEq(registry.isModel(record.modelDigest, record.manifestDigest, record.grade), open, "open");
    }

    /// @dev Makes the fuzzer's record acceptable with as few changes as possible.
    function _madeAcceptable(Record memory record) private pure returns (Record memory) {
        if (record.modelDigest == 0) record.modelDigest = POLICY;
        if (record.manifestDigest == 0) record.manifestDigest = POLICY;
        if (record.verdictDigest == 0) record.verdictDigest = POLICY;
        if (record.reportDigest == 0) record.reportDigest = POLICY;
        if (record.policyDigest == 0) record.policyDigest = POLICY;
        record.grade = record.passed && record.productLine < 254 ? record.grade % 3 : 0;
        if (record.productLine == 0) record.productLine = 1;
        if (record.policyId == 0) record.policyId = 1;
        record.checks |= 1;
        if (record.productLine == 254 && record.passed) {
            _stripHardware(record);
            if (record.publisherIdentity == 0) record.publisherIdentity = PUBLISHER;
        }
        record.judgedAt = uint40(START - 7 days + record.judgedAt % (7 days + 5 minutes + 1));
        record.revision = 0;
        record.namespace = _cut(record.namespace);
        record.release = _cut(record.release);
        record.parents = new bytes32[](0);
        return record;
    }

    /// @dev Cuts a text to 1 to 255 bytes.
    function _cut(string memory text) private pure returns (string memory) {
        uint256 length = bytes(text).length;
        if (length == 0) return "x";
        assembly ("memory-safe") {
            if gt(length, 255) { mstore(text, 255) }
        }
        return text;
    }

    function _sameId(Record memory record) private view {
        VM.assertEq(registry.idOf(_bytes(record)), _idOf(record), "id");
    }

    function _sameStanding(Standing memory got, Standing memory wanted) private pure {
        VM.assertEq(abi.encode(got), abi.encode(wanted), "standing");
    }
}

contract PublishingOfSource is PublishingBehaviour, FromSource {}

contract PublishingOfShipped is PublishingBehaviour, FromShipped {}
