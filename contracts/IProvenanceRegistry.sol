// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {Batch, Proof, Quorum, Standing} from "./Types.sol";
import {ILineage} from "./ILineage.sol";
import {INamespaces} from "./INamespaces.sol";
import {IOracleSets} from "./IOracleSets.sol";
import {IProvenanceGate} from "./IProvenanceGate.sol";

/**
 * @title Registry of judged model releases
 * @notice Oracles judge releases and sign what they found; anyone submits what enough of them signed; dApps ask. Its
 * gates are {IProvenanceGate}, its oracles {IOracleSets}; two contracts that it makes keep names ({INamespaces}) and
 * ancestors ({ILineage}).
 *
 * Rules
 * - A record is written once and never changes. A later judgement of the same release is a new revision beside it.
 * - A release can be revoked, once and for ever. Nothing is ever deleted.
 * - A FAILED verdict is kept under an id of its own: it neither opens a gate nor stands in the way of a later record.
 * - The whole state can be rebuilt from the events.
 */
interface IProvenanceRegistry is IProvenanceGate, IOracleSets {
    /// @notice Emitted when a record is written: published, or written out from a batch. `standing` is the word that
    /// {Standings} packs, as first written.
    event RecordPublished(
        bytes32 indexed modelDigest,
        bytes32 indexed manifestDigest,
        bytes32 indexed reportDigest,
        uint256 standing,
        bytes record
    );

    /// @notice Emitted when a leaf of a batch counts no more, but the record that is kept under its id.
    event LeafClosed(bytes32 indexed recordId, bytes32 indexed root, uint8 index);

    /// @notice Emitted when a batch is recorded. `uri` says where its records and proofs can be had.
    event BatchRecorded(
        bytes32 indexed root, uint16 indexed epoch, uint32 signers, uint8 count, uint40 sealedAt, string uri
    );

    /// @notice Emitted when a leaf of a batch was revoked before anybody wrote it out: what is kept of it.
    event LeafRevoked(bytes32 indexed root, bytes32 indexed recordId, bytes32 contentDigest, uint256 summary);

    /// @notice Emitted when a release is revoked, and again if the time is brought forward.
    event RecordRevoked(bytes32 indexed recordId, address indexed guardian, uint40 effectiveFrom, string reason);

    /// @notice Emitted when signatures of revoked keys were taken off a record or batch, or more signers joined.
    event Recounted(bytes32 indexed idOrRoot, uint32 signers, uint16 weight, bool doubtful);

    /// @notice Emitted when a policy gets its number.
    event PolicyNumbered(bytes32 indexed policyDigest, uint32 indexed policyId);

    /// @notice Emitted when writes are stopped or go on.
    event WritesPaused(bool paused, address indexed by);

    /// @notice Emitted when the owner appoints another guardian.
    event GuardianAppointed(address indexed guardian);

    /// @notice Thrown when a release is published again with other content.
    error RecordExists(bytes32 recordId);

    /// @notice Thrown when a batch is recorded again otherwise.
    error BatchExists(bytes32 root);

    /// @notice Thrown when nothing is recorded under a root that a proof leads to.
    error BatchNotFound(bytes32 root);

    /// @notice Thrown when a batch says that it holds no record or more than 128.
    error BatchCount(uint256 count);

    /// @notice Thrown when a record is not the one that its leaf was made of.
    error WrongLeaf(bytes32 recordId);

    /// @notice Thrown when a later judgement of a named release goes by another name.
    error RevisionRenamed(bytes32 recordId);

    /// @notice As {INamespaces-NameTaken}, which {publish} passes on.
    error NameTaken(bytes32 namespaceId, bytes32 releaseDigest, bytes32 recordId);

    /// @notice As {INamespaces-IdentityNotTrusted}, which {releaseHeld} passes on.
    error IdentityNotTrusted(bytes32 namespaceId, bytes32 identity);

    /// @notice As {ILineage-TooManyParents}, which {publish} passes on.
    error TooManyParents(uint256 count);

    /// @notice As {ILineage-ParentIsSelf}, which {publish} passes on.
    error ParentIsSelf(bytes32 parent);

