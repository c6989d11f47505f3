// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/**
 * @title The field of P-384 (SP 800-186, section 3.2.1.4): numbers modulo p = 2^384 - 2^128 - 2^96 + 2^32 - 1
 * @notice An element is two words, high * 2^128 + low with high < 2^256 and low < 2^128. So it is below 2^384, but not
 * always below p: 0 may stand as p, see {isZero}. Arguments come as h, l and g, k.
 * @dev With N = 2^256 - 1, which `mulmod` can take as its modulus, and D = 2^96 - 2^32 + 1, p = 2^128 * N - D. Modulo
 * p,
 *
 *     2^128 * N = D        2^384 = 2^128 + D
 *
 * A product has the terms h * g * 2^256, (h * k + l * g) * 2^128 and l * k. With r = h * g mod N and q = (h * g - r) /
 * N, which is r - h * g modulo 2^256, the first is q * D * 2^128 + r * 2^256. So the product is M * 2^128 + w with
 *
 *     M = h * k + l * g + q * D + 2^128 * r        w = l * k
 *
 * M has more than 256 bits, and is kept as m = M mod N and s = M mod 2^256. As N = -1 modulo 2^256, M = (m - s) * N +
 * m, where m - s modulo 2^256 is a signed number that is small. Hence M * 2^128 = m * 2^128 + (m - s) * D, and no
 * carry is counted. As 2^256 = 1 modulo N, 2^128 * r mod N is r with its halves exchanged.
 *
 * {times} and {square} return m, s and w: the caller adds products up, and {settle} reduces the sum once. {product} and
 * {squared} return an element.
 */
