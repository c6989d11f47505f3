// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {IOracleSets} from "../../../contracts/IOracleSets.sol";
import {IProvenanceGate} from "../../../contracts/IProvenanceGate.sol";
import {IProvenanceRegistry} from "../../../contracts/IProvenanceRegistry.sol";
import {Batch, Quorum, Record, Standing} from "../../../contracts/Types.sol";
import {FromShipped, FromSource, RegistryBehaviour} from "../support/RegistryBehaviour.sol";
import {VM} from "../support/Vm.sol";

/// @dev Signatures that the submitter of a record or batch left out, or that replace those of lost keys.
abstract contract MoreSignersBehaviour is RegistryBehaviour {
    bytes32 private constant ROOT = keccak256("root");

    bytes private _encoded;
    bytes32 private _id;

    function setUp() public override {
        super.setUp();
        _encoded = _bytes(_record(1));
        _id = _publish(_record(1));
    }

    function test_joinThoseOfARecord() public {
        Standing memory wanted = registry.standingById(_id);
        (wanted.signers, wanted.weight) = (31, 5);
        VM.expectEmit(address(registry));
        emit IProvenanceRegistry.Recounted(_id, 31, 5, false);
        _add(28);
        VM.assertEq(abi.encode(registry.standingById(_id)), abi.encode(wanted), "standing");
    }

    function test_mayBeTheSameOnes() public {
        bytes memory before = abi.encode(registry.standingById(_id));
        _add(THREE);
        VM.assertEq(abi.encode(registry.standingById(_id)), before, "standing");
    }

    function test_areEnoughByThemselves() public {
        Quorum memory quorum = _signedBy(1, 24, _encoded);
        VM.expectRevert(abi.encodeWithSelector(IOracleSets.QuorumTooSmall.selector, 2, 3));
        registry.addSigners(_encoded, quorum);
    }

    function test_makeUpForLostKeys() public {
        _loseKey(0);
        registry.recount(_id);
        VM.assertFalse(registry.isOpen(_id, 0), "open");
        _add(28);
        Standing memory standing = registry.standingById(_id);
        VM.assertEq(standing.signers, 30, "signers");
        VM.assertEq(standing.weight, 4, "weight");
        VM.assertTrue(registry.isOpen(_id, 2), "open");
    }

    function test_doNotBringLostKeysBack() public {
        _loseKey(0);
        _add(28);
        VM.assertEq(registry.standingById(_id).signers, 30, "signers");
        Quorum memory quorum = _signedBy(1, 7, _encoded);
        VM.expectRevert(abi.encodeWithSelector(IOracleSets.OracleNotValid.selector, 0, START, START));
        registry.addSigners(_encoded, quorum);
    }

    function test_areOfTheSameEpoch() public {
        _rotate(_oracles(2, 3), 3);
        Quorum memory quorum = _signedBy(2, 7, _encoded);
        VM.expectRevert(abi.encodeWithSelector(IOracleSets.StaleEpoch.selector, 2, 1));
        registry.addSigners(_encoded, quorum);
        quorum = _signedBy(1, 31, _encoded);
        registry.addSigners(_encoded, quorum);
        VM.warp(block.timestamp + GRACE);
        VM.expectRevert(abi.encodeWithSelector(IOracleSets.StaleEpoch.selector, 1, 2));
        registry.addSigners(_encoded, quorum);
    }

    function test_areOfWhatIsRecorded() public {
        bytes memory unknown = _bytes(_record(2));
        Quorum memory quorum = _signed(unknown);
        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.RecordNotFound.selector, _releaseId(2)));
        registry.addSigners(unknown, quorum);
        Record memory other = _record(1);
        other.checks = 1;
        bytes memory encoded = _bytes(other);
        quorum = _signed(encoded);
        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.RecordNotFound.selector, _id));
        registry.addSigners(encoded, quorum);
    }

    function test_openNothingElse() public {
        VM.prank(GUARDIAN);
        registry.revoke(_id, uint40(START), "found wanting");
        _add(31);
        VM.assertFalse(registry.isOpen(_id, 0), "revoked");
        _claim("acme", 1, 0, new bytes32[](0));
        bytes32 held = _publish(_record(2));
        bytes memory encoded = _bytes(_record(2));
        registry.addSigners(encoded, _signedBy(1, 31, encoded));
        VM.assertFalse(registry.isOpen(held, 0), "held");
    }

    function test_nobodyJoinsWhilePaused() public {
        _tryBatch(ROOT, 2, uint40(START), "uri");
        Quorum memory quorum = _signedBy(1, 31, _encoded);
        Quorum memory overBatch = _overBatch(31, "uri");
        VM.prank(GUARDIAN);
        registry.pauseWrites();
        bytes memory reason = abi.encodeWithSelector(IProvenanceRegistry.WritesArePaused.selector);
        VM.expectRevert(reason);
        registry.addSigners(_encoded, quorum);
        VM.expectRevert(reason);
        registry.addBatchSigners(ROOT, uint40(START), "uri", overBatch);
    }

    function test_joinThoseOfABatch() public {
        _tryBatch(ROOT, 2, uint40(START), "uri");
        Batch memory wanted = registry.batchOf(ROOT);
        (wanted.signers, wanted.weight) = (31, 5);
        Quorum memory quorum = _overBatch(28, "uri");
        VM.expectEmit(address(registry));
        emit IProvenanceRegistry.Recounted(ROOT, 31, 5, false);
        VM.prank(ANYBODY);
        registry.addBatchSigners(ROOT, uint40(START), "uri", quorum);
        VM.assertEq(abi.encode(registry.batchOf(ROOT)), abi.encode(wanted), "batch");
    }

    function test_makeUpForLostKeysOfABatch() public {
        _tryBatch(ROOT, 2, uint40(START), "uri");
        _loseKey(1);
        registry.recountBatch(ROOT);
        VM.assertTrue(registry.batchOf(ROOT).doubtful, "doubtful");
        registry.addBatchSigners(ROOT, uint40(START), "uri", _overBatch(28, "uri"));
        VM.assertFalse(registry.batchOf(ROOT).doubtful, "doubtful");
        VM.assertEq(registry.batchOf(ROOT).signers, 29, "signers");
    }

    /// @dev The signers can have signed any uri and time, since somebody may have submitted the batch first with
    /// another uri.
    function test_signedTheBatchElsewhere() public {
        _tryBatch(ROOT, 2, uint40(START), "uri");
        registry.addBatchSigners(ROOT, uint40(START), "elsewhere", _overBatch(28, "elsewhere"));
        VM.assertEq(registry.batchOf(ROOT).signers, 31, "signers");
        Quorum memory quorum = _overBatch(28, "elsewhere");
        VM.expectPartialRevert(IOracleSets.WrongSigner.selector);
        registry.addBatchSigners(ROOT, uint40(START), "uri", quorum);
    }

    function test_areOfARecordedBatch() public {
        Quorum memory quorum = _overBatch(31, "uri");
        VM.expectRevert(abi.encodeWithSelector(IProvenanceRegistry.BatchNotFound.selector, ROOT));
        registry.addBatchSigners(ROOT, uint40(START), "uri", quorum);
    }

    function _add(uint32 signers) private {
        registry.addSigners(_encoded, _signedBy(1, signers, _encoded));
    }

    function _overBatch(uint32 signers, string memory uri) private view returns (Quorum memory) {
        return _quorum(1, signers, _batchDigest(address(registry), 1, ROOT, 2, uint40(START), uri));
    }

    function _loseKey(uint8 index) private {
        VM.prank(GUARDIAN);
        registry.revokeKey(1, index, uint40(START), "key lost");
    }
}

contract MoreSignersOfSource is MoreSignersBehaviour, FromSource {}

contract MoreSignersOfShipped is MoreSignersBehaviour, FromShipped {}
