// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {P384Field} from "../../../contracts/amd/P384Field.sol";
import {VM} from "./Proofs.sol";

/// @dev Sums and comparisons in the field of P-384, for all values. Products are out of reach of halmos:
/// tests/contracts/amd/test_field.py compares them with integers.
contract FieldProofs {
    uint256 private constant LOW = P384Field.LOW;
    int256 private constant D = 0xffffffffffffffff00000001;

    /// @dev x - y is an element z with z + y = x, x + p or x + 2 p.
    function check_aDifferenceIsOneModuloP(uint256 h, uint128 l, uint256 g, uint128 k) public pure {
        (uint256 high, uint256 low) = P384Field.minus(h, l, g, k);
        assert(low <= LOW);
        bytes32 sum = _sum(high, low, g, k, 1);
        assert(sum == _plus(h, l, 0) || sum == _plus(h, l, 1) || sum == _plus(h, l, 2));
    }

    /// @dev With d = m - s and M = d * N + m, modulo p (M + c) * 2^128 + v is (m + c) * 2^128 + t, where t = d * D + v.
    /// That is an element z, z + p or z - p.
    function check_aSettledSumIsThatOfItsTerms(uint256 m, int136 d, int136 v, int136 c) public {
        unchecked {
            VM.assume(_isSmall(d, 134) && _isSmall(v, 133) && _isSmall(c, 133));
            uint256 s = m - uint256(int256(d));
            (uint256 high, uint256 low) = P384Field.settle(m, s, uint256(int256(v)), uint256(int256(c)));
            assert(low <= LOW);
            int256 t = int256(d) * D + v;
            int256 more = int256(c) + (t >> 128);
            int256 second = int256(m & LOW) + (more & int256(LOW));
            bytes32 sum = _limbs(t & int256(LOW), second, int256(m >> 128) + (more >> 128));
            assert(_plus(high, low, 0) == sum || _plus(high, low, 1) == sum || _plus(high, low, -1) == sum);
        }
    }

    function check_onlyZeroAndPAreZero(uint256 h, uint128 l) public pure {
        bool isZeroOrP = _plus(h, l, 0) == _plus(0, 0, 0) || _plus(h, l, 0) == _plus(0, 0, 1);
        assert(P384Field.isZero(h, l) == isZeroOrP);
    }

    function check_lessIsThatOfTheWholeNumbers(uint256 h, uint128 l, uint256 g, uint128 k) public pure {
        // x - y - 1 of 512 bits does not go below 0 just if x > y
        uint256 borrow = l > k ? 0 : 1;
        unchecked {
            bool isAbove = h >= g && h - g >= borrow;
            assert(P384Field.isBelow(g, k, h, l) == isAbove);
        }
    }

    function _isSmall(int256 value, uint256 bits) private pure returns (bool) {
        return value >> bits == 0 || value >> bits == -1;
    }

    function _plus(uint256 h, uint256 l, int256 n) private pure returns (bytes32) {
        return _sum(h, l, P384Field.P_HIGH, P384Field.P_LOW, n);
    }

    /// @dev Returns x + n y of numbers of two words, in limbs.
    function _sum(uint256 h, uint256 l, uint256 g, uint256 k, int256 n) private pure returns (bytes32) {
        unchecked {
            int256 second = int256(h & LOW) + n * int256(g & LOW);
            return _limbs(int256(l) + n * int256(k), second, int256(h >> 128) + n * int256(g >> 128));
        }
    }

    /// @dev Returns the digest of three signed limbs of 128 bits after their carries. Equal digests mean equal limbs.
    function _limbs(int256 first, int256 second, int256 third) private pure returns (bytes32) {
        unchecked {
            second += first >> 128;
            third += second >> 128;
            return keccak256(abi.encode(first & int256(LOW), second & int256(LOW), third));
        }
    }
}
