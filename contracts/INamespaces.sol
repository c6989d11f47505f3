// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {IProvenanceRegistry} from "./IProvenanceRegistry.sol";
import {Namespace, Quorum} from "./Types.sol";

/**
 * @title Names, and who may publish under them
 * @notice An account claims a namespace. The first publishers that the oracles see in it, up to a number the claim
 * states, are trusted on first use; then the list is frozen. A new one must be proposed by the owner's account, or by
 * most of the trusted identities as the oracles attest, and waits in public before it counts. Until then its records
 * are kept, held, and their gates are shut.
 *
 * Claims, records that the namespace took in or holds, later judgements of those it took in, publishers and hand-overs
 * are the entries of its history. (What becomes of a record is asked of the registry, by its id.) Entry n carries
 * head(n) = n << 208 | low 208 bits of keccak256(abi.encode(head(n - 1), kind, subject, time)), head(0) = 0. Whoever
 * replays the events and arrives at {headOf} has seen all of them.
 */
interface INamespaces {
    /// @notice What an entry of the history is about, and what its subject is.
    enum Entry {
        Claimed, // the owner
        Recorded, // the record's content digest
        Held, // the record's content digest
        Released, // the record's content digest
        IdentityTrusted, // the identity
        IdentityProposed, // the identity
        IdentityDropped, // the identity, trusted or proposed
        HandoverProposed, // the account that shall own it; 0 takes the proposal back
        HandedOver // the new owner
    }

    /// @notice Emitted for every entry of a namespace's history.
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

    /// @notice Thrown when a namespace is not 1 to 96 ASCII letters, digits, `.`, `_`, `-`, or begins or ends otherwise
    /// than with a letter or digit, or holds `..`.
    error NamespaceInvalid();

    /// @notice Thrown when a namespace is claimed by an account already.
    error NamespaceTaken(bytes32 namespaceId, address owner);

    /// @notice Thrown when the caller is not the namespace's owner, or the account it shall be handed over to.
    error NotNamespaceOwner(bytes32 namespaceId, address caller);

    /// @notice Thrown when a name leads to another release already, one that is not revoked.
    error NameTaken(bytes32 namespaceId, bytes32 releaseDigest, bytes32 recordId);

    /// @notice Thrown when a name leads to no release: nothing of that name, or nothing but held releases.
    error NothingNamed(bytes32 namespaceId, bytes32 releaseDigest);

    /// @notice Thrown when a claim came after its deadline.
    error DeadlinePassed(uint40 deadline);

    /// @notice Thrown when a claim's signature is not one by the owner-to-be over this very claim.
    error WrongClaimSigner(address owner);

    /// @notice Thrown when a claim names more identities than its limit, or the limit is above 16.
    error IdentityLimit(uint256 count, uint256 most);

    /// @notice Thrown when an identity is 0, or trusted or proposed already.
    error IdentityKnown(bytes32 identity);

    /// @notice Thrown when an identity is neither trusted nor proposed.
    error IdentityUnknown(bytes32 identity);

    /// @notice Thrown when what was proposed has not been public for long enough, or was not proposed.
    error NotYet(uint40 from);

    /// @notice Thrown when not most of the trusted identities approve.
    error TooFewApprovals(uint256 approvals, uint256 trusted);

    /// @notice Thrown when a change was approved for another state of the namespace: its history went on.
    error WrongHistoryNumber(uint48 number, uint48 current);

    /// @notice Thrown when the publisher's identity of a held record still is not trusted.
    error IdentityNotTrusted(bytes32 namespaceId, bytes32 identity);

    /// @notice Thrown when somebody else than the registry reports a record.
    error NotRegistry(address caller);

    /// @notice Thrown when the registry's writes are stopped.
    error RegistryIsPaused();

