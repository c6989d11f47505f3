// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {IOracleSets} from "../../../contracts/IOracleSets.sol";
import {IProvenanceGate} from "../../../contracts/IProvenanceGate.sol";
import {IProvenanceRegistry} from "../../../contracts/IProvenanceRegistry.sol";
import {Batch, Quorum, Record, Requirements, Standing} from "../../../contracts/Types.sol";
import {FromShipped, FromSource} from "../support/RegistryBehaviour.sol";
import {VM} from "../support/Vm.sol";
import {NamesBehaviour} from "../names/NamesBehaviour.sol";

/// @dev Attacks by the first submitter: signatures left out, a bad key put in, a batch recorded with another uri.
abstract contract SubmitterAttacksBehaviour is NamesBehaviour {
    uint32 private constant ALL = 31;
    bytes32 private constant ROOT = keccak256("root");

    function test_signaturesThatWereLeftOutJoin() public {
        bytes memory record = _bytes(_record(1));
        bytes32 recordId = _publish(_record(1));
        Requirements memory four = Requirements(0, type(uint40).max, 4, true, new uint32[](0));
        VM.assertFalse(registry.publish(record, _signedBy(1, ALL, record)), "published again");
        VM.assertFalse(registry.meets(_modelDigest(1), _manifestDigest(1), four), "four oracles");
        VM.assertEq(_signedByOracle(4), 0, "the fifth oracle");

        Quorum memory quorum = _signedBy(1, ALL, record);
        VM.expectEmit(address(registry));
        emit IProvenanceRegistry.Recounted(recordId, ALL, 5, false);
        VM.prank(ANYBODY);
        registry.addSigners(record, quorum);
        registry.requireMeets(_modelDigest(1), _manifestDigest(1), four);
        VM.assertEq(_signedByOracle(4), 1, "the fifth oracle");
    }

    function test_aKeySoonToBeLostIsReplaced() public {
        bytes memory record = _bytes(_record(1));
        bytes32 recordId = _publish(_record(1));
        _loseKey(0, uint40(START));
        registry.recount(recordId);
        VM.assertFalse(registry.isOpen(recordId, 0), "doubtful");
        registry.addSigners(record, _signedBy(1, 28, record));
        VM.assertTrue(registry.isOpen(recordId, 2), "open");
        Standing memory standing = registry.standingById(recordId);
        VM.assertEq(standing.signers, 30, "without the lost key");
        VM.assertEq(standing.weight, 4, "weight");
        registry.recount(recordId);
        VM.assertEq(abi.encode(registry.standingById(recordId)), abi.encode(standing), "recounted");
    }

    /// @dev No recount is needed: adding signers counts them anew.
    function test_aLostKeyIsCountedOutByJoining() public {
        bytes memory record = _bytes(_record(1));
        bytes32 recordId = _publish(_record(1));
        Quorum memory withLostKey = _signedBy(1, ALL, record);
        _loseKey(0, uint40(START));
        VM.expectRevert(abi.encodeWithSelector(IOracleSets.OracleNotValid.selector, 0, START, START));
        registry.addSigners(record, withLostKey);
        registry.addSigners(record, _signedBy(1, 14, record));
        VM.assertEq(registry.standingById(recordId).signers, 14, "signers");
    }

    function test_tooFewDoNotJoin() public {
        bytes memory record = _bytes(_record(1));
        bytes32 recordId = _publish(_record(1));
        _tryBatch(ROOT, 2, uint40(START), "uri");
        _loseKey(0, uint40(START));
        registry.recount(recordId);
        Quorum memory two = _signedBy(1, 24, record);
        VM.expectRevert(abi.encodeWithSelector(IOracleSets.QuorumTooSmall.selector, 2, 3));
        registry.addSigners(record, two);
        two = _quorum(1, 24, _batchDigest(address(registry), 1, ROOT, 2, uint40(START), "uri"));
        VM.expectRevert(abi.encodeWithSelector(IOracleSets.QuorumTooSmall.selector, 2, 3));
        registry.addBatchSigners(ROOT, uint40(START), "uri", two);
    }

    function test_anotherSetDoesNotJoin() public {
        bytes memory record = _bytes(_record(1));
        _publish(_record(1));
        _tryBatch(ROOT, 2, uint40(START), "uri");
        _rotate(_oracles(2, SIZE), THRESHOLD);
        Quorum memory later = _signedBy(2, THREE, record);
        bytes memory reason = abi.encodeWithSelector(IOracleSets.StaleEpoch.selector, 2, 1);
        VM.expectRevert(reason);
        registry.addSigners(record, later);
        later = _quorum(2, THREE, _batchDigest(address(registry), 2, ROOT, 2, uint40(START), "uri"));
        VM.expectRevert(reason);
        registry.addBatchSigners(ROOT, uint40(START), "uri", later);
        registry.addSigners(record, _signedBy(1, ALL, record)); // within the grace period
        VM.assertEq(registry.standingById(_releaseId(1)).weight, 5, "weight");
    }

    function test_nobodyJoinsWhatIsNotRecorded() public {
        Record memory other = _record(1);
        other.grade = 1;
        bytes memory record = _bytes(other);
        Quorum memory quorum = _signedBy(1, ALL, record);
        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.RecordNotFound.selector, _releaseId(1)));
        registry.addSigners(record, quorum);
        _publish(_record(1));
        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.RecordNotFound.selector, _releaseId(1)));
        registry.addSigners(record, quorum);
        quorum = _quorum(1, ALL, _batchDigest(address(registry), 1, ROOT, 2, uint40(START), "uri"));
        VM.expectRevert(abi.encodeWithSelector(IProvenanceRegistry.BatchNotFound.selector, ROOT));
        registry.addBatchSigners(ROOT, uint40(START), "uri", quorum);
    }

    function test_nobodyJoinsWhileWritesAreStopped() public {
        bytes memory record = _bytes(_record(1));
        _publish(_record(1));
        _tryBatch(ROOT, 2, uint40(START), "uri");
        Quorum memory quorum = _signedBy(1, ALL, record);
        Quorum memory ofBatch = _quorum(1, ALL, _batchDigest(address(registry), 1, ROOT, 2, uint40(START), "uri"));
        _pause();
        VM.expectRevert(IProvenanceRegistry.WritesArePaused.selector);
        registry.addSigners(record, quorum);
        VM.expectRevert(IProvenanceRegistry.WritesArePaused.selector);
        registry.addBatchSigners(ROOT, uint40(START), "uri", ofBatch);
    }

    /// @dev Signers of one judgement do not count for another, and adding them changes nothing else in a standing.
    function test_signersJoinOneJudgement() public {
        _claimSpace(1, PUBLISHER);
        bytes memory first = _bytes(_record(1));
        bytes memory second = _bytes(_revision(1, 1));
        bytes32 recordId = _publish(_record(1));
        bytes32 secondId = _publish(_revision(1, 1));
        VM.prank(GUARDIAN);
        registry.revoke(recordId, uint40(START + 1 days), "some day");
        (Standing memory one, Standing memory two) = (registry.standingById(recordId), registry.standingById(secondId));
        registry.addSigners(first, _signedBy(1, ALL, first));
        (one.signers, one.weight) = (ALL, 5);
        VM.assertEq(abi.encode(registry.standingById(recordId)), abi.encode(one), "the first");
        VM.assertEq(registry.standingOf(_modelDigest(1), _manifestDigest(1)).signers, THREE, "of the release");
        registry.addSigners(second, _signedBy(1, 30, second));
        (two.signers, two.weight) = (ALL, 5);
        VM.assertEq(abi.encode(registry.standingById(secondId)), abi.encode(two), "the second");
        VM.assertEq(registry.standingOf(_modelDigest(1), _manifestDigest(1)).signers, ALL, "of the release");
    }

    /// @dev The batch was recorded with another uri and seal than those that most oracles signed.
    function test_aSquattedBatch() public {
        _tryBatch(ROOT, 2, uint40(START - 1), "gone");
        _loseKey(2, uint40(START));
        registry.recountBatch(ROOT);
        VM.assertTrue(registry.batchOf(ROOT).doubtful, "doubtful");
        bytes32 digest = _batchDigest(address(registry), 1, ROOT, 2, uint40(START), "uri");
        Quorum memory quorum = _quorum(1, 27, digest);
        VM.assertFalse(registry.recordBatch(ROOT, 2, uint40(START), "uri", quorum), "recorded again");
        Batch memory wanted = registry.batchOf(ROOT);
        (wanted.signers, wanted.weight, wanted.doubtful) = (27, 4, false);
        VM.expectEmit(address(registry));
        emit IProvenanceRegistry.Recounted(ROOT, 27, 4, false);
        VM.prank(ANYBODY);
        registry.addBatchSigners(ROOT, uint40(START), "uri", quorum);
        VM.assertEq(abi.encode(registry.batchOf(ROOT)), abi.encode(wanted), "batch");
    }

    /// @dev A batch's size is signed too: signers of another size cannot be added.
    function test_signersOfABatchOfAnotherSize() public {
        _tryBatch(ROOT, 2, uint40(START), "uri");
        Quorum memory quorum = _quorum(1, ALL, _batchDigest(address(registry), 1, ROOT, 3, uint40(START), "uri"));
        VM.expectPartialRevert(IOracleSets.WrongSigner.selector);
        registry.addBatchSigners(ROOT, uint40(START), "uri", quorum);
        VM.expectRevert(abi.encodeWithSelector(IProvenanceRegistry.BatchExists.selector, ROOT));
        registry.recordBatch(ROOT, 3, uint40(START), "uri", quorum);
    }

    function _loseKey(uint8 index, uint40 effectiveFrom) private {
        VM.prank(GUARDIAN);
        registry.revokeKey(1, index, effectiveFrom, "key lost");
    }

    function _signedByOracle(uint256 index) private view returns (uint256) {
        address[] memory oracles = new address[](1);
        oracles[0] = _account(_firstKey(1) + index);
        return registry.countSigners(_modelDigest(1), _manifestDigest(1), oracles);
    }
}

contract SubmitterAttacksOnSource is SubmitterAttacksBehaviour, FromSource {}

contract SubmitterAttacksOnShipped is SubmitterAttacksBehaviour, FromShipped {}
