// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {SnpReports} from "../../../contracts/amd/SnpReports.sol";
import {Manifests} from "../../../contracts/proofs/Manifests.sol";
import {ProofWords} from "../../../contracts/proofs/ProofWords.sol";
import {SVM, VM} from "./Proofs.sol";

/**
 * @dev Numbers of reports, digests in hex, floors of TCBs, and the word of a proof, for every value: each is compared with the same read byte
 * by byte. For halmos a comparison is two paths, so the checks compare without a branch.
 * @custom:halmos --loop 64
 */
contract WordsProofs {
    function check_reportsAreLittleEndian() public {
        bytes memory number = SVM.createBytes(8, "number");
        assert(this.u64(number) == _little(number, 0, 8));
        assert(this.u32(number) == _little(number, 0, 4));
    }

    function check_scalarsAreReversed() public {
        bytes memory number = SVM.createBytes(48, "number");
        (bytes32 high, bytes32 low) = this.scalar(number);
        for (uint256 i = 0; i < 32; ++i) {
            assert(high[i] == number[47 - i]);
        }
        for (uint256 i = 0; i < 16; ++i) {
            assert(low[i] == number[15 - i]);
        }
        assert(uint128(uint256(low)) == 0);
    }

    function check_digestsAreInLowerCaseHex(bytes32 digest) public pure {
        bytes memory text = Manifests.hexOf(digest);
        assert(text.length == 64);
        for (uint256 i = 0; i < 64; ++i) {
            uint256 digit = uint256(digest) >> 252 - 4 * i & 15;
            // 16 and more from a to f, whose characters come 39 later
            assert(uint8(text[i]) == digit + 0x30 + (digit + 6 >> 4) * 39);
        }
    }

    function check_aTcbReachesAFloorIfEachByteDoes(uint64 tcb, uint64 floor) public pure {
        uint256 met = 0;
        for (uint256 i = 0; i < 64; i += 8) {
            met += 256 + uint256(uint8(tcb >> i)) - uint8(floor >> i) >> 8;
        }
        assert(ProofWords.reaches(tcb, floor) == (met == 8));
    }

    /// @dev No field reaches into another: the word is their sum. The least of four TCBs has a check of its own, above.
    function check_aProofHasEachFieldInItsPlace(uint256 facts, uint16 intermediate, bool isSimulated) public {
        bytes memory report = SVM.createBytes(0x200, "report");
        uint256 tcb = _setTcbs(report);
        uint256 policy = _little(report, SnpReports.POLICY, 8);
        VM.assume(policy >> 26 == 0); // no verifier accepts another one
        uint256 vmpl = _little(report, SnpReports.VMPL, 4);
        uint256 chip = 0;
        for (uint256 i = 0; i < 64; ++i) {
            chip |= uint8(report[SnpReports.CHIP_ID + i]);
        }
        uint256 version = uint8(report[0]);
        uint256 line = uint8(facts >> 144);
        uint256 sum = uint40(block.timestamp) + (policy << 40) + (uint256(uint8(report[0x40])) << 66);
        sum += (vmpl % 4 << 74) + (_one(vmpl > 3) << 76) + (_one(chip == 0) << 77) + ((facts >> 152) % 2 << 78);
        sum += ((isSimulated ? 255 : line) << 79) + (version << 87) + (tcb << 95) + (line << 183);
        sum += (_one(version > 2) * _little(report, SnpReports.CPUID, 3) << 159) + (uint256(intermediate) << 191);
        assert(this.pack(report, facts, intermediate, isSimulated) == sum);
        assert(ProofWords.intermediateOf(sum) == intermediate && ProofWords.certificateLineOf(sum) == line);
    }

    // Memory in place of calldata

    function pack(bytes calldata report, uint256 facts, uint256 intermediate, bool isSimulated)
        external
        view
        returns (uint256)
    {
        return ProofWords.pack(report, facts, intermediate, isSimulated);
    }

    function u64(bytes calldata report) external pure returns (uint256) {
        return SnpReports.u64(report, 0);
    }

    function u32(bytes calldata report) external pure returns (uint256) {
        return SnpReports.u32(report, 0);
    }

    function scalar(bytes calldata report) external pure returns (bytes32, bytes32) {
        return SnpReports.scalar(report, 0);
    }

    /// @dev Gives the report four TCBs that halmos need not compare, and returns the least of them.
    function _setTcbs(bytes memory report) private pure returns (uint256 least) {
        for (uint256 i = 0; i < 8; ++i) {
            report[SnpReports.CURRENT_TCB + i] = bytes1(uint8(i + 1));
            report[SnpReports.REPORTED_TCB + i] = 0xff;
            report[SnpReports.COMMITTED_TCB + i] = 0xff;
            report[SnpReports.LAUNCH_TCB + i] = 0xff;
            least |= i + 1 << 8 * i;
        }
    }

    function _one(bool condition) private pure returns (uint256) {
        return condition ? 1 : 0;
    }

    function _little(bytes memory report, uint256 at, uint256 length) private pure returns (uint256 value) {
        for (uint256 i = length; i != 0; --i) {
            value = value << 8 | uint8(report[at + i - 1]);
        }
    }
}
