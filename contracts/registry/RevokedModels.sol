// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {IProvenanceRegistry} from "../IProvenanceRegistry.sol";
import {OracleSets} from "./OracleSets.sol";

/**
 * @title Revoked models
 * @notice A revocation by model digest holds for these bytes, whichever manifest names them. It has a place of its own,
 * since it counts for releases that nobody has recorded yet. {Records} and {Batches} apply it to records.
 */
abstract contract RevokedModels is OracleSets {
    mapping(bytes32 modelDigest => uint40) private _revokedAt;

    /// @inheritdoc IProvenanceRegistry
    function revokeAllOf(bytes32 modelDigest, string calldata reason) external onlyStewards {
        _requireReason(reason);
        if (modelDigest == 0) revert ZeroDigest("modelDigest");
        uint40 revokedAt = _revokedAt[modelDigest];
        if (revokedAt != 0) revert ModelIsRevoked(modelDigest, revokedAt);
        revokedAt = uint40(block.timestamp);
        _revokedAt[modelDigest] = revokedAt;
        emit ModelRevoked(modelDigest, msg.sender, revokedAt, reason);
    }

    /// @inheritdoc IProvenanceRegistry
    function revokedModelTime(bytes32 modelDigest) public view returns (uint40) {
        return _revokedAt[modelDigest];
    }
}
