// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {IProvenanceGate} from "../../../contracts/IProvenanceGate.sol";
import {IProvenanceRegistry} from "../../../contracts/IProvenanceRegistry.sol";
import {Proof, Record, Requirements} from "../../../contracts/Types.sol";
import {FromShipped, FromSource, RegistryBehaviour} from "../support/RegistryBehaviour.sol";
import {VM} from "../support/Vm.sol";

/// @dev A release in a batch that is also recorded otherwise, and the exact gate through a proof, which sees both.
abstract contract ClosedLeavesBehaviour is RegistryBehaviour {
    Proof private _leaf0;
    Proof private _leaf1;
    bytes32 private _batchRoot;

    function setUp() public override {
        super.setUp();
        Record[] memory records = new Record[](2);
        (records[0], records[1]) = (_record(0), _record(1));
        Grown memory tree = _grow(records);
        _recordBatch(tree);
        (_leaf0, _leaf1, _batchRoot) = (_proof(tree, 0), _proof(tree, 1), _root(tree));
    }

    function test_anyoneClosesALeaf() public {
        _publish(_record(0));
        VM.expectEmit(address(registry));
        emit IProvenanceRegistry.LeafClosed(_releaseId(0), _batchRoot, 0);
        VM.prank(ANYBODY);
        registry.closeLeaf(_modelDigest(0), _manifestDigest(0), _leaf0);
        VM.assertEq(registry.batchOf(_batchRoot).materialised, 1, "bits");
        VM.assertTrue(registry.isModelFromProof(_modelDigest(0), _manifestDigest(0), _leaf0, 2), "open as the record is");
    }

    function test_aClosedLeafOpensNoMoreThanTheRecord() public {
        Record memory worse = _record(0);
        worse.grade = 1;
        _publish(worse);
        VM.assertTrue(registry.isModelFromProof(_modelDigest(0), _manifestDigest(0), _leaf0, 2), "not closed yet");
        registry.closeLeaf(_modelDigest(0), _manifestDigest(0), _leaf0);
        VM.assertFalse(registry.isModelFromProof(_modelDigest(0), _manifestDigest(0), _leaf0, 2), "grade 2");
        VM.assertTrue(registry.isModelFromProof(_modelDigest(0), _manifestDigest(0), _leaf0, 1), "grade 1");
    }

    function test_closesWhilePaused() public {
        _publish(_record(0));
        VM.prank(GUARDIAN);
        registry.pauseWrites();
        registry.closeLeaf(_modelDigest(0), _manifestDigest(0), _leaf0);
    }

    function test_notUnlessTheReleaseIsRecorded() public {
        bytes32 recordId = _releaseId(0);
        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.RecordNotFound.selector, recordId));
        registry.closeLeaf(_modelDigest(0), _manifestDigest(0), _leaf0);
    }

    function test_notAnotherLeaf() public {
        _publish(_record(0));
        VM.expectPartialRevert(IProvenanceRegistry.BatchNotFound.selector);
        registry.closeLeaf(_modelDigest(0), _manifestDigest(0), _leaf1);
    }

    function test_leavesBeyondTheCount() public {
        Record[] memory records = new Record[](3);
        (records[0], records[1], records[2]) = (_record(2), _record(3), _record(4));
        Grown memory tree = _grow(records);
        _tryBatch(_root(tree), 2, uint40(START), "");
        _publish(_record(4));
        Proof memory proof = _proof(tree, 2);
        VM.expectRevert(abi.encodeWithSelector(IProvenanceRegistry.WrongLeaf.selector, _releaseId(4)));
        registry.closeLeaf(_modelDigest(4), _manifestDigest(4), proof);
    }

    function test_meetsThroughAProof() public {
        Requirements memory wanted = Requirements(2, 1 days, 3, false, new uint32[](1));
        wanted.policies[0] = 1;
        _meets(wanted);
        wanted.minimumWeight = 4;
        _misses(wanted, abi.encodeWithSelector(IProvenanceGate.WeightTooLow.selector, _releaseId(0), 3, 4));
        wanted.policies[0] = 2;
        _misses(wanted, abi.encodeWithSelector(IProvenanceGate.WrongPolicy.selector, _releaseId(0), 1));
        VM.warp(START + 1 days + 1);
        bytes memory old = abi.encodeWithSelector(IProvenanceGate.RecordIsExpired.selector, _releaseId(0), START, 1 days);
        _misses(wanted, old);
        wanted.minimumGrade = 3;
        _misses(wanted, abi.encodeWithSelector(IProvenanceGate.GradeTooLow.selector, _releaseId(0), 2, 3));
    }

    function test_meetsThroughAProofOfNothing() public {
        Proof memory proof = _leaf1;
        bytes32 recordId = _releaseId(0);
        VM.assertFalse(registry.meetsFromProof(_modelDigest(0), _manifestDigest(0), proof, _any()), "meets");
        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.RecordNotFound.selector, recordId));
        registry.requireMeetsFromProof(_modelDigest(0), _manifestDigest(0), proof, _any());
    }

    function test_weightsThroughAProofAreThoseOfToday() public {
        VM.prank(GUARDIAN);
        registry.revokeKey(1, 0, uint40(START), "key lost");
        VM.assertTrue(registry.isModelFromProof(_modelDigest(0), _manifestDigest(0), _leaf0, 2), "nobody recounted");
        _misses(_any(), abi.encodeWithSelector(IProvenanceGate.RecordIsClosed.selector, _releaseId(0), false, true));
    }

    /// @dev It sees the record at once, whether or not the leaf is closed.
    function test_theExactGateSeesTheRecordItself() public {
        _meets(_any());
        _publish(_record(0));
        _meets(_any());
        VM.prank(GUARDIAN);
        registry.revoke(_releaseId(0), uint40(START), "found wanting");
        bytes memory gone = abi.encodeWithSelector(IProvenanceGate.RecordIsRevoked.selector, _releaseId(0), START);
        VM.assertTrue(registry.isModelFromProof(_modelDigest(0), _manifestDigest(0), _leaf0, 2), "not closed yet");
        _misses(_any(), gone);
        registry.closeLeaf(_modelDigest(0), _manifestDigest(0), _leaf0);
        _misses(_any(), gone);
        VM.assertFalse(registry.isModelFromProof(_modelDigest(0), _manifestDigest(0), _leaf0, 2), "closed");
    }

    /// @dev The record alone decides: any proof passes.
    function test_theExactGateNeedsNoProofOfWhatIsRecorded() public {
        _publish(_record(0));
        Proof memory nothing;
        VM.assertTrue(registry.meetsFromProof(_modelDigest(0), _manifestDigest(0), nothing, _any()), "meets");
        registry.requireMeetsFromProof(_modelDigest(0), _manifestDigest(0), nothing, _any());
    }

    /// @dev The rules are checked against a leaf only when somebody writes it out.
    function test_aLeafIsItsSignersWord() public {
        Record[] memory records = new Record[](1);
        records[0] = _record(2);
        records[0].grade = 3;
        Grown memory tree = _grow(records);
        _recordBatch(tree);
        Proof memory proof = _proof(tree, 0);
        VM.assertTrue(registry.isModelFromProof(_modelDigest(2), _manifestDigest(2), proof, 3), "open");
        VM.expectRevert(abi.encodeWithSelector(IProvenanceRegistry.UnknownGrade.selector, 3));
        registry.materialise(tree.leaves[0].record, proof);
    }

    function _any() private pure returns (Requirements memory) {
        return Requirements(0, type(uint40).max, 0, true, new uint32[](0));
    }

    function _meets(Requirements memory wanted) private view {
        VM.assertTrue(registry.meetsFromProof(_modelDigest(0), _manifestDigest(0), _leaf0, wanted), "meets");
        registry.requireMeetsFromProof(_modelDigest(0), _manifestDigest(0), _leaf0, wanted);
    }

    function _misses(Requirements memory wanted, bytes memory reason) private {
        VM.assertFalse(registry.meetsFromProof(_modelDigest(0), _manifestDigest(0), _leaf0, wanted), "meets");
        Proof memory proof = _leaf0;
        VM.expectRevert(reason);
        registry.requireMeetsFromProof(_modelDigest(0), _manifestDigest(0), proof, wanted);
    }
}

contract ClosedLeavesOfSource is ClosedLeavesBehaviour, FromSource {}

contract ClosedLeavesOfShipped is ClosedLeavesBehaviour, FromShipped {}
