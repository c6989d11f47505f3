// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {ILineage} from "./ILineage.sol";
import {INamespaces} from "./INamespaces.sol";
import {IProvenanceRegistry} from "./IProvenanceRegistry.sol";
import {RecordIds} from "./lib/RecordIds.sol";
import {Ancestor} from "./Types.sol";

/**
 * @title Lineage
 * @notice See {ILineage}. Finds ancestors breadth first, each once, within fixed bounds.
 */
contract Lineage is ILineage, IERC165 {
    uint256 private constant MAX_PARENTS = 8;
    uint256 private constant MAX_ANCESTORS = 32;
    uint8 private constant MAX_GENERATIONS = 16;

    /// @inheritdoc ILineage
    IProvenanceRegistry public registry;

    mapping(bytes32 releaseId => bytes32[]) private _attestedParents;
    mapping(bytes32 releaseId => bytes32[]) private _statedParents;

    /// @dev Ancestors found so far. `list` has room for all of them.
    struct Found {
        Ancestor[] list;
        uint256 count;
        bool tooLarge;
    }

    constructor(IProvenanceRegistry registry_) {
        registry = registry_;
    }

    /// @inheritdoc ILineage
    function addParents(bytes32 releaseId, bytes calldata parents) external {
        if (msg.sender != address(registry)) revert NotRegistry(msg.sender);
        for (uint256 i = 0; i < parents.length; i += 32) {
            _add(_attestedParents[releaseId], releaseId, bytes32(parents[i:i + 32]));
        }
    }

    /// @inheritdoc ILineage
    function stateParent(bytes32 namespaceId, bytes32 releaseDigest, bytes32 releaseId, bytes32 parent) external {
        _requireOwnRelease(namespaceId, releaseDigest, releaseId);
        _add(_statedParents[releaseId], releaseId, parent);
        emit ParentStated(releaseId, parent, msg.sender);
    }

    /// @inheritdoc ILineage
    function withdrawParent(bytes32 namespaceId, bytes32 releaseDigest, bytes32 releaseId, bytes32 parent) external {
        _requireOwnRelease(namespaceId, releaseDigest, releaseId);
        _remove(_statedParents[releaseId], parent);
        emit ParentWithdrawn(releaseId, parent, msg.sender);
    }

    /// @inheritdoc ILineage
    function requireLineage(bytes32 modelDigest, bytes32 manifestDigest, uint8 minimumGrade, bool includeStated)
        external
        view
    {
        bytes32 recordId = RecordIds.ofRelease(modelDigest, manifestDigest);
        registry.requireOpen(recordId, minimumGrade);
        _requireAll(recordId, _find(recordId, includeStated), minimumGrade);
    }

    /// @inheritdoc ILineage
    function hasLineage(bytes32 modelDigest, bytes32 manifestDigest, uint8 minimumGrade, bool includeStated)
        external
        view
        returns (bool)
    {
        bytes32 recordId = RecordIds.ofRelease(modelDigest, manifestDigest);
        return registry.isOpen(recordId, minimumGrade) && _hasAll(_find(recordId, includeStated), minimumGrade);
    }

    /// @inheritdoc ILineage
    function requireLineageWithin(
        bytes32 modelDigest,
        bytes32 manifestDigest,
        uint8 minimumGrade,
        bool includeStated,
        uint8 generations
    ) external view {
        bytes32 recordId = RecordIds.ofRelease(modelDigest, manifestDigest);
        registry.requireOpen(recordId, minimumGrade);
        _requireAll(recordId, _findNear(recordId, includeStated, generations), minimumGrade);
    }

    /// @inheritdoc ILineage
    function hasLineageWithin(
        bytes32 modelDigest,
        bytes32 manifestDigest,
        uint8 minimumGrade,
        bool includeStated,
        uint8 generations
    ) external view returns (bool) {
        bytes32 recordId = RecordIds.ofRelease(modelDigest, manifestDigest);
        bool allOpen = _hasAll(_findNear(recordId, includeStated, generations), minimumGrade);
        return allOpen && registry.isOpen(recordId, minimumGrade);
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
        return (_attestedParents[recordId], _statedParents[recordId]);
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return interfaceId == type(ILineage).interfaceId || interfaceId == type(IERC165).interfaceId;
    }

    /// @dev Returns the ancestors of a release. Follows attested edges first, as far as they go. Then follows stated
    /// edges, and from there edges of both kinds.
    function _find(bytes32 releaseId, bool includeStated) private view returns (Found memory found) {
        found.list = new Ancestor[](MAX_ANCESTORS);
        _follow(found, releaseId, releaseId, _attestedParents[releaseId], 1, true);
        for (uint256 i = 0; i < found.count; ++i) {
            bytes32 child = found.list[i].recordId;
            _follow(found, releaseId, child, _attestedParents[child], found.list[i].depth + 1, true);
        }
        if (!includeStated) return found;

        uint256 attested = found.count;
        _follow(found, releaseId, releaseId, _statedParents[releaseId], 1, false);
        for (uint256 i = 0; i < found.count; ++i) {
            bytes32 child = found.list[i].recordId;
            uint8 depth = found.list[i].depth + 1;
            if (i >= attested) _follow(found, releaseId, child, _attestedParents[child], depth, false);
            _follow(found, releaseId, child, _statedParents[child], depth, false);
        }
    }

    /// @dev Adds the parents of one child that were not found yet. Stated edges can lead back to the start.
    function _follow(
        Found memory found,
        bytes32 start,
        bytes32 child,
        bytes32[] storage parents,
        uint8 depth,
        bool attested
    ) private view {
        uint256 length = parents.length;
        for (uint256 i = 0; i < length; ++i) {
            bytes32 parent = parents[i];
            if (parent == start || _isKnown(found, parent)) continue;
            if (found.count == MAX_ANCESTORS || depth > MAX_GENERATIONS) {
                found.tooLarge = true;
                return;
            }
            found.list[found.count++] = Ancestor(parent, child, depth, attested, false);
        }
    }

    /// @dev Returns the ancestors of a release in at most so many steps along edges of both kinds, nearest first. Every
    /// ancestor is found along its shortest path, so none that is near enough is left out.
    function _findNear(bytes32 releaseId, bool includeStated, uint8 generations)
        private
        view
        returns (Found memory found)
    {
        if (generations == 0 || generations > MAX_GENERATIONS) revert WrongGenerations(generations, MAX_GENERATIONS);
        found.list = new Ancestor[](MAX_ANCESTORS);
        _followBoth(found, releaseId, releaseId, 1, includeStated);
        for (uint256 i = 0; i < found.count && found.list[i].depth < generations; ++i) {
            _followBoth(found, releaseId, found.list[i].recordId, found.list[i].depth + 1, includeStated);
        }
    }

    function _followBoth(Found memory found, bytes32 start, bytes32 child, uint8 depth, bool includeStated)
        private
        view
    {
        _follow(found, start, child, _attestedParents[child], depth, true);
        if (includeStated) _follow(found, start, child, _statedParents[child], depth, false);
    }

    /// @dev Reverts unless every ancestor found is open, and all of them were found.
    function _requireAll(bytes32 releaseId, Found memory found, uint8 minimumGrade) private view {
        for (uint256 i = 0; i < found.count; ++i) {
            registry.requireOpen(found.list[i].recordId, minimumGrade);
        }
        if (found.tooLarge) revert LineageTooLarge(releaseId);
    }

    /// @dev Returns whether {_requireAll} would pass.
    function _hasAll(Found memory found, uint8 minimumGrade) private view returns (bool) {
        for (uint256 i = 0; i < found.count; ++i) {
            if (!registry.isOpen(found.list[i].recordId, minimumGrade)) return false;
        }
        return !found.tooLarge;
    }

    function _isKnown(Found memory found, bytes32 parent) private pure returns (bool) {
        for (uint256 i = 0; i < found.count; ++i) {
            if (found.list[i].recordId == parent) return true;
        }
        return false;
    }

    /// @dev Reverts unless the caller owns this namespace, the name leads to this release, and writes are not paused.
    function _requireOwnRelease(bytes32 namespaceId, bytes32 releaseDigest, bytes32 releaseId) private view {
        if (registry.writesPaused()) revert RegistryIsPaused();
        INamespaces names = registry.namespaces();
        if (msg.sender != names.namespaceOf(namespaceId).owner) revert NotNamespaceOwner(namespaceId, msg.sender);
        bool named = releaseId != 0 && names.recordOfName(namespaceId, releaseDigest) == releaseId;
        if (!named) revert RecordNotNamed(releaseId);
    }

    /// @dev Removes a parent. The last one takes its place.
    function _remove(bytes32[] storage parents, bytes32 parent) private {
        uint256 length = parents.length;
        for (uint256 i = 0; i < length; ++i) {
            if (parents[i] != parent) continue;
            parents[i] = parents[length - 1];
            parents.pop();
            return;
        }
        revert ParentNotStated(parent);
    }

    /// @dev Adds a parent, once. Reverts unless it is another release that is recorded.
    function _add(bytes32[] storage parents, bytes32 releaseId, bytes32 parent) private {
        if (parent == releaseId) revert ParentIsSelf(parent);
        registry.latestIdOf(parent);
        uint256 length = parents.length;
        for (uint256 i = 0; i < length; ++i) {
            if (parents[i] == parent) return;
        }
        if (length == MAX_PARENTS) revert TooManyParents(length + 1);
        parents.push(parent);
    }
}