library P384Field {
    uint256 internal constant N = 0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff;
    uint256 internal constant LOW = 0xffffffffffffffffffffffffffffffff;
    uint256 internal constant P_HIGH = 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe;
    uint256 internal constant P_LOW = 0xffffffff0000000000000000ffffffff;
    uint256 private constant D = 0xffffffffffffffff00000001;
    uint256 private constant SHIFT = 0x100000000000000000000000000000000;

    /// @dev Returns a product as m, s and w.
    function times(uint256 h, uint256 l, uint256 g, uint256 k) internal pure returns (uint256 m, uint256 s, uint256 w) {
        // The first argument of each addmod is the new term: the other way round, the stack is deeper and costs more.
        assembly ("memory-safe") {
            let r := mulmod(h, g, N)
            let q := sub(r, mul(h, g))
            m := addmod(mulmod(q, D, N), or(shl(128, r), shr(128, r)), N)
            s := add(mul(q, D), shl(128, r))
            m := addmod(mulmod(h, k, N), m, N)
            s := add(mul(h, k), s)
            m := addmod(mulmod(l, g, N), m, N)
            s := add(mul(l, g), s)
            w := mul(l, k)
        }
    }

    /// @dev Returns the product of an element with itself as m, s and w.
    function square(uint256 h, uint256 l) internal pure returns (uint256 m, uint256 s, uint256 w) {
        assembly ("memory-safe") {
            let r := mulmod(h, h, N)
            let q := sub(r, mul(h, h))
            m := addmod(mulmod(q, D, N), or(shl(128, r), shr(128, r)), N)
            s := add(mul(q, D), shl(128, r))
            w := mul(l, l)
            l := add(l, l)
            m := addmod(mulmod(h, l, N), m, N)
            s := add(mul(h, l), s)
        }
    }

    /// @dev Returns (M + c) * 2^128 + v as an element, for M, c and v that may be negative: |M| < 2^390, |c| < 2^133,
    /// |v| < 2^133. Callers split w of a product into v, its low half, and c, its high half.
    function settle(uint256 m, uint256 s, uint256 v, uint256 c) internal pure returns (uint256 high, uint256 low) {
        uint256 wraps;
        assembly ("memory-safe") {
            low := add(v, mul(sub(m, s), D))
            c := add(c, sar(128, low))
            high := add(m, c)
            low := and(low, LOW)
            wraps := xor(lt(high, m), slt(c, 0))
        }
        if (wraps != 0) (high, low) = _wrapped(high, low, c);
    }

    /// @dev Returns a product as an element. The same as {settle} of {times}, but M and w are not negative.
    function product(uint256 h, uint256 l, uint256 g, uint256 k) internal pure returns (uint256 high, uint256 low) {
        uint256 m;
        uint256 t;
        uint256 carries;
        assembly ("memory-safe") {
            let r := mulmod(h, g, N)
            let q := sub(r, mul(h, g))
            low := mul(l, k)
            m := addmod(mulmod(q, D, N), or(shl(128, r), shr(128, r)), N)
            m := addmod(mulmod(h, k, N), addmod(mulmod(l, g, N), m, N), N)
            t := mul(sub(m, add(mul(h, k), add(mul(l, g), add(mul(q, D), shl(128, r))))), D)
            low := add(low, t)
            high := add(m, shr(128, low))
            carries := or(lt(low, t), lt(high, m))
        }
        if (carries != 0) (high, low) = _carried(high, low, m, t);
        low &= LOW;
    }

    /// @dev Returns the product of an element with itself as an element.
    function squared(uint256 h, uint256 l) internal pure returns (uint256 high, uint256 low) {
        uint256 m;
        uint256 t;
        uint256 carries;
        assembly ("memory-safe") {
            let r := mulmod(h, h, N)
            let q := sub(r, mul(h, h))
            low := mul(l, l)
            l := add(l, l)
            m := addmod(mulmod(q, D, N), or(shl(128, r), shr(128, r)), N)
            m := addmod(mulmod(h, l, N), m, N)
            t := mul(sub(m, add(mul(h, l), add(mul(q, D), shl(128, r)))), D)
            low := add(low, t)
            high := add(m, shr(128, low))
            carries := or(lt(low, t), lt(high, m))
        }
        if (carries != 0) (high, low) = _carried(high, low, m, t);
        low &= LOW;
    }

    /// @dev Returns a difference as an element.
    function minus(uint256 h, uint256 l, uint256 g, uint256 k) internal pure returns (uint256 high, uint256 low) {
        uint256 wraps;
        assembly ("memory-safe") {
            // -2^384 = -2^128 - D
            let borrow := lt(h, g)
            low := sub(sub(l, k), mul(borrow, D))
            h := sub(h, g)
            high := add(h, sub(sar(128, low), borrow))
            low := and(low, LOW)
            wraps := gt(high, h)
        }
        if (wraps != 0) (high, low) = _wrapped(high, low, N);
    }

    /// @dev Returns whether an element is 0, as 0 or as p.
    function isZero(uint256 h, uint256 l) internal pure returns (bool zero) {
        assembly ("memory-safe") {
            zero := or(iszero(or(h, l)), and(eq(h, P_HIGH), eq(l, P_LOW)))
        }
    }

    /// @dev Returns whether one number of two words is less than another.
    function isBelow(uint256 h, uint256 l, uint256 g, uint256 k) internal pure returns (bool) {
        return h < g || (h == g && l < k);
    }

    /// @dev For a high word that adding c moved over 2^256, or below 0 if c is negative: adds or subtracts 2^128 + D.
    function _wrapped(uint256 h, uint256 l, uint256 c) private pure returns (uint256 high, uint256 low) {
        assembly ("memory-safe") {
            switch slt(c, 0)
            case 0 {
                low := add(l, D)
                high := add(add(h, 1), shr(128, low))
            }
            default {
                low := sub(l, D)
                high := add(sub(h, 1), sar(128, low))
            }
            low := and(low, LOW)
        }
    }

    /// @dev For a product whose low word went over 2^256 when t was added, or its high word when that was added to m.
    /// The low word still has what went to the high word. Its carry is 2^256, which is 2^128 in the high word.
    function _carried(uint256 h, uint256 l, uint256 m, uint256 t) private pure returns (uint256 high, uint256 low) {
        assembly ("memory-safe") {
            let over := lt(h, m)
            high := h
            if lt(l, t) {
                high := add(high, SHIFT)
                over := add(over, lt(high, SHIFT))
            }
            low := add(and(l, LOW), mul(over, D))
            high := add(add(high, over), shr(128, low))
            low := and(low, LOW)
        }
    }
}
