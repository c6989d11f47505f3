// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {Slug} from "../../../contracts/lib/Slug.sol";
import {VM} from "../support/Vm.sol";

contract SlugCaller {
    function isSlug(bytes calldata text) external pure returns (bool) {
        return Slug.isSlug(text);
    }
}

/// @dev Valid names of namespaces: the rule of verifier/manifest/names.py.
contract SlugTest {
    bytes private constant OUTER = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    bytes private constant INNER = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._-";

    SlugCaller private _caller;

    function setUp() public {
        _caller = new SlugCaller();
    }

    function test_slugs() public view {
        string[9] memory slugs =
            ["a", "Z", "0", "acme", "9lives", "meta-llama", "a.b_c-d", "x--y__z", "HuggingFaceH4"];
        for (uint256 i = 0; i < slugs.length; ++i) {
            VM.assertTrue(_caller.isSlug(bytes(slugs[i])), slugs[i]);
        }
    }

    function test_noSlugs() public view {
        string[14] memory others = [
            "", ".", "-", "_a", "a_", "-a", "a.", "a..b", "a/b", "a b", "a@b", unicode"é", "a\x00b", unicode"аcme"
        ];
        for (uint256 i = 0; i < others.length; ++i) {
            VM.assertFalse(_caller.isSlug(bytes(others[i])), others[i]);
        }
    }

    function test_96BytesAndNoMore() public view {
        bytes memory text = new bytes(96);
        for (uint256 i = 0; i < 96; ++i) {
            text[i] = "a";
        }
        VM.assertTrue(_caller.isSlug(text), "96");
        VM.assertFalse(_caller.isSlug(bytes.concat(text, "a")), "97");
    }

    /// @dev Every byte value, at each position where the rule differs.
    function test_everyByte() public view {
        for (uint256 value = 0; value < 256; ++value) {
            bytes1 char = bytes1(uint8(value));
            bool outer = _holds(OUTER, char);
            VM.assertEq(_caller.isSlug(abi.encodePacked(char)), outer, "alone");
            VM.assertEq(_caller.isSlug(abi.encodePacked(char, "x")), outer, "first");
            VM.assertEq(_caller.isSlug(abi.encodePacked("x", char)), outer, "last");
            VM.assertEq(_caller.isSlug(abi.encodePacked("x", char, "x")), _holds(INNER, char), "between");
            bool beside = _holds(INNER, char) && char != ".";
            VM.assertEq(_caller.isSlug(abi.encodePacked("x", char, ".x")), beside, "before a dot");
        }
    }

    /// @dev Texts made of characters that are allowed at some position.
    function testFuzz_isSlug(bytes memory seed) public view {
        bytes memory text = new bytes(seed.length % 100);
        for (uint256 i = 0; i < text.length; ++i) {
            text[i] = INNER[INNER.length - 1 - uint8(seed[i]) % 8];
        }
        VM.assertEq(_caller.isSlug(text), _expected(text), string(text));
    }

    function _expected(bytes memory text) private pure returns (bool) {
        if (text.length < 1 || text.length > 96) return false;
        if (!_holds(OUTER, text[0]) || !_holds(OUTER, text[text.length - 1])) return false;
        for (uint256 i = 0; i + 1 < text.length; ++i) {
            if (text[i] == "." && text[i + 1] == ".") return false;
        }
        return true;
    }

    function _holds(bytes memory list, bytes1 char) private pure returns (bool) {
        for (uint256 i = 0; i < list.length; ++i) {
            if (list[i] == char) return true;
        }
        return false;
    }
}
