// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {IProvenanceRegistry} from "./IProvenanceRegistry.sol";
import {Ancestor} from "./Types.sol";

/**
 * @title Ancestors of a model
 * @notice A record names its parents: base models and data sets that are recorded themselves. The edges in a record are
 * attested: the oracles took them from the manifest that the confidential VM signed. The owner of a namespace can add
 * further edges. Those are only stated by the owner, and the contract keeps them apart.
 */
interface ILineage {
    /// @notice Emitted when a namespace's owner states a parent.
    event ParentStated(bytes32 indexed recordId, bytes32 indexed parent, address indexed owner);

    /// @notice Emitted when a namespace's owner takes back a parent that an owner stated.
    event ParentWithdrawn(bytes32 indexed recordId, bytes32 indexed parent, address indexed owner);

    /// @notice Thrown when a parent is taken back that nobody stated.
    error ParentNotStated(bytes32 parent);

    /// @notice Thrown when a gate asks for no generation, or for more than `most`.
    error WrongGenerations(uint8 generations, uint8 most);

    /// @notice Thrown when a record would have more than 8 parents of one kind, attested or stated.
    error TooManyParents(uint256 count);

    /// @notice Thrown when a record would become its own parent.
    error ParentIsSelf(bytes32 parent);

    /// @notice Thrown when the given name does not lead to the given release.
    error RecordNotNamed(bytes32 recordId);

    /// @notice Thrown when an account other than the registry reports parents.
    error NotRegistry(address caller);

    /// @notice Thrown when the registry's writes are paused.
    error RegistryIsPaused();

    /// @notice Thrown when the caller is not the owner of the record's namespace.
    error NotNamespaceOwner(bytes32 namespaceId, address caller);

    /// @notice Thrown when a record has too many ancestors (more than 32) or too many generations of them (more than
    /// 16) to look at in one call.
    error LineageTooLarge(bytes32 recordId);

    /// @notice Adds a parent that no manifest names.
    ///
    /// Requirements: the caller owns the namespace; the name leads to this release now (a release that merely bears the
    /// name is not enough); writes are not paused.
    ///
    /// Emits a {ParentStated} event.
    ///
    /// @param namespaceId keccak256 of the namespace.
    /// @param releaseDigest keccak256 of `model@version`.
    /// @param releaseId Id of the release that gets the parent. It is an argument because the name can lead to another
    /// release later.
    /// @param parent Id of another recorded release.
    function stateParent(bytes32 namespaceId, bytes32 releaseDigest, bytes32 releaseId, bytes32 parent) external;

    /// @notice Takes a stated parent back. Requirements and arguments are those of {stateParent}, and an owner of the
    /// namespace has stated this parent. Attested parents stay.
    ///
    /// Emits a {ParentWithdrawn} event.
    function withdrawParent(bytes32 namespaceId, bytes32 releaseDigest, bytes32 releaseId, bytes32 parent) external;

    /// @notice Adds the parents that a new record names to those that earlier judgements of the release named. Only the
    /// registry can call this function.
    /// @param parents Ids, 32 bytes each. A release has at most 8. Reverts with {TooManyParents}, {ParentIsSelf} or
    /// {IProvenanceGate-RecordNotFound}.
    function addParents(bytes32 releaseId, bytes calldata parents) external;

    /// @notice Reverts unless this record and every recorded ancestor would pass {IProvenanceGate-requireModel} with
    /// this grade. The error names the record that does not pass.
    /// @param includeStated Whether to follow stated edges too.
    /// @dev The largest possible lineage takes 2.2 million gas, and 4.2 million with stated edges.
    function requireLineage(bytes32 modelDigest, bytes32 manifestDigest, uint8 minimumGrade, bool includeStated)
        external
        view;

    /// @notice Returns whether {requireLineage} would pass. Returns false for a lineage that is too large.
    function hasLineage(bytes32 modelDigest, bytes32 manifestDigest, uint8 minimumGrade, bool includeStated)
        external
        view
        returns (bool);

    /// @notice Like {requireLineage}, but follows edges only up to `generations` steps, 1 to 16. Ancestors further away
    /// do not matter: the owner of a parent's namespace can state parents of that parent, and so shut a gate that goes
    /// deeper. With 1, only the release's own parents count, which its manifest and the owner of its own namespace
    /// name. Also reverts with {WrongGenerations}.
    function requireLineageWithin(
        bytes32 modelDigest,
        bytes32 manifestDigest,
        uint8 minimumGrade,
        bool includeStated,
        uint8 generations
    ) external view;

    /// @notice Returns whether {requireLineageWithin} would pass. Reverts with {WrongGenerations}.
    function hasLineageWithin(
        bytes32 modelDigest,
        bytes32 manifestDigest,
        uint8 minimumGrade,
        bool includeStated,
        uint8 generations
    ) external view returns (bool);

    /// @notice Returns every ancestor once: first those reached by attested edges, nearest first, then those reached by
    /// a stated edge. Reverts with {LineageTooLarge}.
    function ancestorsOf(bytes32 recordId, bool includeStated) external view returns (Ancestor[] memory);

    /// @notice Returns the parents of a record: those in the record, and those stated by its namespace's owner.
    function parentsOf(bytes32 recordId) external view returns (bytes32[] memory attested, bytes32[] memory stated);

    /// @notice Returns the registry that holds the records.
    function registry() external view returns (IProvenanceRegistry);
}
