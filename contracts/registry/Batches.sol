// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {IProvenanceRegistry} from "../IProvenanceRegistry.sol";
import {Leaves} from "../lib/Leaves.sol";
import {RecordCodec} from "../lib/RecordCodec.sol";
import {RecordIds} from "../lib/RecordIds.sol";
import {Standings} from "../lib/Standings.sol";
import {Batch, Proof, Quorum} from "../Types.sol";
import {Records} from "./Records.sol";

/**
 * @title Batches
 * @notice Records many releases for the price of one: the registry records the Merkle root, and a gate takes a proof. A
 * batch has one slot, with a bit for every leaf. Once a leaf's bit is set, the leaf's own record counts, and the proof
 * shows nothing more.
 */
abstract contract Batches is Records {
    using RecordCodec for bytes;
    using Standings for uint256;

    uint8 private constant MAX_LEAVES = 128;

    mapping(bytes32 root => uint256) private _batches;

    /// @inheritdoc IProvenanceRegistry
    function recordBatch(bytes32 root, uint8 count, uint40 sealedAt, string calldata uri, Quorum calldata quorum)
        external
        returns (bool isNew)
    {
        uint256 kept = _batches[root];
        if (kept != 0) {
            if (kept.countOf() != count) revert BatchExists(root);
            return false;
        }
        _requireWriting();
        if (root == 0) revert ZeroDigest("root");
        if (count == 0 || count > MAX_LEAVES) revert BatchCount(count);
        _requireText("uri", uri, 0);
        _requireInTime(sealedAt, block.timestamp);
        uint16 weight = _requireQuorum(_batchHash(quorum.epoch, root, count, sealedAt, uri), quorum);
        _batches[root] = Standings.stamp(block.timestamp, quorum.signers, weight, quorum.epoch).withCount(count);
        emit BatchRecorded(root, quorum.epoch, quorum.signers, count, sealedAt, uri);
        return true;
    }

    /// @inheritdoc IProvenanceRegistry
    function materialise(bytes calldata record, Proof calldata proof) external returns (bool isNew) {
        _requireWriting();
        // (1) Find the leaf, and check that it was made from this record.
        bytes32 recordId = idOf(record);
        bytes32 content = keccak256(record);
        (bytes32 root, uint256 batch, uint8 index) = _requireLeaf(recordId, proof);
        bool fits = content == proof.contentDigest && Leaves.fits(proof.summary, record.factsOf());
        if (!fits) revert WrongLeaf(recordId);
        // Signatures of keys that are revoked by now must not disturb the judgements of others.
        if (_recounted(batch) & Standings.DOUBTFUL != 0) revert RecordIsClosed(recordId, false, true);
        // (2) From now on the record's own standing counts, however the record was written.
        _close(recordId, root, batch, index);
        if (_contents[recordId] != 0) return false;
        // (3) Write the record as {publish} does, with the time of the batch.
        _write(record, recordId, content, batch.stampOf());
        return true;
    }

    /// @inheritdoc IProvenanceRegistry
    function closeLeaf(bytes32 modelDigest, bytes32 manifestDigest, Proof calldata proof) external {
        (bytes32 recordId, bool isNew) = _closeAndKeep(modelDigest, manifestDigest, proof);
        if (revokedModelTime(modelDigest) != 0) _applyRevocation(modelDigest, recordId);
        else if (isNew) revert RecordNotFound(recordId);
    }

    /// @inheritdoc IProvenanceRegistry
    function addBatchSigners(bytes32 root, uint40 sealedAt, string calldata uri, Quorum calldata quorum) external {
        _requireWriting();
        uint256 batch = _batches[root];
        if (batch == 0) revert BatchNotFound(root);
        _requireQuorum(_batchHash(quorum.epoch, root, batch.countOf(), sealedAt, uri), quorum);
        batch = _withMoreSigners(batch, quorum);
        _batches[root] = batch;
        _tellCount(root, batch);
    }

    /// @inheritdoc IProvenanceRegistry
    function revokeInBatch(
        bytes32 modelDigest,
        bytes32 manifestDigest,
        Proof calldata proof,
        uint40 effectiveFrom,
        string calldata reason
    ) external onlyStewards {
        (bytes32 recordId, bool isNew) = _closeAndKeep(modelDigest, manifestDigest, proof);
        // No other rule was checked for a record that is written only to be revoked, so this takes effect now.
        if (isNew && effectiveFrom > block.timestamp) revert OutOfTime(effectiveFrom, block.timestamp);
        uint40 revokedAt = _standings[recordId].revokedAtOf();
        if (revokedAt == 0 || effectiveFrom < revokedAt) _revoke(recordId, effectiveFrom, reason);
    }

    /// @inheritdoc IProvenanceRegistry
    function recountBatch(bytes32 root) external {
        uint256 batch = _batches[root];
        if (batch == 0) revert BatchNotFound(root);
        uint256 recounted = _recounted(batch);
        if (recounted == batch) return;
        _batches[root] = recounted;
        _tellCount(root, recounted);
    }

    /// @inheritdoc IProvenanceRegistry
    function batchOf(bytes32 root) external view returns (Batch memory) {
        return _batches[root].unpackBatch();
    }

    /// @dev Returns the word of a release that a proof leads to, 0 if the proof leads nowhere.
    function _proven(bytes32 releaseId, Proof calldata proof) internal view returns (uint256) {
        uint256 summary = proof.summary;
        uint256 batch = _batches[Leaves.rootOf(releaseId, proof)];
        uint8 index = Leaves.indexOf(summary);
        if (index >= batch.countOf()) return 0;
        if (batch.isMaterialised(index)) return _latest(releaseId);
        // A namespace's rules are checked only when a record is written out.
        uint256 held = Standings.HELD / Leaves.NAMED * (summary & Leaves.NAMED);
        return batch.stampOf() | Standings.judgementOf(summary) | held;
    }

    /// @dev Like {_proven}, but if the release itself is recorded, returns its standing whatever the proof.
    function _provenOrLatest(bytes32 releaseId, Proof calldata proof) internal view returns (uint256) {
        return _contents[releaseId] != 0 ? _latest(releaseId) : _proven(releaseId, proof);
    }

    /// @dev Closes a leaf: from now on the record's own standing counts.
    function _close(bytes32 recordId, bytes32 root, uint256 batch, uint8 index) private {
        _batches[root] = batch.withMaterialised(index);
        emit LeafClosed(recordId, root, index);
    }

    /// @dev Closes a leaf. If there is no record, keeps the parts of it that the proof shows, so that a revocation has a
    /// place: no other rule was checked for it, so the caller has to revoke it or to revert.
    function _closeAndKeep(bytes32 modelDigest, bytes32 manifestDigest, Proof calldata proof)
        private
        returns (bytes32 recordId, bool isNew)
    {
        recordId = RecordIds.ofRelease(modelDigest, manifestDigest);
        (bytes32 root, uint256 batch, uint8 index) = _requireLeaf(recordId, proof);
        _close(recordId, root, batch, index);
        if (_contents[recordId] != 0) return (recordId, false);
        _standings[recordId] = batch.stampOf() | Standings.judgementOf(proof.summary);
        _contents[recordId] = proof.contentDigest;
        emit LeafRevoked(root, recordId, proof.contentDigest, proof.summary);
        return (recordId, true);
    }

    function _requireLeaf(bytes32 recordId, Proof calldata proof)
        private
        view
        returns (bytes32 root, uint256 batch, uint8 index)
    {
        root = Leaves.rootOf(recordId, proof);
        batch = _batches[root];
        if (batch == 0) revert BatchNotFound(root);
        index = Leaves.indexOf(proof.summary);
        if (index >= batch.countOf()) revert WrongLeaf(recordId);
    }
}
