// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {CalldataText} from "../../../contracts/proofs/CalldataText.sol";
import {VM} from "../support/Vm.sol";

contract TextReader {
    function numberLength(bytes calldata text) external pure returns (uint256) {
        return CalldataText.numberLength(_at(text));
    }

    function textLength(bytes calldata text) external pure returns (uint256) {
        return CalldataText.textLength(_at(text));
    }

    function isHexDigest(bytes calldata text) external pure returns (bool) {
        return CalldataText.isHexDigest(_at(text));
    }

    function precedes(bytes calldata a, bytes calldata b) external pure returns (bool) {
        return CalldataText.precedes(_at(a), a.length, _at(b), b.length);
    }

    function _at(bytes calldata text) private pure returns (uint256 position) {
        assembly ("memory-safe") {
            position := text.offset
        }
    }
}

/// @dev Compares what is read 32 bytes at once with the same read byte by byte.
contract CalldataTextTest {
    TextReader private _reader = new TextReader();

    function testFuzz_numbers(uint64 value, bytes memory rest) public view {
        bytes memory digits = bytes(VM.toString(value));
        bool isShort = digits.length <= 16;
        bool goesOn = rest.length != 0 && rest[0] >= "0" && rest[0] <= "9";
        VM.assertEq(
            _reader.numberLength(abi.encodePacked(digits, "}", rest)), isShort ? digits.length : 0, "ended by a brace"
        );
        VM.assertEq(_reader.numberLength(abi.encodePacked("0", digits)), 0, "a leading zero");
        VM.assertEq(_reader.numberLength(abi.encodePacked("-", digits)), 0, "a sign");
        if (!goesOn && isShort) {
            VM.assertEq(_reader.numberLength(abi.encodePacked(digits, rest)), digits.length, "ended by anything");
        }
    }

    function testFuzz_texts(bytes memory text) public view {
        uint256 length = 0;
        while (length < text.length && text[length] != '"') {
            bytes1 character = text[length];
            if (character < " " || character > "~" || character == "\\") {
                VM.assertEq(_reader.textLength(text), 0, "a wrong character");
                return;
            }
            ++length;
        }
        VM.assertEq(_reader.textLength(text), length < text.length ? length : 0, "length");
    }

    function testFuzz_textsOfPrintableCharacters(bytes memory text, uint256 wrongAt, uint8 wrong) public view {
        for (uint256 i = 0; i < text.length; ++i) {
            text[i] = bytes1(uint8(text[i]) % 95 + 32);
            if (text[i] == '"' || text[i] == "\\") text[i] = "a";
        }
        VM.assertEq(_reader.textLength(abi.encodePacked(text, '"')), text.length, "all of it");
        if (text.length == 0) return;
        text[wrongAt % text.length] = bytes1(wrong);
        testFuzz_texts(abi.encodePacked(text, '"'));
    }

    function testFuzz_digests(bytes32 high, bytes32 low, uint256 at, uint8 character) public view {
        bytes memory digits = "0123456789abcdef";
        bytes memory text = new bytes(64);
        for (uint256 i = 0; i < 64; ++i) {
            text[i] = digits[uint256(i < 32 ? high : low) >> 4 * (i % 32) & 15];
        }
        VM.assertTrue(_reader.isHexDigest(text), "hex");
        text[at % 64] = bytes1(character);
        bool isDigit = character >= 0x30 && character <= 0x39 || character >= 0x61 && character <= 0x66;
        VM.assertEq(_reader.isHexDigest(text), isDigit, "one other character");
    }

    function testFuzz_order(bytes memory a, bytes memory b, uint256 common) public view {
        if (a.length == 0 || b.length == 0) return;
        for (uint256 i = 0; i < common % 70 && i < a.length && i < b.length; ++i) {
            b[i] = a[i];
        }
        VM.assertEq(_reader.precedes(a, b), _precedes(a, b), "a, b");
        VM.assertEq(_reader.precedes(b, a), _precedes(b, a), "b, a");
        VM.assertFalse(_reader.precedes(a, a), "itself");
        VM.assertTrue(_reader.precedes(a, abi.encodePacked(a, " ")), "a longer one");
    }

    function testFuzz_first(uint256 at, uint256 others) public pure {
        uint256 flags = others & 0x8080808080808080808080808080808080808080808080808080808080808080;
        at %= 32;
        flags = flags & type(uint256).max >> 8 * at | 1 << 255 - 8 * at;
        VM.assertEq(CalldataText.first(flags), at, "first");
        VM.assertEq(CalldataText.first(0), 31, "none");
    }

    function _precedes(bytes memory a, bytes memory b) private pure returns (bool) {
        for (uint256 i = 0; i < a.length && i < b.length; ++i) {
            if (a[i] != b[i]) return a[i] < b[i];
        }
        return a.length < b.length;
    }
}
