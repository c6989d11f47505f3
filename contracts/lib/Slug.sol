// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/**
 * @title Unambiguous names
 * @notice Implements the rule of `verifier.manifest.names`, under which no two names look alike: 1 to 96 ASCII letters,
 * digits, `.`, `_`, `-`; a letter or digit first and last; no two dots in a row.
 */
library Slug {
    uint256 private constant MAX_BYTES = 96;

    function isSlug(bytes calldata text) internal pure returns (bool) {
        uint256 length = text.length;
        if (length == 0 || length > MAX_BYTES) return false;
        if (!_isAlphanumeric(text[0]) || !_isAlphanumeric(text[length - 1])) return false;
        for (uint256 i = 1; i < length; ++i) {
            bytes1 char = text[i];
            bool isDot = char == ".";
            if (isDot && text[i - 1] == ".") return false;
            if (!isDot && char != "_" && char != "-" && !_isAlphanumeric(char)) return false;
        }
        return true;
    }

    function _isAlphanumeric(bytes1 char) private pure returns (bool) {
        return char >= "0" && char <= "9" || char >= "A" && char <= "Z" || char >= "a" && char <= "z";
    }
}
