// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {Record} from "../Types.sol";

/**
 * @title A record as bytes
 * @notice The one encoding of a record, big-endian and without padding:
 *
 *     0     32  modelDigest
 *     32    32  manifestDigest
 *     64    32  verdictDigest
 *     96    32  reportDigest
 *     128   32  policyDigest
 *     160   32  publisherIdentity
 *     192   32  facts, from the highest bit:
 *                   productLine 8 | grade 8 | revision 16 | policyId 32 | judgedAt 40 | zero 55 | passed 1 | checks 32 |
 *                   reportedTcb 64
 *     224   1+n namespace: its length in bytes, its bytes
 *           1+m release: its length in bytes, its bytes
 *           32k parents, to the end
 */
library RecordCodec {
    /// @dev Thrown when bytes are not the encoding of a record.
    error RecordMalformed(uint256 lengthBytes);

    uint256 internal constant FACTS_ZERO = ((1 << 55) - 1) << 97;
    uint256 internal constant PASSED = 1 << 96;
    uint256 private constant TEXTS = 224;

    /// @dev Positions at which the release and the parents of a record begin.
    struct Parts {
        uint256 release;
        uint256 parents;
    }

    function encode(Record memory record) internal pure returns (bytes memory) {
        uint256 facts = uint256(record.reportedTcb) | uint256(record.checks) << 64 | (record.passed ? PASSED : 0)
            | uint256(record.judgedAt) << 152 | uint256(record.policyId) << 192 | uint256(record.revision) << 224
            | uint256(record.grade) << 240 | uint256(record.productLine) << 248;
        bytes memory digests = abi.encode(
            record.modelDigest,
            record.manifestDigest,
            record.verdictDigest,
            record.reportDigest,
            record.policyDigest,
            record.publisherIdentity,
            facts
        );
        return abi.encodePacked(
            digests,
            uint8(bytes(record.namespace).length),
            record.namespace,
            uint8(bytes(record.release).length),
            record.release,
            record.parents
        );
    }

    function decode(bytes calldata record) internal pure returns (Record memory decoded) {
        Parts memory parts = partsOf(record);
        uint256 facts = factsOf(record);
        decoded.modelDigest = modelDigestOf(record);
        decoded.manifestDigest = manifestDigestOf(record);
        decoded.verdictDigest = verdictDigestOf(record);
        decoded.reportDigest = reportDigestOf(record);
        decoded.policyDigest = policyDigestOf(record);
        decoded.publisherIdentity = publisherIdentityOf(record);
        decoded.reportedTcb = uint64(facts);
        decoded.checks = uint32(facts >> 64);
        decoded.passed = facts & PASSED != 0;
        decoded.judgedAt = uint40(facts >> 152);
        decoded.policyId = uint32(facts >> 192);
        decoded.revision = uint16(facts >> 224);
        decoded.grade = uint8(facts >> 240);
        decoded.productLine = uint8(facts >> 248);
        decoded.namespace = string(namespaceOf(record, parts));
        decoded.release = string(releaseOf(record, parts));
        decoded.parents = new bytes32[](parentCount(record, parts));
        for (uint256 i = 0; i < decoded.parents.length; ++i) {
            decoded.parents[i] = parentOf(record, parts, i);
        }
    }

    /// @dev Returns the positions of the parts. Reverts with {RecordMalformed} unless the bytes are one record and
    /// nothing else.
    function partsOf(bytes calldata record) internal pure returns (Parts memory parts) {
        uint256 length = record.length;
        if (length < TEXTS + 2) revert RecordMalformed(length);
        parts.release = TEXTS + 1 + uint8(record[TEXTS]);
        if (parts.release >= length) revert RecordMalformed(length);
        parts.parents = parts.release + 1 + uint8(record[parts.release]);
        bool whole = parts.parents <= length && (length - parts.parents) % 32 == 0;
        if (!whole || factsOf(record) & FACTS_ZERO != 0) revert RecordMalformed(length);
    }

    function modelDigestOf(bytes calldata record) internal pure returns (bytes32) {
        return bytes32(record[0:32]);
    }

    function manifestDigestOf(bytes calldata record) internal pure returns (bytes32) {
        return bytes32(record[32:64]);
    }

    function verdictDigestOf(bytes calldata record) internal pure returns (bytes32) {
        return bytes32(record[64:96]);
    }

    function reportDigestOf(bytes calldata record) internal pure returns (bytes32) {
        return bytes32(record[96:128]);
    }

    function policyDigestOf(bytes calldata record) internal pure returns (bytes32) {
        return bytes32(record[128:160]);
    }

    function publisherIdentityOf(bytes calldata record) internal pure returns (bytes32) {
        return bytes32(record[160:192]);
    }

    function factsOf(bytes calldata record) internal pure returns (uint256) {
        return uint256(bytes32(record[192:TEXTS]));
    }

    function namespaceOf(bytes calldata record, Parts memory parts) internal pure returns (bytes calldata) {
        return record[TEXTS + 1:parts.release];
    }

    function releaseOf(bytes calldata record, Parts memory parts) internal pure returns (bytes calldata) {
        return record[parts.release + 1:parts.parents];
    }

    function parentCount(bytes calldata record, Parts memory parts) internal pure returns (uint256) {
        return (record.length - parts.parents) / 32;
    }

    function parentOf(bytes calldata record, Parts memory parts, uint256 index) internal pure returns (bytes32) {
        return bytes32(record[parts.parents + index * 32:parts.parents + index * 32 + 32]);
    }
}
