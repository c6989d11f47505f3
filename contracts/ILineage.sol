// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {IProvenanceRegistry} from "./IProvenanceRegistry.sol";
import {Ancestor} from "./Types.sol";

/**
 * @title What a model was made from
 * @notice A record names its parents, base models and data sets that are recorded themselves. Edges in a record are
 * attested: the oracles took them from the manifest that the confidential VM signed. The owner of a namespace may add
 * further ones, which are merely stated, and kept apart.
 */
interface ILineage {
    /// @notice Emitted when a namespace's owner states a parent.
    event ParentStated(bytes32 indexed recordId, bytes32 indexed parent, address indexed owner);

    /// @notice Thrown when a record has more than 8 parents of one kind.
    error TooManyParents(uint256 count);

    /// @notice Thrown when a record is to be its own parent.
    error ParentIsSelf(bytes32 parent);

    /// @notice Thrown when the name given does not lead to the release given.
    error RecordNotNamed(bytes32 recordId);

    /// @notice Thrown when somebody else than the registry reports parents.
    error NotRegistry(address caller);

    /// @notice Thrown when the registry's writes are stopped.
    error RegistryIsPaused();

    /// @notice Thrown when the caller is not the owner of the record's namespace.
    error NotNamespaceOwner(bytes32 namespaceId, address caller);

    /// @notice Thrown when ancestors are too many (32) or too deep (16) to be looked at in one call.
    error LineageTooLarge(bytes32 recordId);

    /// @notice Adds a parent that no manifest names. Only the namespace's owner may, and only to a release that one of
    /// its names leads to now: not to whatever calls itself by the name.
    /// @param namespaceId keccak256 of the namespace.
    /// @param releaseDigest keccak256 of `model@version`.
    /// @param releaseId Id of the release that this is about; the name may lead to another one tomorrow.
    /// @param parent Id of another release that is recorded.
    function stateParent(bytes32 namespaceId, bytes32 releaseDigest, bytes32 releaseId, bytes32 parent) external;

    /// @notice Takes in the parents that a new record names, beside those that earlier judgements of the release named.
    /// Only the registry calls this.
    /// @param parents Ids, 32 bytes each; at most 8 of a release. Reverts with {TooManyParents}, {ParentIsSelf},
    /// {IProvenanceGate-RecordNotFound}.
    function addParents(bytes32 releaseId, bytes calldata parents) external;

    /// @notice The gate: reverts unless this record and every recorded ancestor would pass
    /// {IProvenanceGate-requireModel} with this grade. The error names the one that does not.
    /// @param includeStated Whether ancestors by stated edges count too.
    /// @dev The largest lineage there can be takes 2.2 million gas, and 4.2 million with stated edges.
    function requireLineage(bytes32 modelDigest, bytes32 manifestDigest, uint8 minimumGrade, bool includeStated)
        external
        view;

    /// @notice {requireLineage} as a yes or no; a lineage that is too large is a no.
    function hasLineage(bytes32 modelDigest, bytes32 manifestDigest, uint8 minimumGrade, bool includeStated)
        external
        view
        returns (bool);

    /// @notice Every ancestor once: those by attested edges nearest first, then those by a stated one. Reverts with
    /// {LineageTooLarge}.
    function ancestorsOf(bytes32 recordId, bool includeStated) external view returns (Ancestor[] memory);

    /// @notice The parents of a record: those in the record, and those stated by its namespace's owner.
    function parentsOf(bytes32 recordId) external view returns (bytes32[] memory attested, bytes32[] memory stated);

    /// @notice The registry whose records these are the ancestors of.
    function registry() external view returns (IProvenanceRegistry);
}
