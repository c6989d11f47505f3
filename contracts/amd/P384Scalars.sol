// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {Modexp} from "./Modexp.sol";
import {P384Field} from "./P384Field.sol";

/**
 * @title Numbers modulo the order n of P-384 (SP 800-186, section 3.2.1.4), and their digits
 * @notice A number is high * 2^128 + low, as an element of {P384Field}; a scalar is high * 2^256 + low.
 */
library P384Scalars {
    // n as a number, and as a scalar
    uint256 internal constant N_HIGH = 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf;
    uint256 internal constant N_LOW = 0x581a0db248b0a77aecec196accc52973;
    uint256 private constant SCALAR_HIGH = 0xffffffffffffffffffffffffffffffff;
    uint256 private constant SCALAR_LOW = 0xffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973;

    uint256 private constant NUMBER_BYTES = 48;
    uint256 private constant PRODUCT_BYTES = 96;
    /// @dev A scalar of 384 bits has so many digits: the last may be a carry.
    uint256 internal constant DIGITS = 385;
    /// @dev The comb of u1 has 8 teeth, so many bits apart: 392 bits.
    uint256 internal constant COLUMNS = 49;

    /// @dev Returns x^(modulus - 2), the inverse of a number modulo a prime. Operands of exactly 48 bytes cost half of
    /// what those of 64 bytes cost (EIP-7883).
    /// @param io The place in memory of the precompile's input.
    function inverse(uint256 io, uint256 h, uint256 l, uint256 modulusHigh, uint256 modulusLow)
        internal
        view
        returns (uint256 high, uint256 low)
    {
        assembly ("memory-safe") {
            mstore(io, NUMBER_BYTES)
            mstore(add(io, 0x20), NUMBER_BYTES)
            mstore(add(io, 0x40), NUMBER_BYTES)
            mstore(add(io, 0x60), h)
            mstore(add(io, 0x80), shl(128, l))
            mstore(add(io, 0x90), modulusHigh)
            mstore(add(io, 0xb0), shl(128, sub(modulusLow, 2)))
            mstore(add(io, 0xc0), modulusHigh)
            mstore(add(io, 0xe0), shl(128, modulusLow))
        }
        Modexp.run(io, 0xf0, NUMBER_BYTES);
        assembly ("memory-safe") {
            high := mload(io)
            low := shr(128, mload(add(io, 0x20)))
        }
    }

    /// @dev Returns the product of two numbers modulo n as a scalar: the product to the power of 1.
    /// @param io The place in memory of the precompile's input.
    function productModN(uint256 io, uint256 h, uint256 l, uint256 g, uint256 k)
        internal
        view
        returns (uint256 high, uint256 low)
    {
        _writeProduct(io + 0x60, h, l, g, k);
        assembly ("memory-safe") {
            mstore(io, PRODUCT_BYTES)
            mstore(add(io, 0x20), 1)
            mstore(add(io, 0x40), NUMBER_BYTES)
            mstore8(add(io, 0xc0), 1)
            mstore(add(io, 0xc1), N_HIGH)
            mstore(add(io, 0xe1), shl(128, N_LOW))
        }
        Modexp.run(io, 0xf1, NUMBER_BYTES);
        assembly ("memory-safe") {
            high := shr(128, mload(io))
            low := mload(add(io, 0x10))
        }
    }

    /// @dev Writes the product of two numbers, h * g * 2^256 + (h * k + l * g) * 2^128 + l * k, as three words.
    function _writeProduct(uint256 to, uint256 h, uint256 l, uint256 g, uint256 k) private pure {
        unchecked {
            (uint256 top, uint256 middle) = _wide(h, g);
            (uint256 crossHigh, uint256 cross) = _wide(h, k);
            {
                (uint256 otherHigh, uint256 other) = _wide(l, g);
                cross += other;
                crossHigh += otherHigh + (cross < other ? 1 : 0);
            }
            uint256 lowest = l * k;
            uint256 bottom = lowest + (cross << 128);
            cross = cross >> 128 | crossHigh << 128;
            middle += cross;
            top += (crossHigh >> 128) + (middle < cross ? 1 : 0);
            uint256 carry = bottom < lowest ? 1 : 0;
            middle += carry;
            top += middle < carry ? 1 : 0;
            assembly ("memory-safe") {
                mstore(to, top)
                mstore(add(to, 0x20), middle)
                mstore(add(to, 0x40), bottom)
            }
        }
    }

    /// @dev Returns a product of two words as two words.
    function _wide(uint256 x, uint256 y) private pure returns (uint256 high, uint256 low) {
        unchecked {
            low = x * y;
            high = mulmod(x, y, type(uint256).max);
            high = high - low - (high < low ? 1 : 0);
        }
    }

    /// @dev Writes the {DIGITS} digits of a scalar, one byte for each bit from the lowest: 0, or |d| odd below 16,
    /// plus 128 if d is negative. Of five digits in a row at most one is not 0 (the non-adjacent form of width 5).
    /// @param digits The place in memory, of 416 bytes.
    function writeDigits(uint256 digits, uint256 high, uint256 low) internal pure {
        assembly ("memory-safe") {
            for { let offset := digits } lt(offset, add(digits, 416)) { offset := add(offset, 32) } {
                mstore(offset, 0)
            }
            for { let offset := digits } or(high, low) {} {
                switch and(low, 1)
                case 0 {
                    low := or(shr(1, low), shl(255, high))
                    high := shr(1, high)
                    offset := add(offset, 1)
                }
                default {
                    let d := and(low, 31)
                    low := or(shr(5, low), shl(251, high))
                    high := shr(5, high)
                    switch shr(4, d)
                    case 0 { mstore8(offset, d) }
                    default {
                        // d - 32, and one more of the next 32
                        mstore8(offset, or(128, sub(32, d)))
                        low := add(low, 1)
                        high := add(high, iszero(low))
                    }
                    offset := add(offset, 5)
                }
            }
        }
    }

    /// @dev Returns a scalar u below n, made odd by adding n, as u' = (u - 1) / 2 + 2^391. Its 392 bits are signs: u
    /// is the sum of 2^b for each bit b that is 1, minus the sum of 2^b for each that is 0.
    function signs(uint256 high, uint256 low) internal pure returns (uint256, uint256) {
        unchecked {
            if (low & 1 == 0) {
                low += SCALAR_LOW;
                high += SCALAR_HIGH + (low < SCALAR_LOW ? 1 : 0);
            }
            return ((high >> 1) + (1 << 135), low >> 1 | high << 255);
        }
    }

    /// @dev Returns the point of {P384Table} for column i of the comb over {signs}: the bits i, i + 49 .. i + 343, of
    /// which the last is the sign of the whole, plus 128 if the point is to be subtracted.
    function column(uint256 high, uint256 low, uint256 i) internal pure returns (uint256 point) {
        assembly ("memory-safe") {
            point := or(and(shr(i, low), 1), shl(1, and(shr(add(i, 49), low), 1)))
            point := or(point, or(shl(2, and(shr(add(i, 98), low), 1)), shl(3, and(shr(add(i, 147), low), 1))))
            // bit i + 245 is in the high word from i = 11 on; below, its shift is too large and gives 0
            let fifth := and(or(shr(add(i, 245), low), shr(sub(i, 11), high)), 1)
            point := or(point, or(shl(4, and(shr(add(i, 196), low), 1)), shl(5, fifth)))
            point := or(point, or(shl(6, and(shr(add(i, 38), high), 1)), shl(7, and(shr(add(i, 87), high), 1))))
            switch shr(7, point)
            case 0 { point := xor(point, 255) }
            default { point := and(point, 127) }
        }
    }
}
