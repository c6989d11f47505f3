// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {RecordCodec} from "../lib/RecordCodec.sol";
import {Standings} from "../lib/Standings.sol";
import {ProvenanceRegistry} from "../ProvenanceRegistry.sol";
import {Oracle} from "../Types.sol";

/**
 * @title A registry for the tests of dApps
 * @notice The registry itself, with gates, names and lineage, except that anyone can write a record without signatures.
 * Its deployer is owner, guardian and only oracle, so a test can revoke the records that it wrote. Do not use it
 * outside of tests: its code is not that of a registry, and this project's readers detect that.
 * @dev Larger than a contract may be on a real chain (24,576 bytes). forge does not mind; anvil needs
 * `--disable-code-size-limit`.
 */
contract TestRegistry is ProvenanceRegistry {
    uint256 private constant VERDICT = 1;
    uint256 private constant REPORT = 2;
    uint256 private constant POLICY = 3;

    constructor() ProvenanceRegistry(msg.sender, msg.sender, 1 hours, 1 hours, _deployerAlone(), 1) {}

    /// @notice Records a release of this grade as if the deployer had judged and signed it now, by policy number 1.
    function put(bytes32 modelDigest, bytes32 manifestDigest, uint8 grade) external returns (bytes32 recordId) {
        // Check 0 passed, on Genoa. These are the bytes of {RecordCodec-encode}, whose code would not fit in here.
        uint256 facts =
            1 << 64 | RecordCodec.PASSED | block.timestamp << 152 | 1 << 192 | uint256(grade) << 240 | 2 << 248;
        bytes memory digests = abi.encode(modelDigest, manifestDigest, VERDICT, REPORT, POLICY, 0, facts);
        return this.putRecord(abi.encodePacked(digests, uint8(4), "test", uint8(7), "model@1"));
    }

    /// @notice Records any record that {publish} would take, without signatures; see {RecordCodec-encode}.
    function putRecord(bytes calldata record) external returns (bytes32 recordId) {
        recordId = idOf(record);
        if (_contents[recordId] != 0) revert RecordExists(recordId);
        _write(record, recordId, keccak256(record), Standings.stamp(block.timestamp, 1, 1, 1));
    }

    function _deployerAlone() private view returns (Oracle[] memory oracles) {
        oracles = new Oracle[](1);
        oracles[0] = Oracle(msg.sender, 1, 0, type(uint40).max, 0);
    }
}
