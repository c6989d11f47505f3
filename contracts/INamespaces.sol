// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {IProvenanceRegistry} from "./IProvenanceRegistry.sol";
import {Namespace, Quorum} from "./Types.sol";

/**
 * @title Namespaces and their publishers
 * @notice An account claims a namespace. The first publishers that the oracles see in the namespace are trusted on
 * first use, up to a limit that the claim states. After that the list is frozen. A new publisher must be proposed,
 * either by the owner's account, or by most of the trusted identities as attested by the oracles, and counts only after
 * a public delay. Until then its records are held: they are kept, but their gates stay shut.
 *
 * The history of a namespace has an entry for every claim, every record that the namespace takes in, holds or adopts,
 * every later judgement of a record taken in, every change of publishers and every handover. (The standing of a record
 * is not in the history: ask the registry for it by the record's id.) Entry n carries head(n) = n << 208 | low 208 bits of
 * keccak256(abi.encode(head(n - 1), kind, subject, time)), with head(0) = 0. If you replay the events and arrive at
 * {headOf}, you have seen all entries.
 */
interface INamespaces {
    /// @notice Kinds of entries in the history. The comment beside each one names its subject.
    enum Entry {
        Claimed, // the owner
        Recorded, // the record's content digest
        Held, // the record's content digest
        Released, // the record's content digest
        IdentityTrusted, // the identity
        IdentityProposed, // the identity
        IdentityDropped, // the identity, trusted or proposed
        HandoverProposed, // the proposed owner; 0 takes the proposal back
        HandedOver, // the new owner
        Adopted // the record's content digest
    }

    /// @notice Emitted for every entry in a namespace's history.
    event NamespaceEntry(
        bytes32 indexed namespaceId,
        uint48 indexed number,
        Entry indexed kind,
        bytes32 subject,
        uint40 time,
        uint256 head
    );

    /// @notice Emitted when a namespace is claimed.
    event NamespaceClaimed(bytes32 indexed namespaceId, address indexed owner, string namespace, uint8 identityLimit);

    /// @notice Thrown when a namespace is not 1 to 96 ASCII letters, digits, `.`, `_` and `-`, when its first or last
    /// character is not a letter or digit, or when it contains `..`.
    error NamespaceInvalid();

    /// @notice Thrown when an account has claimed the namespace already.
    error NamespaceTaken(bytes32 namespaceId, address owner);

    /// @notice Thrown when the caller is not the namespace's owner, or, for a handover, not the account that it was
    /// offered to.
    error NotNamespaceOwner(bytes32 namespaceId, address caller);

    /// @notice Thrown when a name leads to another release already, and that release is not revoked.
    error NameTaken(bytes32 namespaceId, bytes32 releaseDigest, bytes32 recordId);

    /// @notice Thrown when a name leads to no release: there is none of that name, or only held ones.
    error NothingNamed(bytes32 namespaceId, bytes32 releaseDigest);

    /// @notice Thrown when a claim is submitted after its deadline.
    error DeadlinePassed(uint40 deadline);

    /// @notice Thrown when a claim's signature is not a valid signature of the future owner over exactly this claim.
    error WrongClaimSigner(address owner);

    /// @notice Thrown when a claim names more identities than its limit, or a limit above 16, or when a namespace would
    /// trust more than 16 identities.
    error IdentityLimit(uint256 count, uint256 most);

    /// @notice Thrown when an identity is 0, or trusted or proposed already.
    error IdentityKnown(bytes32 identity);

    /// @notice Thrown when an identity is neither trusted nor proposed.
    error IdentityUnknown(bytes32 identity);

    /// @notice Thrown when a proposal has not been public for long enough, or there is no proposal.
    error NotYet(uint40 from);

    /// @notice Thrown when the approvals are not those of most of the trusted identities.
    error TooFewApprovals(uint256 approvals, uint256 trusted);

    /// @notice Thrown when a change was approved for an earlier state of the namespace, and its history has moved on.
    error WrongHistoryNumber(uint48 number, uint48 current);

    /// @notice Thrown when a held record is to be released, or a release adopted, and its publisher is not trusted.
    error IdentityNotTrusted(bytes32 namespaceId, bytes32 identity);

    /// @notice Thrown when a release cannot be adopted: it is not recorded with this content, it is revoked, too few of
    /// its signatures are by keys that still count, or its namespace has decided about it already.
    error NotAdoptable(bytes32 recordId);

    /// @notice Thrown when an account other than the registry reports a record.
    error NotRegistry(address caller);

    /// @notice Thrown when the registry's writes are paused.
    error RegistryIsPaused();

    /**
     * @notice Claims a namespace for the account that signed the claim. Anyone can submit the claim. The first claim
     * wins.
     *
     * @param identities Publishers trusted from the start. They count towards the limit.
     * @param identityLimit Number of publishers trusted on first use, `identities` included. At most 16.
     * @param nonce Number of claims that the owner has signed and used so far, see `nonces`.
     * @param deadline Last moment at which the claim can be submitted.
     * @param signature Signature of the owner (a contract answers by ERC-1271) over the EIP-712 struct `Claim(string
     * namespace,address owner,uint8 identityLimit,bytes32[] identities,uint256 nonce,uint40 deadline)`.
     */
    function claimNamespace(
        string calldata namespace,
        address owner,
        uint8 identityLimit,
        bytes32[] calldata identities,
        uint256 nonce,
        uint40 deadline,
        bytes calldata signature
    ) external;

