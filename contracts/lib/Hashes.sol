// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/**
 * @title Hashes for gates
 * @notice keccak256 of two or three words, without the memory allocation of `abi.encode`: a gate can spend some 700 gas
 * besides the slot that it reads.
 */
library Hashes {
    function pair(bytes32 left, bytes32 right) internal pure returns (bytes32 value) {
        assembly ("memory-safe") {
            mstore(0x00, left)
            mstore(0x20, right)
            value := keccak256(0x00, 0x40)
        }
    }

    function triple(bytes32 first, bytes32 second, uint256 third) internal pure returns (bytes32 value) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, first)
            mstore(add(free, 0x20), second)
            mstore(add(free, 0x40), third)
            value := keccak256(free, 0x60)
        }
    }

    /// @dev Returns the root of a full binary tree of seven levels. Bit n of `index` tells on which side the node of
    /// level n is.
    function root(bytes32 leaf, uint256 index, bytes32[7] calldata siblings) internal pure returns (bytes32 node) {
        node = leaf;
        assembly ("memory-safe") {
            let end := add(siblings, 0xe0)
            // Bit 5 is the offset in memory of the node of the level.
            let sides := shl(5, index)
            for { let position := siblings } 1 {} {
                let side := and(sides, 0x20)
                mstore(side, node)
                mstore(xor(side, 0x20), calldataload(position))
                node := keccak256(0x00, 0x40)
                sides := shr(1, sides)
                position := add(position, 0x20)
                if eq(position, end) { break }
            }
        }
    }
}
