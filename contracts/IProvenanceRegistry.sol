// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {Batch, Proof, Quorum, Standing} from "./Types.sol";
import {ILineage} from "./ILineage.sol";
import {INamespaces} from "./INamespaces.sol";
import {IOracleSets} from "./IOracleSets.sol";
import {IProvenanceGate} from "./IProvenanceGate.sol";

/**
 * @title Registry of judged model releases
 * @notice Oracles judge releases and sign their findings, anyone submits a report that enough oracles signed, and dApps
 * query the registry. Its gates are declared in {IProvenanceGate}, its oracles in {IOracleSets}. It creates two
 * contracts, which keep names ({INamespaces}) and ancestors ({ILineage}).
 *
 * Rules:
 * - A record is written once and never changes. A later judgement of the same release is a new revision beside it.
 * - A release can be revoked, once and permanently, and so can a model with all its releases. Nothing is ever deleted.
 * - A FAILED verdict is kept under an id of its own: it neither opens a gate nor stands in the way of a later record.
 * - The whole state can be rebuilt from the events.
 */
interface IProvenanceRegistry is IProvenanceGate, IOracleSets {
    /// @notice Emitted when a record is written, either published or written out from a batch. `standing` is the word
    /// as first written; {Standings} describes its bits.
    event RecordPublished(
        bytes32 indexed modelDigest,
        bytes32 indexed manifestDigest,
        bytes32 indexed reportDigest,
        uint256 standing,
        bytes record
    );

    /// @notice Emitted when a leaf of a batch is closed. From then on only the record that is kept under its id counts.
    event LeafClosed(bytes32 indexed recordId, bytes32 indexed root, uint8 index);

    /// @notice Emitted when a batch is recorded. `uri` is the place of its records and proofs.
    event BatchRecorded(
        bytes32 indexed root, uint16 indexed epoch, uint32 signers, uint8 count, uint40 sealedAt, string uri
    );

    /// @notice Emitted when a leaf of a batch is revoked before anybody wrote its record out, with the parts of it that
    /// the registry keeps.
    event LeafRevoked(bytes32 indexed root, bytes32 indexed recordId, bytes32 contentDigest, uint256 summary);

    /// @notice Emitted when a release is revoked, and again if the time is brought forward.
    event RecordRevoked(bytes32 indexed recordId, address indexed guardian, uint40 effectiveFrom, string reason);

    /// @notice Emitted when a model is revoked, whichever manifests name it.
    event ModelRevoked(bytes32 indexed modelDigest, address indexed guardian, uint40 revokedAt, string reason);

    /// @notice Emitted when the revocation of a model reaches one of its releases: by {applyRevocations}, by
    /// {closeLeaf}, or because a judgement of the release was written after the revocation.
    event ModelRevocationApplied(bytes32 indexed recordId, bytes32 indexed modelDigest, uint40 revokedAt);

    /// @notice Emitted when signatures of revoked keys are taken off a record or batch, or when more signers are added.
    event Recounted(bytes32 indexed idOrRoot, uint32 signers, uint16 weight, bool doubtful);

    /// @notice Emitted when the publisher of a record is noted, see {notePublisher}.
    event PublisherNoted(bytes32 indexed recordId, bytes32 indexed identity);

    /// @notice Emitted when a policy gets its number.
    event PolicyNumbered(bytes32 indexed policyDigest, uint32 indexed policyId);

    /// @notice Emitted when writes are paused or resumed.
    event WritesPaused(bool paused, address indexed by);

    /// @notice Emitted when the owner appoints another guardian.
    event GuardianAppointed(address indexed guardian);

    /// @notice Thrown when a release is published again with different content.
    error RecordExists(bytes32 recordId);

    /// @notice Thrown when a batch is recorded again with a different count.
    error BatchExists(bytes32 root);

    /// @notice Thrown when a proof leads to a root under which nothing is recorded.
    error BatchNotFound(bytes32 root);

    /// @notice Thrown when a batch claims to hold no records, or more than 128.
    error BatchCount(uint256 count);

    /// @notice Thrown when a record is not the one that its leaf was made from.
    error WrongLeaf(bytes32 recordId);

