// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {Proof, Standing} from "../../../contracts/Types.sol";
import {Proofs, SVM} from "./Proofs.sol";

/// @dev State of an id before a call, recorded or not, and the conditions that must hold for it afterwards.
abstract contract KeptProofs is Proofs {
    /// @dev State of an id that must not change.
    struct Kept {
        bytes32 id;
        bytes32 content;
        Standing standing;
    }

    function _anyKept(bytes32 id) internal returns (Kept memory) {
        _assumeTheyKnowEachOther();
        return Kept(id, registry.contentOf(id), registry.standingById(id));
    }

    function _checkKept(Kept memory kept) internal view {
        Standing memory before = kept.standing;
        Standing memory standing = registry.standingById(kept.id);
        assert(registry.contentOf(kept.id) == kept.content);
        if (kept.content == 0) return;
        assert(standing.recordedAt == before.recordedAt && standing.judgedAt == before.judgedAt
            && standing.policyId == before.policyId && standing.epoch == before.epoch
            && standing.grade == before.grade && standing.productLine == before.productLine
            && standing.failed == before.failed);
        // a revocation is final, and can only be brought forward
        assert(before.revokedAt == 0 || standing.revokedAt != 0 && standing.revokedAt <= before.revokedAt);
    }

    /// @dev Returns any record on product line 2. `passed` is the byte with that bit.
    function _anyJudgement(bytes memory revision, bytes memory passed) internal returns (bytes memory) {
        return bytes.concat(
            SVM.createBytes(192, "digests"),
            bytes.concat(hex"02", SVM.createBytes(1, "grade"), revision, SVM.createBytes(9, "policy and moment")),
            bytes.concat(new bytes(6), passed, SVM.createBytes(12, "checks and TCB")),
            hex"04",
            SVM.createBytes(4, "namespace"),
            hex"07",
            SVM.createBytes(7, "release")
        );
    }

    function _anyProof(bytes32 content, bytes32[7] calldata siblings) internal returns (Proof memory) {
        // the leaf's number must be concrete, since it determines the sides of the siblings
        bytes memory summary = bytes.concat(SVM.createBytes(31, "summary"), hex"2a");
        return Proof(content, uint256(bytes32(summary)), siblings);
    }

    function _rootOf(bytes32 recordId, Proof memory proof) internal pure returns (bytes32 node) {
        node = keccak256(abi.encode(recordId, proof.contentDigest, proof.summary));
        for (uint256 level = 0; level < 7; ++level) {
            bytes32 sibling = proof.siblings[level];
            node = 0x2a >> level & 1 == 0 ? keccak256(abi.encode(node, sibling)) : keccak256(abi.encode(sibling, node));
        }
    }
}
