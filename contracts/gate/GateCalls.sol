// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {IProvenanceGate} from "../IProvenanceGate.sol";
import {Proof} from "../Types.sol";

/**
 * @title Cheaper calls of the two most used gates
 * @notice Calls `registry.requireModel(...)` and `registry.requireModelFromProof(...)` without the checks and copies
 * that the compiler adds, which saves 200 to 300 gas. An error of the registry passes through unchanged.
 * @dev Omits one check that the compiler makes: that there is code at the address. Use it only for a registry that has
 * been seen to answer, as {ProvenanceGate} does in its constructor; a registry cannot destroy itself.
 */
library GateCalls {
    function askModel(IProvenanceGate registry, bytes32 modelDigest, bytes32 manifestDigest, uint8 minimumGrade)
        internal
        view
    {
        bytes4 selector = IProvenanceGate.requireModel.selector;
        uint256 grade = minimumGrade;
        assembly ("memory-safe") {
            let at := mload(0x40)
            mstore(at, selector)
            mstore(add(at, 0x04), modelDigest)
            mstore(add(at, 0x24), manifestDigest)
            mstore(add(at, 0x44), grade)
            if iszero(staticcall(gas(), registry, at, 0x64, 0, 0)) {
                returndatacopy(at, 0, returndatasize())
                revert(at, returndatasize())
            }
        }
    }

    function askModelFromProof(
        IProvenanceGate registry,
        bytes32 modelDigest,
        bytes32 manifestDigest,
        Proof calldata proof,
        uint8 minimumGrade
    ) internal view {
        bytes4 selector = IProvenanceGate.requireModelFromProof.selector;
        uint256 grade = minimumGrade;
        assembly ("memory-safe") {
            let at := mload(0x40)
            mstore(at, selector)
            mstore(add(at, 0x04), modelDigest)
            mstore(add(at, 0x24), manifestDigest)
            calldatacopy(add(at, 0x44), proof, 0x120)
            mstore(add(at, 0x164), grade)
            if iszero(staticcall(gas(), registry, at, 0x184, 0, 0)) {
                returndatacopy(at, 0, returndatasize())
                revert(at, returndatasize())
            }
        }
    }
}
