// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {SnpReports} from "../../../contracts/amd/SnpReports.sol";
import {Manifests} from "../../../contracts/proofs/Manifests.sol";
import {ProofWords} from "../../../contracts/proofs/ProofWords.sol";
import {SVM} from "./Proofs.sol";

/**
 * @dev Numbers of reports, digests in hex, and floors of TCBs, for every value: each is compared with the same read byte
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

    // Memory in place of calldata

    function u64(bytes calldata report) external pure returns (uint256) {
        return SnpReports.u64(report, 0);
    }

    function u32(bytes calldata report) external pure returns (uint256) {
        return SnpReports.u32(report, 0);
    }

    function scalar(bytes calldata report) external pure returns (bytes32, bytes32) {
        return SnpReports.scalar(report, 0);
    }

    function _little(bytes memory report, uint256 at, uint256 length) private pure returns (uint256 value) {
        for (uint256 i = length; i != 0; --i) {
            value = value << 8 | uint8(report[at + i - 1]);
        }
    }
}
