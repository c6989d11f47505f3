// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {IOracleSets} from "../../../contracts/IOracleSets.sol";
import {IProvenanceGate} from "../../../contracts/IProvenanceGate.sol";
import {IProvenanceRegistry} from "../../../contracts/IProvenanceRegistry.sol";
import {Batch, Oracle, Record, Standing} from "../../../contracts/Types.sol";
import {FromShipped, FromSource, RegistryBehaviour} from "../support/RegistryBehaviour.sol";
import {VM} from "../support/Vm.sol";

/// @dev Effects of a revoked oracle key on earlier and later signatures.
abstract contract RevokedKeysBehaviour is RegistryBehaviour {
    string private constant REASON = "key lost";

    function test_endsTheKeysValidity() public {
        VM.expectEmit(address(registry));
        emit IOracleSets.OracleRevoked(1, 2, _account(34), uint40(START + 5), REASON);
        _loseKey(GUARDIAN, 2, uint40(START + 5));
        VM.assertEq(registry.oracleAt(1, 2).validUntil, START + 5, "valid until");
        VM.assertEq(registry.oracleAt(1, 2).key, _account(34), "key");
    }

    function test_signsNothingFromThenOn() public {
        _loseKey(OWNER, 2, uint40(START + 5));
        VM.warp(START + 4);
        _publish(_record(1));
        VM.warp(START + 5);
        bytes memory reason = abi.encodeWithSelector(IOracleSets.OracleNotValid.selector, 2, START, START + 5);
        _refuse(_record(2), reason);
        _publishBy(27, _record(2));
    }

    function test_onlyStewardsMay() public {
        VM.expectRevert(abi.encodeWithSelector(IProvenanceRegistry.NotAllowed.selector, ANYBODY));
        _loseKey(ANYBODY, 2, uint40(START));
    }

    function test_needsAReason() public {
        VM.expectRevert(abi.encodeWithSelector(IProvenanceRegistry.TextLength.selector, "reason", 0));
        VM.prank(GUARDIAN);
        registry.revokeKey(1, 2, uint40(START), "");
        VM.expectRevert(abi.encodeWithSelector(IProvenanceRegistry.TextLength.selector, "reason", 257));
        VM.prank(GUARDIAN);
        registry.revokeKey(1, 2, uint40(START), string(new bytes(257)));
    }

    function test_onlyComesForward() public {
        _loseKey(GUARDIAN, 2, uint40(START + 5));
        bytes memory reason = abi.encodeWithSelector(IOracleSets.NothingToRevoke.selector, 1, 2, START + 5);
        VM.expectRevert(reason);
        _loseKey(GUARDIAN, 2, uint40(START + 5));
        VM.expectRevert(reason);
        _loseKey(OWNER, 2, FOR_EVER);
        _loseKey(GUARDIAN, 2, 0);
        VM.assertEq(registry.oracleAt(1, 2).validUntil, 0, "valid until");
    }

    function test_isOfAnOracle() public {
        VM.expectRevert(abi.encodeWithSelector(IOracleSets.UnknownOracle.selector, 1, 5));
        _loseKey(GUARDIAN, 5, uint40(START));
        VM.expectRevert(abi.encodeWithSelector(IOracleSets.UnknownOracle.selector, 2, 0));
        VM.prank(GUARDIAN);
        registry.revokeKey(2, 0, uint40(START), REASON);
    }

    function test_recountTakesOffWhatWasRecordedSince() public {
        bytes32 before = _publishBy(31, _record(1));
        VM.warp(START + 10);
        bytes32 since = _publishBy(31, _record(2));
        _loseKey(GUARDIAN, 2, uint40(START + 10));
        VM.recordLogs();
        registry.recount(before);
        VM.assertEq(_countLogs(), 0, "events");

        VM.expectEmit(address(registry));
        emit IProvenanceRegistry.Recounted(since, 27, 4, false);
        VM.prank(ANYBODY);
        registry.recount(since);
        Standing memory standing = registry.standingById(since);
        VM.assertEq(standing.signers, 27, "signers");
        VM.assertEq(standing.weight, 4, "weight");
        VM.assertFalse(standing.doubtful, "doubtful");
        VM.assertTrue(registry.isOpen(since, 2), "open");
        VM.assertEq(registry.standingById(before).signers, 31, "signers before");
    }

    function test_recountChangesNothingElse() public {
        bytes32 recordId = _publishBy(31, _record(1));
        Standing memory wanted = registry.standingById(recordId);
        _loseKeys(7);
        wanted.signers = 24;
        wanted.weight = 2;
        wanted.doubtful = true;
        registry.recount(recordId);
        registry.recount(recordId);
        VM.assertEq(abi.encode(registry.standingById(recordId)), abi.encode(wanted), "standing");
    }

    function test_recountShutsTheGateBelowTheThreshold() public {
        bytes32 recordId = _publishBy(15, _record(1));
        _loseKeys(1);
        registry.recount(recordId);
        VM.assertTrue(registry.isOpen(recordId, 2), "three are left");
        _loseKeys(2);
        VM.assertTrue(registry.isOpen(recordId, 2), "nobody recounted");
        VM.expectEmit(address(registry));
        emit IProvenanceRegistry.Recounted(recordId, 12, 2, true);
        registry.recount(recordId);
        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.RecordIsClosed.selector, recordId, false, true));
        registry.requireOpen(recordId, 0);
    }

    function test_recountSaysNothingTwice() public {
        bytes32 recordId = _publish(_record(1));
        _loseKeys(7);
        registry.recount(recordId);
        VM.recordLogs();
        registry.recount(recordId);
        VM.assertEq(_countLogs(), 0, "events");
    }

    function test_recountGoesOnWhilePaused() public {
        bytes32 recordId = _publish(_record(1));
        VM.prank(GUARDIAN);
        registry.pauseWrites();
        _loseKeys(1);
        registry.recount(recordId);
        VM.assertTrue(registry.standingById(recordId).doubtful, "doubtful");
    }

    function test_recountOfALaterJudgement() public {
        bytes32 releaseId = _publishBy(31, _record(1));
        bytes memory first = abi.encode(registry.standingById(releaseId).signers);
        VM.warp(START + 10);
        bytes32 revision = _publish(_revision(1, 1));
        _loseKey(GUARDIAN, 0, uint40(START));
        VM.expectEmit(address(registry));
        emit IProvenanceRegistry.Recounted(revision, 6, 2, true);
        registry.recount(releaseId);
        VM.assertFalse(registry.isOpen(releaseId, 0), "open");
        VM.assertEq(abi.encode(registry.standingById(releaseId).signers), first, "signers of the first judgement");
        _publishBy(30, _revision(1, 2));
        VM.assertTrue(registry.isOpen(releaseId, 2), "a third one heals it");
        registry.recount(revision);
        VM.assertTrue(registry.isOpen(releaseId, 2), "the second does not count any more");
    }

    function test_recountOfNothing() public {
        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.RecordNotFound.selector, POLICY));
        registry.recount(POLICY);
        VM.expectRevert(abi.encodeWithSelector(IProvenanceRegistry.BatchNotFound.selector, POLICY));
        registry.recountBatch(POLICY);
    }

    function test_recountOfABatch() public {
        Grown memory tree = _grow(_releases(2));
        _recordBatch(tree);
        VM.recordLogs();
        registry.recountBatch(_root(tree));
        VM.assertEq(_countLogs(), 0, "events");
        _loseKeys(2);
        VM.assertTrue(registry.isModelFromProof(_modelDigest(0), _manifestDigest(0), _proof(tree, 0), 2), "open");

        VM.expectEmit(address(registry));
        emit IProvenanceRegistry.Recounted(_root(tree), 5, 2, true);
        registry.recountBatch(_root(tree));
        Batch memory batch = registry.batchOf(_root(tree));
        VM.assertEq(batch.signers, 5, "signers");
        VM.assertEq(batch.weight, 2, "weight");
        VM.assertTrue(batch.doubtful, "doubtful");
        VM.assertEq(batch.count, 2, "count");
        bytes32 recordId = _releaseId(0);
        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.RecordIsClosed.selector, recordId, false, true));
        registry.requireModelFromProof(_modelDigest(0), _manifestDigest(0), _proof(tree, 0), 0);
    }

    /// @dev This holds whether or not anybody has recounted the batch's signers.
    function test_aDoubtfulBatchWritesNothing() public {
        Grown memory tree = _grow(_releases(1));
        _recordBatch(tree);
        _loseKeys(2);
        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.RecordIsClosed.selector, _releaseId(0), false, true));
        registry.materialise(tree.leaves[0].record, _proof(tree, 0));
        registry.recountBatch(_root(tree));
        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.RecordIsClosed.selector, _releaseId(0), false, true));
        registry.materialise(tree.leaves[0].record, _proof(tree, 0));
    }

    function test_keysOfAnEarlierEpoch() public {
        bytes32 recordId = _publish(_record(1));
        _rotate(_oracles(2, 2), 2);
        VM.prank(GUARDIAN);
        registry.revokeKey(1, 0, uint40(START), REASON);
        registry.recount(recordId);
        VM.assertTrue(registry.standingById(recordId).doubtful, "doubtful");
        bytes memory other = _bytes(_record(2));
        registry.publish(other, _signedBy(2, 3, other));
        VM.assertTrue(registry.isOpen(_releaseId(2), 2), "the same place in another set");
    }

    /// @dev If the set before or after has the key too, the key is lost there too.
    function test_theSameKeyInTwoSets() public {
        _rotate(_oracles(1, SIZE), THRESHOLD);
        VM.expectEmit(address(registry));
        emit IOracleSets.OracleRevoked(1, 2, _account(34), uint40(START), REASON);
        VM.expectEmit(address(registry));
        emit IOracleSets.OracleRevoked(2, 2, _account(34), uint40(START), REASON);
        _loseKey(GUARDIAN, 2, uint40(START));
        VM.assertEq(registry.oracleAt(2, 2).validUntil, START, "in the set after");
        VM.assertEq(registry.oracleAt(2, 1).validUntil, FOR_EVER, "another key");
        VM.prank(GUARDIAN);
        registry.revokeKey(2, 0, uint40(START), REASON);
        VM.assertEq(registry.oracleAt(1, 0).validUntil, START, "in the set before");
    }

    function test_theSameKeyEndedEarlierAlready() public {
        _rotate(_oracles(1, SIZE), THRESHOLD);
        _loseKey(GUARDIAN, 2, uint40(START));
        VM.expectRevert(abi.encodeWithSelector(IOracleSets.NothingToRevoke.selector, 2, 2, START));
        VM.prank(GUARDIAN);
        registry.revokeKey(2, 2, uint40(START + 1), REASON);
        VM.recordLogs();
        VM.prank(GUARDIAN);
        registry.revokeKey(2, 2, uint40(START - 1), REASON);
        VM.assertEq(_countLogs(), 2, "events");
    }

    function test_weightsOfTheRevokedAreTakenOff() public {
        Oracle[] memory oracles = _oracles(2, 3);
        oracles[1].weight = 40;
        _rotate(oracles, 41);
        Record memory record = _record(1);
        bytes memory encoded = _bytes(record);
        registry.publish(encoded, _signedBy(2, 7, encoded));
        VM.prank(GUARDIAN);
        registry.revokeKey(2, 0, 0, REASON);
        registry.recount(_releaseId(1));
        VM.assertEq(registry.standingById(_releaseId(1)).weight, 41, "weight");
        VM.assertFalse(registry.standingById(_releaseId(1)).doubtful, "doubtful");
    }

    function _releases(uint256 count) private view returns (Record[] memory records) {
        records = new Record[](count);
        for (uint256 i = 0; i < count; ++i) {
            records[i] = _record(i);
        }
    }

    function _loseKey(address by, uint8 index, uint40 effectiveFrom) private {
        VM.prank(by);
        registry.revokeKey(1, index, effectiveFrom, REASON);
    }

    /// @dev Revokes all keys whose bits are set, from the start on.
    function _loseKeys(uint256 bits) private {
        for (uint8 i = 0; i < SIZE; ++i) {
            if (bits >> i & 1 == 1) _loseKey(GUARDIAN, i, uint40(START));
        }
    }
}

contract RevokedKeysOfSource is RevokedKeysBehaviour, FromSource {}

contract RevokedKeysOfShipped is RevokedKeysBehaviour, FromShipped {}
