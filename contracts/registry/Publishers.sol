// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {IProvenanceRegistry} from "../IProvenanceRegistry.sol";
import {RevokedModels} from "./RevokedModels.sol";

/**
 * @title Publishers
 * @notice The word of every record, and a copy of it beside the identity of the record's publisher once that was noted.
 * A gate by grade reads the word, a gate by publisher the copy: one slot each. {Records} decides when a publisher is
 * noted.
 */
abstract contract Publishers is RevokedModels {
    /// @inheritdoc IProvenanceRegistry
    mapping(bytes32 recordId => bytes32 identity) public publisherOf;

    mapping(bytes32 recordId => uint256) internal _standings;
    mapping(bytes32 recordId => mapping(bytes32 identity => uint256)) internal _copies;

    /// @dev Changes the word of a record that is there, and its copy. Every change goes through here.
    function _keep(bytes32 recordId, uint256 word) internal {
        _standings[recordId] = word;
        bytes32 identity = publisherOf[recordId];
        if (identity != 0) _copies[recordId][identity] = word;
    }

    /// @dev Notes the publisher of a record that is there.
    function _note(bytes32 recordId, bytes32 identity) internal {
        publisherOf[recordId] = identity;
        _copies[recordId][identity] = _standings[recordId];
        emit PublisherNoted(recordId, identity);
    }
}
