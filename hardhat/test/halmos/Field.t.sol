// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {P384Field} from "../../../contracts/amd/P384Field.sol";

/// @dev Sums and comparisons in the field of P-384, for every two elements. Products are out of reach of halmos:
/// tests/contracts/amd/test_field.py compares them with integers.
contract FieldProofs {
    uint256 private constant LOW = P384Field.LOW;

    /// @dev x - y is an element z with z + y = x, x + p or x + 2 p.
    function check_aDifferenceIsOneModuloP(uint256 h, uint128 l, uint256 g, uint128 k) public pure {
        (uint256 high, uint256 low) = P384Field.minus(h, l, g, k);
        assert(low <= LOW);
        bytes32 sum = _sum(high, low, g, k, 1);
        bytes32 plusTwo = _sum(h, l, P384Field.P_HIGH, P384Field.P_LOW, 2);
        bytes32 plusOne = _sum(h, l, P384Field.P_HIGH, P384Field.P_LOW, 1);
        assert(sum == _sum(h, l, 0, 0, 1) || sum == plusOne || sum == plusTwo);
    }

    function check_onlyZeroAndPAreZero(uint256 h, uint128 l) public pure {
        bool isZero = _sum(h, l, 0, 0, 1) == _sum(0, 0, 0, 0, 1);
        bool isP = _sum(h, l, 0, 0, 1) == _sum(P384Field.P_HIGH, P384Field.P_LOW, 0, 0, 1);
        assert(P384Field.isZero(h, l) == (isZero || isP));
    }

    function check_lessIsThatOfTheWholeNumbers(uint256 h, uint128 l, uint256 g, uint128 k) public pure {
        // x - y - 1 of 512 bits does not go below 0 just if x > y
        uint256 borrow = l > k ? 0 : 1;
        unchecked {
            bool isAbove = h >= g && h - g >= borrow;
            assert(P384Field.isBelow(g, k, h, l) == isAbove);
        }
    }

    /// @dev Returns x + n y of numbers of two words, in limbs of 128 bits. Equal digests mean equal limbs.
    function _sum(uint256 h, uint256 l, uint256 g, uint256 k, uint256 n) private pure returns (bytes32) {
        uint256 first = l + n * k;
        uint256 second = (h & LOW) + n * (g & LOW) + (first >> 128);
        uint256 third = (h >> 128) + n * (g >> 128) + (second >> 128);
        return keccak256(abi.encode(first & LOW, second & LOW, third));
    }
}
