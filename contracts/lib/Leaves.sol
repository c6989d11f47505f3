// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {Proof} from "../Types.sol";
import {Hashes} from "./Hashes.sol";

/**
 * @title Leaves of a batch
 * @notice A batch is a full binary tree of 128 leaves, seven levels:
 *
 *     leaf(i) = keccak256(recordId | contentDigest | summary), 0 where there is no record
 *     node    = keccak256(left child | right child)
 *
 * The signers vouch for the content of a leaf. The registry checks it against the rules of
 * {IProvenanceRegistry-publish} only when the record is written out. A leaf's number is its position, and part of the
 * leaf. A leaf is the hash of 96 bytes and a node that of 64, so neither passes for the other.
 * @dev The summary's bits: 0 to 6 the leaf's number, 7 zero, 8 set for a name in a claimed namespace, 9 to 151 zero,
 * above them the record's facts as in {RecordCodec}.
 */
library Leaves {
    uint256 internal constant NAMED = 1 << 8;
    uint256 private constant FACTS_SHIFT = 152;

    function rootOf(bytes32 recordId, Proof calldata proof) internal pure returns (bytes32) {
        bytes32 leaf = Hashes.triple(recordId, proof.contentDigest, proof.summary);
        return Hashes.root(leaf, proof.summary, proof.siblings);
    }

    function indexOf(uint256 summary) internal pure returns (uint8) {
        return uint8(summary);
    }

    /// @dev Returns whether the summary agrees with a record's facts.
    function fits(uint256 summary, uint256 facts) internal pure returns (bool) {
        return (summary ^ facts) >> FACTS_SHIFT == 0 && uint144((summary & ~NAMED) >> 8) == 0;
    }
}
