// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {RecordCodec} from "../../../contracts/lib/RecordCodec.sol";
import {Record} from "../../../contracts/Types.sol";

/// @dev Good records, one for each number, and the ids under which a registry keeps them. The ids are computed here.
abstract contract Releases {
    bytes32 internal constant POLICY = keccak256("policy");
    bytes32 internal constant PUBLISHER = keccak256("publisher");
    bytes32 internal constant OTHER_PUBLISHER = keccak256("another publisher");

    /// @dev Returns the first judgement of release `number`: passed, strict, judged now, on Genoa, by policy number 1.
    function _record(uint256 number) internal view returns (Record memory record) {
        record.modelDigest = _modelDigest(number);
        record.manifestDigest = _manifestDigest(number);
        record.verdictDigest = keccak256(abi.encode("verdict", number));
        record.reportDigest = keccak256(abi.encode("report", number));
        record.policyDigest = POLICY;
        record.publisherIdentity = PUBLISHER;
        record.reportedTcb = 0x1122334455667788;
        record.checks = 0xF00F;
        record.passed = true;
        record.judgedAt = uint40(block.timestamp);
        record.policyId = 1;
        record.grade = 2;
        record.productLine = 2;
        record.namespace = "acme";
        record.release = "model@1";
    }

    /// @dev Returns a later judgement of the same release.
    function _revision(uint256 number, uint16 revision) internal view returns (Record memory record) {
        record = _record(number);
        record.revision = revision;
        record.verdictDigest = keccak256(abi.encode("verdict", number, revision));
    }

    /// @dev Returns a FAILED verdict on the same release.
    function _failure(uint256 number) internal view returns (Record memory record) {
        record = _record(number);
        record.passed = false;
        record.grade = 0;
        record.verdictDigest = keccak256(abi.encode("failure", number));
    }

    function _simulated(uint256 number) internal view returns (Record memory record) {
        record = _record(number);
        record.productLine = 255;
        record.grade = 0;
    }

    /// @dev Returns the record of a release that has only a signature.
    function _signedOnly(uint256 number) internal view returns (Record memory record) {
        record = _record(number);
        _stripHardware(record);
        record.namespace = "hub acme";
        record.release = "model@0123456789abcdef";
    }

    /// @dev Takes away all that a record says of hardware.
    function _stripHardware(Record memory record) internal pure {
        record.productLine = 254;
        record.grade = 0;
        record.reportDigest = 0;
        record.reportedTcb = 0;
        record.checks = 1 << 22 | 1 << 23; // file-digests, publisher-signature
    }

    function _modelDigest(uint256 number) internal pure returns (bytes32) {
        return keccak256(abi.encode("model", number));
    }

    function _manifestDigest(uint256 number) internal pure returns (bytes32) {
        return keccak256(abi.encode("manifest", number));
    }

    function _bytes(Record memory record) internal pure returns (bytes memory) {
        return RecordCodec.encode(record);
    }

    function _releaseId(uint256 number) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(_modelDigest(number), _manifestDigest(number)));
    }

    function _idOf(Record memory record) internal pure returns (bytes32) {
        bytes memory release = abi.encodePacked(record.modelDigest, record.manifestDigest);
        if (!record.passed) return keccak256(abi.encodePacked(release, record.verdictDigest));
        bytes32 releaseId = keccak256(release);
        return record.revision == 0 ? releaseId : keccak256(abi.encodePacked(releaseId, record.revision));
    }
}
