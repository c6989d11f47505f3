// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {RecordCodec} from "../lib/RecordCodec.sol";
import {Standings} from "../lib/Standings.sol";
import {ProvenanceRegistry} from "../ProvenanceRegistry.sol";
import {Oracle, Record} from "../Types.sol";

/**
 * @title A registry for the tests of dApps
 * @notice The registry itself, with gates, names and lineage, except that anyone can write a record without signatures.
 * Its deployer is owner, guardian and only oracle, so a test can revoke the records that it wrote. Do not use it
 * outside of tests: its code is not that of a registry, and this project's readers detect that.
 * @dev Larger than a contract may be on a real chain (24,576 bytes). forge does not mind; anvil needs
 * `--disable-code-size-limit`.
 */
contract TestRegistry is ProvenanceRegistry {
    constructor() ProvenanceRegistry(msg.sender, msg.sender, 1 hours, 1 hours, _deployerAlone(), 1) {}

    /// @notice Records a release of this grade as if the deployer had judged and signed it now, by policy number 1.
    function put(bytes32 modelDigest, bytes32 manifestDigest, uint8 grade) external returns (bytes32 recordId) {
        return this.putRecord(RecordCodec.encode(_judgedNow(modelDigest, manifestDigest, grade)));
    }

    /// @notice Records any record that {publish} would take, without signatures; see {RecordCodec-encode}.
    function putRecord(bytes calldata record) external returns (bytes32 recordId) {
        recordId = idOf(record);
        if (_contents[recordId] != 0) revert RecordExists(recordId);
        _write(record, recordId, keccak256(record), Standings.stamp(block.timestamp, 1, 1, 1));
    }

    function _judgedNow(bytes32 modelDigest, bytes32 manifestDigest, uint8 grade)
        private
        view
        returns (Record memory record)
    {
        record.modelDigest = modelDigest;
        record.manifestDigest = manifestDigest;
        record.verdictDigest = keccak256("verdict");
        record.reportDigest = keccak256("report");
        record.policyDigest = keccak256("policy");
        record.checks = 1;
        record.passed = true;
        record.judgedAt = uint40(block.timestamp);
        record.policyId = 1;
        record.grade = grade;
        record.productLine = 2;
        record.namespace = "test";
        record.release = "model@1";
    }

    function _deployerAlone() private view returns (Oracle[] memory oracles) {
        oracles = new Oracle[](1);
        oracles[0] = Oracle(msg.sender, 1, 0, type(uint40).max, 0);
    }
}
