// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";
import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {INamespaces} from "./INamespaces.sol";
import {IProvenanceRegistry} from "./IProvenanceRegistry.sol";
import {AccountSignature} from "./lib/AccountSignature.sol";
import {RecordCodec} from "./lib/RecordCodec.sol";
import {RecordIds} from "./lib/RecordIds.sol";
import {Slug} from "./lib/Slug.sol";
import {TypedData} from "./lib/TypedData.sol";
import {Namespace, Quorum, Standing} from "./Types.sol";

/**
 * @title Namespaces, identities and names
 * @notice See {INamespaces}.
 */
contract Namespaces is INamespaces, IERC165, TypedData, Nonces {
    using RecordCodec for bytes;

    uint256 private constant MAX_IDENTITIES = 16;
    uint256 private constant HASH_BITS = 208;
    bytes32 private constant CLAIM_TYPEHASH = keccak256(
        "Claim(string namespace,address owner,uint8 identityLimit,bytes32[] identities,uint256 nonce,uint40 deadline)"
    );
    bytes32 private constant CHANGE_TYPEHASH = keccak256(
        "IdentityChange(uint16 epoch,bytes32 namespaceId,bytes32 identity,bool trust,uint8 approvals,uint48 number)"
    );

    /// @dev Time since which an identity is trusted, and time from which it can be accepted. At most one of the two is
    /// not 0.
    struct Trust {
        uint40 since;
        uint40 acceptableFrom;
    }

    struct Handover {
        address to;
        uint40 from;
    }

    /// @inheritdoc INamespaces
    IProvenanceRegistry public registry;

    mapping(bytes32 namespaceId => Namespace) private _namespaces;
    mapping(bytes32 namespaceId => uint256) private _heads;
    mapping(bytes32 namespaceId => mapping(bytes32 identity => Trust)) private _trust;
    mapping(bytes32 namespaceId => Handover) private _handovers;
    mapping(bytes32 namespaceId => mapping(bytes32 releaseDigest => bytes32 recordId)) private _names;

    modifier onlyNamespaceOwner(bytes32 namespaceId) {
        if (msg.sender != _namespaces[namespaceId].owner) revert NotNamespaceOwner(namespaceId, msg.sender);
        _;
    }

    modifier onlyRegistry() {
        if (msg.sender != address(registry)) revert NotRegistry(msg.sender);
        _;
    }

    modifier whileWriting() {
        if (registry.writesPaused()) revert RegistryIsPaused();
        _;
    }

    constructor(IProvenanceRegistry registry_) {
        registry = registry_;
    }

    /// @inheritdoc INamespaces
    function claimNamespace(
        string calldata namespace,
        address owner,
        uint8 identityLimit,
        bytes32[] calldata identities,
        uint256 nonce,
        uint40 deadline,
        bytes calldata signature
    ) external whileWriting {
        // (1) The name is valid and free.
        if (!Slug.isSlug(bytes(namespace))) revert NamespaceInvalid();
        bytes32 namespaceId = keccak256(bytes(namespace));
        Namespace storage space = _namespaces[namespaceId];
        if (space.owner != address(0)) revert NamespaceTaken(namespaceId, space.owner);
        if (identityLimit > MAX_IDENTITIES) revert IdentityLimit(identityLimit, MAX_IDENTITIES);
        if (identities.length > identityLimit) revert IdentityLimit(identities.length, identityLimit);
        // (2) The future owner signed the claim, which is used once and in time.
        if (block.timestamp > deadline) revert DeadlinePassed(deadline);
        _useCheckedNonce(owner, nonce);
        bytes32 digest = _typedDigest(
            keccak256(
                abi.encode(
                    CLAIM_TYPEHASH,
                    namespaceId,
                    owner,
                    identityLimit,
                    keccak256(abi.encodePacked(identities)),
                    nonce,
                    deadline
                )
            )
        );
        if (!AccountSignature.isValid(owner, digest, signature)) revert WrongClaimSigner(owner);
        // (3) The history begins.
        space.owner = owner;
        space.claimedAt = uint40(block.timestamp);
        space.identityLimit = identityLimit;
        emit NamespaceClaimed(namespaceId, owner, namespace, identityLimit);
        _enter(namespaceId, Entry.Claimed, bytes32(uint256(uint160(owner))));
        for (uint256 i = 0; i < identities.length; ++i) {
            bytes32 identity = identities[i];
            if (identity == 0 || _trust[namespaceId][identity].since != 0) revert IdentityKnown(identity);
            _trustOnFirstUse(namespaceId, identity);
        }
        registry.noteClaim(namespaceId);
    }

    /// @inheritdoc INamespaces
    function proposeIdentity(bytes32 namespaceId, bytes32 identity)
        external
        whileWriting
        onlyNamespaceOwner(namespaceId)
    {
        _propose(namespaceId, identity);
    }

    /// @inheritdoc INamespaces
    function changeIdentity(
        bytes32 namespaceId,
        bytes32 identity,
        bool trust,
        uint8 approvals,
        uint48 number,
        Quorum calldata quorum
    ) external whileWriting {
        uint48 current = uint48(_heads[namespaceId] >> HASH_BITS);
        if (current == 0 || number != current) revert WrongHistoryNumber(number, current);
        uint8 trusted = _namespaces[namespaceId].trusted;
        if (uint256(approvals) * 2 <= trusted || approvals > trusted) revert TooFewApprovals(approvals, trusted);
        registry.requireQuorum(
            keccak256(abi.encode(CHANGE_TYPEHASH, quorum.epoch, namespaceId, identity, trust, approvals, number)),
            quorum
        );
        if (trust) _propose(namespaceId, identity);
        else _drop(namespaceId, identity);
    }

    /// @inheritdoc INamespaces
    function acceptIdentity(bytes32 namespaceId, bytes32 identity) external whileWriting {
        uint40 from = _trust[namespaceId][identity].acceptableFrom;
        if (from == 0 || block.timestamp < from) revert NotYet(from);
        _trustNow(namespaceId, identity);
    }

    /// @inheritdoc INamespaces
    function dropIdentity(bytes32 namespaceId, bytes32 identity) external onlyNamespaceOwner(namespaceId) {
        _drop(namespaceId, identity);
    }

    /// @inheritdoc INamespaces
    function proposeHandover(bytes32 namespaceId, address to) external onlyNamespaceOwner(namespaceId) {
        _handovers[namespaceId] = Handover(to, to == address(0) ? 0 : uint40(block.timestamp) + registry.publicDelay());
        _enter(namespaceId, Entry.HandoverProposed, bytes32(uint256(uint160(to))));
    }

    /// @inheritdoc INamespaces
    function acceptHandover(bytes32 namespaceId) external {
        Handover memory handover = _handovers[namespaceId];
        if (msg.sender != handover.to) revert NotNamespaceOwner(namespaceId, msg.sender);
        if (block.timestamp < handover.from) revert NotYet(handover.from);
        delete _handovers[namespaceId];
        _namespaces[namespaceId].owner = msg.sender;
        _enter(namespaceId, Entry.HandedOver, bytes32(uint256(uint160(msg.sender))));
    }

    /// @inheritdoc INamespaces
    function adoptRelease(bytes calldata record) external whileWriting {
        RecordCodec.Parts memory parts = record.partsOf();
        bytes32 namespaceId = keccak256(record.namespaceOf(parts));
        if (msg.sender != _namespaces[namespaceId].owner) revert NotNamespaceOwner(namespaceId, msg.sender);
        bytes32 identity = record.publisherIdentityOf();
        if (_trust[namespaceId][identity].since == 0) revert IdentityNotTrusted(namespaceId, identity);
        bytes32 releaseId = RecordIds.ofRelease(record.modelDigestOf(), record.manifestDigestOf());
        _requireAdoptable(releaseId, record);
        _bindName(namespaceId, keccak256(record.releaseOf(parts)), releaseId);
        _enter(namespaceId, Entry.Adopted, keccak256(record));
        registry.noteNamed(releaseId);
    }

    /// @inheritdoc INamespaces
    function admit(
        bytes32 namespaceId,
        bytes32 identity,
        bytes32 releaseDigest,
        bytes32 releaseId,
        bytes32 contentDigest
    ) external onlyRegistry returns (bool named) {
        // A later judgement of a release that already has the name needs no new trust.
        named = _names[namespaceId][releaseDigest] == releaseId || _isTrusted(namespaceId, identity);
        if (named) _bindName(namespaceId, releaseDigest, releaseId);
        _enter(namespaceId, named ? Entry.Recorded : Entry.Held, contentDigest);
    }

    /// @inheritdoc INamespaces
    function release(
        bytes32 namespaceId,
        bytes32 identity,
        bytes32 releaseDigest,
        bytes32 releaseId,
        bytes32 contentDigest
    ) external onlyRegistry {
        if (_trust[namespaceId][identity].since == 0) revert IdentityNotTrusted(namespaceId, identity);
        _bindName(namespaceId, releaseDigest, releaseId);
        _enter(namespaceId, Entry.Released, contentDigest);
    }

    /// @inheritdoc INamespaces
    function namespaceOf(bytes32 namespaceId) external view returns (Namespace memory) {
        return _namespaces[namespaceId];
    }

    /// @inheritdoc INamespaces
    function headOf(bytes32 namespaceId) external view returns (uint256) {
        return _heads[namespaceId];
    }

    /// @inheritdoc INamespaces
    function trustedSince(bytes32 namespaceId, bytes32 identity) external view returns (uint40) {
        return _trust[namespaceId][identity].since;
    }

    /// @inheritdoc INamespaces
    function acceptableFrom(bytes32 namespaceId, bytes32 identity) external view returns (uint40) {
        return _trust[namespaceId][identity].acceptableFrom;
    }

    /// @inheritdoc INamespaces
    function handoverOf(bytes32 namespaceId) external view returns (address to, uint40 from) {
        return (_handovers[namespaceId].to, _handovers[namespaceId].from);
    }

    /// @inheritdoc INamespaces
    function recordOfName(bytes32 namespaceId, bytes32 releaseDigest) external view returns (bytes32 recordId) {
        return _names[namespaceId][releaseDigest];
    }

    /// @inheritdoc INamespaces
    function requireNamed(bytes32 namespaceId, bytes32 releaseDigest, uint8 minimumGrade)
        external
        view
        returns (bytes32 recordId)
    {
        recordId = _names[namespaceId][releaseDigest];
        if (recordId == 0) revert NothingNamed(namespaceId, releaseDigest);
        registry.requireOpen(recordId, minimumGrade);
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return interfaceId == type(INamespaces).interfaceId || interfaceId == type(IERC5267).interfaceId
            || interfaceId == type(IERC165).interfaceId;
    }

    function _domainName() internal pure override returns (string memory) {
        return "ProvenanceNamespaces";
    }

    function _isTrusted(bytes32 namespaceId, bytes32 identity) private returns (bool) {
        if (_trust[namespaceId][identity].since != 0) return true;
        Namespace storage space = _namespaces[namespaceId];
        bool full = space.firstUses >= space.identityLimit || space.trusted >= MAX_IDENTITIES;
        if (identity == 0 || full) return false;
        _trustOnFirstUse(namespaceId, identity);
        return true;
    }

    function _trustOnFirstUse(bytes32 namespaceId, bytes32 identity) private {
        ++_namespaces[namespaceId].firstUses;
        _trustNow(namespaceId, identity);
    }

    function _trustNow(bytes32 namespaceId, bytes32 identity) private {
        _trust[namespaceId][identity] = Trust(uint40(block.timestamp), 0);
        if (++_namespaces[namespaceId].trusted > MAX_IDENTITIES) {
            revert IdentityLimit(_namespaces[namespaceId].trusted, MAX_IDENTITIES);
        }
        _enter(namespaceId, Entry.IdentityTrusted, identity);
    }

    function _propose(bytes32 namespaceId, bytes32 identity) private {
        Trust storage trust = _trust[namespaceId][identity];
        if (identity == 0 || trust.since != 0 || trust.acceptableFrom != 0) revert IdentityKnown(identity);
        trust.acceptableFrom = uint40(block.timestamp) + registry.publicDelay();
        _enter(namespaceId, Entry.IdentityProposed, identity);
    }

    function _drop(bytes32 namespaceId, bytes32 identity) private {
        Trust memory trust = _trust[namespaceId][identity];
        if (trust.since == 0 && trust.acceptableFrom == 0) revert IdentityUnknown(identity);
        if (trust.since != 0) {
            --_namespaces[namespaceId].trusted;
            // A dropped publisher must not be trusted on first use again.
            _namespaces[namespaceId].firstUses = _namespaces[namespaceId].identityLimit;
        }
        delete _trust[namespaceId][identity];
        _enter(namespaceId, Entry.IdentityDropped, identity);
    }

    /// @dev Reverts unless this is the first judgement of a release in good standing, about which no namespace has
    /// decided: it was recorded before the claim.
    function _requireAdoptable(bytes32 releaseId, bytes calldata record) private {
        bool recorded = registry.contentOf(releaseId) == keccak256(record) && registry.isStandingRelease(releaseId);
        if (!recorded) revert NotAdoptable(releaseId);
        // Signatures of keys that are revoked by now must not take a name from others.
        registry.recount(releaseId);
        Standing memory standing = registry.standingOf(record.modelDigestOf(), record.manifestDigestOf());
        if (standing.held || standing.named || standing.doubtful) revert NotAdoptable(releaseId);
    }

    function _bindName(bytes32 namespaceId, bytes32 releaseDigest, bytes32 releaseId) private {
        bytes32 known = _names[namespaceId][releaseDigest];
        if (known == releaseId) return;
        if (known != 0 && registry.isStandingRelease(known)) revert NameTaken(namespaceId, releaseDigest, known);
        _names[namespaceId][releaseDigest] = releaseId;
    }

    /// @dev Adds an entry to a namespace's history: 48 bits for the number, 208 bits for the hash.
    function _enter(bytes32 namespaceId, Entry kind, bytes32 subject) private {
        uint256 head = _heads[namespaceId];
        uint256 number = (head >> HASH_BITS) + 1;
        uint256 hash = uint256(keccak256(abi.encode(head, kind, subject, uint40(block.timestamp))));
        head = number << HASH_BITS | uint256(uint208(hash));
        _heads[namespaceId] = head;
        emit NamespaceEntry(namespaceId, uint48(number), kind, subject, uint40(block.timestamp), head);
    }
}