    /// @notice Thrown when a record gives its policy no number, see {numberPolicy}.
    error PolicyNotNumbered();

    /// @notice Thrown when a record is not held.
    error NotHeld(bytes32 recordId);

    /// @notice Thrown when a revision does not follow the last one.
    error WrongRevision(bytes32 recordId, uint256 revision, uint256 wanted);

    /// @notice Thrown when the digest named by `field` is zero.
    error ZeroDigest(string field);

    /// @notice Thrown when a grade is above 2.
    error UnknownGrade(uint8 grade);

    /// @notice Thrown when a product line is 0.
    error UnknownProductLine(uint8 productLine);

    /// @notice Thrown when a record of simulated hardware, or of a FAILED verdict, claims a grade above 0.
    error GradeNotEarned(uint8 grade);

    /// @notice Thrown when a record says that no check passed.
    error NothingChecked();

    /// @notice Thrown when something was judged or sealed more than 5 minutes after or 7 days before the block's time.
    error OutOfTime(uint40 moment, uint256 blockTime);

    /// @notice Thrown when the text named by `field` is longer than 256 bytes, or empty where it must not be.
    error TextLength(string field, uint256 lengthBytes);

    /// @notice Thrown when writes are stopped.
    error WritesArePaused();

    /// @notice Thrown when the caller has not the right to do this.
    error NotAllowed(address caller);

    /**
     * @notice Writes a record that enough oracles signed. Anyone may submit it; what is there already stays as it is.
     *
     * Requirements, unless the same record is there already, when nothing happens:
     * - writes are not stopped; the signatures hold, see {Quorum};
     * - the bytes are the encoding of a record, see {RecordCodec};
     * - no digest but `publisherIdentity` is zero; some check passed; `policyId` is not 0; `grade` is at most 2, and 0
     *   if simulated or failed; `judgedAt` is at most 5 minutes ahead of the block and 7 days behind it; `namespace`
     *   and `release` are not empty; at most 8 parents, all of them recorded releases;
     * - a FAILED record, for which model and report digest may be 0, line 0, and no check need have passed, has
     *   revision 0 and no parents;
     * - revision 0 is the first of its release; any other follows the last one, the release is not revoked, and if it
     *   is named, the name is the same;
     * - in a claimed namespace the name is free, or leads to this release, or to one that is revoked.
     *
     * May emit {RecordPublished}, {INamespaces-NamespaceEntry}.
     * @return isNew Whether a record was written by this call.
     */
    function publish(bytes calldata record, Quorum calldata quorum) external returns (bool isNew);

    /**
     * @notice Records the Merkle root of up to 128 records that enough oracles signed. See {Leaves} for the tree.
     *
     * Requirements, unless the root is there already, when nothing happens: writes are not stopped; the signatures
     * hold; `sealedAt` is at most 5 minutes ahead of the block and 7 days behind it; `uri` has at most 256 bytes.
     * @return isNew Whether a batch was recorded by this call.
     */
    function recordBatch(bytes32 root, uint8 count, uint40 sealedAt, string calldata uri, Quorum calldata quorum)
        external
        returns (bool isNew);

    /**
     * @notice Writes a batch's record out, as {publish} would have when the batch was recorded. Anyone may, unless too
     * many of the batch's signers were revoked: then it is {IProvenanceGate-RecordIsClosed}. From then on the record
     * has signers of its own, those that the batch has now; whoever joins the batch later joins the record by
     * {addSigners}. A later judgement can be written out until another one of the same number was.
     * @return isNew Whether a record was written by this call.
     */
    function materialise(bytes calldata record, Proof calldata proof) external returns (bool isNew);

    /**
     * @notice Revokes a release for ever, every revision of it, from a stated time on. It stays readable.
     *
     * Proofs of the release in batches have to be closed too, see {closeLeaf}.
     *
     * Requirements: the caller is the guardian or the owner; there is such a record; it is not revoked, or only from a
     * later time on; `effectiveFrom` is at most a year ahead; `reason` has 1 to 256 bytes.
     */
    function revoke(bytes32 recordId, uint40 effectiveFrom, string calldata reason) external;

