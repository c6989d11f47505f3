// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {Proof, Record} from "../../../contracts/Types.sol";
import {Releases} from "./Releases.sol";

/// @dev Builds the tree of a batch level by level, with all 128 leaves.
abstract contract Tree is Releases {
    uint256 internal constant LEVELS = 7;
    uint256 internal constant LEAVES = 128;
    uint256 internal constant IN_CLAIMED_NAMESPACE = 1 << 8;

    /// @dev A leaf. Its summary also states whether the release has a name in a claimed namespace.
    struct Leaf {
        bytes record;
        bytes32 recordId;
        uint256 summary;
    }

    struct Grown {
        Leaf[] leaves;
        /// nodes[level][index]: level 0 holds the leaves' hashes, level 7 the root
        bytes32[][] nodes;
    }

    function _leaf(Record memory record, uint256 index, bool named) internal pure returns (Leaf memory) {
        uint256 facts = uint256(record.productLine) << 248 | uint256(record.grade) << 240
            | uint256(record.revision) << 224 | uint256(record.policyId) << 192 | uint256(record.judgedAt) << 152;
        return Leaf(_bytes(record), _idOf(record), facts | (named ? IN_CLAIMED_NAMESPACE : 0) | index);
    }

    /// @dev Returns a batch of these records, in this order, none of them in a claimed namespace.
    function _grow(Record[] memory records) internal pure returns (Grown memory) {
        Leaf[] memory leaves = new Leaf[](records.length);
        for (uint256 i = 0; i < records.length; ++i) {
            leaves[i] = _leaf(records[i], i, false);
        }
        return _growLeaves(leaves);
    }

    function _growLeaves(Leaf[] memory leaves) internal pure returns (Grown memory tree) {
        tree.leaves = leaves;
        tree.nodes = new bytes32[][](LEVELS + 1);
        tree.nodes[0] = new bytes32[](LEAVES);
        for (uint256 i = 0; i < leaves.length; ++i) {
            tree.nodes[0][i] = keccak256(abi.encode(leaves[i].recordId, keccak256(leaves[i].record), leaves[i].summary));
        }
        for (uint256 level = 1; level <= LEVELS; ++level) {
            bytes32[] memory below = tree.nodes[level - 1];
            tree.nodes[level] = new bytes32[](below.length / 2);
            for (uint256 i = 0; i < below.length / 2; ++i) {
                tree.nodes[level][i] = keccak256(abi.encode(below[2 * i], below[2 * i + 1]));
            }
        }
    }

    function _root(Grown memory tree) internal pure returns (bytes32) {
        return tree.nodes[LEVELS][0];
    }

    function _proof(Grown memory tree, uint256 index) internal pure returns (Proof memory proof) {
        proof.contentDigest = keccak256(tree.leaves[index].record);
        proof.summary = tree.leaves[index].summary;
        for (uint256 level = 0; level < LEVELS; ++level) {
            proof.siblings[level] = tree.nodes[level][index >> level ^ 1];
        }
    }
}
