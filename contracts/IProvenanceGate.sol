// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {Proof, Requirements, Standing} from "./Types.sol";

/**
 * @title What a dApp asks
 * @notice Whether an AI model was recorded as coming from a confidential VM, and how good the evidence was.
 *
 * A record is found by two digests that anyone with the release can compute: the model digest, which binds the name,
 * size and bytes of every file, and the manifest digest, which names the signed statement of where they came from.
 *
 * Every gate comes as a yes or no, and as a call that reverts with an error that says why.
 *
 * `requireModel`, `isModel` and their kin `FromProof` have the lowest selectors of a registry: its dispatcher compares
 * them first, which saves a gate some 700 gas.
 */
interface IProvenanceGate {
    /// @notice Thrown when nothing is recorded that could open a gate: no such record, a FAILED verdict, an id that is
    /// not a release's, or a proof that leads to no batch.
    error RecordNotFound(bytes32 recordId);

    /// @notice Thrown when the release was revoked, with effect from `revokedAt`.
    error RecordIsRevoked(bytes32 recordId, uint40 revokedAt);

    /// @notice Thrown when the release was judged longer ago than the caller accepts.
    error RecordIsExpired(bytes32 recordId, uint40 judgedAt, uint40 maximumAge);

    /// @notice Thrown when the hardware was simulated, which proves nothing.
    error RecordIsSimulated(bytes32 recordId);

    /// @notice Thrown when the record is kept and its gate is shut: the namespace does not trust its publisher (held),
    /// or too few of its signatures are by keys that count (doubtful).
    error RecordIsClosed(bytes32 recordId, bool held, bool doubtful);

    /// @notice Thrown when the grade is below the caller's.
    error GradeTooLow(bytes32 recordId, uint8 grade, uint8 minimumGrade);

    /// @notice Thrown when the release was judged by a policy that the caller does not list.
    error WrongPolicy(bytes32 recordId, uint32 policyId);

    /// @notice Thrown when the signers weigh less than the caller asks.
    error WeightTooLow(bytes32 recordId, uint16 weight, uint16 minimumWeight);

    /// @notice Thrown when a list is longer than what one call may look at.
    error TooMany(uint256 count, uint256 most);

    /// @notice Thrown when a list of accounts is not in strictly ascending order.
    error NotAscending(uint256 index);

    /// @notice The gate: reverts unless the release is recorded, in good standing, on real hardware, with this grade.
    /// @dev Reads one slot: at most 5,500 gas from another contract. A release that was judged again, or that is
    /// refused, takes two slots, and up to 9,000 gas: leave room for them. Keys revoked later count once somebody
    /// called {IProvenanceRegistry-recount}; {requireMeets} needs no such call.
    function requireModel(bytes32 modelDigest, bytes32 manifestDigest, uint8 minimumGrade) external view;

    /// @notice {requireModel} as a yes or no.
    function isModel(bytes32 modelDigest, bytes32 manifestDigest, uint8 minimumGrade) external view returns (bool);

    /// @notice {isModel} for records of simulated hardware, of which it takes no others. For demonstrations and tests.
    function isSimulatedModel(bytes32 modelDigest, bytes32 manifestDigest) external view returns (bool);

    /// @notice {requireModel} for those who have the record's id, see {recordIdOf}.
    function requireOpen(bytes32 recordId, uint8 minimumGrade) external view;

    /// @notice {requireOpen} as a yes or no.
    function isOpen(bytes32 recordId, uint8 minimumGrade) external view returns (bool);

    /// @notice The gate for a record in a batch that nobody wrote out yet: {requireModel} through a Merkle proof.
    /// Whatever the leaf says is its signers' word: no rule of {IProvenanceRegistry-publish} was held against it yet.
    /// @dev Reads the batch's slot alone. Once the leaf is closed, by whoever wrote the record out, revoked it or found
    /// the release recorded otherwise ({IProvenanceRegistry-closeLeaf}), this asks for the record's own standing; until
    /// then a revocation of the same release elsewhere does not reach it, which {requireMeetsFromProof} sees at once.
    /// One with a name in a claimed namespace is held until it is written out.
    function requireModelFromProof(
        bytes32 modelDigest,
        bytes32 manifestDigest,
        Proof calldata proof,
        uint8 minimumGrade
    ) external view;

    /// @notice {requireModelFromProof} as a yes or no.
    function isModelFromProof(bytes32 modelDigest, bytes32 manifestDigest, Proof calldata proof, uint8 minimumGrade)
        external
        view
        returns (bool);

    /// @notice The exact gate: grade, age, policies and the weight that the signers have today. Reads a slot for each
    /// signer. Reverts also with {TooMany}.
    function requireMeets(bytes32 modelDigest, bytes32 manifestDigest, Requirements calldata requirements)
        external
        view;

    /// @notice {requireMeets} as a yes or no. Reverts with {TooMany} policies.
    function meets(bytes32 modelDigest, bytes32 manifestDigest, Requirements calldata requirements)
        external
        view
        returns (bool);

    /// @notice {requireMeets} for a record in a batch. A release that is recorded itself is asked for its own standing,
    /// whether or not its leaf was closed.
    function requireMeetsFromProof(
        bytes32 modelDigest,
        bytes32 manifestDigest,
        Proof calldata proof,
        Requirements calldata requirements
    ) external view;

    /// @notice {requireMeetsFromProof} as a yes or no. Reverts with {TooMany} policies.
    function meetsFromProof(
        bytes32 modelDigest,
        bytes32 manifestDigest,
        Proof calldata proof,
        Requirements calldata requirements
    ) external view returns (bool);

    /// @notice How many of these oracles signed the record with keys that still count. Trust your own choice of them,
    /// and ask a gate as well: this says nothing of the standing, and counts for a revoked record too. Whose key was
    /// not valid yet when the record was written is not counted, though he may have joined it later.
    /// @param oracles Strictly ascending, at most 32. Reverts with {RecordNotFound}, {TooMany}, {NotAscending}.
    function countSigners(bytes32 modelDigest, bytes32 manifestDigest, address[] calldata oracles)
        external
        view
        returns (uint256);

    /// @notice The id of a release's record: it is the same on every chain.
    function recordIdOf(bytes32 modelDigest, bytes32 manifestDigest) external pure returns (bytes32);

    /// @notice The number of a policy, 0 if it has none yet.
    function policyIdOf(bytes32 policyDigest) external view returns (uint32);

    /// @notice The standing of a release: that of its latest judgement, with the revocation of all. All 0 for an
    /// unknown one.
    function standingOf(bytes32 modelDigest, bytes32 manifestDigest) external view returns (Standing memory);
}
