// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {ILineage} from "../ILineage.sol";
import {INamespaces} from "../INamespaces.sol";
import {IProvenanceGate} from "../IProvenanceGate.sol";
import {IProvenanceRegistry} from "../IProvenanceRegistry.sol";
import {RecordCodec} from "../lib/RecordCodec.sol";
import {RecordIds} from "../lib/RecordIds.sol";
import {Standings} from "../lib/Standings.sol";
import {Quorum, Standing} from "../Types.sol";
import {Publishers} from "./Publishers.sol";

/**
 * @title Records
 * @notice See {IProvenanceRegistry}. A record has two slots: its content digest, and its standing. A gate reads only
 * the standing.
 */
abstract contract Records is Publishers {
    using RecordCodec for bytes;
    using Standings for uint256;

    uint8 private constant MAX_GRADE = 2;
    // Block times lag behind the oracles' clocks, on some chains by a minute or more.
    uint256 private constant CLOCK_TOLERANCE = 5 minutes;
    // Certificates and revocation lists are judged for a moment that must not be far in the past.
    uint256 private constant MAX_WAIT = 7 days;
    // A revocation that never takes effect would only stand in the way.
    uint256 private constant MAX_NOTICE = 365 days;
    // REPORTED_TCB, and the checks of SEV-SNP and GPU evidence: bits 0 to 18, and 27.
    uint256 private constant HARDWARE_FACTS = (1 << 64) - 1 | uint256((1 << 19) - 1 | 1 << 27) << 64;
    uint256 private constant NO_RELEASE = Standings.FAILED | Standings.REVISION;
    uint256 private constant NAMES = Standings.HELD | Standings.NAMED;

    /// @inheritdoc IProvenanceRegistry
    INamespaces public namespaces;
    /// @inheritdoc IProvenanceRegistry
    ILineage public lineage;

    mapping(bytes32 recordId => bytes32) internal _contents;
    mapping(bytes32 namespaceId => uint40) private _claimedAt;
    mapping(bytes32 policyDigest => uint32) private _policyIds;
    uint32 private _policies;

    /// @inheritdoc IProvenanceRegistry
    function publish(bytes calldata record, Quorum calldata quorum) external returns (bool isNew) {
        bytes32 content = keccak256(record);
        bytes32 recordId = idOf(record);
        bytes32 kept = _contents[recordId];
        if (kept == content) return false;
        if (kept != 0) revert RecordExists(recordId);
        _requireWriting();
        uint16 weight = _requireQuorum(_reportHash(quorum.epoch, content), quorum);
        _write(record, recordId, content, Standings.stamp(block.timestamp, quorum.signers, weight, quorum.epoch));
        return true;
    }

    /// @inheritdoc IProvenanceRegistry
    function revoke(bytes32 recordId, uint40 effectiveFrom, string calldata reason) external onlyStewards {
        _revoke(recordId, effectiveFrom, reason);
    }

    /// @inheritdoc IProvenanceRegistry
    function applyRevocations(bytes32 modelDigest, bytes32[] calldata manifestDigests) external {
        for (uint256 i = 0; i < manifestDigests.length; ++i) {
            _applyRevocation(modelDigest, RecordIds.ofRelease(modelDigest, manifestDigests[i]));
        }
    }

    /// @inheritdoc IProvenanceRegistry
    function addSigners(bytes calldata record, Quorum calldata quorum) external {
        _requireWriting();
        bytes32 content = keccak256(record);
        bytes32 recordId = _requireRecorded(record, content);
        _requireQuorum(_reportHash(quorum.epoch, content), quorum);
        uint256 word = _withMoreSigners(_standings[recordId], quorum);
        _keep(recordId, word);
        _tellCount(recordId, word);
    }

    /// @inheritdoc IProvenanceRegistry
    function recount(bytes32 recordId) external {
        uint256 word = _standings[recordId];
        if (word == 0) revert RecordNotFound(recordId);
        if (word.revisionsOf() != 0) {
            recordId = RecordIds.ofRevision(recordId, word.revisionsOf());
            word = _standings[recordId];
        }
        uint256 recounted = _recounted(word);
        if (recounted == word) return;
        _keep(recordId, recounted);
        _tellCount(recordId, recounted);
    }

    /// @inheritdoc IProvenanceRegistry
    function releaseHeld(bytes calldata record) external {
        _requireWriting();
        bytes32 content = keccak256(record);
        bytes32 recordId = idOf(record);
        uint256 word = _standings[recordId];
        if (_contents[recordId] != content || word & Standings.HELD == 0) revert NotHeld(recordId);
        // Signatures of keys that are revoked by now must not take a name from others.
        if (_recounted(_latest(recordId)) & Standings.DOUBTFUL != 0) revert RecordIsClosed(recordId, true, true);
        _keep(recordId, word & ~Standings.HELD | Standings.NAMED);
        RecordCodec.Parts memory parts = record.partsOf();
        namespaces.release(
            keccak256(record.namespaceOf(parts)),
            record.publisherIdentityOf(),
            keccak256(record.releaseOf(parts)),
            _releaseIdOf(record),
            content
        );
    }

    /// @inheritdoc IProvenanceRegistry
    function notePublisher(bytes calldata record) external {
        _requireWriting();
        bytes32 recordId = _requireRecorded(record, keccak256(record));
        bytes32 identity = record.publisherIdentityOf();
        if (identity == 0) revert ZeroDigest("publisherIdentity");
        if (publisherOf[recordId] == 0) _note(recordId, identity);
    }

    /// @inheritdoc IProvenanceRegistry
    function numberPolicy(bytes32 policyDigest) external returns (uint32 policyId) {
        if (policyDigest == 0) revert ZeroDigest("policyDigest");
        policyId = _policyIds[policyDigest];
        if (policyId != 0) return policyId;
        policyId = ++_policies;
        _policyIds[policyDigest] = policyId;
        emit PolicyNumbered(policyDigest, policyId);
    }

    /// @inheritdoc IProvenanceRegistry
    function noteClaim(bytes32 namespaceId) external {
        if (msg.sender != address(namespaces)) revert NotAllowed(msg.sender);
        _claimedAt[namespaceId] = uint40(block.timestamp);
    }

    /// @inheritdoc IProvenanceRegistry
    function noteNamed(bytes32 recordId) external {
        if (msg.sender != address(namespaces)) revert NotAllowed(msg.sender);
        _keep(recordId, _standings[recordId] | Standings.NAMED);
    }

    /// @inheritdoc IProvenanceRegistry
    function contentOf(bytes32 recordId) external view returns (bytes32) {
        return _contents[recordId];
    }

    /// @inheritdoc IProvenanceRegistry
    function standingById(bytes32 recordId) external view returns (Standing memory) {
        return _standings[recordId].unpackStanding();
    }

    /// @inheritdoc IProvenanceRegistry
    function latestIdOf(bytes32 recordId) external view returns (bytes32) {
        return RecordIds.ofRevision(recordId, _requireRelease(recordId).revisionsOf());
    }

    /// @inheritdoc IProvenanceRegistry
    function isStandingRelease(bytes32 recordId) external view returns (bool) {
        uint256 word = _standings[recordId];
        return word != 0 && word & NO_RELEASE == 0 && !word.isRevoked();
    }

    /// @inheritdoc IProvenanceGate
    function policyIdOf(bytes32 policyDigest) external view returns (uint32) {
        return _policyIds[policyDigest];
    }

    /// @inheritdoc IProvenanceRegistry
    function idOf(bytes calldata record) public pure returns (bytes32) {
        if (record.length < 224) revert RecordCodec.RecordMalformed(record.length);
        uint256 facts = record.factsOf();
        if (facts & RecordCodec.PASSED != 0) return RecordIds.ofRevision(_releaseIdOf(record), facts.revisionsOf());
        return RecordIds.ofFailure(record.modelDigestOf(), record.manifestDigestOf(), record.verdictDigestOf());
    }

    /// @dev Writes a record that is not there yet. `word` is a stamp: the signers, and the time of recording.
    function _write(bytes calldata record, bytes32 recordId, bytes32 content, uint256 word) internal {
        // (1) Check the form of the record.
        RecordCodec.Parts memory parts = record.partsOf();
        uint256 facts = record.factsOf();
        _requireWellFormed(record, parts, facts, word.recordedAtOf());
        word |= Standings.judgementOf(facts);
        // (2) Find its place among the judgements of its release, and among names.
        if (facts & RecordCodec.PASSED == 0) {
            word |= Standings.FAILED;
        } else {
            bytes32 releaseId = _releaseIdOf(record);
            word |= recordId == releaseId
                ? _admit(record, parts, releaseId, content, word.recordedAtOf())
                : _addRevision(record, parts, releaseId, content);
        }
        // (3) Write the two slots.
        _standings[recordId] = word;
        _contents[recordId] = content;
        emit RecordPublished(record.modelDigestOf(), record.manifestDigestOf(), record.reportDigestOf(), word, record);
        if (facts & RecordCodec.PASSED == 0) return;
        // (4) Note its publisher, if there is nothing else to ask for, and add its ancestors. No reader uses them
        // before the record is there.
        if (word.isSignedOnly()) _note(recordId, record.publisherIdentityOf());
        bytes calldata parents = record[parts.parents:];
        if (parents.length != 0) lineage.addParents(_releaseIdOf(record), parents);
        // (5) Revoke it at once if its bytes were revoked before.
        if (revokedModelTime(record.modelDigestOf()) != 0) {
            _applyRevocation(record.modelDigestOf(), _releaseIdOf(record));
        }
    }

    /// @dev Returns a record's id. Reverts unless these bytes, with this hash, are the record that is kept.
    function _requireRecorded(bytes calldata record, bytes32 content) private view returns (bytes32 recordId) {
        recordId = idOf(record);
        if (_contents[recordId] != content) revert RecordNotFound(recordId);
    }

    /// @dev Applies the revocation of a model to one of its releases. Changes nothing if the release is revoked from
    /// that time on, or from an earlier one, so that nobody can make a list fail by being faster.
    function _applyRevocation(bytes32 modelDigest, bytes32 recordId) internal {
        uint40 modelRevokedAt = revokedModelTime(modelDigest);
        if (modelRevokedAt == 0) revert ModelNotRevoked(modelDigest);
        uint256 word = _requireRelease(recordId);
        uint40 revokedAt = word.revokedAtOf();
        if (revokedAt != 0 && revokedAt <= modelRevokedAt) return;
        _keep(recordId, word.withRevokedAt(modelRevokedAt));
        emit ModelRevocationApplied(recordId, modelDigest, modelRevokedAt);
    }

    /// @dev Revokes a release from `effectiveFrom` on, or brings an earlier revocation forward.
    function _revoke(bytes32 recordId, uint40 effectiveFrom, string calldata reason) internal {
        _requireReason(reason);
        uint256 word = _requireRelease(recordId);
        uint40 revokedAt = word.revokedAtOf();
        if (effectiveFrom == 0 || effectiveFrom > block.timestamp + MAX_NOTICE) {
            revert OutOfTime(effectiveFrom, block.timestamp);
        }
        if (revokedAt != 0 && effectiveFrom >= revokedAt) revert RecordIsRevoked(recordId, revokedAt);
        _keep(recordId, word.withRevokedAt(effectiveFrom));
        emit RecordRevoked(recordId, msg.sender, effectiveFrom, reason);
    }

    /// @dev Returns a release's word: that of its latest judgement, with the parts that hold for all judgements, which
    /// are the revocation and the namespace's decision on the first. Returns 0 if this is not the id of a release: a
    /// later judgement's own word does not have the revocation, and a failure cannot be revoked.
    function _latest(bytes32 releaseId) internal view returns (uint256) {
        uint256 word = _standings[releaseId];
        if (word & NO_RELEASE != 0) return 0;
        uint16 revisions = word.revisionsOf();
        if (revisions == 0) return word;
        uint256 latest = _standings[RecordIds.ofRevision(releaseId, revisions)] & ~Standings.REVISION;
        return latest.withRevokedAt(word.revokedAtOf()).withRevisions(revisions) | word & NAMES;
    }

    /// @dev Reverts unless a moment is near the time of recording.
    function _requireInTime(uint40 moment, uint256 recordedAt) internal pure {
        bool isNear = moment <= recordedAt + CLOCK_TOLERANCE && moment + MAX_WAIT >= recordedAt;
        if (!isNear) revert OutOfTime(moment, recordedAt);
    }

    function _releaseIdOf(bytes calldata record) private pure returns (bytes32) {
        return RecordIds.ofRelease(record.modelDigestOf(), record.manifestDigestOf());
    }

    /// @dev Reverts unless this is the id of a release, not of a later judgement or a failure.
    function _requireRelease(bytes32 recordId) private view returns (uint256 word) {
        word = _standings[recordId];
        if (word == 0 || word & NO_RELEASE != 0) revert RecordNotFound(recordId);
    }

    /// @dev Makes a record the latest judgement of its release. The namespace's decision on the first one stays: a
    /// later judgement can neither take another name, nor open a held release, nor be shut out by an account that has
    /// claimed the namespace since.
    function _addRevision(bytes calldata record, RecordCodec.Parts memory parts, bytes32 releaseId, bytes32 content)
        private
        returns (uint256)
    {
        uint256 first = _requireRelease(releaseId);
        uint16 revision = record.factsOf().revisionsOf();
        uint256 wanted = uint256(first.revisionsOf()) + 1;
        if (revision != wanted) revert WrongRevision(releaseId, revision, wanted);
        if (first.isRevoked()) revert RecordIsRevoked(releaseId, first.revokedAtOf());
        _keep(releaseId, first.withRevisions(revision));
        if (first & Standings.NAMED == 0) return Standings.REVISION;

        bytes32 namespaceId = keccak256(record.namespaceOf(parts));
        bytes32 releaseDigest = keccak256(record.releaseOf(parts));
        if (namespaces.recordOfName(namespaceId, releaseDigest) != releaseId) revert RevisionRenamed(releaseId);
        namespaces.admit(namespaceId, record.publisherIdentityOf(), releaseDigest, releaseId, content);
        return Standings.REVISION;
    }

    /// @dev Returns a claimed namespace's decision on a release, as a flag; 0 if nobody had claimed the namespace when
    /// the release was recorded.
    function _admit(
        bytes calldata record,
        RecordCodec.Parts memory parts,
        bytes32 releaseId,
        bytes32 content,
        uint256 recordedAt
    ) private returns (uint256) {
        bytes32 namespaceId = keccak256(record.namespaceOf(parts));
        uint256 claimedAt = _claimedAt[namespaceId];
        if (claimedAt == 0 || claimedAt > recordedAt) return 0;
        bool named = namespaces.admit(
            namespaceId, record.publisherIdentityOf(), keccak256(record.releaseOf(parts)), releaseId, content
        );
        return named ? Standings.NAMED : Standings.HELD;
    }

    function _requireWellFormed(
        bytes calldata record,
        RecordCodec.Parts memory parts,
        uint256 facts,
        uint256 recordedAt
    ) private pure {
        uint8 grade = facts.gradeOf();
        if (record.manifestDigestOf() == 0) revert ZeroDigest("manifestDigest");
        if (record.verdictDigestOf() == 0) revert ZeroDigest("verdictDigest");
        if (facts & RecordCodec.PASSED != 0) {
            if (record.modelDigestOf() == 0) revert ZeroDigest("modelDigest");
            if (uint32(facts >> 64) == 0) revert NothingChecked();
            if (facts.productLineOf() == 0) revert UnknownProductLine(0);
            if (grade > MAX_GRADE) revert UnknownGrade(grade);
            if (grade != 0 && (facts.isSimulated() || facts.isSignedOnly())) revert GradeNotEarned(grade);
            if (facts.isSignedOnly()) {
                if (record.publisherIdentityOf() == 0) revert ZeroDigest("publisherIdentity");
                if (record.reportDigestOf() != 0 || facts & HARDWARE_FACTS != 0) revert HardwareClaimed();
            } else if (record.reportDigestOf() == 0) {
                revert ZeroDigest("reportDigest");
            }
        } else {
            if (grade != 0) revert GradeNotEarned(grade);
            if (facts.revisionsOf() != 0) revert WrongRevision(idOf(record), facts.revisionsOf(), 0);
            if (parts.parents != record.length) revert RecordCodec.RecordMalformed(record.length);
        }
        if (record.policyDigestOf() == 0) revert ZeroDigest("policyDigest");
        if (facts.policyIdOf() == 0) revert PolicyNotNumbered();
        _requireInTime(facts.judgedAtOf(), recordedAt);
        if (parts.release == 225) revert TextLength("namespace", 0);
        if (parts.parents == parts.release + 1) revert TextLength("release", 0);
    }
}