    /**
     * @notice Claims a namespace for the account that signed the claim. Anyone may submit it. First come, first served.
     *
     * @param identities Publishers trusted from the start; they count towards the limit.
     * @param identityLimit Publishers trusted on first use, `identities` included; at most 16.
     * @param nonce How many claims the owner has signed and used, see `nonces`.
     * @param deadline Last moment at which the claim may be submitted.
     * @param signature By the owner (a contract answers by ERC-1271) over the EIP-712 struct `Claim(string namespace,
     * address owner,uint8 identityLimit,bytes32[] identities,uint256 nonce,uint40 deadline)`.
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

    /// @notice Proposes a publisher. The owner may; it counts after the public delay, see {acceptIdentity}.
    function proposeIdentity(bytes32 namespaceId, bytes32 identity) external;

    /**
     * @notice Proposes a publisher (`trust`), or drops one, by the word of most trusted identities instead of the
     * owner.
     * @param approvals How many trusted identities approve, as the oracles found out.
     * @param number The number of the namespace's last entry, so that no approval can be used twice.
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

    /// @notice Trusts a proposed publisher once the public delay is over. Anyone may call.
    function acceptIdentity(bytes32 namespaceId, bytes32 identity) external;

    /// @notice Stops trusting a publisher, or takes a proposal back, at once. Only the owner may. Records stay as they
    /// are. Once a trusted publisher was dropped, no other is trusted on first use.
    function dropIdentity(bytes32 namespaceId, bytes32 identity) external;

    /// @notice Proposes to hand the namespace over; `to` may accept after the public delay. 0 takes the proposal back.
    function proposeHandover(bytes32 namespaceId, address to) external;

    /// @notice Takes over a namespace. Only the account it was offered to may.
    function acceptHandover(bytes32 namespaceId) external;

    /// @notice What becomes of a new record in a claimed namespace. Only the registry calls this.
    /// @return named Whether its publisher is trusted, and the name leads to it; otherwise it is held.
    function admit(
        bytes32 namespaceId,
        bytes32 identity,
        bytes32 releaseDigest,
        bytes32 releaseId,
        bytes32 contentDigest
    ) external returns (bool named);

    /// @notice Lets the name of a held record lead to it. Only the registry calls this; see
    /// {IProvenanceRegistry-releaseHeld}.
    function release(
        bytes32 namespaceId,
        bytes32 identity,
        bytes32 releaseDigest,
        bytes32 releaseId,
        bytes32 contentDigest
    ) external;

    /// @notice The gate by name: reverts with {NothingNamed}, or unless {IProvenanceGate-requireOpen} lets the record
    /// through that the name leads to.
    /// @param releaseDigest keccak256 of `model@version`.
    /// @return recordId The record.
    function requireNamed(bytes32 namespaceId, bytes32 releaseDigest, uint8 minimumGrade)
        external
        view
        returns (bytes32 recordId);

    /// @notice A namespace; all 0 if nobody claimed it. Its id is keccak256 of its UTF-8 bytes.
    function namespaceOf(bytes32 namespaceId) external view returns (Namespace memory);

    /// @notice Head of a namespace's history: the number of its last entry in the upper 48 bits, and the chained hash.
    function headOf(bytes32 namespaceId) external view returns (uint256);

    /// @notice Since when an identity is trusted in a namespace; 0 if it is not.
    function trustedSince(bytes32 namespaceId, bytes32 identity) external view returns (uint40);

    /// @notice From when a proposed identity can be accepted; 0 if it is not proposed.
    function acceptableFrom(bytes32 namespaceId, bytes32 identity) external view returns (uint40);

    /// @notice Who shall take over a namespace, and from when on; both 0 if nobody.
    function handoverOf(bytes32 namespaceId) external view returns (address to, uint40 from);

    /// @notice The record that a name leads to, 0 if none. `releaseDigest` is keccak256 of `model@version`.
    function recordOfName(bytes32 namespaceId, bytes32 releaseDigest) external view returns (bytes32 recordId);

    /// @notice The registry whose records these are the names of.
    function registry() external view returns (IProvenanceRegistry);
}
