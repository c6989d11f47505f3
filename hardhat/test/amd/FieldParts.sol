// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {P384Field} from "../../../contracts/amd/P384Field.sol";

/// @dev The functions of {P384Field}, callable from outside, so that tests can compare them with other arithmetic.
contract FieldParts {
    /// @dev Of every two elements x and y (four words) returns x y, x x, x - y, x y - 8 y y, 3 (x x - y y) (ten words).
    function field(uint256[] calldata words) external pure returns (uint256[] memory results) {
        results = new uint256[](words.length / 4 * 10);
        for (uint256 i = 0; i < words.length / 4; ++i) {
            _all(results, 10 * i, words[4 * i], words[4 * i + 1], words[4 * i + 2], words[4 * i + 3]);
        }
    }

    function _all(uint256[] memory results, uint256 to, uint256 h, uint256 l, uint256 g, uint256 k) private pure {
        (results[to], results[to + 1]) = P384Field.product(h, l, g, k);
        (results[to + 2], results[to + 3]) = P384Field.squared(h, l);
        (results[to + 4], results[to + 5]) = P384Field.minus(h, l, g, k);
        (results[to + 6], results[to + 7]) = _difference(h, l, g, k);
        (results[to + 8], results[to + 9]) = _squares(h, l, g, k);
    }

    function isZero(uint256 h, uint256 l) external pure returns (bool) {
        return P384Field.isZero(h, l);
    }

    /// @dev As the last step of a doubling.
    function _difference(uint256 h, uint256 l, uint256 g, uint256 k) private pure returns (uint256, uint256) {
        unchecked {
            uint256 low = P384Field.LOW;
            (uint256 m, uint256 s, uint256 w) = P384Field.times(h, l, g, k);
            (uint256 n, uint256 t, uint256 z) = P384Field.square(g, k);
            m = addmod(mulmod(n, P384Field.N - 8, P384Field.N), m, P384Field.N);
            return P384Field.settle(m, s - (t << 3), (w & low) - ((z & low) << 3), (w >> 128) - (z >> 128 << 3));
        }
    }

    /// @dev As the slope of a doubling.
    function _squares(uint256 h, uint256 l, uint256 g, uint256 k) private pure returns (uint256, uint256) {
        unchecked {
            uint256 low = P384Field.LOW;
            (uint256 m, uint256 s, uint256 w) = P384Field.square(h, l);
            (uint256 n, uint256 t, uint256 z) = P384Field.square(g, k);
            return P384Field.settle(
                mulmod(addmod(~n, m, P384Field.N), 3, P384Field.N),
                (s - t) * 3,
                ((w & low) - (z & low)) * 3,
                ((w >> 128) - (z >> 128)) * 3
            );
        }
    }
}
