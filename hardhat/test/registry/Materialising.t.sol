// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {IProvenanceGate} from "../../../contracts/IProvenanceGate.sol";
import {IProvenanceRegistry} from "../../../contracts/IProvenanceRegistry.sol";
import {Proof, Record, Standing} from "../../../contracts/Types.sol";
import {FromShipped, FromSource, RegistryBehaviour} from "../support/RegistryBehaviour.sol";
import {VM, Vm} from "../support/Vm.sol";

/// @dev Writing out a batch's record, and revoking it before it is written out.
abstract contract MaterialisingBehaviour is RegistryBehaviour {
    string private constant REASON = "the weights were swapped";

    /// @dev Three records: releases 0 and 1, and a failure.
    Grown private _tree;

    function setUp() public override {
        super.setUp();
        Record[] memory records = new Record[](3);
        (records[0], records[1], records[2]) = (_record(0), _record(1), _failure(2));
        _plant(records);
    }

    function test_writesWhatPublishWouldHave() public {
        _recordBatch(_tree);
        uint256 batched = VM.snapshotState();
        VM.recordLogs();
        _publish(_record(1));
        Vm.Log memory published = VM.getRecordedLogs()[0];
        bytes memory standing = abi.encode(registry.standingById(_releaseId(1)));

        VM.revertToState(batched);
        VM.warp(START + 100 days);
        VM.recordLogs();
        VM.prank(ANYBODY);
        VM.assertTrue(registry.materialise(_tree.leaves[1].record, _proof(_tree, 1)), "written");
        Vm.Log memory written = VM.getRecordedLogs()[1];
        VM.assertEq(abi.encode(written), abi.encode(published), "event");
        VM.assertEq(abi.encode(registry.standingById(_releaseId(1))), standing, "standing");
        VM.assertEq(registry.contentOf(_releaseId(1)), keccak256(_tree.leaves[1].record), "content");
    }

    function test_saysFromWhere() public {
        _recordBatch(_tree);
        VM.recordLogs();
        VM.expectEmit(address(registry));
        emit IProvenanceRegistry.LeafClosed(_releaseId(1), _root(_tree), 1);
        registry.materialise(_tree.leaves[1].record, _proof(_tree, 1));
        VM.assertEq(_countLogs(), 2, "events");
        VM.assertEq(registry.batchOf(_root(_tree)).materialised, 2, "bits");
    }

    function test_onceOnly() public {
        _recordBatch(_tree);
        registry.materialise(_tree.leaves[1].record, _proof(_tree, 1));
        bytes memory before = abi.encode(registry.standingById(_releaseId(1)), registry.batchOf(_root(_tree)));
        VM.assertFalse(registry.materialise(_tree.leaves[1].record, _proof(_tree, 1)), "written again");
        VM.assertFalse(registry.publish(_tree.leaves[1].record, _signed("")), "published again");
        bytes memory since = abi.encode(registry.standingById(_releaseId(1)), registry.batchOf(_root(_tree)));
        VM.assertEq(since, before, "standing and batch");
    }

    function test_whatWasPublishedBefore() public {
        _recordBatch(_tree);
        bytes32 recordId = _publishBy(31, _record(1));
        VM.assertFalse(registry.materialise(_tree.leaves[1].record, _proof(_tree, 1)), "written again");
        VM.assertEq(registry.batchOf(_root(_tree)).materialised, 2, "bits");
        VM.assertEq(registry.standingById(recordId).signers, 31, "signers");
    }

    function test_failuresAndLaterJudgements() public {
        Record[] memory records = new Record[](3);
        (records[0], records[1], records[2]) = (_record(0), _revision(0, 1), _failure(0));
        _plant(records);
        _recordBatch(_tree);
        Proof memory later = _proof(_tree, 1);
        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.RecordNotFound.selector, _releaseId(0)));
        registry.materialise(_tree.leaves[1].record, later);
        for (uint256 i = 0; i < 3; ++i) {
            VM.assertTrue(registry.materialise(_tree.leaves[i].record, _proof(_tree, i)), "written");
        }
        VM.assertEq(registry.latestIdOf(_releaseId(0)), _idOf(records[1]), "latest");
        VM.assertTrue(registry.standingById(_idOf(records[2])).failed, "failed");
        VM.assertEq(registry.batchOf(_root(_tree)).materialised, 7, "bits");
    }

    function test_all128() public {
        Record[] memory records = new Record[](128);
        for (uint256 i = 0; i < 128; ++i) {
            records[i] = _record(i);
        }
        _plant(records);
        _recordBatch(_tree);
        for (uint256 i = 0; i < 128; i += 127) {
            VM.assertTrue(registry.materialise(_tree.leaves[i].record, _proof(_tree, i)), "written");
        }
        VM.assertEq(registry.batchOf(_root(_tree)).materialised, 1 << 127 | 1, "bits");
    }

    function test_rootsThatAreNotRecorded() public {
        bytes memory record = _tree.leaves[1].record;
        Proof memory proof = _proof(_tree, 1);
        VM.expectRevert(_noBatch(_root(_tree)));
        registry.materialise(record, proof);
    }

    function test_anotherRecordThanTheLeafs() public {
        _recordBatch(_tree);
        Record memory other = _record(1);
        other.checks = 1;
        bytes memory encoded = _bytes(other);
        Proof memory proof = _proof(_tree, 1);
        VM.expectRevert(_wrongLeaf(_releaseId(1)));
        registry.materialise(encoded, proof);
    }

    /// @dev A record of another release leads to another root.
    function test_anotherReleaseThanTheLeafs() public {
        _recordBatch(_tree);
        bytes memory record = _tree.leaves[0].record;
        Proof memory proof = _proof(_tree, 1);
        VM.expectPartialRevert(IProvenanceRegistry.BatchNotFound.selector);
        registry.materialise(record, proof);
    }

    function test_summariesThatDoNotFit() public {
        for (uint256 bit = 7; bit < 256; ++bit) {
            if (bit == 8) continue; // the oracles vouch for this bit: whether the namespace is claimed
            _tree.leaves[0].summary ^= 1 << bit;
            _growLeavesAgain();
            uint256 snapshot = VM.snapshotState();
            _recordBatch(_tree);
            bytes memory record = _tree.leaves[0].record;
            Proof memory proof = _proof(_tree, 0);
            VM.expectRevert(_wrongLeaf(_releaseId(0)));
            registry.materialise(record, proof);
            VM.revertToState(snapshot);
            _tree.leaves[0].summary ^= 1 << bit;
        }
    }

    /// @dev The rules hold even for a record that every oracle signed.
    function test_recordsThatNobodyCouldPublish() public {
        Record[] memory records = new Record[](1);
        records[0] = _record(1);
        records[0].policyDigest = 0;
        _plant(records);
        _recordBatch(_tree);
        bytes memory record = _tree.leaves[0].record;
        Proof memory proof = _proof(_tree, 0);
        VM.expectRevert(abi.encodeWithSelector(IProvenanceRegistry.ZeroDigest.selector, "policyDigest"));
        registry.materialise(record, proof);
    }

    function test_leavesBeyondTheCount() public {
        _tryBatch(_root(_tree), 1, uint40(START), "");
        bytes memory record = _tree.leaves[1].record;
        Proof memory proof = _proof(_tree, 1);
        VM.expectRevert(_wrongLeaf(_releaseId(1)));
        registry.materialise(record, proof);
        VM.expectRevert(_wrongLeaf(_releaseId(1)));
        _revokeInBatch(GUARDIAN, proof, uint40(START), REASON);
    }

    function test_revokesALeaf() public {
        _recordBatch(_tree);
        Proof memory proof = _proof(_tree, 1);
        VM.recordLogs();
        VM.expectEmit(address(registry));
        emit IProvenanceRegistry.LeafClosed(_releaseId(1), _root(_tree), 1);
        VM.expectEmit(address(registry));
        emit IProvenanceRegistry.LeafRevoked(_root(_tree), _releaseId(1), proof.contentDigest, proof.summary);
        VM.expectEmit(address(registry));
        emit IProvenanceRegistry.RecordRevoked(_releaseId(1), GUARDIAN, uint40(START - 5), REASON);
        _revokeInBatch(GUARDIAN, proof, uint40(START - 5), REASON);
        VM.assertEq(_countLogs(), 3, "events");

        Standing memory standing = registry.standingById(_releaseId(1));
        VM.assertEq(standing.recordedAt, START, "recorded at");
        VM.assertEq(standing.revokedAt, START - 5, "revoked at");
        VM.assertEq(standing.signers, THREE, "signers");
        VM.assertEq(standing.grade, 2, "grade");
        VM.assertEq(standing.judgedAt, START, "judged at");
        VM.assertEq(registry.contentOf(_releaseId(1)), proof.contentDigest, "content");
        VM.assertEq(registry.batchOf(_root(_tree)).materialised, 2, "bits");
        VM.assertFalse(registry.materialise(_tree.leaves[1].record, proof), "written after all");
    }

    function test_revokesALeafWhoseRecordCanNeverBeWritten() public {
        Record[] memory records = new Record[](1);
        records[0] = _record(1);
        records[0].policyDigest = 0;
        _plant(records);
        _recordBatch(_tree);
        VM.assertTrue(registry.isModelFromProof(_modelDigest(1), _manifestDigest(1), _proof(_tree, 0), 2), "open");
        _revokeInBatch(GUARDIAN, _proof(_tree, 0), uint40(START), REASON);
        VM.assertFalse(registry.isModelFromProof(_modelDigest(1), _manifestDigest(1), _proof(_tree, 0), 0), "open");
    }

    function test_revokesALeafThatWasWrittenOut() public {
        _recordBatch(_tree);
        registry.materialise(_tree.leaves[1].record, _proof(_tree, 1));
        _revokeInBatch(OWNER, _proof(_tree, 1), uint40(START + 5), REASON);
        VM.assertEq(registry.standingById(_releaseId(1)).revokedAt, START + 5, "revoked at");
    }

    function test_revokesALeafOfAReleaseThatWasPublished() public {
        _recordBatch(_tree);
        _publishBy(31, _record(1));
        _revokeInBatch(GUARDIAN, _proof(_tree, 1), uint40(START), REASON);
        Standing memory standing = registry.standingById(_releaseId(1));
        VM.assertEq(standing.signers, 31, "the record is as it was");
        VM.assertEq(standing.revokedAt, START, "revoked at");
    }

    function test_aReleaseRevokedAlreadyStaysSo() public {
        _recordBatch(_tree);
        _publish(_record(1));
        VM.prank(GUARDIAN);
        registry.revoke(_releaseId(1), uint40(START), REASON);
        VM.recordLogs();
        _revokeInBatch(GUARDIAN, _proof(_tree, 1), uint40(START + 5), REASON);
        VM.assertEq(_countLogs(), 1, "events");
        VM.assertEq(registry.standingById(_releaseId(1)).revokedAt, START, "revoked at");
        _revokeInBatch(GUARDIAN, _proof(_tree, 1), uint40(START - 5), REASON);
        _revokeInBatch(GUARDIAN, _proof(_tree, 1), uint40(START - 5), REASON);
        VM.assertEq(registry.standingById(_releaseId(1)).revokedAt, START - 5, "brought forward");
    }

    function test_revocationsInABatchHaveTheSameRules() public {
        Proof memory proof = _proof(_tree, 1);
        VM.expectRevert(_noBatch(_root(_tree)));
        _revokeInBatch(GUARDIAN, proof, uint40(START), REASON);
        _recordBatch(_tree);
        VM.expectRevert(abi.encodeWithSelector(IProvenanceRegistry.NotAllowed.selector, ANYBODY));
        _revokeInBatch(ANYBODY, proof, uint40(START), REASON);
        VM.expectRevert(abi.encodeWithSelector(IProvenanceRegistry.OutOfTime.selector, 0, START));
        _revokeInBatch(GUARDIAN, proof, 0, REASON);
        VM.expectRevert(abi.encodeWithSelector(IProvenanceRegistry.OutOfTime.selector, START + 1, START));
        _revokeInBatch(GUARDIAN, proof, uint40(START + 1), REASON);
        VM.expectRevert(abi.encodeWithSelector(IProvenanceRegistry.TextLength.selector, "reason", 0));
        _revokeInBatch(GUARDIAN, proof, uint40(START), "");
        VM.expectRevert(abi.encodeWithSelector(IProvenanceRegistry.TextLength.selector, "reason", 257));
        _revokeInBatch(GUARDIAN, proof, uint40(START), string(new bytes(257)));
        VM.prank(GUARDIAN);
        registry.pauseWrites();
        _revokeInBatch(GUARDIAN, proof, uint40(START), REASON);
    }

    /// @dev Revokes release 1.
    function _revokeInBatch(address by, Proof memory proof, uint40 effectiveFrom, string memory reason) private {
        VM.prank(by);
        registry.revokeInBatch(_modelDigest(1), _manifestDigest(1), proof, effectiveFrom, reason);
    }

    function _plant(Record[] memory records) private {
        _keep(_grow(records));
    }

    function _growLeavesAgain() private {
        _keep(_growLeaves(_tree.leaves));
    }

    /// @dev The compiler cannot copy arrays of structs from memory to storage.
    function _keep(Grown memory tree) private {
        delete _tree;
        for (uint256 i = 0; i < tree.leaves.length; ++i) {
            _tree.leaves.push(tree.leaves[i]);
        }
        _tree.nodes = tree.nodes;
    }

    function _noBatch(bytes32 root) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IProvenanceRegistry.BatchNotFound.selector, root);
    }

    function _wrongLeaf(bytes32 recordId) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IProvenanceRegistry.WrongLeaf.selector, recordId);
    }
}

contract MaterialisingOfSource is MaterialisingBehaviour, FromSource {}

contract MaterialisingOfShipped is MaterialisingBehaviour, FromShipped {}
