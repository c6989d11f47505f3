// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {Proof, Requirements, Standing} from "./Types.sol";

/**
 * @title Gates for dApps
 * @notice A gate tells whether an AI model was recorded as coming from a confidential VM, and how good the evidence
 * was.
 *
 * A record is found by two digests that anyone with the release can compute. The model digest binds the name, size and
 * bytes of every file. The manifest digest names the signed statement about the origin of those files.
 *
 * Every gate comes in two forms: one returns a boolean, the other reverts with an error that gives the reason.
 *
 * `requireModel`, `isModel` and their `FromProof` variants have the lowest selectors of a registry. Its dispatcher
 * compares them first, which saves a gate some 700 gas.
 */
interface IProvenanceGate {
    /// @notice Thrown when no record exists that could open a gate: there is no such record, the verdict is FAILED, the
    /// id is not that of a release, or a proof leads to no batch.
    error RecordNotFound(bytes32 recordId);

    /// @notice Thrown when the release was revoked, with effect from `revokedAt`.
    error RecordIsRevoked(bytes32 recordId, uint40 revokedAt);

    /// @notice Thrown when the release was judged longer ago than the caller accepts.
    error RecordIsExpired(bytes32 recordId, uint40 judgedAt, uint40 maximumAge);

    /// @notice Thrown when the hardware was simulated, which proves nothing.
    error RecordIsSimulated(bytes32 recordId);

    /// @notice Thrown by every gate except {requireSignedBy} when the release has only a signature: the record says who
    /// signed it, and nothing of where it was made.
    error RecordIsSignedOnly(bytes32 recordId);

    /// @notice Thrown when the release's publisher is not the one that the caller asks for. `publisher` is the one that
    /// was noted; 0 if nobody noted it yet, see {IProvenanceRegistry-notePublisher}.
    error SignedByAnother(bytes32 recordId, bytes32 publisher);

    /// @notice Thrown when the record is kept but its gate is shut: the namespace does not trust its publisher (held),
    /// or too few of its signatures are by keys that still count (doubtful).
    error RecordIsClosed(bytes32 recordId, bool held, bool doubtful);

    /// @notice Thrown when the grade is below the minimum that the caller asks for.
    error GradeTooLow(bytes32 recordId, uint8 grade, uint8 minimumGrade);

    /// @notice Thrown when the release was judged by a policy that the caller does not list.
    error WrongPolicy(bytes32 recordId, uint32 policyId);

    /// @notice Thrown when the weight of the signers is below the minimum that the caller asks for.
    error WeightTooLow(bytes32 recordId, uint16 weight, uint16 minimumWeight);

    /// @notice Thrown when a list is too long for one call.
    error TooMany(uint256 count, uint256 most);

    /// @notice Thrown when a list of accounts is not in strictly ascending order.
    error NotAscending(uint256 index);

    /// @notice Reverts unless the release is recorded, in good standing, on real hardware, with at least this grade.
    /// @dev Reads one slot: at most 5,500 gas from another contract. A release that was judged again, or that is
    /// refused, takes two slots and up to 9,000 gas, so leave room for them. Keys revoked later stop counting once
    /// somebody calls {IProvenanceRegistry-recount}; {requireMeets} needs no such call.
    function requireModel(bytes32 modelDigest, bytes32 manifestDigest, uint8 minimumGrade) external view;

    /// @notice Returns whether {requireModel} would pass.
    function isModel(bytes32 modelDigest, bytes32 manifestDigest, uint8 minimumGrade) external view returns (bool);

    /// @notice Like {isModel}, but accepts records of simulated hardware and no others. Use it for demonstrations and
    /// tests.
    function isSimulatedModel(bytes32 modelDigest, bytes32 manifestDigest) external view returns (bool);

    /// @notice Reverts unless the release is recorded, in good standing, and signed by the publisher with this
    /// identity. It opens whatever the grade, also for a release that has only a signature, of which nothing is known
    /// but who signed it. Ask {requireModel} as well if hardware matters. It does not open for simulated hardware.
    /// @dev Reads one slot: at most 6,500 gas from another contract. A release that was judged again, or that is
    /// refused, takes more. The identity is that of the latest judgement. For a record of confidential hardware,
    /// somebody has to call {IProvenanceRegistry-notePublisher} first.
    /// @param identity Digest of the identity, as `provenance identity` prints it; of a publisher, or of the workload
    /// that made the release. 0 never passes.
    function requireSignedBy(bytes32 modelDigest, bytes32 manifestDigest, bytes32 identity) external view;