    /// @notice Thrown when a later judgement of a named release has another name.
    error RevisionRenamed(bytes32 recordId);

    /// @notice Same as {INamespaces-NameTaken}, which {publish} passes on.
    error NameTaken(bytes32 namespaceId, bytes32 releaseDigest, bytes32 recordId);

    /// @notice Same as {INamespaces-IdentityNotTrusted}, which {releaseHeld} passes on.
    error IdentityNotTrusted(bytes32 namespaceId, bytes32 identity);

    /// @notice Same as {ILineage-TooManyParents}, which {publish} passes on.
    error TooManyParents(uint256 count);

    /// @notice Same as {ILineage-ParentIsSelf}, which {publish} passes on.
    error ParentIsSelf(bytes32 parent);

    /// @notice Thrown when a record has no number for its policy, see {numberPolicy}.
    error PolicyNotNumbered();

    /// @notice Thrown when a record is not held.
    error NotHeld(bytes32 recordId);

    /// @notice Thrown when a model is revoked a second time.
    error ModelIsRevoked(bytes32 modelDigest, uint40 revokedAt);

    /// @notice Thrown when a revocation is to be applied and the model is not revoked.
    error ModelNotRevoked(bytes32 modelDigest);

    /// @notice Thrown when a revision does not follow the last one.
    error WrongRevision(bytes32 recordId, uint256 revision, uint256 wanted);

    /// @notice Thrown when the digest named by `field` is zero.
    error ZeroDigest(string field);

    /// @notice Thrown when a grade is above 2.
    error UnknownGrade(uint8 grade);

    /// @notice Thrown when a product line is 0.
    error UnknownProductLine(uint8 productLine);

    /// @notice Thrown when a record of a release that has only a signature has a report digest, a reported TCB, or a
    /// passed check of SEV-SNP or GPU evidence.
    error HardwareClaimed();

    /// @notice Thrown when a record of simulated hardware, of a release that has only a signature, or of a FAILED
    /// verdict claims a grade above 0.
    error GradeNotEarned(uint8 grade);

    /// @notice Thrown when no check passed in a record.
    error NothingChecked();

    /// @notice Thrown when a release was judged, or a batch sealed, more than 5 minutes after or 7 days before the
    /// block's time, or when another time argument is out of its range.
    error OutOfTime(uint40 moment, uint256 blockTime);

    /// @notice Thrown when the text named by `field` is longer than 256 bytes, or empty although it is required.
    error TextLength(string field, uint256 lengthBytes);

    /// @notice Thrown when writes are paused.
    error WritesArePaused();

    /// @notice Thrown when the caller is not allowed to do this.
    error NotAllowed(address caller);

    /**
     * @notice Writes a record that enough oracles signed. Anyone can submit it. Does nothing if the same record is
     * there already.
     *
     * Requirements:
     * - writes are not paused; the signatures hold, see {Quorum};
     * - the bytes are the encoding of a record, see {RecordCodec};
     * - no digest except `publisherIdentity` is zero; at least one check passed; `policyId` is not 0; `grade` is at
     *   most 2, and 0 if simulated, signed only or failed; `judgedAt` is at most 5 minutes ahead of the block and 7
     *   days behind it; `namespace` and `release` are not empty; there are at most 8 parents, all of them recorded
     *   releases;
     * - the record of a release that has only a signature (product line 254) has a publisher and, in place of hardware,
     *   nothing: report digest and reported TCB are 0, and no check of SEV-SNP or GPU evidence passed;
     * - a FAILED record has revision 0 and no parents; its model digest, report digest and product line can be 0, and
     *   no check need have passed;
     * - revision 0 is the first of its release; any other follows the last one, the release is not revoked, and if it
     *   is named, the name is the same;
     * - in a claimed namespace the name is free, or leads to this release, or to one that is revoked.
     *
     * If the model is revoked (see {revokeAllOf}), the release is revoked in the same call.
     *
     * May emit {RecordPublished}, {PublisherNoted}, {ModelRevocationApplied} and {INamespaces-NamespaceEntry} events.
     * @return isNew Whether this call wrote a record.
     */
    function publish(bytes calldata record, Quorum calldata quorum) external returns (bool isNew);

