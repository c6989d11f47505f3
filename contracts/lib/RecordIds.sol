// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {Hashes} from "./Hashes.sol";

/**
 * @title Ids of records
 * @notice There are three kinds, which differ in the length of the hashed bytes: 64 bytes for a release and its first
 * judgement, 34 for a later judgement, 96 for a FAILED verdict.
 */
library RecordIds {
    function ofRelease(bytes32 modelDigest, bytes32 manifestDigest) internal pure returns (bytes32) {
        return Hashes.pair(modelDigest, manifestDigest);
    }

    function ofRevision(bytes32 releaseId, uint16 revision) internal pure returns (bytes32) {
        return revision == 0 ? releaseId : keccak256(abi.encodePacked(releaseId, revision));
    }

    function ofFailure(bytes32 modelDigest, bytes32 manifestDigest, bytes32 verdictDigest)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(modelDigest, manifestDigest, verdictDigest));
    }
}
