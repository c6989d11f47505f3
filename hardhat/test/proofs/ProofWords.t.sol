// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {ProofWords} from "../../../contracts/proofs/ProofWords.sol";
import {VM} from "../support/Vm.sol";

contract Packer {
    function pack(bytes calldata report, uint256 facts, uint256 intermediate, bool isSimulated)
        external
        view
        returns (uint256)
    {
        return ProofWords.pack(report, facts, intermediate, isSimulated);
    }
}

/// @dev Compares words with the same fields read byte by byte.
contract ProofWordsTest {
    using ProofWords for uint256;

    Packer private _packer = new Packer();

    function testFuzz_leastIsTheLeastOfEachByte(uint64 a, uint64 b) public pure {
        uint256 found = ProofWords.least(a, b);
        for (uint256 i = 0; i < 64; i += 8) {
            uint8 x = uint8(a >> i);
            uint8 y = uint8(b >> i);
            VM.assertEq(uint8(found >> i), x < y ? x : y, "byte");
        }
        VM.assertEq(found >> 64, 0, "nothing above");
    }

    function testFuzz_aTcbReachesAFloorIfEachByteDoes(uint64 tcb, uint64 floor) public pure {
        bool reaches = true;
        for (uint256 i = 0; i < 64; i += 8) {
            reaches = reaches && uint8(tcb >> i) >= uint8(floor >> i);
        }
        VM.assertEq(ProofWords.reaches(tcb, floor), reaches, "reaches");
        VM.assertTrue(ProofWords.reaches(tcb, tcb), "itself");
        VM.assertTrue(ProofWords.reaches(tcb, 0), "no floor");
    }

    function testFuzz_fieldsStandInTheirPlaces(bytes32[21] memory words, uint8 line, bool isVlek, bool isSimulated)
        public
    {
        bytes memory report = abi.encodePacked(words);
        report[0] = bytes1(uint8(2) + uint8(uint256(words[0]) % 4));
        for (uint256 i = 0x00b; i < 0x010; ++i) {
            report[i] = 0; // GUEST_POLICY has 26 bits
        }
        report[0x00b] = report[0x00b] & 0x03;
        bool fromHost = uint256(words[1]) % 2 == 0;
        for (uint256 i = 0x030; i < 0x034; ++i) {
            report[i] = fromHost ? bytes1(0xff) : bytes1(0);
        }
        VM.warp(1_795_262_400);
        uint256 facts = uint256(line) << 144 | (isVlek ? uint256(1) << 152 : 0);
        uint16 intermediate = uint16(uint256(words[2]));
        uint256 word = _packer.pack(report, facts, intermediate, isSimulated);
        VM.assertEq(word.timeOf(), 1_795_262_400, "time");
        VM.assertEq(word >> 40 & 0x3ffffff, _little(report, 0x008, 8), "policy");
        VM.assertEq(uint8(word >> 66), uint8(report[0x040]), "platform");
        VM.assertEq(word & ProofWords.HOST != 0, fromHost, "host");
        VM.assertEq(word.kindOf(), isVlek ? 1 : 0, "kind");
        VM.assertEq(word.lineOf(), isSimulated ? 255 : line, "line");
        VM.assertEq(word.certificateLineOf(), line, "certificate");
        VM.assertEq(uint8(word >> 87), uint8(report[0]), "version");
        uint256 cpuid = uint8(report[0]) == 2 ? 0 : _little(report, 0x188, 3);
        VM.assertEq(uint24(word >> 159), cpuid, "cpuid");
        VM.assertEq(word.intermediateOf(), intermediate, "intermediate");
        VM.assertEq(word >> 207, 0, "reserved");
    }

    function test_aReportWithoutAChipSaysSo() public view {
        bytes memory report = new bytes(0x4a0);
        report[0] = 0x03;
        uint256 facts = 2 << 144;
        VM.assertTrue(_packer.pack(report, facts, 0, false) & ProofWords.MASKED_CHIP != 0, "none");
        report[0x1df] = 0x01;
        VM.assertTrue(_packer.pack(report, facts, 0, false) & ProofWords.MASKED_CHIP == 0, "one");
    }

    function _little(bytes memory report, uint256 at, uint256 length) private pure returns (uint256 value) {
        for (uint256 i = length; i != 0; --i) {
            value = value << 8 | uint8(report[at + i - 1]);
        }
    }
}
