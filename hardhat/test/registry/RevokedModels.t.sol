// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {IProvenanceGate} from "../../../contracts/IProvenanceGate.sol";
import {IProvenanceRegistry} from "../../../contracts/IProvenanceRegistry.sol";
import {Quorum, Record, Standing} from "../../../contracts/Types.sol";
import {FromShipped, FromSource, RegistryBehaviour} from "../support/RegistryBehaviour.sol";
import {VM} from "../support/Vm.sol";

/// @dev A model is revoked once and permanently, whichever manifest names it, before or after.
abstract contract RevokedModelsBehaviour is RegistryBehaviour {
    string private constant REASON = "a backdoor";
    bytes32 private constant MODEL = keccak256("bytes that turned out to be bad");

    // --- the revocation itself

    function test_saysWhoWhenAndWhy() public {
        VM.expectEmit(address(registry));
        emit IProvenanceRegistry.ModelRevoked(MODEL, GUARDIAN, uint40(START), REASON);
        _revokeModel(GUARDIAN, MODEL);
        VM.assertEq(registry.revokedModelTime(MODEL), START, "time");
        VM.assertEq(registry.revokedModelTime(_modelDigest(1)), 0, "another model");
    }

    function test_theOwnerMayTooAndNobodyElse() public {
        VM.expectRevert(abi.encodeWithSelector(IProvenanceRegistry.NotAllowed.selector, ANYBODY));
        _revokeModel(ANYBODY, MODEL);
        _revokeModel(OWNER, MODEL);
    }

    function test_isFinal() public {
        _revokeModel(GUARDIAN, MODEL);
        VM.warp(START + 1);
        bytes memory again = abi.encodeWithSelector(IProvenanceRegistry.ModelIsRevoked.selector, MODEL, START);
        VM.expectRevert(again);
        _revokeModel(GUARDIAN, MODEL);
        VM.expectRevert(again);
        _revokeModel(OWNER, MODEL);
        VM.assertEq(registry.revokedModelTime(MODEL), START, "time");
    }

    function test_needsAReasonAndAModel() public {
        _refuseReason("", 0);
        _refuseReason(string(new bytes(257)), 257);
        VM.expectRevert(abi.encodeWithSelector(IProvenanceRegistry.ZeroDigest.selector, "modelDigest"));
        _revokeModel(GUARDIAN, 0);
    }

    function test_goesOnWhilePaused() public {
        _publish(_of(1));
        VM.startPrank(GUARDIAN);
        registry.pauseWrites();
        registry.revokeAllOf(MODEL, REASON);
        VM.stopPrank();
        _apply(1);
        VM.assertFalse(registry.isModel(MODEL, _manifestDigest(1), 0), "open");
    }

    // --- recorded later

    function test_aLaterReleaseIsRevokedFromTheStart() public {
        _revokeModel(GUARDIAN, MODEL);
        VM.warp(START + 1 hours);
        bytes32 id = _idOf(_of(1));
        bytes memory record = _bytes(_of(1));
        Quorum memory quorum = _signed(record);
        VM.expectEmit(address(registry));
        emit IProvenanceRegistry.ModelRevocationApplied(id, MODEL, uint40(START));
        VM.assertTrue(registry.publish(record, quorum), "written");
        _isRevoked(1, START);
        VM.assertFalse(registry.publish(record, quorum), "written again");
        VM.assertEq(registry.contentOf(id), keccak256(record), "content");
    }

    function test_aLaterReleaseOfOtherBytesIsNot() public {
        _revokeModel(GUARDIAN, MODEL);
        _publish(_record(1));
        VM.assertTrue(registry.isModel(_modelDigest(1), _manifestDigest(1), 2), "open");
    }

    function test_aFailedVerdictIsKeptAsEver() public {
        _revokeModel(GUARDIAN, MODEL);
        Record memory failure = _failure(1);
        failure.modelDigest = MODEL;
        VM.recordLogs();
        bytes32 id = _publish(failure);
        VM.assertEq(_countLogs(), 1, "events");
        VM.assertEq(uint256(registry.standingById(id).revokedAt), 0, "revoked at");
    }

    function test_aLaterJudgementRevokesItsRelease() public {
        _publish(_of(1));
        _revokeModel(GUARDIAN, MODEL);
        Record memory later = _of(1);
        (later.revision, later.verdictDigest) = (1, keccak256("later"));
        _publish(later);
        _isRevoked(1, START);
        later.revision = 2;
        bytes32 id = _idOf(_of(1));
        _refuse(later, abi.encodeWithSelector(IProvenanceGate.RecordIsRevoked.selector, id, START));
    }

    function test_theNameOfALaterReleaseIsFree() public {
        _claim("acme", 1000, 1, _publishers());
        _revokeModel(GUARDIAN, MODEL);
        _publish(_of(1));
        bytes32 good = _publish(_record(2)); // of the same name
        VM.assertEq(registry.namespaces().requireNamed(keccak256("acme"), keccak256("model@1"), 2), good, "name");
    }

    function test_aRecordWrittenOutOfABatchIsRevokedFromTheStart() public {
        Grown memory tree = _batched();
        _revokeModel(GUARDIAN, MODEL);
        registry.materialise(tree.leaves[0].record, _proof(tree, 0));
        _isRevoked(1, START);
        VM.assertFalse(registry.isModelFromProof(MODEL, _manifestDigest(1), _proof(tree, 0), 0), "proof");
    }

    // --- recorded before

    function test_anyoneAppliesItToAList() public {
        bytes32[] memory manifests = new bytes32[](3);
        for (uint256 i = 0; i < 3; ++i) {
            _publish(_of(i));
            manifests[i] = _manifestDigest(i);
        }
        _publish(_of(3));
        VM.warp(START + 5);
        _revokeModel(GUARDIAN, MODEL);
        VM.assertTrue(registry.isModel(MODEL, manifests[0], 2), "not applied yet");
        VM.warp(START + 9);
        VM.prank(ANYBODY);
        registry.applyRevocations(MODEL, manifests);
        for (uint256 i = 0; i < 3; ++i) {
            _isRevoked(i, START + 5);
        }
        VM.assertTrue(registry.isModel(MODEL, _manifestDigest(3), 2), "not in the list");
    }

    function test_changesNothingElse() public {
        bytes32 id = _publish(_of(1));
        Standing memory wanted = registry.standingById(id);
        _revokeModel(GUARDIAN, MODEL);
        _apply(1);
        wanted.revokedAt = uint40(START);
        VM.assertEq(abi.encode(registry.standingById(id)), abi.encode(wanted), "standing");
        VM.assertEq(registry.contentOf(id), keccak256(_bytes(_of(1))), "content");
    }

    function test_nobodyMakesAListFailByBeingFaster() public {
        _publish(_of(1));
        _publish(_of(2));
        _revokeModel(GUARDIAN, MODEL);
        _apply(1);
        VM.recordLogs();
        _apply(1);
        VM.assertEq(_countLogs(), 0, "events");
        bytes32[] memory manifests = new bytes32[](3);
        (manifests[0], manifests[1], manifests[2]) = (_manifestDigest(1), _manifestDigest(2), _manifestDigest(2));
        registry.applyRevocations(MODEL, manifests);
        _isRevoked(2, START);
    }

    function test_onlyIfTheModelIsRevoked() public {
        _publish(_of(1));
        bytes memory reason = abi.encodeWithSelector(IProvenanceRegistry.ModelNotRevoked.selector, MODEL);
        VM.expectRevert(reason);
        _apply(1);
        Grown memory tree = _batched();
        registry.closeLeaf(MODEL, _manifestDigest(1), _proof(tree, 0));
        VM.assertTrue(registry.isModel(MODEL, _manifestDigest(1), 2), "open");
    }

    function test_onlyToReleasesOfThatModel() public {
        _publish(_record(1));
        _revokeModel(GUARDIAN, MODEL);
        bytes32 id = _idOf(_of(1)); // the manifest of release 1, the revoked model
        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.RecordNotFound.selector, id));
        _apply(1);
        VM.assertTrue(registry.isModel(_modelDigest(1), _manifestDigest(1), 2), "open");
    }

    function test_aRevocationOnlyComesForward() public {
        bytes32 late = _publish(_of(1));
        bytes32 early = _publish(_of(2));
        VM.startPrank(GUARDIAN);
        registry.revoke(late, uint40(START + 30 days), "later");
        registry.revoke(early, uint40(START - 1), "sooner");
        VM.stopPrank();
        _revokeModel(GUARDIAN, MODEL);
        _apply(1);
        _apply(2);
        _isRevoked(1, START);
        _isRevoked(2, START - 1);
        VM.prank(GUARDIAN);
        registry.revoke(late, uint40(START - 5), "earlier than known");
        _apply(1);
        _isRevoked(1, START - 5);
    }

    function test_aReleaseCanBeRevokedBeforeItIsApplied() public {
        bytes32 id = _publish(_of(1));
        _revokeModel(GUARDIAN, MODEL);
        VM.prank(GUARDIAN);
        registry.revoke(id, uint40(START + 1 days), "by itself");
        VM.assertTrue(registry.isModel(MODEL, _manifestDigest(1), 2), "a day to go");
        _apply(1);
        _isRevoked(1, START);
    }

    // --- leaves of batches

    function test_anyoneAppliesItToALeaf() public {
        Grown memory tree = _batched();
        _revokeModel(GUARDIAN, MODEL);
        VM.assertTrue(registry.isModelFromProof(MODEL, _manifestDigest(1), _proof(tree, 0), 2), "not applied yet");
        VM.expectEmit(address(registry));
        emit IProvenanceRegistry.ModelRevocationApplied(_idOf(_of(1)), MODEL, uint40(START));
        VM.prank(ANYBODY);
        registry.closeLeaf(MODEL, _manifestDigest(1), _proof(tree, 0));
        _isRevoked(1, START);
        VM.assertFalse(registry.isModelFromProof(MODEL, _manifestDigest(1), _proof(tree, 0), 0), "proof");
        VM.assertFalse(registry.materialise(tree.leaves[0].record, _proof(tree, 0)), "written out");
        VM.assertTrue(registry.isModelFromProof(_modelDigest(2), _manifestDigest(2), _proof(tree, 1), 2), "beside it");
    }

    function test_aLeafOfARecordedReleaseToo() public {
        Grown memory tree = _batched();
        _publish(_of(1));
        _revokeModel(GUARDIAN, MODEL);
        registry.closeLeaf(MODEL, _manifestDigest(1), _proof(tree, 0));
        registry.closeLeaf(MODEL, _manifestDigest(1), _proof(tree, 0));
        _isRevoked(1, START);
        VM.assertEq(registry.contentOf(_idOf(_of(1))), keccak256(_bytes(_of(1))), "content");
    }

    function test_noLeafOfAnotherModel() public {
        Grown memory tree = _batched();
        _revokeModel(GUARDIAN, MODEL);
        VM.expectPartialRevert(IProvenanceRegistry.BatchNotFound.selector);
        registry.closeLeaf(MODEL, _manifestDigest(2), _proof(tree, 1));
        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.RecordNotFound.selector, _releaseId(2)));
        registry.closeLeaf(_modelDigest(2), _manifestDigest(2), _proof(tree, 1));
        VM.assertTrue(registry.isModelFromProof(_modelDigest(2), _manifestDigest(2), _proof(tree, 1), 2), "open");
    }

    // --- any order

    /// @dev In any order of publications, revocations and applications, every release of the model ends shut, revoked
    /// from the earliest time that applies, and no release of another model is touched.
    function testFuzz_everyReleaseOfTheModelEndsRevoked(uint256 seed) public {
        for (uint256 step = 0; step < 16; ++step) {
            seed = uint256(keccak256(abi.encode(seed)));
            VM.warp(block.timestamp + seed % 100);
            _doAnything(seed >> 8, (seed >> 16) % 4);
        }
        if (registry.revokedModelTime(MODEL) == 0) _revokeModel(GUARDIAN, MODEL);
        for (uint256 i = 0; i < 4; ++i) {
            bytes32 id = _idOf(_of(i));
            if (registry.contentOf(id) == 0) _publish(_of(i));
            uint40 before = registry.standingById(id).revokedAt;
            _apply(i);
            uint40 time = registry.revokedModelTime(MODEL);
            _isRevoked(i, before != 0 && before < time ? before : time);
            _publishOnce(_record(i));
            VM.assertTrue(registry.isModel(_modelDigest(i), _manifestDigest(i), 2), "another model");
        }
    }

    function _doAnything(uint256 what, uint256 number) private {
        bytes32 id = _idOf(_of(number));
        bool known = registry.contentOf(id) != 0;
        what %= 6;
        if (what < 2 && !known) _publish(_of(number));
        else if (what == 2) _publishOnce(_record(number));
        else if (what == 3 && known) _tryRevoke(id, uint40(block.timestamp + 50));
        else if (what == 4 && registry.revokedModelTime(MODEL) == 0) _revokeModel(OWNER, MODEL);
        else if (what == 5 && known && registry.revokedModelTime(MODEL) != 0) _apply(number);
    }

    function _tryRevoke(bytes32 id, uint40 from) private {
        uint40 revokedAt = registry.standingById(id).revokedAt;
        if (revokedAt != 0 && revokedAt <= from) return;
        VM.prank(GUARDIAN);
        registry.revoke(id, from, REASON);
    }

    function _publishOnce(Record memory record) private {
        if (registry.contentOf(_idOf(record)) == 0) _publish(record);
    }

    /// @dev Returns release `number` of the model: its files are the same for every number.
    function _of(uint256 number) private view returns (Record memory record) {
        record = _record(number);
        record.modelDigest = MODEL;
        record.judgedAt = uint40(START);
    }

    /// @dev Records a batch of a release of the model, number 1, and one of another, number 2.
    function _batched() private returns (Grown memory tree) {
        Record[] memory records = new Record[](2);
        (records[0], records[1]) = (_of(1), _record(2));
        tree = _grow(records);
        _recordBatch(tree);
    }

    function _publishers() private pure returns (bytes32[] memory publishers) {
        publishers = new bytes32[](1);
        publishers[0] = PUBLISHER;
    }

    function _revokeModel(address by, bytes32 model) private {
        VM.prank(by);
        registry.revokeAllOf(model, REASON);
    }

    /// @dev Applies the revocation to release `number` alone.
    function _apply(uint256 number) private {
        bytes32[] memory manifests = new bytes32[](1);
        manifests[0] = _manifestDigest(number);
        registry.applyRevocations(MODEL, manifests);
    }

    function _isRevoked(uint256 number, uint256 revokedAt) private {
        bytes32 manifest = _manifestDigest(number);
        VM.assertEq(uint256(registry.standingOf(MODEL, manifest).revokedAt), revokedAt, "revoked at");
        VM.assertFalse(registry.isModel(MODEL, manifest, 0), "open");
        bytes32 id = registry.recordIdOf(MODEL, manifest);
        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.RecordIsRevoked.selector, id, revokedAt));
        registry.requireModel(MODEL, manifest, 0);
    }

    function _refuseReason(string memory reason, uint256 lengthBytes) private {
        VM.expectRevert(abi.encodeWithSelector(IProvenanceRegistry.TextLength.selector, "reason", lengthBytes));
        VM.prank(GUARDIAN);
        registry.revokeAllOf(MODEL, reason);
    }
}

contract RevokedModelsOfSource is RevokedModelsBehaviour, FromSource {}

contract RevokedModelsOfShipped is RevokedModelsBehaviour, FromShipped {}
