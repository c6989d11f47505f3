// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/**
 * @title Texts in calldata, read 32 bytes at once
 * @notice Positions are absolute positions in calldata, beyond whose end the EVM reads zeros: no text goes on there.
 * The caller answers for the end of its own bytes.
 * @dev A flag is the highest bit of a byte in a word. No sum below carries from one byte into the next, since the
 * summands are below 0x80.
 */
library CalldataText {
    uint256 private constant ONES = 0x0101010101010101010101010101010101010101010101010101010101010101;
    uint256 private constant FLAGS = 0x8080808080808080808080808080808080808080808080808080808080808080;
    uint256 private constant LOWS = 0x7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f;
    uint256 private constant NUMBER_MAX_DIGITS = 16;

    /// @dev Returns the 32 bytes at a position.
    function wordAt(uint256 position) internal pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := calldataload(position)
        }
    }

    /// @dev Returns whether there are 64 characters of 0-9 and a-f.
    function isHexDigest(uint256 position) internal pure returns (bool) {
        unchecked {
            return (_noHex(wordAt(position)) | _noHex(wordAt(position + 32))) == 0;
        }
    }

    /// @dev Returns the length of a number: 1 to 16 digits, the first not 0 unless it is the only one. 0 if there is
    /// none.
    function numberLength(uint256 position) internal pure returns (uint256 length) {
        unchecked {
            uint256 word = wordAt(position);
            length = first((word | ~_range(word, 0x30, 0x3a)) & FLAGS);
            if (length > NUMBER_MAX_DIGITS || length > 1 && word >> 248 == 0x30) return 0;
        }
    }

    /// @dev Returns the length of a text up to the quotation mark behind it; 0 if it is empty, or has a character that
    /// is not printable ASCII, or a backslash.
    function textLength(uint256 position) internal pure returns (uint256 length) {
        unchecked {
            while (true) {
                uint256 word = wordAt(position + length);
                uint256 others = (word | ~(_range(word, 0x20, 0x7f) & _differing(word, 0x5c))) & FLAGS;
                uint256 stops = (others | ~_differing(word, 0x22)) & FLAGS;
                if (stops != 0) {
                    uint256 stop = first(stops);
                    return others << 8 * stop >> 255 == 0 ? length + stop : 0;
                }
                length += 32;
            }
        }
    }

    /// @dev Returns whether a text comes before another in the order of their bytes. Both lengths are at least 1.
    function precedes(uint256 a, uint256 aLength, uint256 b, uint256 bLength) internal pure returns (bool) {
        unchecked {
            uint256 common = aLength < bLength ? aLength : bLength;
            for (uint256 i = 0; i < common; i += 32) {
                uint256 x = wordAt(a + i);
                uint256 y = wordAt(b + i);
                uint256 rest = common - i;
                uint256 difference = rest < 32 ? (x ^ y) >> 256 - 8 * rest : x ^ y;
                if (difference != 0) return x < y;
            }
            return aLength < bLength;
        }
    }

    /// @dev Returns the number of the first byte with a flag, from 0 for the highest; 31 if none has one.
    function first(uint256 flags) internal pure returns (uint256 index) {
        assembly ("memory-safe") {
            index := shl(4, iszero(shr(128, flags)))
            flags := shl(shl(3, index), flags)
            let more := shl(3, iszero(shr(192, flags)))
            flags := shl(shl(3, more), flags)
            index := add(index, more)
            more := shl(2, iszero(shr(224, flags)))
            flags := shl(shl(3, more), flags)
            index := add(index, more)
            more := shl(1, iszero(shr(240, flags)))
            flags := shl(shl(3, more), flags)
            index := add(add(index, more), iszero(shr(248, flags)))
        }
    }

    /// @dev Flags the bytes that are none of 0-9 and a-f.
    function _noHex(uint256 word) private pure returns (uint256) {
        return (word | ~(_range(word, 0x30, 0x3a) | _range(word, 0x61, 0x67))) & FLAGS;
    }

    /// @dev Flags the bytes from `low` to below `high`. What it says of bytes from 0x80 on has no meaning.
    function _range(uint256 word, uint256 low, uint256 high) private pure returns (uint256) {
        unchecked {
            word &= LOWS;
            return word + (0x80 - low) * ONES & ~(word + (0x80 - high) * ONES);
        }
    }

    /// @dev Flags the bytes that are not `value`. What it says of bytes from 0x80 on has no meaning, except that those
    /// whose lower bits are `value` get no flag.
    function _differing(uint256 word, uint256 value) private pure returns (uint256) {
        unchecked {
            return ((word ^ value * ONES) & LOWS) + LOWS;
        }
    }
}
