// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {IProvenanceGate} from "../../../contracts/IProvenanceGate.sol";
import {Proof, Record} from "../../../contracts/Types.sol";
import {FromShipped, FromSource, RegistryBehaviour} from "../support/RegistryBehaviour.sol";
import {VM} from "../support/Vm.sol";

/// @dev Gates through a proof: the proofs that they accept, and the standing that counts.
abstract contract ProofGatesBehaviour is RegistryBehaviour {
    uint256 private constant COUNT = 5;

    /// @dev Returns releases 0 to 4: strict, baseline, nothing, simulated, and one in a claimed namespace.
    function _batch() private view returns (Grown memory) {
        Leaf[] memory leaves = new Leaf[](COUNT);
        for (uint256 i = 0; i < COUNT; ++i) {
            Record memory record = i == 3 ? _simulated(3) : _record(i);
            if (i < 3) record.grade = uint8(2 - i);
            leaves[i] = _leaf(record, i, i == 4);
        }
        return _growLeaves(leaves);
    }

    function test_opensUpToItsGrade() public {
        Grown memory tree = _batch();
        _recordBatch(tree);
        for (uint256 i = 0; i < 3; ++i) {
            uint8 grade = uint8(2 - i);
            _open(i, _proof(tree, i), grade);
            _open(i, _proof(tree, i), 0);
            bytes32 recordId = _releaseId(i);
            bytes memory low = abi.encodeWithSelector(IProvenanceGate.GradeTooLow.selector, recordId, grade, grade + 1);
            _shut(i, _proof(tree, i), grade + 1, low);
        }
    }

    function test_simulatedHardwareProvesNothing() public {
        Grown memory tree = _batch();
        _recordBatch(tree);
        bytes memory reason = abi.encodeWithSelector(IProvenanceGate.RecordIsSimulated.selector, _releaseId(3));
        _shut(3, _proof(tree, 3), 0, reason);
    }

    function test_namesInClaimedNamespacesAreHeldUntilWrittenOut() public {
        Grown memory tree = _batch();
        _recordBatch(tree);
        bytes memory held = abi.encodeWithSelector(IProvenanceGate.RecordIsClosed.selector, _releaseId(4), true, false);
        _shut(4, _proof(tree, 4), 0, held);
        registry.materialise(tree.leaves[4].record, _proof(tree, 4));
        _open(4, _proof(tree, 4), 2);
    }

    function test_batchesThatAreNotRecorded() public {
        Grown memory tree = _batch();
        _notFound(0, _proof(tree, 0));
    }

    function test_leavesBeyondTheCount() public {
        Grown memory tree = _batch();
        _tryBatch(_root(tree), 2, uint40(START), "");
        _open(1, _proof(tree, 1), 1);
        _notFound(2, _proof(tree, 2));
    }

    function test_emptyLeaves() public {
        Grown memory tree = _batch();
        _recordBatch(tree);
        Proof memory proof;
        for (uint256 level = 0; level < LEVELS; ++level) {
            proof.siblings[level] = tree.nodes[level][COUNT >> level ^ 1];
        }
        proof.summary = COUNT;
        _notFound(COUNT, proof);
    }

    function test_siblingsSwapped() public {
        Grown memory tree = _batch();
        _recordBatch(tree);
        Proof memory proof = _proof(tree, 0);
        (proof.siblings[0], proof.siblings[1]) = (proof.siblings[1], proof.siblings[0]);
        _notFound(0, proof);
    }

    /// @dev The leaf as its own sibling, and the sibling's content as the leaf's.
    function test_leafAndSiblingSwapped() public {
        Grown memory tree = _batch();
        _recordBatch(tree);
        Proof memory proof = _proof(tree, 0);
        proof.siblings[0] = tree.nodes[0][0];
        proof.contentDigest = keccak256(tree.leaves[1].record);
        _notFound(0, proof);
    }

    /// @dev A node of the tree in place of a leaf: the hashed bytes have another length.
    function test_leafAndNodeSwapped() public {
        Grown memory tree = _batch();
        _recordBatch(tree);
        Proof memory proof = _proof(tree, 0);
        for (uint256 level = 1; level < LEVELS; ++level) {
            proof.siblings[level - 1] = tree.nodes[level][1];
        }
        proof.contentDigest = tree.nodes[0][1];
        VM.assertFalse(registry.isModelFromProof(tree.nodes[0][0], tree.nodes[0][1], proof, 0), "node");
        _notFound(0, proof);
    }

    /// @dev The number is part of the leaf.
    function test_wrongIndex() public {
        Grown memory tree = _batch();
        _recordBatch(tree);
        Proof memory proof = _proof(tree, 0);
        for (uint256 index = 1; index < 256; ++index) {
            proof.summary = tree.leaves[0].summary ^ index;
            _notFound(0, proof);
        }
    }

    function testFuzz_anyOtherProofLeadsNowhere(uint8 index, uint8 place, bytes32 change) public {
        index %= uint8(COUNT);
        if (change == 0) change = POLICY;
        Grown memory tree = _batch();
        _recordBatch(tree);
        Proof memory proof = _proof(tree, index);
        place %= 9;
        if (place < 7) proof.siblings[place] ^= change;
        else if (place == 7) proof.contentDigest ^= change;
        else proof.summary ^= uint256(change);
        _notFound(index, proof);
    }

    function test_everyPlaceOfTheTree() public {
        Record[] memory records = new Record[](LEAVES);
        for (uint256 i = 0; i < LEAVES; ++i) {
            records[i] = _record(i);
        }
        Grown memory tree = _grow(records);
        _recordBatch(tree);
        for (uint256 i = 0; i < LEAVES; ++i) {
            _open(i, _proof(tree, i), 2);
            bytes32 manifest = _manifestDigest((i + 1) % LEAVES);
            VM.assertFalse(registry.isModelFromProof(_modelDigest(i), manifest, _proof(tree, i), 0), "another manifest");
        }
    }

    function test_aFailureNeverOpens() public {
        Record[] memory records = new Record[](1);
        records[0] = _failure(0);
        Grown memory tree = _grow(records);
        _recordBatch(tree);
        _notFound(0, _proof(tree, 0));
        registry.materialise(tree.leaves[0].record, _proof(tree, 0));
        _notFound(0, _proof(tree, 0));
    }

    function test_ownStandingCountsOnceWrittenOut() public {
        Grown memory tree = _batch();
        _recordBatch(tree);
        registry.materialise(tree.leaves[0].record, _proof(tree, 0));
        _open(0, _proof(tree, 0), 2);
        Record memory later = _revision(0, 1);
        later.grade = 1;
        _publish(later);
        bytes memory low = abi.encodeWithSelector(IProvenanceGate.GradeTooLow.selector, _releaseId(0), 1, 2);
        _shut(0, _proof(tree, 0), 2, low);
        _revoke(0);
        bytes memory gone = abi.encodeWithSelector(IProvenanceGate.RecordIsRevoked.selector, _releaseId(0), START);
        _shut(0, _proof(tree, 0), 0, gone);
    }

    /// @dev The same holds if the record was written in another way, but then a call has to tell the batch.
    function test_ownStandingCountsOnceTheLeafIsClosed() public {
        Grown memory tree = _batch();
        _recordBatch(tree);
        _publish(_record(0));
        _revoke(0);
        _open(0, _proof(tree, 0), 2);
        registry.closeLeaf(_modelDigest(0), _manifestDigest(0), _proof(tree, 0));
        bytes memory gone = abi.encodeWithSelector(IProvenanceGate.RecordIsRevoked.selector, _releaseId(0), START);
        _shut(0, _proof(tree, 0), 0, gone);
    }

    function test_shutsWhenRevokedInTheBatch() public {
        Grown memory tree = _batch();
        _recordBatch(tree);
        VM.prank(GUARDIAN);
        registry.revokeInBatch(_modelDigest(1), _manifestDigest(1), _proof(tree, 1), uint40(START), "swapped");
        bytes memory gone = abi.encodeWithSelector(IProvenanceGate.RecordIsRevoked.selector, _releaseId(1), START);
        _shut(1, _proof(tree, 1), 0, gone);
        _open(0, _proof(tree, 0), 2);
    }

    function _revoke(uint256 number) private {
        VM.prank(GUARDIAN);
        registry.revoke(_releaseId(number), uint40(START), "the weights were swapped");
    }

    function _open(uint256 number, Proof memory proof, uint8 grade) private view {
        VM.assertTrue(registry.isModelFromProof(_modelDigest(number), _manifestDigest(number), proof, grade), "open");
        registry.requireModelFromProof(_modelDigest(number), _manifestDigest(number), proof, grade);
    }

    function _notFound(uint256 number, Proof memory proof) private {
        _shut(number, proof, 0, abi.encodeWithSelector(IProvenanceGate.RecordNotFound.selector, _releaseId(number)));
    }

    function _shut(uint256 number, Proof memory proof, uint8 grade, bytes memory reason) private {
        VM.assertFalse(registry.isModelFromProof(_modelDigest(number), _manifestDigest(number), proof, grade), "shut");
        VM.expectRevert(reason);
        registry.requireModelFromProof(_modelDigest(number), _manifestDigest(number), proof, grade);
    }
}

contract ProofGatesOfSource is ProofGatesBehaviour, FromSource {}

contract ProofGatesOfShipped is ProofGatesBehaviour, FromShipped {}
