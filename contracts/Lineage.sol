// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {ILineage} from "./ILineage.sol";
import {INamespaces} from "./INamespaces.sol";
import {IProvenanceRegistry} from "./IProvenanceRegistry.sol";
import {RecordCodec} from "./lib/RecordCodec.sol";
import {RecordIds} from "./lib/RecordIds.sol";
import {Ancestor} from "./Types.sol";

/**
 * @title Lineage
 * @notice See {ILineage}. Ancestors are found breadth first, each once, within fixed bounds.
 */
contract Lineage is ILineage {
    using RecordCodec for bytes;

    uint256 private constant MAX_PARENTS = 8;
    uint256 private constant MAX_ANCESTORS = 64;
    uint8 private constant MAX_GENERATIONS = 16;

    /// @inheritdoc ILineage
    IProvenanceRegistry public registry;

    mapping(bytes32 recordId => bytes32[]) private _attestedParents;
    mapping(bytes32 releaseId => bytes32[]) private _statedParents;

    /// @dev What was found so far; `list` has room for all.
    struct Found {
        Ancestor[] list;
        uint256 count;
        bool tooLarge;
    }

    constructor(IProvenanceRegistry registry_) {
        registry = registry_;
    }

    /// @inheritdoc ILineage
    function addParents(bytes32 recordId, bytes32 releaseId, bytes calldata parents) external {
        if (msg.sender != address(registry)) revert NotRegistry(msg.sender);
        uint256 count = parents.length / 32;
        if (count > MAX_PARENTS) revert TooManyParents(count);
        for (uint256 i = 0; i < count; ++i) {
            bytes32 parent = bytes32(parents[i * 32:i * 32 + 32]);
            _requireParent(parent, releaseId);
            _attestedParents[recordId].push(parent);
        }
    }

    /// @inheritdoc ILineage
    function stateParent(bytes calldata record, bytes32 parent) external {
        if (registry.writesPaused()) revert RegistryIsPaused();
        // (1) an owner speaks for what his namespace took in, not for whatever calls itself by its name
        bytes32 recordId = registry.idOf(record);
        bool named = registry.contentOf(recordId) == keccak256(record) && registry.standingOfId(recordId).named;
        if (!named) revert RecordNotNamed(recordId);
        bytes32 namespaceId = keccak256(record.namespaceOf(record.partsOf()));
        if (msg.sender != registry.namespaces().namespaceOf(namespaceId).owner) {
            revert NotNamespaceOwner(namespaceId, msg.sender);
        }
        // (2) one parent more of the release, whatever its judgements
        bytes32 releaseId = RecordIds.ofRelease(record.modelDigestOf(), record.manifestDigestOf());
        _requireParent(parent, releaseId);
        bytes32[] storage stated = _statedParents[releaseId];
        if (stated.length >= MAX_PARENTS) revert TooManyParents(stated.length);
        stated.push(parent);
        emit ParentStated(releaseId, parent, msg.sender);
    }

    /// @inheritdoc ILineage
    function requireLineage(bytes32 modelDigest, bytes32 manifestDigest, uint8 minimumGrade, bool includeStated)
        external
        view
    {
        bytes32 recordId = RecordIds.ofRelease(modelDigest, manifestDigest);
        registry.requireOpen(recordId, minimumGrade);
        Ancestor[] memory ancestors = ancestorsOf(recordId, includeStated);
        for (uint256 i = 0; i < ancestors.length; ++i) {
            registry.requireOpen(ancestors[i].recordId, minimumGrade);
        }
    }

    /// @inheritdoc ILineage
    function hasLineage(bytes32 modelDigest, bytes32 manifestDigest, uint8 minimumGrade, bool includeStated)
        external
        view
        returns (bool)
    {
        bytes32 recordId = RecordIds.ofRelease(modelDigest, manifestDigest);
        if (!registry.isOpen(recordId, minimumGrade)) return false;
        Found memory found = _find(recordId, includeStated);
        for (uint256 i = 0; i < found.count; ++i) {
            if (!registry.isOpen(found.list[i].recordId, minimumGrade)) return false;
        }
        return !found.tooLarge;
    }

    /// @inheritdoc ILineage
    function ancestorsOf(bytes32 recordId, bool includeStated) public view returns (Ancestor[] memory ancestors) {
        Found memory found = _find(recordId, includeStated);
        if (found.tooLarge) revert LineageTooLarge(recordId);
        ancestors = new Ancestor[](found.count);
        for (uint256 i = 0; i < found.count; ++i) {
            ancestors[i] = found.list[i];
            ancestors[i].open = registry.isOpen(ancestors[i].recordId, 0);
        }
    }

    /// @inheritdoc ILineage
    function parentsOf(bytes32 recordId) external view returns (bytes32[] memory attested, bytes32[] memory stated) {
        return (_attestedParentsOf(recordId), _statedParents[recordId]);
    }

    function _find(bytes32 recordId, bool includeStated) private view returns (Found memory found) {
        found.list = new Ancestor[](MAX_ANCESTORS);
        _addParentsOf(found, recordId, recordId, 1, true, includeStated);
        for (uint256 i = 0; i < found.count && !found.tooLarge; ++i) {
            Ancestor memory child = found.list[i];
            _addParentsOf(found, recordId, child.recordId, child.depth + 1, child.attested, includeStated);
        }
    }

    function _addParentsOf(
        Found memory found,
        bytes32 start,
        bytes32 child,
        uint8 depth,
        bool attested,
        bool includeStated
    ) private view {
        _add(found, start, child, _attestedParentsOf(child), depth, attested);
        if (includeStated) _add(found, start, child, _statedParents[child], depth, false);
    }

    function _add(
        Found memory found,
        bytes32 start,
        bytes32 child,
        bytes32[] storage parents,
        uint8 depth,
        bool attested
    ) private view {
        uint256 length = parents.length;
        for (uint256 i = 0; i < length && !found.tooLarge; ++i) {
            bytes32 parent = parents[i];
            // Stated edges may lead back to where the search began.
            if (parent == start || _isKnown(found, parent, attested)) continue;
            if (found.count == MAX_ANCESTORS || depth > MAX_GENERATIONS) {
                found.tooLarge = true;
            } else {
                found.list[found.count++] = Ancestor(parent, child, depth, attested, false);
            }
        }
    }

    /// @dev Whether an ancestor was found already; another way to it may be attested throughout.
    function _isKnown(Found memory found, bytes32 parent, bool attested) private pure returns (bool) {
        for (uint256 i = 0; i < found.count; ++i) {
            if (found.list[i].recordId == parent) {
                if (attested) found.list[i].attested = true;
                return true;
            }
        }
        return false;
    }

    /// @dev Reverts unless `parent` is another release that is recorded.
    function _requireParent(bytes32 parent, bytes32 releaseId) private view {
        if (parent == releaseId) revert ParentIsSelf(parent);
        registry.latestIdOf(parent);
    }

    /// @dev Those of the latest judgement.
    function _attestedParentsOf(bytes32 releaseId) private view returns (bytes32[] storage) {
        return _attestedParents[registry.latestIdOf(releaseId)];
    }
}
