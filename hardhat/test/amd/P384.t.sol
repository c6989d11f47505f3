// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {Der} from "../../../contracts/amd/Der.sol";
import {P384} from "../../../contracts/amd/P384.sol";
import {VM} from "../support/Vm.sol";
import {Evidence} from "./Evidence.sol";
import {FieldParts} from "./FieldParts.sol";
import {Parts} from "./Parts.sol";

/// @dev What is rare in the arithmetic happens here once; tests/contracts/amd compares it with other programs.
contract P384Test is Evidence {
    uint256 private constant LOW = type(uint128).max;
    uint256 private constant INPUT_BYTES = 240;

    function test_judgesExceptionalSums() public view {
        P384 p384 = verifier.p384();
        (bytes memory inputs, bytes memory valid) = (_read("p384-inputs"), _read("p384-valid"));
        for (uint256 i = 0; i < valid.length; ++i) {
            VM.assertEq(p384.verify(_part(inputs, i)), valid[i] != 0, "valid");
        }
    }

    function test_judgesNumbersOutOfRange() public view {
        P384 p384 = verifier.p384();
        bytes memory good = _part(_read("p384-inputs"), _firstValid());
        bytes memory most = new bytes(48);
        for (uint256 i = 0; i < 48; ++i) {
            most[i] = 0xff;
        }
        for (uint256 at = 48; at < INPUT_BYTES; at += 48) {
            VM.assertFalse(p384.verify(_patched(good, at, most)), "too large");
            VM.assertFalse(p384.verify(_patched(good, at, new bytes(48))), "zero, or off the curve");
        }
        VM.assertFalse(p384.verify(abi.encodePacked(good, uint8(0))), "another length");
        // r is 1: r + n is below p, and is not it either
        VM.assertFalse(p384.verify(_patched(_patched(good, 48, new bytes(48)), 95, hex"01")), "r + n");
        VM.assertTrue(p384.verify(good), "good");
        VM.assertEq(p384.basePoints().code.length, 128 * 96, "the multiples of G");
    }

    function test_carries() public {
        FieldParts field = new FieldParts();
        uint256[8] memory highs = [0, 1, LOW, LOW + 1, 1 << 255, ~LOW, type(uint256).max - 1, type(uint256).max];
        uint256[4] memory lows = [0, 1, 0xffffffffffffffff00000001, LOW];
        for (uint256 i = 0; i < 32; ++i) {
            for (uint256 j = 0; j < 32; ++j) {
                uint256[] memory words = new uint256[](4);
                (words[0], words[1], words[2], words[3]) = (highs[i / 4], lows[i % 4], highs[j / 4], lows[j % 4]);
                uint256[] memory results = field.field(words);
                VM.assertEq(results.length, 10, "results");
                (words[0], words[1], words[2], words[3]) = (words[2], words[3], words[0], words[1]);
                uint256[] memory others = field.field(words);
                VM.assertEq(results[0], others[0], "a product is that of its factors exchanged");
                VM.assertEq(results[1], others[1], "the same of the low half");
            }
        }
        VM.assertTrue(field.isZero(type(uint256).max - 1, 0xffffffff0000000000000000ffffffff), "p");
    }

    function test_readsTimes() public {
        Parts parts = new Parts();
        VM.assertEq(parts.time("\x17\x0d700101000000Z"), 0, "1970");
        VM.assertEq(parts.time("\x17\x0d691231235959Z"), 0, "before");
        VM.assertEq(parts.time("\x17\x0d000229000000Z"), 951782400, "a leap day");
        VM.assertEq(parts.time("\x17\x0d491231235959Z"), 2524607999, "the last");
        string[9] memory wrong = [
            "\x18\x0d700101000000Z",
            "\x17\x0d700101000000z",
            "\x17\x0d010229000000Z",
            "\x17\x0d001301000000Z",
            "\x17\x0d000001000000Z",
            "\x17\x0d000100000000Z",
            "\x17\x0d000132000000Z",
            "\x17\x0d000101240000Z",
            "\x17\x0d000101236000Z"
        ];
        for (uint256 i = 0; i < wrong.length; ++i) {
            VM.expectPartialRevert(Der.DerMalformed.selector);
            parts.time(bytes(wrong[i]));
        }
    }

    function test_hashesAQueue() public {
        Parts parts = new Parts();
        bytes[] memory messages = new bytes[](5);
        messages[0] = new bytes(700);
        messages[3] = new bytes(300);
        bytes memory digests = parts.sha384(messages);
        for (uint256 i = 0; i < messages.length; ++i) {
            (bytes32 high,) = verifier.sha384(messages[i]);
            VM.assertEq(bytes32(_slice(digests, 48 * i, 32)), high, "digest");
        }
    }

    function _firstValid() private view returns (uint256 i) {
        bytes memory valid = _read("p384-valid");
        while (valid[i] == 0) ++i;
    }

    function _part(bytes memory inputs, uint256 i) private pure returns (bytes memory) {
        return _slice(inputs, INPUT_BYTES * i, INPUT_BYTES);
    }

    function _slice(bytes memory data, uint256 start, uint256 length) private pure returns (bytes memory part) {
        part = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            part[i] = data[start + i];
        }
    }
}
