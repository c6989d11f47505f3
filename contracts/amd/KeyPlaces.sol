// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/**
 * @title Where each key is in the code of {AmdKeys}
 * @notice Product lines and kinds of keys are numbered as in {AmdForms}.
 */
library KeyPlaces {
    uint256 internal constant MODULUS_BYTES = 512;

    uint256 private constant KEYS_OF_A_LINE = 3;

    /// @dev Returns where the modulus of a line's ARK begins.
    function rootAt(uint256 line) internal pure returns (uint256) {
        unchecked {
            return (line - 1) * KEYS_OF_A_LINE * MODULUS_BYTES;
        }
    }

    /// @dev Returns where the modulus begins of a line's intermediate that signs this kind of keys.
    function intermediateAt(uint256 line, uint256 kind) internal pure returns (uint256) {
        unchecked {
            return rootAt(line) + (1 + kind) * MODULUS_BYTES;
        }
    }
}