    /**
     * @notice Records the Merkle root of up to 128 records that enough oracles signed. {Leaves} describes the tree.
     * Does nothing if the root is there already with the same count.
     *
     * Requirements: writes are not paused; the signatures hold; `sealedAt` is at most 5 minutes ahead of the block and
     * 7 days behind it; `uri` has at most 256 bytes.
     *
     * May emit a {BatchRecorded} event.
     * @return isNew Whether this call recorded a batch.
     */
    function recordBatch(bytes32 root, uint8 count, uint40 sealedAt, string calldata uri, Quorum calldata quorum)
        external
        returns (bool isNew);

    /**
     * @notice Writes a record out from its batch, as {publish} would have done when the batch was recorded. Anyone can
     * call this function. If too many of the batch's signers were revoked, it reverts with
     * {IProvenanceGate-RecordIsClosed}. From then on the record has its own signers, which are those that the batch has
     * now. A signer who is added to the batch later is added to the record by {addSigners}. A later judgement can be
     * written out until another judgement of the same number is written.
     * @return isNew Whether this call wrote a record.
     */
    function materialise(bytes calldata record, Proof calldata proof) external returns (bool isNew);

    /**
     * @notice Revokes a release permanently, with every revision of it, from a stated time on. It stays readable.
     *
     * Proofs of the release in batches have to be closed too, see {closeLeaf}.
     *
     * Requirements: the caller is the guardian or the owner; the release is recorded; it is not revoked, or only from a
     * later time on; `effectiveFrom` is at most a year ahead; `reason` has 1 to 256 bytes.
     *
     * Emits a {RecordRevoked} event.
     */
    function revoke(bytes32 recordId, uint40 effectiveFrom, string calldata reason) external;

    /**
     * @notice Revokes a release that is in a batch. From then on no proof of this leaf opens a gate, whether or not the
     * record can be written out.
     *
     * Requirements: those of {revoke}; the proof leads to a batch; if the record was not written out, `effectiveFrom`
     * is not in the future. A release that is revoked already stays revoked.
     */
    function revokeInBatch(
        bytes32 modelDigest,
        bytes32 manifestDigest,
        Proof calldata proof,
        uint40 effectiveFrom,
        string calldata reason
    ) external;

    /**
     * @notice Revokes a model permanently and from now on: every release of these bytes, whichever manifest names it. A
     * release that is recorded later is revoked from the start. For a release that is recorded already, somebody has to
     * call {applyRevocations}, and for one in a batch {closeLeaf}: its plain gate stays open until then.
     *
     * Requirements: the caller is the guardian or the owner; the model is not revoked yet; `modelDigest` is not 0;
     * `reason` has 1 to 256 bytes.
     *
     * Emits a {ModelRevoked} event.
     */
    function revokeAllOf(bytes32 modelDigest, string calldata reason) external;

    /**
     * @notice Applies the revocation of a model to its releases with these manifests. Anyone can call this function.
     * Skips releases that are revoked from the same time on, or an earlier one; brings a later time forward.
     *
     * Requirements: the model is revoked; all the releases are recorded.
     *
     * May emit {ModelRevocationApplied} events.
     */
    function applyRevocations(bytes32 modelDigest, bytes32[] calldata manifestDigests) external;

    /// @notice Closes a leaf whose release is recorded otherwise, so that its proof opens nothing that the record
    /// itself does not open. Anyone can call this function, and should, wherever a release in a batch was revoked, held
    /// or superseded. If the model is revoked, see {revokeAllOf}, this function applies that to the release, whether or
    /// not it is recorded.
    function closeLeaf(bytes32 modelDigest, bytes32 manifestDigest, Proof calldata proof) external;

    /// @notice Adds signers of the same epoch to a record, since the first submitter may have left some out. Anyone can
    /// call this function.
    /// @param quorum Enough signers by itself, as for {publish}. If the record was doubtful, it no longer is.
    function addSigners(bytes calldata record, Quorum calldata quorum) external;

    /// @notice Like {addSigners}, for a batch.
    function addBatchSigners(bytes32 root, uint40 sealedAt, string calldata uri, Quorum calldata quorum) external;

    /// @notice Takes signatures of revoked keys off a record; for a release, off its latest judgement. If too few are
    /// left, the record becomes doubtful and its gate shuts. Anyone can call this function.
    function recount(bytes32 recordId) external;

