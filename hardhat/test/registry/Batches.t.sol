// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {IOracleSets} from "../../../contracts/IOracleSets.sol";
import {IProvenanceRegistry} from "../../../contracts/IProvenanceRegistry.sol";
import {Batch, Quorum, Record} from "../../../contracts/Types.sol";
import {FromShipped, FromSource, RegistryBehaviour} from "../support/RegistryBehaviour.sol";
import {VM} from "../support/Vm.sol";

/// @dev Recording of batches.
abstract contract BatchesBehaviour is RegistryBehaviour {
    bytes32 private constant ROOT = keccak256("root");
    string private constant URI = "ipfs://batch";

    function test_recordsWhatWasSigned() public {
        VM.expectEmit(address(registry));
        emit IProvenanceRegistry.BatchRecorded(ROOT, 1, THREE, 100, uint40(START - 1 hours), URI);
        VM.assertTrue(_tryBatch(ROOT, 100, uint40(START - 1 hours), URI), "recorded");
        Batch memory wanted = Batch(uint40(START), THREE, 3, 1, 100, false, 0);
        VM.assertEq(abi.encode(registry.batchOf(ROOT)), abi.encode(wanted), "batch");
    }

    function test_knowsNoOthers() public view {
        Batch memory nothing;
        VM.assertEq(abi.encode(registry.batchOf(ROOT)), abi.encode(nothing), "batch");
    }

    function test_anyoneSubmits() public {
        Quorum memory quorum = _over(ROOT, 2, uint40(START), URI);
        VM.prank(ANYBODY);
        VM.assertTrue(registry.recordBatch(ROOT, 2, uint40(START), URI, quorum), "recorded");
    }

    function test_theSameBatchTwiceChangesNothingAndSaysNothing() public {
        _tryBatch(ROOT, 2, uint40(START), URI);
        bytes memory before = abi.encode(registry.batchOf(ROOT));
        VM.warp(START + 100 days);
        VM.prank(GUARDIAN);
        registry.pauseWrites();
        VM.recordLogs();
        VM.assertFalse(registry.recordBatch(ROOT, 2, 0, "elsewhere", Quorum(9, 0, "nobody signed this")), "again");
        VM.assertEq(_countLogs(), 0, "events");
        VM.assertEq(abi.encode(registry.batchOf(ROOT)), before, "batch");
    }

    function test_theSameRootWithAnotherCount() public {
        _tryBatch(ROOT, 2, uint40(START), URI);
        _refuseBatch(ROOT, 3, uint40(START), URI, abi.encodeWithSelector(IProvenanceRegistry.BatchExists.selector, ROOT));
    }

    function test_roots() public {
        _refuseBatch(0, 2, uint40(START), URI, abi.encodeWithSelector(IProvenanceRegistry.ZeroDigest.selector, "root"));
    }

    function test_counts() public {
        _refuseBatch(ROOT, 0, uint40(START), URI, abi.encodeWithSelector(IProvenanceRegistry.BatchCount.selector, 0));
        _refuseBatch(ROOT, 129, uint40(START), URI, abi.encodeWithSelector(IProvenanceRegistry.BatchCount.selector, 129));
        _tryBatch("full", 128, uint40(START), URI);
        _tryBatch("lonely", 1, uint40(START), URI);
    }

    function test_uris() public {
        bytes memory reason = abi.encodeWithSelector(IProvenanceRegistry.TextLength.selector, "uri", 257);
        _refuseBatch(ROOT, 2, uint40(START), string(new bytes(257)), reason);
        _tryBatch("long", 2, uint40(START), string(new bytes(256)));
        _tryBatch("empty", 2, uint40(START), "");
    }

    function test_times() public {
        _outOfTime(uint40(START - 7 days - 1));
        _outOfTime(uint40(START + 5 minutes + 1));
        _tryBatch("late", 2, uint40(START - 7 days), URI);
        _tryBatch("early", 2, uint40(START + 5 minutes), URI);
    }

    function test_nothingIsRecordedWhilePaused() public {
        VM.prank(GUARDIAN);
        registry.pauseWrites();
        bytes memory reason = abi.encodeWithSelector(IProvenanceRegistry.WritesArePaused.selector);
        _refuseBatch(ROOT, 2, uint40(START), URI, reason);
    }

    function test_tooFewSignatures() public {
        bytes32 digest = _batchDigest(address(registry), 1, ROOT, 2, uint40(START), URI);
        VM.expectRevert(abi.encodeWithSelector(IOracleSets.QuorumTooSmall.selector, 2, 3));
        registry.recordBatch(ROOT, 2, uint40(START), URI, _quorum(1, 3, digest));
    }

    function test_everythingIsSigned() public {
        Quorum memory quorum = _over(ROOT, 2, uint40(START), URI);
        VM.expectPartialRevert(IOracleSets.WrongSigner.selector);
        registry.recordBatch(POLICY, 2, uint40(START), URI, quorum);
        VM.expectPartialRevert(IOracleSets.WrongSigner.selector);
        registry.recordBatch(ROOT, 3, uint40(START), URI, quorum);
        VM.expectPartialRevert(IOracleSets.WrongSigner.selector);
        registry.recordBatch(ROOT, 2, uint40(START - 1), URI, quorum);
        VM.expectPartialRevert(IOracleSets.WrongSigner.selector);
        registry.recordBatch(ROOT, 2, uint40(START), "elsewhere", quorum);
        registry.recordBatch(ROOT, 2, uint40(START), URI, quorum);
    }

    /// @dev Signatures over a record do not pass for a batch, and the reverse.
    function test_recordsAndBatchesAreToldApart() public {
        bytes memory record = _bytes(_record(1));
        Quorum memory asBatch = _over(keccak256(record), 1, uint40(START), "");
        VM.expectPartialRevert(IOracleSets.WrongSigner.selector);
        registry.publish(record, asBatch);
        Quorum memory asRecord = _signed(record);
        VM.expectPartialRevert(IOracleSets.WrongSigner.selector);
        registry.recordBatch(keccak256(record), 1, uint40(START), "", asRecord);
    }

    function test_aRecordInTwoBatches() public {
        Record[] memory records = new Record[](1);
        records[0] = _record(1);
        Grown memory one = _grow(records);
        records = new Record[](2);
        (records[0], records[1]) = (_record(2), _record(1));
        Grown memory other = _grow(records);
        _recordBatch(one);
        _recordBatch(other);
        VM.assertTrue(registry.materialise(one.leaves[0].record, _proof(one, 0)), "written");
        VM.assertFalse(registry.materialise(other.leaves[1].record, _proof(other, 1)), "written again");
        VM.assertEq(registry.batchOf(_root(one)).materialised, 1, "bits of one");
        VM.assertEq(registry.batchOf(_root(other)).materialised, 2, "bits of the other");
    }

    function _over(bytes32 root, uint8 count, uint40 sealedAt, string memory uri) private view returns (Quorum memory) {
        return _quorum(1, THREE, _batchDigest(address(registry), 1, root, count, sealedAt, uri));
    }

    function _outOfTime(uint40 sealedAt) private {
        bytes memory reason = abi.encodeWithSelector(IProvenanceRegistry.OutOfTime.selector, sealedAt, START);
        _refuseBatch(ROOT, 2, sealedAt, URI, reason);
    }

    function _refuseBatch(bytes32 root, uint8 count, uint40 sealedAt, string memory uri, bytes memory reason) private {
        Quorum memory quorum = _over(root, count, sealedAt, uri);
        VM.expectRevert(reason);
        registry.recordBatch(root, count, sealedAt, uri, quorum);
    }
}

contract BatchesOfSource is BatchesBehaviour, FromSource {}

contract BatchesOfShipped is BatchesBehaviour, FromShipped {}
