// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/**
 * @title SHA-384 (FIPS 180-4, sections 4.1.3 and 6.4), two messages at the price of one
 * @notice A memory word holds two lanes of 64 bits, in bits 0 to 63 and 128 to 191: one lane for each message. The gaps
 * above the lanes take what a rotation or a sum moves up, until a mask clears them.
 *
 * {hash} gives a message to a lane, which works on it whenever a later call needs a lane or a digest; so short messages
 * pass by a long one. {finish} ends the work.
 * @dev A context is memory:
 *
 *     0x0000  8 words   state
 *     0x0100  80 words  schedule
 *     0x0b00  80 words  constants
 *     0x1500  1 word    zero, which ends the rounds
 *     0x1520  3 words   the first lane's next block, end of its message, and place of the digest; 0 if it is idle
 *     0x1580  3 words   the same of the second lane
 */
library Sha384 {
    uint256 private constant FIRST = 0x1520;
    uint256 private constant SECOND = 0x1580;
    uint256 private constant CONTEXT_BYTES = 0x15e0;
    uint256 private constant BLOCK_BYTES = 128;
    /// @dev What a message may grow by when it is padded: 0x80, zeros, its length, and the overlap of a whole word.
    uint256 private constant PADDING_BYTES = 192;
    uint256 private constant LANES = 0x0000000000000000ffffffffffffffff0000000000000000ffffffffffffffff;
    uint256 private constant LANE = 0xffffffffffffffff;
    /// @dev The bit at which the second lane begins.
    uint256 private constant SECOND_SHIFT = 128;

    /// @dev Allocates a context. The memory may hold anything; what is not written here is written before it is read.
    function newContext() internal pure returns (uint256 context) {
        assembly ("memory-safe") {
            context := mload(0x40)
            mstore(0x40, add(context, CONTEXT_BYTES))
            mstore(add(context, 0x1500), 0)
            // idle lanes, which work on any block
            mstore(add(context, FIRST), context)
            mstore(add(context, add(FIRST, 0x40)), 0)
            mstore(add(context, SECOND), context)
            mstore(add(context, add(SECOND, 0x40)), 0)
            let k := add(context, 0xb00)
            mstore(k, 0x0000000000000000428a2f98d728ae220000000000000000428a2f98d728ae22)
            mstore(add(k, 0x20), 0x00000000000000007137449123ef65cd00000000000000007137449123ef65cd)
            mstore(add(k, 0x40), 0x0000000000000000b5c0fbcfec4d3b2f0000000000000000b5c0fbcfec4d3b2f)
            mstore(add(k, 0x60), 0x0000000000000000e9b5dba58189dbbc0000000000000000e9b5dba58189dbbc)
            mstore(add(k, 0x80), 0x00000000000000003956c25bf348b53800000000000000003956c25bf348b538)
            mstore(add(k, 0xa0), 0x000000000000000059f111f1b605d019000000000000000059f111f1b605d019)
            mstore(add(k, 0xc0), 0x0000000000000000923f82a4af194f9b0000000000000000923f82a4af194f9b)
            mstore(add(k, 0xe0), 0x0000000000000000ab1c5ed5da6d81180000000000000000ab1c5ed5da6d8118)
            mstore(add(k, 0x100), 0x0000000000000000d807aa98a30302420000000000000000d807aa98a3030242)
            mstore(add(k, 0x120), 0x000000000000000012835b0145706fbe000000000000000012835b0145706fbe)
            mstore(add(k, 0x140), 0x0000000000000000243185be4ee4b28c0000000000000000243185be4ee4b28c)
            mstore(add(k, 0x160), 0x0000000000000000550c7dc3d5ffb4e20000000000000000550c7dc3d5ffb4e2)
            mstore(add(k, 0x180), 0x000000000000000072be5d74f27b896f000000000000000072be5d74f27b896f)
            mstore(add(k, 0x1a0), 0x000000000000000080deb1fe3b1696b1000000000000000080deb1fe3b1696b1)
            mstore(add(k, 0x1c0), 0x00000000000000009bdc06a725c7123500000000000000009bdc06a725c71235)
            mstore(add(k, 0x1e0), 0x0000000000000000c19bf174cf6926940000000000000000c19bf174cf692694)
            mstore(add(k, 0x200), 0x0000000000000000e49b69c19ef14ad20000000000000000e49b69c19ef14ad2)
            mstore(add(k, 0x220), 0x0000000000000000efbe4786384f25e30000000000000000efbe4786384f25e3)
            mstore(add(k, 0x240), 0x00000000000000000fc19dc68b8cd5b500000000000000000fc19dc68b8cd5b5)
            mstore(add(k, 0x260), 0x0000000000000000240ca1cc77ac9c650000000000000000240ca1cc77ac9c65)
            mstore(add(k, 0x280), 0x00000000000000002de92c6f592b027500000000000000002de92c6f592b0275)
            mstore(add(k, 0x2a0), 0x00000000000000004a7484aa6ea6e48300000000000000004a7484aa6ea6e483)
            mstore(add(k, 0x2c0), 0x00000000000000005cb0a9dcbd41fbd400000000000000005cb0a9dcbd41fbd4)
            mstore(add(k, 0x2e0), 0x000000000000000076f988da831153b5000000000000000076f988da831153b5)
            mstore(add(k, 0x300), 0x0000000000000000983e5152ee66dfab0000000000000000983e5152ee66dfab)
            mstore(add(k, 0x320), 0x0000000000000000a831c66d2db432100000000000000000a831c66d2db43210)
            mstore(add(k, 0x340), 0x0000000000000000b00327c898fb213f0000000000000000b00327c898fb213f)
            mstore(add(k, 0x360), 0x0000000000000000bf597fc7beef0ee40000000000000000bf597fc7beef0ee4)
            mstore(add(k, 0x380), 0x0000000000000000c6e00bf33da88fc20000000000000000c6e00bf33da88fc2)
            mstore(add(k, 0x3a0), 0x0000000000000000d5a79147930aa7250000000000000000d5a79147930aa725)
            mstore(add(k, 0x3c0), 0x000000000000000006ca6351e003826f000000000000000006ca6351e003826f)
            mstore(add(k, 0x3e0), 0x0000000000000000142929670a0e6e700000000000000000142929670a0e6e70)
            mstore(add(k, 0x400), 0x000000000000000027b70a8546d22ffc000000000000000027b70a8546d22ffc)
            mstore(add(k, 0x420), 0x00000000000000002e1b21385c26c92600000000000000002e1b21385c26c926)
            mstore(add(k, 0x440), 0x00000000000000004d2c6dfc5ac42aed00000000000000004d2c6dfc5ac42aed)
            mstore(add(k, 0x460), 0x000000000000000053380d139d95b3df000000000000000053380d139d95b3df)
            mstore(add(k, 0x480), 0x0000000000000000650a73548baf63de0000000000000000650a73548baf63de)
            mstore(add(k, 0x4a0), 0x0000000000000000766a0abb3c77b2a80000000000000000766a0abb3c77b2a8)
            mstore(add(k, 0x4c0), 0x000000000000000081c2c92e47edaee6000000000000000081c2c92e47edaee6)
            mstore(add(k, 0x4e0), 0x000000000000000092722c851482353b000000000000000092722c851482353b)
            mstore(add(k, 0x500), 0x0000000000000000a2bfe8a14cf103640000000000000000a2bfe8a14cf10364)
            mstore(add(k, 0x520), 0x0000000000000000a81a664bbc4230010000000000000000a81a664bbc423001)
            mstore(add(k, 0x540), 0x0000000000000000c24b8b70d0f897910000000000000000c24b8b70d0f89791)
            mstore(add(k, 0x560), 0x0000000000000000c76c51a30654be300000000000000000c76c51a30654be30)
            mstore(add(k, 0x580), 0x0000000000000000d192e819d6ef52180000000000000000d192e819d6ef5218)
            mstore(add(k, 0x5a0), 0x0000000000000000d69906245565a9100000000000000000d69906245565a910)
            mstore(add(k, 0x5c0), 0x0000000000000000f40e35855771202a0000000000000000f40e35855771202a)
            mstore(add(k, 0x5e0), 0x0000000000000000106aa07032bbd1b80000000000000000106aa07032bbd1b8)
            mstore(add(k, 0x600), 0x000000000000000019a4c116b8d2d0c8000000000000000019a4c116b8d2d0c8)
            mstore(add(k, 0x620), 0x00000000000000001e376c085141ab5300000000000000001e376c085141ab53)
            mstore(add(k, 0x640), 0x00000000000000002748774cdf8eeb9900000000000000002748774cdf8eeb99)
            mstore(add(k, 0x660), 0x000000000000000034b0bcb5e19b48a8000000000000000034b0bcb5e19b48a8)
            mstore(add(k, 0x680), 0x0000000000000000391c0cb3c5c95a630000000000000000391c0cb3c5c95a63)
            mstore(add(k, 0x6a0), 0x00000000000000004ed8aa4ae3418acb00000000000000004ed8aa4ae3418acb)
            mstore(add(k, 0x6c0), 0x00000000000000005b9cca4f7763e37300000000000000005b9cca4f7763e373)
            mstore(add(k, 0x6e0), 0x0000000000000000682e6ff3d6b2b8a30000000000000000682e6ff3d6b2b8a3)
            mstore(add(k, 0x700), 0x0000000000000000748f82ee5defb2fc0000000000000000748f82ee5defb2fc)
            mstore(add(k, 0x720), 0x000000000000000078a5636f43172f60000000000000000078a5636f43172f60)
            mstore(add(k, 0x740), 0x000000000000000084c87814a1f0ab72000000000000000084c87814a1f0ab72)
            mstore(add(k, 0x760), 0x00000000000000008cc702081a6439ec00000000000000008cc702081a6439ec)
            mstore(add(k, 0x780), 0x000000000000000090befffa23631e28000000000000000090befffa23631e28)
            mstore(add(k, 0x7a0), 0x0000000000000000a4506cebde82bde90000000000000000a4506cebde82bde9)
            mstore(add(k, 0x7c0), 0x0000000000000000bef9a3f7b2c679150000000000000000bef9a3f7b2c67915)
            mstore(add(k, 0x7e0), 0x0000000000000000c67178f2e372532b0000000000000000c67178f2e372532b)
            mstore(add(k, 0x800), 0x0000000000000000ca273eceea26619c0000000000000000ca273eceea26619c)
            mstore(add(k, 0x820), 0x0000000000000000d186b8c721c0c2070000000000000000d186b8c721c0c207)
            mstore(add(k, 0x840), 0x0000000000000000eada7dd6cde0eb1e0000000000000000eada7dd6cde0eb1e)
            mstore(add(k, 0x860), 0x0000000000000000f57d4f7fee6ed1780000000000000000f57d4f7fee6ed178)
            mstore(add(k, 0x880), 0x000000000000000006f067aa72176fba000000000000000006f067aa72176fba)
            mstore(add(k, 0x8a0), 0x00000000000000000a637dc5a2c898a600000000000000000a637dc5a2c898a6)
            mstore(add(k, 0x8c0), 0x0000000000000000113f9804bef90dae0000000000000000113f9804bef90dae)
            mstore(add(k, 0x8e0), 0x00000000000000001b710b35131c471b00000000000000001b710b35131c471b)
            mstore(add(k, 0x900), 0x000000000000000028db77f523047d84000000000000000028db77f523047d84)
            mstore(add(k, 0x920), 0x000000000000000032caab7b40c72493000000000000000032caab7b40c72493)
            mstore(add(k, 0x940), 0x00000000000000003c9ebe0a15c9bebc00000000000000003c9ebe0a15c9bebc)
            mstore(add(k, 0x960), 0x0000000000000000431d67c49c100d4c0000000000000000431d67c49c100d4c)
            mstore(add(k, 0x980), 0x00000000000000004cc5d4becb3e42b600000000000000004cc5d4becb3e42b6)
            mstore(add(k, 0x9a0), 0x0000000000000000597f299cfc657e2a0000000000000000597f299cfc657e2a)
            mstore(add(k, 0x9c0), 0x00000000000000005fcb6fab3ad6faec00000000000000005fcb6fab3ad6faec)
            mstore(add(k, 0x9e0), 0x00000000000000006c44198c4a47581700000000000000006c44198c4a475817)
        }
    }

    /// @dev Copies a part of the calldata to new memory with room for the padding; returns where it begins.
    function copy(bytes calldata from, uint256 start, uint256 length) internal pure returns (uint256 message) {
        assembly ("memory-safe") {
            message := mload(0x40)
            mstore(0x40, and(add(add(message, length), add(PADDING_BYTES, 31)), not(31)))
            calldatacopy(message, add(from.offset, start), length)
        }
    }

    /// @dev Gives a message of any length, in memory, to a lane, as soon as one is idle. The 192 bytes after the
    /// message are lost to its padding.
    /// @param to The place in memory for the 48 bytes of the digest; not 0.
    function hash(uint256 context, uint256 message, uint256 length, uint256 to) internal pure {
        unchecked {
            uint256 end = message + _pad(message, length);
            while (_target(context + FIRST) != 0 && _target(context + SECOND) != 0) _step(context);
            (uint256 lane, uint256 shift) = _target(context + FIRST) == 0 ? (FIRST, 0) : (SECOND, SECOND_SHIFT);
            _start(context, shift);
            assembly ("memory-safe") {
                lane := add(context, lane)
                mstore(lane, message)
                mstore(add(lane, 0x20), end)
                mstore(add(lane, 0x40), to)
            }
        }
    }

    /// @dev Works until the digest that was to be at `to` is there.
    function wait(uint256 context, uint256 to) internal pure {
        unchecked {
            while (_target(context + FIRST) == to || _target(context + SECOND) == to) _step(context);
        }
    }

    /// @dev Works until all digests are there.
    function finish(uint256 context) internal pure {
        unchecked {
            while (_target(context + FIRST) != 0 || _target(context + SECOND) != 0) _step(context);
        }
    }

    /// @dev Hashes one message of any length; returns the place of the digest.
    function single(uint256 message, uint256 length) internal pure returns (uint256 digest) {
        uint256 context = newContext();
        digest = newDigest();
        hash(context, message, length, digest);
        finish(context);
    }

    /// @dev Allocates the place of a digest.
    function newDigest() internal pure returns (uint256 digest) {
        assembly ("memory-safe") {
            digest := mload(0x40)
            mstore(0x40, add(digest, 0x40))
        }
    }

    /// @dev Returns the first 32 bytes of the digest at a place, and the last 16, which zeros follow.
    function read(uint256 digest) internal pure returns (bytes32 high, bytes32 low) {
        assembly ("memory-safe") {
            high := mload(digest)
            low := shl(128, mload(add(digest, 16)))
        }
    }

    /// @dev Appends 0x80, zeros and the length in bits (FIPS 180-4, 5.1.2); returns the new length.
    function _pad(uint256 message, uint256 length) private pure returns (uint256 padded) {
        assembly ("memory-safe") {
            padded := and(add(length, 144), not(127))
            let end := add(message, padded)
            for { let offset := add(message, length) } lt(offset, end) { offset := add(offset, 32) } {
                mstore(offset, 0)
            }
            mstore8(add(message, length), 0x80)
            mstore(sub(end, 32), or(mload(sub(end, 32)), shl(3, length)))
        }
    }

    /// @dev Sets the lane at `shift` to the initial hash value (FIPS 180-4, 5.3.4), and clears the gaps.
    function _start(uint256 context, uint256 shift) private pure {
        assembly ("memory-safe") {
            function begin(place, by, value) {
                mstore(place, or(and(mload(place), shl(sub(SECOND_SHIFT, by), LANE)), shl(by, value)))
            }
            begin(context, shift, 0xcbbb9d5dc1059ed8)
            begin(add(context, 0x20), shift, 0x629a292a367cd507)
            begin(add(context, 0x40), shift, 0x9159015a3070dd17)
            begin(add(context, 0x60), shift, 0x152fecd8f70e5939)
            begin(add(context, 0x80), shift, 0x67332667ffc00b31)
            begin(add(context, 0xa0), shift, 0x8eb44a8768581511)
            begin(add(context, 0xc0), shift, 0xdb0c2e0d64f98fa7)
            begin(add(context, 0xe0), shift, 0x47b5481dbefa4fa4)
        }
    }

    function _target(uint256 lane) private pure returns (uint256 to) {
        assembly ("memory-safe") {
            to := mload(add(lane, 0x40))
        }
    }

    /// @dev One block of each lane. What an idle lane computes, nobody reads.
    function _step(uint256 context) private pure {
        uint256 a;
        uint256 b;
        assembly ("memory-safe") {
            a := mload(add(context, FIRST))
            b := mload(add(context, SECOND))
        }
        _compress(context, a, b);
        _advance(context, context + FIRST, 0);
        _advance(context, context + SECOND, SECOND_SHIFT);
    }

    /// @dev Moves a busy lane to its next block. After the last, writes the digest and makes the lane idle.
    function _advance(uint256 context, uint256 lane, uint256 shift) private pure {
        assembly ("memory-safe") {
            function two(offset, by) -> words {
                words := or(shl(64, and(shr(by, mload(offset)), LANE)), and(shr(by, mload(add(offset, 0x20))), LANE))
            }
            let to := mload(add(lane, 0x40))
            if to {
                let next := add(mload(lane), BLOCK_BYTES)
                mstore(lane, next)
                if eq(next, mload(add(lane, 0x20))) {
                    // 48 bytes and no more: the second word overlaps the first
                    let middle := two(add(context, 0x40), shift)
                    mstore(to, or(shl(128, two(context, shift)), middle))
                    mstore(add(to, 16), or(shl(128, middle), two(add(context, 0x80), shift)))
                    mstore(add(lane, 0x40), 0)
                }
            }
        }
    }

    /**
     * @dev One block of each message (FIPS 180-4, 6.4.2). With y = x | x << 64, bits n to n + 63 of y are those of x
     * rotated right by n, so a rotation is one shift. Sums are masked only where a rotation or the state reads them.
     */
    function _compress(uint256 context, uint256 a_, uint256 b_) private pure {
        assembly ("memory-safe") {
            // Returns the new d and h. Called eight times in a row, so that the words move by their names alone: one
            // round written out 80 times would be 69 kB of code.
            function round(a, b, c, d, e, f, g, h) -> newD, newH {
                h := add(xor(g, and(e, xor(f, g))), h)
                g := or(e, shl(64, e))
                h := add(and(xor(shr(14, g), xor(shr(18, g), shr(41, g))), LANES), h)
                newD := and(add(d, h), LANES)
                g := or(a, shl(64, a))
                h := add(or(and(a, b), and(c, or(a, b))), h)
                newH := and(add(and(xor(shr(28, g), xor(shr(34, g), shr(39, g))), LANES), h), LANES)
            }
            let offset := add(context, 0x100)
            for { let i := 0 } lt(i, 128) { i := add(i, 8) } {
                mstore(add(offset, shl(2, i)), or(shr(192, mload(add(a_, i))), shl(128, shr(192, mload(add(b_, i))))))
            }
            let end := add(offset, 0xa00)
            for { offset := add(offset, 0x200) } lt(offset, end) { offset := add(offset, 32) } {
                let x := mload(sub(offset, 0x1e0))
                let y := or(x, shl(64, x))
                let sum := and(xor(shr(7, x), xor(shr(1, y), shr(8, y))), LANES)
                x := mload(sub(offset, 0x40))
                y := or(x, shl(64, x))
                sum := add(sum, add(mload(sub(offset, 0x200)), mload(sub(offset, 0xe0))))
                mstore(offset, and(add(and(xor(shr(6, x), xor(shr(19, y), shr(61, y))), LANES), sum), LANES))
            }
            let a := mload(context)
            let b := mload(add(context, 0x20))
            let c := mload(add(context, 0x40))
            let d := mload(add(context, 0x60))
            let e := mload(add(context, 0x80))
            let f := mload(add(context, 0xa0))
            let g := mload(add(context, 0xc0))
            let h := mload(add(context, 0xe0))
            for { offset := add(context, 0x100) } mload(add(offset, 0xa00)) { offset := add(offset, 0x100) } {
                d, h := round(a, b, c, d, e, f, g, add(add(mload(add(offset, 0xa00)), mload(offset)), h))
                c, g := round(h, a, b, c, d, e, f, add(add(mload(add(offset, 0xa20)), mload(add(offset, 0x20))), g))
                b, f := round(g, h, a, b, c, d, e, add(add(mload(add(offset, 0xa40)), mload(add(offset, 0x40))), f))
                a, e := round(f, g, h, a, b, c, d, add(add(mload(add(offset, 0xa60)), mload(add(offset, 0x60))), e))
                h, d := round(e, f, g, h, a, b, c, add(add(mload(add(offset, 0xa80)), mload(add(offset, 0x80))), d))
                g, c := round(d, e, f, g, h, a, b, add(add(mload(add(offset, 0xaa0)), mload(add(offset, 0xa0))), c))
                f, b := round(c, d, e, f, g, h, a, add(add(mload(add(offset, 0xac0)), mload(add(offset, 0xc0))), b))
                e, a := round(b, c, d, e, f, g, h, add(add(mload(add(offset, 0xae0)), mload(add(offset, 0xe0))), a))
            }
            // The loop ends 10 x 0x100 bytes after the schedule's begin; nothing else is left of the context's place.
            context := sub(offset, 0xb00)
            mstore(context, and(add(a, mload(context)), LANES))
            mstore(add(context, 0x20), and(add(b, mload(add(context, 0x20))), LANES))
            mstore(add(context, 0x40), and(add(c, mload(add(context, 0x40))), LANES))
            mstore(add(context, 0x60), and(add(d, mload(add(context, 0x60))), LANES))
            mstore(add(context, 0x80), and(add(e, mload(add(context, 0x80))), LANES))
            mstore(add(context, 0xa0), and(add(f, mload(add(context, 0xa0))), LANES))
            mstore(add(context, 0xc0), and(add(g, mload(add(context, 0xc0))), LANES))
            mstore(add(context, 0xe0), and(add(h, mload(add(context, 0xe0))), LANES))
        }
    }
}
