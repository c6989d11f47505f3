// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {IProvenanceGate} from "../../../contracts/IProvenanceGate.sol";
import {IProvenanceRegistry} from "../../../contracts/IProvenanceRegistry.sol";
import {Batch, Proof, Record, Requirements, Standing} from "../../../contracts/Types.sol";
import {FromShipped, FromSource} from "../support/RegistryBehaviour.sol";
import {VM} from "../support/Vm.sol";
import {NamesBehaviour} from "../names/NamesBehaviour.sol";

/// @dev Attacks by a proof of a release that is recorded otherwise: revoked, held or superseded. The exact gate takes
/// the record into account at once; the cheap one does after anybody has closed the leaf.
abstract contract LeafAttacksBehaviour is NamesBehaviour {
    function test_aRevokedReleaseInALaterBatch() public {
        bytes32 recordId = _publish(_record(1));
        Proof memory proof = _seal(_record(1), false, false);
        VM.prank(GUARDIAN);
        registry.revoke(recordId, uint40(START), "stolen");
        _seal(_record(1), false, true);
        bytes memory reason = abi.encodeWithSelector(IProvenanceGate.RecordIsRevoked.selector, recordId, START);
        _missesByProof(proof, reason);
        _close(proof);
        _shutByProof(proof, reason);
        _missesByProof(proof, reason);
    }

    function test_theSameLeafTwiceInABatch() public {
        Leaf[] memory leaves = new Leaf[](2);
        leaves[0] = _leaf(_record(1), 0, false);
        leaves[1] = _leaf(_record(1), 1, false);
        Grown memory tree = _growLeaves(leaves);
        _recordBatch(tree);
        VM.prank(GUARDIAN);
        registry.revokeInBatch(_modelDigest(1), _manifestDigest(1), _proof(tree, 0), uint40(START), "stolen");
        bytes memory reason = abi.encodeWithSelector(IProvenanceGate.RecordIsRevoked.selector, _releaseId(1), START);
        _shutByProof(_proof(tree, 0), reason);
        _missesByProof(_proof(tree, 1), reason);
        _close(_proof(tree, 1));
        _shutByProof(_proof(tree, 1), reason);
        VM.assertEq(registry.batchOf(_root(tree)).materialised, 3, "bits");
    }

    /// @dev The batch was sealed before the claim, so the leaf has no name in a claimed namespace.
    function test_aHeldReleaseInALeafWithoutAName() public {
        Proof memory proof = _seal(_recordFrom(MALLORY, 1), false, false);
        _claimSpace(0, 0);
        bytes32 recordId = _publishFrom(MALLORY, 1);
        _seal(_recordFrom(MALLORY, 1), false, true);
        bytes memory reason = abi.encodeWithSelector(IProvenanceGate.RecordIsClosed.selector, recordId, true, false);
        _missesByProof(proof, reason);
        _close(proof);
        _shutByProof(proof, reason);
    }

    function test_aSupersededReleaseInALeaf() public {
        Proof memory proof = _seal(_record(1), false, true);
        bytes32 recordId = _publish(_record(1));
        Record memory worse = _simulated(1);
        worse.revision = 1;
        _publish(worse);
        bytes memory reason = abi.encodeWithSelector(IProvenanceGate.RecordIsSimulated.selector, recordId);
        _missesByProof(proof, reason);
        _close(proof);
        _shutByProof(proof, reason);
        _publish(_revision(1, 2));
        registry.requireModelFromProof(_modelDigest(1), _manifestDigest(1), proof, 2);
    }

    /// @dev A revocation in the future would write the record as if its namespace had taken it in.
    function test_aHeldLeafIsNotOpenedByRevokingItSomeDay() public {
        _claimSpace(0, 0);
        Record memory record = _recordFrom(MALLORY, 1);
        Proof memory proof = _seal(record, true, true);
        bytes memory held = abi.encodeWithSelector(IProvenanceGate.RecordIsClosed.selector, _releaseId(1), true, false);
        _shutByProof(proof, held);
        VM.expectRevert(abi.encodeWithSelector(IProvenanceRegistry.OutOfTime.selector, START + 1, START));
        _revokeInBatch(proof, uint40(START + 1));
        _shutByProof(proof, held);

        _revokeInBatch(proof, uint40(START));
        VM.assertFalse(registry.materialise(_bytes(record), proof), "written out");
        bytes memory reason = abi.encodeWithSelector(IProvenanceGate.RecordIsRevoked.selector, _releaseId(1), START);
        _shutByProof(proof, reason);
        _missesByProof(proof, reason);
        VM.assertFalse(registry.isModel(_modelDigest(1), _manifestDigest(1), 0), "open");
        VM.assertFalse(ancestry.hasLineage(_modelDigest(1), _manifestDigest(1), 0, false), "lineage");
    }

    /// @dev A record that is already written can be revoked for later. The leaf is closed at once.
    function test_aRecordedReleaseIsRevokedInABatchForLater() public {
        Proof memory proof = _seal(_record(1), false, true);
        _publish(_record(1));
        _revokeInBatch(proof, uint40(START + 1 days));
        registry.requireModelFromProof(_modelDigest(1), _manifestDigest(1), proof, 2);
        VM.warp(START + 1 days);
        _shutByProof(
            proof, abi.encodeWithSelector(IProvenanceGate.RecordIsRevoked.selector, _releaseId(1), START + 1 days)
        );
    }

    /// @dev A reader that copies the state from the events misses nothing.
    function test_noLeafIsClosedSilently() public {
        Proof memory proof = _seal(_record(1), false, true);
        _publish(_record(1));
        Batch memory wanted = registry.batchOf(_rootOf(_record(1), false));
        wanted.materialised = 1;
        bytes32 root = _rootOf(_record(1), false);
        VM.recordLogs();
        VM.expectEmit(address(registry));
        emit IProvenanceRegistry.LeafClosed(_releaseId(1), root, 0);
        registry.materialise(_bytes(_record(1)), proof);
        VM.assertEq(_countLogs(), 1, "events");
        VM.expectEmit(address(registry));
        emit IProvenanceRegistry.LeafClosed(_releaseId(1), root, 0);
        _close(proof);
        VM.assertEq(abi.encode(registry.batchOf(root)), abi.encode(wanted), "closed twice");
    }

    /// @dev Closing shuts nothing that is open, and affects only the proof's own leaf.
    function test_nobodyShutsAGoodReleaseByClosingItsLeaf() public {
        Proof memory proof = _seal(_record(1), false, true);
        bytes32 recordId = _releaseId(1);
        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.RecordNotFound.selector, recordId));
        registry.closeLeaf(_modelDigest(1), _manifestDigest(1), proof);
        _publish(_failure(1));
        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.RecordNotFound.selector, recordId));
        registry.closeLeaf(_modelDigest(1), _manifestDigest(1), proof);
        _publish(_record(1));
        Standing memory before = registry.standingById(recordId);
        VM.prank(GUARDIAN);
        registry.pauseWrites();
        _close(proof);
        registry.requireModelFromProof(_modelDigest(1), _manifestDigest(1), proof, 2);
        VM.assertEq(abi.encode(registry.standingById(recordId)), abi.encode(before), "standing");
    }

    function test_aLeafIsClosedByItsOwnProofOnly() public {
        Proof memory proof = _seal(_record(1), false, true);
        _publish(_record(1));
        _publish(_record(2));
        VM.expectPartialRevert(IProvenanceRegistry.BatchNotFound.selector);
        registry.closeLeaf(_modelDigest(2), _manifestDigest(2), proof);
        proof.summary ^= 1; // as if it were leaf 1
        VM.expectPartialRevert(IProvenanceRegistry.BatchNotFound.selector);
        registry.closeLeaf(_modelDigest(1), _manifestDigest(1), proof);
        proof.summary ^= 1;
        proof.siblings[6] ^= bytes32(uint256(1));
        VM.expectPartialRevert(IProvenanceRegistry.BatchNotFound.selector);
        registry.closeLeaf(_modelDigest(1), _manifestDigest(1), proof);
        VM.assertEq(registry.batchOf(_rootOf(_record(1), false)).materialised, 0, "bits");
    }

    /// @dev Returns the proof of a batch of one release. Records the batch only if `recorded`.
    function _seal(Record memory record, bool named, bool recorded) private returns (Proof memory) {
        Grown memory tree = _treeOf(record, named);
        if (recorded) _recordBatch(tree);
        return _proof(tree, 0);
    }

    function _rootOf(Record memory record, bool named) private pure returns (bytes32) {
        return _root(_treeOf(record, named));
    }

    function _treeOf(Record memory record, bool named) private pure returns (Grown memory) {
        Leaf[] memory leaves = new Leaf[](1);
        leaves[0] = _leaf(record, 0, named);
        return _growLeaves(leaves);
    }

    function _close(Proof memory proof) private {
        VM.prank(ANYBODY);
        registry.closeLeaf(_modelDigest(1), _manifestDigest(1), proof);
    }

    function _revokeInBatch(Proof memory proof, uint40 effectiveFrom) private {
        VM.prank(GUARDIAN);
        registry.revokeInBatch(_modelDigest(1), _manifestDigest(1), proof, effectiveFrom, "stolen");
    }

    function _shutByProof(Proof memory proof, bytes memory reason) private {
        VM.assertFalse(registry.isModelFromProof(_modelDigest(1), _manifestDigest(1), proof, 0), "open by proof");
        VM.expectRevert(reason);
        registry.requireModelFromProof(_modelDigest(1), _manifestDigest(1), proof, 0);
    }

    function _missesByProof(Proof memory proof, bytes memory reason) private {
        Requirements memory any = Requirements(0, type(uint40).max, 0, true, new uint32[](0));
        VM.assertFalse(registry.meetsFromProof(_modelDigest(1), _manifestDigest(1), proof, any), "meets by proof");
        VM.expectRevert(reason);
        registry.requireMeetsFromProof(_modelDigest(1), _manifestDigest(1), proof, any);
    }
}

contract LeafAttacksOnSource is LeafAttacksBehaviour, FromSource {}

contract LeafAttacksOnShipped is LeafAttacksBehaviour, FromShipped {}
