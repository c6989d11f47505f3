// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/**
 * @title The precompile for modular exponentiation (EIP-198)
 */
library Modexp {
    /// @dev Thrown when the precompile does not answer: too little gas, or a chain without it. That is no verdict.
    error ModexpFailed();

    uint256 private constant PRECOMPILE = 5;

    /// @dev Raises a number to a power.
    /// @param input The place in memory of the precompile's input; the result takes its place.
    /// @param inputBytes The length of the input.
    /// @param resultBytes The length of the modulus, and so of the result.
    function run(uint256 input, uint256 inputBytes, uint256 resultBytes) internal view {
        bool answered;
        assembly ("memory-safe") {
            answered := staticcall(gas(), PRECOMPILE, input, inputBytes, input, resultBytes)
            answered := and(answered, eq(returndatasize(), resultBytes))
        }
        if (!answered) revert ModexpFailed();
    }
}