    /**
     * @notice Revokes a release that is in a batch: from then on no proof of this leaf opens a gate, whether or not the
     * record can be written out.
     *
     * Requirements: as {revoke}; the proof leads to a batch; if the record was not written out, `effectiveFrom` is not
     * in the future. A release revoked already stays so.
     */
    function revokeInBatch(
        bytes32 modelDigest,
        bytes32 manifestDigest,
        Proof calldata proof,
        uint40 effectiveFrom,
        string calldata reason
    ) external;

    /// @notice Closes a leaf whose release is recorded otherwise, so that its proof opens nothing that the record
    /// itself does not. Anyone may, and should, wherever a release in a batch was revoked, held or superseded.
    function closeLeaf(bytes32 modelDigest, bytes32 manifestDigest, Proof calldata proof) external;

    /// @notice Adds signers of the same epoch to a record: whoever submits it first may have left some out. Anyone may.
    /// @param quorum Enough by itself, as for {publish}. If the record was doubtful, it is no more.
    function addSigners(bytes calldata record, Quorum calldata quorum) external;

    /// @notice The same for a batch.
    function addBatchSigners(bytes32 root, uint40 sealedAt, string calldata uri, Quorum calldata quorum) external;

    /// @notice Takes signatures of revoked keys off a record, of a release off its latest judgement; if too few are
    /// left, it becomes doubtful and its gate shuts. Anyone may.
    function recount(bytes32 recordId) external;

    /// @notice The same for a batch.
    function recountBatch(bytes32 root) external;

    /// @notice Opens a held record once its publisher's identity is trusted, and lets its name lead to it. Anyone may,
    /// unless too many of its signers were revoked: then it is {IProvenanceGate-RecordIsClosed}.
    /// @param record The record as published.
    function releaseHeld(bytes calldata record) external;

    /// @notice Gives a policy its number, the same for ever. Anyone may.
    function numberPolicy(bytes32 policyDigest) external returns (uint32 policyId);

    /// @notice Takes note that a namespace was claimed. Only {namespaces} calls this.
    function noteClaim(bytes32 namespaceId) external;

    /// @notice Stops publishing, batches, joining signers, claims, changes of publishers, stated parents and releases
    /// of held records; not revocations, recounts, closed leaves, publishers dropped by a namespace's owner, hand-overs
    /// of namespaces, nor oracle sets. The guardian and the owner may.
    function pauseWrites() external;

    /// @notice Lets writing go on. Only the owner may.
    function resumeWrites() external;

    /// @notice Appoints the guardian, who may stop writes and revoke, and nothing else. Only the owner may; 0 is
    /// nobody.
    function appointGuardian(address guardian) external;

    /// @notice Where a record is kept: {IProvenanceGate-recordIdOf} for the first judgement of a release, other ids for
    /// later ones and for FAILED verdicts.
    function idOf(bytes calldata record) external pure returns (bytes32);

    /// @notice keccak256 of the record kept under an id, 0 if there is none.
    function contentOf(bytes32 recordId) external view returns (bytes32);

    /// @notice The id of a release's latest judgement. Reverts with {IProvenanceGate-RecordNotFound} if this is the id
    /// of none, of a later judgement or of a failure.
    function latestIdOf(bytes32 recordId) external view returns (bytes32);

    /// @notice Whether this is the id of a release that is recorded and not revoked, open or not.
    function isStandingRelease(bytes32 recordId) external view returns (bool);

    /// @notice The standing kept under an id, which may be a revision's or a failure's. All 0 if there is none.
    function standingById(bytes32 recordId) external view returns (Standing memory);

    /// @notice A batch; all 0 if there is none.
    function batchOf(bytes32 root) external view returns (Batch memory);

    /// @notice Whether writes are stopped.
    function writesPaused() external view returns (bool);

    /// @notice Who may stop writes and revoke.
    function guardian() external view returns (address);

    /// @notice How long announcements wait in public, in seconds: oracle sets, new publishers, handovers.
    function publicDelay() external view returns (uint40);

    /// @notice The contract that keeps names.
    function namespaces() external view returns (INamespaces);

    /// @notice The contract that keeps ancestors.
    function lineage() external view returns (ILineage);
}