    /// @notice Like {recount}, for a batch.
    function recountBatch(bytes32 root) external;

    /// @notice Opens a held record once its publisher's identity is trusted, and makes its name lead to it. Anyone can
    /// call this function. If too many of the record's signers were revoked, it reverts with
    /// {IProvenanceGate-RecordIsClosed}.
    /// @param record The record as published.
    function releaseHeld(bytes calldata record) external;

    /// @notice Notes the publisher of a record, so that {IProvenanceGate-requireSignedBy} finds it, and emits a
    /// {PublisherNoted} event. Anyone can call this function. Does nothing if it was noted before. {publish} and
    /// {materialise} note the publisher of a release that has only a signature; for others that would make every record
    /// dearer by half. Writes must not be paused, and the publisher's identity must not be 0.
    /// @param record The record as published.
    function notePublisher(bytes calldata record) external;

    /// @notice Gives a policy its number, which never changes. Anyone can call this function.
    function numberPolicy(bytes32 policyDigest) external returns (uint32 policyId);

    /// @notice Notes that a namespace was claimed. Only {namespaces} can call this function.
    function noteClaim(bytes32 namespaceId) external;

    /// @notice Notes that a namespace adopted a release, see {INamespaces-adoptRelease}. Only {namespaces} can call
    /// this function.
    function noteNamed(bytes32 recordId) external;

    /// @notice Pauses publishing, batches, added signers, claims, changes of publishers, stated and withdrawn parents,
    /// adoptions and releases of held records. Does not pause revocations, recounts, closed leaves, publishers dropped
    /// by a namespace's owner, handovers of namespaces or oracle sets. The guardian and the owner can call this
    /// function.
    function pauseWrites() external;

    /// @notice Resumes writes. Only the owner can call this function.
    function resumeWrites() external;

    /// @notice Appoints the guardian, who can pause writes and revoke, and nothing else. 0 appoints nobody. Only the
    /// owner can call this function.
    function appointGuardian(address guardian) external;

    /// @notice Returns the id under which a record is kept: {IProvenanceGate-recordIdOf} for the first judgement of a
    /// release, other ids for later judgements and for FAILED verdicts.
    function idOf(bytes calldata record) external pure returns (bytes32);

    /// @notice Returns the identity of a record's publisher as it was noted, see {notePublisher}; 0 if nobody noted it.
    /// The record can be revoked, or of simulated hardware: {IProvenanceGate-requireSignedBy} decides.
    function publisherOf(bytes32 recordId) external view returns (bytes32);

    /// @notice Returns keccak256 of the record kept under an id, 0 if there is none.
    function contentOf(bytes32 recordId) external view returns (bytes32);

    /// @notice Returns the time since which all releases of a model are revoked, 0 if it is not revoked.
    function revokedModelTime(bytes32 modelDigest) external view returns (uint40);

    /// @notice Returns the id of a release's latest judgement. Reverts with {IProvenanceGate-RecordNotFound} if the id
    /// is unknown, or that of a later judgement or a failure.
    function latestIdOf(bytes32 recordId) external view returns (bytes32);

    /// @notice Returns whether this is the id of a release that is recorded and not revoked, whether or not its gate is
    /// open.
    function isStandingRelease(bytes32 recordId) external view returns (bool);

    /// @notice Returns the standing kept under an id, which can be that of a revision or a failure. All 0 if there is
    /// none.
    function standingById(bytes32 recordId) external view returns (Standing memory);

    /// @notice Returns a batch, all 0 if there is none.
    function batchOf(bytes32 root) external view returns (Batch memory);

    /// @notice Returns whether writes are paused.
    function writesPaused() external view returns (bool);

    /// @notice Returns the account that can pause writes and revoke.
    function guardian() external view returns (address);

    /// @notice Returns the seconds for which announcements wait in public: oracle sets, new publishers, handovers.
    function publicDelay() external view returns (uint40);

    /// @notice Returns the contract that keeps names.
    function namespaces() external view returns (INamespaces);

    /// @notice Returns the contract that keeps ancestors.
    function lineage() external view returns (ILineage);
}