    /// @notice Returns whether {requireSignedBy} would pass.
    function isSignedBy(bytes32 modelDigest, bytes32 manifestDigest, bytes32 identity) external view returns (bool);

    /// @notice Like {requireModel}, for callers that have the record's id, see {recordIdOf}.
    function requireOpen(bytes32 recordId, uint8 minimumGrade) external view;

    /// @notice Returns whether {requireOpen} would pass.
    function isOpen(bytes32 recordId, uint8 minimumGrade) external view returns (bool);

    /// @notice Like {requireModel}, for a record in a batch that nobody has written out yet, by a Merkle proof. The
    /// signers vouch for the leaf; the registry has not checked it against the rules of {IProvenanceRegistry-publish}
    /// yet.
    /// @dev Reads the batch's slot only. A leaf is closed by a caller that writes the record out, revokes it, or shows
    /// that the release is recorded otherwise ({IProvenanceRegistry-closeLeaf}). From then on this gate uses the
    /// record's own standing. Until then it does not see a revocation of the same release elsewhere;
    /// {requireMeetsFromProof} sees one at once. A leaf with a name in a claimed namespace is held until it is written
    /// out.
    function requireModelFromProof(
        bytes32 modelDigest,
        bytes32 manifestDigest,
        Proof calldata proof,
        uint8 minimumGrade
    ) external view;

    /// @notice Returns whether {requireModelFromProof} would pass.
    function isModelFromProof(bytes32 modelDigest, bytes32 manifestDigest, Proof calldata proof, uint8 minimumGrade)
        external
        view
        returns (bool);

    /// @notice Reverts unless the record meets all requirements: grade, age, policies, and the weight that the signers
    /// have today. Reads a slot for each signer. Also reverts with {TooMany}.
    function requireMeets(bytes32 modelDigest, bytes32 manifestDigest, Requirements calldata requirements)
        external
        view;

    /// @notice Returns whether {requireMeets} would pass. Reverts with {TooMany} if there are too many policies.
    function meets(bytes32 modelDigest, bytes32 manifestDigest, Requirements calldata requirements)
        external
        view
        returns (bool);

    /// @notice Like {requireMeets}, for a record in a batch. If the release itself is recorded, this gate uses that
    /// record's own standing, whether or not the leaf was closed.
    function requireMeetsFromProof(
        bytes32 modelDigest,
        bytes32 manifestDigest,
        Proof calldata proof,
        Requirements calldata requirements
    ) external view;

    /// @notice Returns whether {requireMeetsFromProof} would pass. Reverts with {TooMany} if there are too many
    /// policies.
    function meetsFromProof(
        bytes32 modelDigest,
        bytes32 manifestDigest,
        Proof calldata proof,
        Requirements calldata requirements
    ) external view returns (bool);

    /// @notice Returns how many of these oracles signed the record with keys that still count. Choose oracles that you
    /// trust, and ask a gate as well: this function ignores the standing, and counts signers of a revoked record too.
    /// It does not count an oracle whose key was not yet valid when the record was written, even if that oracle added
    /// its signature later.
    /// @param oracles Strictly ascending, at most 32. Reverts with {RecordNotFound}, {TooMany} or {NotAscending}.
    function countSigners(bytes32 modelDigest, bytes32 manifestDigest, address[] calldata oracles)
        external
        view
        returns (uint256);

    /// @notice Returns the id of a release's record. It is the same on every chain.
    function recordIdOf(bytes32 modelDigest, bytes32 manifestDigest) external pure returns (bytes32);

    /// @notice Returns the number of a policy, 0 if it has none yet.
    function policyIdOf(bytes32 policyDigest) external view returns (uint32);

    /// @notice Returns the standing of a release: that of its latest judgement, with the revocation, which holds for
    /// all judgements. All 0 for an unknown release.
    function standingOf(bytes32 modelDigest, bytes32 manifestDigest) external view returns (Standing memory);
}
