// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {P384Field} from "./P384Field.sol";

/**
 * @title Points of P-384 (SP 800-186, section 3.2.1.4): y^2 = x^3 - 3x + b
 * @notice One point is computed with, the accumulator. It is Jacobian: (X / Z^2, Y / Z^3), and infinity if Z is 0. One
 * affine point, the operand, can be added to it.
 * @dev Both have fixed places in memory: an address that is not a constant would cost {P384} some hundred thousand gas.
 */
library P384Points {
    uint256 internal constant X = 0x400;
    uint256 internal constant Y = 0x440;
    uint256 internal constant Z = 0x480;
    uint256 internal constant OPERAND_X = 0x4c0;
    uint256 internal constant OPERAND_Y = 0x500;
    /// @dev An element that {add} overwrites.
    uint256 internal constant SPARE = 0x540;

    uint256 private constant N = P384Field.N;
    uint256 private constant LOW = P384Field.LOW;
    uint256 private constant B_HIGH = 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875a;
    uint256 private constant B_LOW = 0xc656398d8a2ed19d2a85c8edd3ec2aef;

    /// @dev Returns whether the operand is on the curve: x * (x^2 - 3) + b - y^2 = 0.
    function isOnCurve() internal pure returns (bool) {
        unchecked {
            (uint256 xh, uint256 xl) = load(OPERAND_X);
            (uint256 h, uint256 l) = P384Field.squared(xh, xl);
            (h, l) = P384Field.minus(h, l, 0, 3);
            (uint256 m, uint256 s, uint256 w) = P384Field.times(xh, xl, h, l);
            (h, l) = P384Field.settle(addmod(B_HIGH, m, N), s + B_HIGH, (w & LOW) + B_LOW, w >> 128);
            (uint256 g, uint256 k) = load(OPERAND_Y);
            (g, k) = P384Field.squared(g, k);
            (h, l) = P384Field.minus(h, l, g, k);
            return P384Field.isZero(h, l);
        }
    }

    /// @dev Doubles the accumulator. With d = Z^2, g = Y^2, a = 3 (X^2 - d^2) and b = 4 X g:
    /// Z' = 2 Y Z, X' = a^2 - 2b, Y' = a (b - X') - 8 g^2.
    function double() internal pure {
        unchecked {
            (uint256 dh, uint256 dl) = load(Z);
            (uint256 gh, uint256 gl) = load(Y);
            {
                (uint256 m, uint256 s, uint256 w) = P384Field.times(gh, gl, dh, dl);
                (m, s) = P384Field.settle(addmod(m, m, N), s << 1, (w & LOW) << 1, w >> 128 << 1);
                (dh, dl) = P384Field.squared(dh, dl);
                (gh, gl) = P384Field.squared(gh, gl);
                store(Z, m, s);
            }
            (uint256 ah, uint256 al) = load(X);
            (uint256 bh, uint256 bl) = (ah, al);
            {
                (uint256 m, uint256 s, uint256 w) = P384Field.square(ah, al);
                (uint256 n, uint256 t, uint256 z) = P384Field.square(dh, dl);
                (ah, al) = P384Field.settle(
                    mulmod(addmod(~n, m, N), 3, N),
                    (s - t) * 3,
                    ((w & LOW) - (z & LOW)) * 3,
                    ((w >> 128) - (z >> 128)) * 3
                );
                (m, s, w) = P384Field.times(bh, bl, gh, gl);
                (bh, bl) = P384Field.settle(mulmod(m, 4, N), s << 2, (w & LOW) << 2, w >> 128 << 2);
            }
            {
                (uint256 m, uint256 s, uint256 w) = P384Field.square(ah, al);
                m = addmod(mulmod(bh, N - 2, N), m, N);
                (dh, dl) = P384Field.settle(m, s - (bh << 1), (w & LOW) - (bl << 1), w >> 128);
                store(X, dh, dl);
                (bh, bl) = P384Field.minus(bh, bl, dh, dl);
            }
            {
                (uint256 m, uint256 s, uint256 w) = P384Field.times(ah, al, bh, bl);
                (uint256 n, uint256 t, uint256 z) = P384Field.square(gh, gl);
                m = addmod(mulmod(n, N - 8, N), m, N);
                (m, s) = P384Field.settle(m, s - (t << 3), (w & LOW) - ((z & LOW) << 3), (w >> 128) - (z >> 128 << 3));
                store(Y, m, s);
            }
        }
    }

    /// @dev Adds the operand, (x, y), to the accumulator. With H = x Z^2 - X, r = y Z^3 - Y and V = X H^2:
    /// Z' = Z H, X' = r^2 - H^3 - 2V, Y' = r (V - X') - Y H^3. Returns H if the accumulator was neither infinity nor
    /// the operand or its opposite.
    function add() internal pure returns (uint256 hh, uint256 hl) {
        unchecked {
            (uint256 zh, uint256 zl) = load(Z);
            if (P384Field.isZero(zh, zl)) {
                copy(X, OPERAND_X);
                copy(Y, OPERAND_Y);
                store(Z, 0, 1);
                return (0, 0);
            }
            (uint256 vh, uint256 vl) = P384Field.squared(zh, zl);
            (hh, hl) = timesMinus(OPERAND_X, vh, vl, X);
            (vh, vl) = P384Field.product(zh, zl, vh, vl);
            (uint256 rh, uint256 rl) = timesMinus(OPERAND_Y, vh, vl, Y);
            if (P384Field.isZero(hh, hl)) {
                if (P384Field.isZero(rh, rl)) double();
                else store(Z, 0, 0);
                return (0, 0);
            }
            (zh, zl) = P384Field.product(zh, zl, hh, hl);
            store(Z, zh, zl);
            (vh, vl) = P384Field.squared(hh, hl);
            (zh, zl) = P384Field.product(hh, hl, vh, vl);
            store(SPARE, zh, zl);
            (zh, zl) = load(X);
            (vh, vl) = P384Field.product(zh, zl, vh, vl);
            {
                (uint256 m, uint256 s, uint256 w) = P384Field.square(rh, rl);
                (zh, zl) = load(SPARE);
                m = addmod(mulmod(vh, N - 2, N), addmod(~zh, m, N), N);
                (m, s) = P384Field.settle(m, s - (zh + (vh << 1)), (w & LOW) - (zl + (vl << 1)), w >> 128);
                store(X, m, s);
                (vh, vl) = P384Field.minus(vh, vl, m, s);
            }
            _writeY(rh, rl, vh, vl);
        }
    }

    /// @dev Writes Y' = r * v - Y * spare.
    function _writeY(uint256 rh, uint256 rl, uint256 vh, uint256 vl) private pure {
        unchecked {
            (uint256 m, uint256 s, uint256 w) = P384Field.times(rh, rl, vh, vl);
            (uint256 yh, uint256 yl) = load(Y);
            (uint256 h, uint256 l) = load(SPARE);
            (uint256 n, uint256 t, uint256 z) = P384Field.times(yh, yl, h, l);
            (m, s) = P384Field.settle(addmod(~n, m, N), s - t, (w & LOW) - (z & LOW), (w >> 128) - (z >> 128));
            store(Y, m, s);
        }
    }

    /// @dev Returns the element at `a` times (h, l), minus the element at `b`.
    function timesMinus(uint256 a, uint256 h, uint256 l, uint256 b) internal pure returns (uint256, uint256) {
        unchecked {
            (uint256 g, uint256 k) = load(a);
            (uint256 m, uint256 s, uint256 w) = P384Field.times(g, k, h, l);
            (g, k) = load(b);
            return P384Field.settle(addmod(~g, m, N), s - g, (w & LOW) - k, w >> 128);
        }
    }

    /// @dev Moves the element at `a` to `b`, and that at `b`, times (h, l), to `a`.
    function exchange(uint256 a, uint256 b, uint256 h, uint256 l) internal pure {
        (uint256 g, uint256 k) = load(b);
        (g, k) = P384Field.product(g, k, h, l);
        copy(b, a);
        store(a, g, k);
    }

    /// @dev Writes the element at `from`, times (h, l).
    function storeProduct(uint256 to, uint256 from, uint256 h, uint256 l) internal pure {
        (uint256 g, uint256 k) = load(from);
        (g, k) = P384Field.product(g, k, h, l);
        store(to, g, k);
    }

    /// @dev Makes the operand its opposite: y becomes p - y. Both are below p, and y is not 0.
    function negate() internal pure {
        (uint256 h, uint256 l) = load(OPERAND_Y);
        (h, l) = P384Field.minus(P384Field.P_HIGH, P384Field.P_LOW, h, l);
        store(OPERAND_Y, h, l);
    }

    function load(uint256 from) internal pure returns (uint256 h, uint256 l) {
        assembly ("memory-safe") {
            h := mload(from)
            l := mload(add(from, 0x20))
        }
    }

    function store(uint256 to, uint256 h, uint256 l) internal pure {
        assembly ("memory-safe") {
            mstore(to, h)
            mstore(add(to, 0x20), l)
        }
    }

    function copy(uint256 to, uint256 from) internal pure {
        (uint256 h, uint256 l) = load(from);
        store(to, h, l);
    }
}