    /// @notice Proposes a publisher. Only the owner can call this function. The proposal can be accepted after the
    /// public delay, see {acceptIdentity}.
    function proposeIdentity(bytes32 namespaceId, bytes32 identity) external;

    /**
     * @notice Proposes a publisher (`trust`), or drops one, on the approval of most trusted identities instead of the
     * owner's.
     * @param approvals Number of trusted identities that approve, as found by the oracles.
     * @param number Number of the namespace's last entry, so that no approval can be used twice.
     * @param quorum The oracles' signatures, in the registry's EIP-712 domain, over `IdentityChange(uint16
     * epoch,bytes32 namespaceId,bytes32 identity,bool trust,uint8 approvals,uint48 number)`.
     */
    function changeIdentity(
        bytes32 namespaceId,
        bytes32 identity,
        bool trust,
        uint8 approvals,
        uint48 number,
        Quorum calldata quorum
    ) external;

    /// @notice Trusts a proposed publisher once the public delay is over. Anyone can call this function.
    function acceptIdentity(bytes32 namespaceId, bytes32 identity) external;

    /// @notice Stops trusting a publisher, or takes a proposal back, at once. Only the owner can call this function.
    /// Existing records stay as they are. After a trusted publisher is dropped, the namespace trusts no other publisher
    /// on first use.
    function dropIdentity(bytes32 namespaceId, bytes32 identity) external;

    /// @notice Proposes to hand the namespace over. `to` can accept after the public delay. 0 takes the proposal back.
    /// Only the owner can call this function.
    function proposeHandover(bytes32 namespaceId, address to) external;

    /// @notice Takes over a namespace. Only the account that it was offered to can call this function.
    function acceptHandover(bytes32 namespaceId) external;

    /**
     * @notice Adopts a release that was recorded before the namespace was claimed: its name leads to it from then on.
     *
     * Requirements: the caller owns the namespace that the record names; the namespace trusts the record's publisher;
     * the release is recorded with this content, not revoked, and signed by enough keys that still count (the registry
     * recounts them); the namespace has not decided about it yet; the name is free, or leads to a release that is
     * revoked; writes are not paused.
     * @param record The first judgement of the release, as published.
     */
    function adoptRelease(bytes calldata record) external;

    /// @notice Decides whether a claimed namespace takes a new record in or holds it. Only the registry can call this
    /// function.
    /// @return named True if the publisher is trusted and the name leads to the record; false if the record is held.
    function admit(
        bytes32 namespaceId,
        bytes32 identity,
        bytes32 releaseDigest,
        bytes32 releaseId,
        bytes32 contentDigest
    ) external returns (bool named);

    /// @notice Makes the name of a held record lead to it. Only the registry can call this function; see
    /// {IProvenanceRegistry-releaseHeld}.
    function release(
        bytes32 namespaceId,
        bytes32 identity,
        bytes32 releaseDigest,
        bytes32 releaseId,
        bytes32 contentDigest
    ) external;

    /// @notice Reverts with {NothingNamed} if the name leads to no record, and otherwise unless
    /// {IProvenanceGate-requireOpen} passes for the record that the name leads to.
    /// @param releaseDigest keccak256 of `model@version`.
    /// @return recordId The record that the name leads to.
    function requireNamed(bytes32 namespaceId, bytes32 releaseDigest, uint8 minimumGrade)
        external
        view
        returns (bytes32 recordId);

    /// @notice Returns a namespace, all 0 if nobody has claimed it. Its id is keccak256 of its UTF-8 bytes.
    function namespaceOf(bytes32 namespaceId) external view returns (Namespace memory);

    /// @notice Returns the head of a namespace's history: the number of its last entry in the upper 48 bits, and the
    /// chained hash.
    function headOf(bytes32 namespaceId) external view returns (uint256);

    /// @notice Returns the time since which an identity is trusted in a namespace, 0 if it is not trusted.
    function trustedSince(bytes32 namespaceId, bytes32 identity) external view returns (uint40);

    /// @notice Returns the time from which a proposed identity can be accepted, 0 if it is not proposed.
    function acceptableFrom(bytes32 namespaceId, bytes32 identity) external view returns (uint40);

    /// @notice Returns the account that can take over a namespace, and the time from which it can; both 0 if there is
    /// no offer.
    function handoverOf(bytes32 namespaceId) external view returns (address to, uint40 from);

    /// @notice Returns the record that a name leads to, 0 if there is none.
    /// @param releaseDigest keccak256 of `model@version`.
    function recordOfName(bytes32 namespaceId, bytes32 releaseDigest) external view returns (bytes32 recordId);

    /// @notice Returns the registry that holds the records.
    function registry() external view returns (IProvenanceRegistry);
}
