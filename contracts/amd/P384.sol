// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {Children} from "./Children.sol";
import {P384Field} from "./P384Field.sol";
import {P384Points} from "./P384Points.sol";
import {P384Scalars} from "./P384Scalars.sol";
import {P384Table} from "./P384Table.sol";

/**
 * @title ECDSA on P-384 (FIPS 186-5, section 6.4.2)
 * @notice Asks the caller for nothing but the digest, the signature and the key: no hints. Accepts a high s, as AMD's
 * firmware makes it.
 */
contract P384 {
    uint256 private constant INPUT_BYTES = 240;
    // Positions in the input
    uint256 private constant HASH = 0;
    uint256 private constant R = 48;
    uint256 private constant S = 96;
    uint256 private constant KEY_X = 144;
    uint256 private constant KEY_Y = 192;

    // Places in memory, after those of {P384Points}: 1, 3 .. 15 times the key, the steps to these, what the precompile
    // reads, the digits of u2
    uint256 private constant MULTIPLES = 0x600;
    uint256 private constant STEPS = 0xa00;
    uint256 private constant STEPS_END = 0xf40;
    uint256 private constant IO = 0x1000;
    uint256 private constant DIGITS_OF_U2 = 0x1200;
    uint256 private constant WORKSPACE_END = 0x13a0;

    uint256 private constant POINT_BYTES = 0x80; // of MULTIPLES: x, y
    uint256 private constant STEP_BYTES = 0xc0; // of STEPS: x, y, and by what Z grew
    uint256 private constant TABLE_POINT_BYTES = 96;
    uint256 private constant NEGATIVE = 128;

    // The places of {P384Points}
    uint256 private constant X = P384Points.X;
    uint256 private constant Y = P384Points.Y;
    uint256 private constant Z = P384Points.Z;
    uint256 private constant OPERAND_X = P384Points.OPERAND_X;
    uint256 private constant OPERAND_Y = P384Points.OPERAND_Y;
    uint256 private constant SPARE = P384Points.SPARE;
    uint256 private constant LOW = P384Field.LOW;

    constructor() {
        Children.requireAt(1, address(new P384Table()));
    }

    /// @notice Returns whether a signature holds. It does not if a number is out of range, the key is not a point of
    /// the curve, or the input has another length.
    /// @param input digest | r | s | x | y, each of 48 bytes, big-endian.
    function verify(bytes calldata input) external view returns (bool) {
        if (input.length != INPUT_BYTES) return false;
        _allocate();
        // (1) 0 < r, s < n; x, y < p; the key is on the curve
        if (!_areInRange(input)) return false;
        _read(OPERAND_X, input, KEY_X);
        _read(OPERAND_Y, input, KEY_Y);
        if (!P384Points.isOnCurve()) return false;
        // (2) u1 = digest / s, u2 = r / s
        (uint256 signsHigh, uint256 signsLow) = _scalars(input);
        // (3) u1 * G + u2 * key, of which x mod n is r
        _writeMultiples();
        _accumulate(signsHigh, signsLow);
        return _isR(input);
    }

    /// @notice Returns the contract whose code is the multiples of G.
    function basePoints() public view returns (address) {
        return Children.child(1);
    }

    /// @dev Takes the workspace, and moves the compiler's own allocations behind it. Before it, from 0x80 on, the
    /// compiler has nothing: the project's tests look for it in the code.
    function _allocate() private pure {
        assembly ("memory-safe") {
            mstore(0x40, WORKSPACE_END)
        }
    }

    function _areInRange(bytes calldata input) private pure returns (bool) {
        (uint256 h, uint256 l) = _number(input, R);
        (uint256 g, uint256 k) = _number(input, S);
        if (h | l == 0 || g | k == 0) return false;
        (uint256 limitHigh, uint256 limitLow) = (P384Scalars.N_HIGH, P384Scalars.N_LOW);
        if (!P384Field.isBelow(h, l, limitHigh, limitLow) || !P384Field.isBelow(g, k, limitHigh, limitLow)) {
            return false;
        }
        (h, l) = _number(input, KEY_X);
        (g, k) = _number(input, KEY_Y);
        (limitHigh, limitLow) = (P384Field.P_HIGH, P384Field.P_LOW);
        return P384Field.isBelow(h, l, limitHigh, limitLow) && P384Field.isBelow(g, k, limitHigh, limitLow);
    }

    /// @dev Writes the digits of u2; returns u1 as {P384Scalars-signs}.
    function _scalars(bytes calldata input) private view returns (uint256, uint256) {
        (uint256 g, uint256 k) = _number(input, S);
        (g, k) = P384Scalars.inverse(IO, g, k, P384Scalars.N_HIGH, P384Scalars.N_LOW);
        (uint256 h, uint256 l) = _number(input, R);
        (h, l) = P384Scalars.productModN(IO, h, l, g, k);
        P384Scalars.writeDigits(DIGITS_OF_U2, h, l);
        (h, l) = _number(input, HASH);
        (h, l) = P384Scalars.productModN(IO, h, l, g, k);
        return P384Scalars.signs(h, l);
    }

    /**
     * @dev Writes the key, from the operand, and 3, 5 .. 15 times the key, as affine points, with one inversion.
     *
     * On the curve that is scaled by Z of 2 * key, 2 * key is the affine point (X, Y), and key is (x * Z^2, y * Z^3):
     * so 2 * key is added seven times. That curve has another a, which no addition asks for, since none of these
     * doubles: the order of the key is a prime above 15. Each Z is the former times H, what {_add} returns.
     */
    function _writeMultiples() private view {
        unchecked {
            P384Points.copy(MULTIPLES, OPERAND_X);
            P384Points.copy(MULTIPLES + 0x40, OPERAND_Y);
            P384Points.copy(X, OPERAND_X);
            P384Points.copy(Y, OPERAND_Y);
            P384Points.store(Z, 0, 1);
            P384Points.double();
            (uint256 zh, uint256 zl) = P384Points.load(Z);
            (uint256 h, uint256 l) = P384Field.squared(zh, zl);
            P384Points.exchange(X, OPERAND_X, h, l);
            (h, l) = P384Field.product(zh, zl, h, l);
            P384Points.exchange(Y, OPERAND_Y, h, l);
            P384Points.store(Z, 0, 1);
            for (uint256 step = STEPS; step < STEPS_END; step += STEP_BYTES) {
                (h, l) = P384Points.add();
                P384Points.copy(step, X);
                P384Points.copy(step + 0x40, Y);
                P384Points.store(step + 0x80, h, l);
            }
            // 1 / Z of the last, on the curve itself; times its H, that is 1 / Z of the one before
            (h, l) = P384Points.load(Z);
            (h, l) = P384Field.product(h, l, zh, zl);
            (h, l) = P384Scalars.inverse(IO, h, l, P384Field.P_HIGH, P384Field.P_LOW);
            uint256 point = STEPS;
            for (uint256 step = STEPS_END; step > STEPS;) {
                step -= STEP_BYTES;
                point -= POINT_BYTES;
                (zh, zl) = P384Field.squared(h, l);
                P384Points.storeProduct(point, step, zh, zl);
                (zh, zl) = P384Field.product(h, l, zh, zl);
                P384Points.storeProduct(point + 0x40, step + 0x40, zh, zl);
                (zh, zl) = P384Points.load(step + 0x80);
                (h, l) = P384Field.product(h, l, zh, zl);
            }
        }
    }

    /// @dev Leaves u1 * G + u2 * key in the accumulator.
    function _accumulate(uint256 signsHigh, uint256 signsLow) private view {
        unchecked {
            address points = basePoints();
            P384Points.store(Z, 0, 0);
            for (uint256 i = P384Scalars.DIGITS; i > 0;) {
                --i;
                P384Points.double();
                uint256 digit;
                assembly ("memory-safe") {
                    digit := byte(0, mload(add(DIGITS_OF_U2, i)))
                }
                if (digit != 0) {
                    // of the digit 2j + 1 the multiple is number j
                    uint256 multiple = MULTIPLES + ((digit & 14) << 6);
                    P384Points.copy(OPERAND_X, multiple);
                    P384Points.copy(OPERAND_Y, multiple + 0x40);
                    if (digit >= NEGATIVE) P384Points.negate();
                    P384Points.add();
                }
                if (i < P384Scalars.COLUMNS) {
                    uint256 point = P384Scalars.column(signsHigh, signsLow, i);
                    _loadTable(points, point & (NEGATIVE - 1));
                    if (point >= NEGATIVE) P384Points.negate();
                    P384Points.add();
                }
            }
        }
    }

    /// @dev Returns whether x mod n of the accumulator is r: X = r * Z^2, or X = (r + n) * Z^2.
    function _isR(bytes calldata input) private pure returns (bool) {
        unchecked {
            (uint256 h, uint256 l) = P384Points.load(Z);
            if (P384Field.isZero(h, l)) return false;
            (h, l) = P384Field.squared(h, l);
            P384Points.store(SPARE, h, l);
            (h, l) = _number(input, R);
            if (_isProduct(h, l)) return true;
            // r + n, if that is below p
            l += P384Scalars.N_LOW;
            uint256 sum = h + P384Scalars.N_HIGH;
            if (sum < h) return false;
            h = sum + (l >> 128);
            l &= LOW;
            return h >= sum && P384Field.isBelow(h, l, P384Field.P_HIGH, P384Field.P_LOW) && _isProduct(h, l);
        }
    }

    function _isProduct(uint256 h, uint256 l) private pure returns (bool) {
        (h, l) = P384Points.timesMinus(SPARE, h, l, X);
        return P384Field.isZero(h, l);
    }

    /// @dev Makes a point of the table the operand.
    function _loadTable(address points, uint256 point) private view {
        uint256 h;
        uint256 l;
        uint256 g;
        uint256 k;
        assembly ("memory-safe") {
            extcodecopy(points, IO, mul(point, TABLE_POINT_BYTES), TABLE_POINT_BYTES)
            h := mload(IO)
            l := shr(128, mload(add(IO, 0x20)))
            g := mload(add(IO, 0x30))
            k := shr(128, mload(add(IO, 0x50)))
        }
        P384Points.store(OPERAND_X, h, l);
        P384Points.store(OPERAND_Y, g, k);
    }

    /// @dev Returns 48 bytes of the input as a number of two words.
    function _number(bytes calldata input, uint256 offset) private pure returns (uint256 h, uint256 l) {
        assembly ("memory-safe") {
            h := calldataload(add(input.offset, offset))
            l := shr(128, calldataload(add(input.offset, add(offset, 0x20))))
        }
    }

    function _read(uint256 to, bytes calldata input, uint256 offset) private pure {
        (uint256 h, uint256 l) = _number(input, offset);
        P384Points.store(to, h, l);
    }
}
