// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {ERC165Checker} from "@openzeppelin/contracts/utils/introspection/ERC165Checker.sol";
import {ILineage} from "../ILineage.sol";
import {INamespaces} from "../INamespaces.sol";
import {IProvenanceRegistry} from "../IProvenanceRegistry.sol";
import {Proof} from "../Types.sol";
import {GateCalls} from "./GateCalls.sol";

/**
 * @title Base of a dApp
 * @notice Modifiers that let a function run for recorded models only. Each asks the registry one question. A refusal is
 * the registry's own error, see {IProvenanceGate}, and passes through unchanged.
 *
 * - {onlyRecorded}: this release is recorded.
 * - {onlyProven}: this release is in a batch, and may not be written out yet; {IProvenanceGate-requireModelFromProof}
 *   describes the limits of a proof.
 * - {onlyNamed}: this name, in a claimed namespace, leads to a record.
 * - {onlyOpen}: the release with this id is recorded. A name may have led to that id.
 * - {onlyWithLineage}: this release and all its ancestors are recorded.
 * - {onlyWithLineageWithin}: this release and its ancestors of so many generations are recorded.
 * - {onlySignedBy}: this release is recorded, and a given number of oracles of your own choice signed it.
 * - {onlyFromPublisher}: this release is recorded, and its publisher has a given identity. This modifier ignores hardware
 *   and grade.
 *
 * All the others require good standing, real hardware and {minimumGrade}, and nothing else; {ExactProvenanceGate} adds
 * age, policy and weight. An answer holds only for now: a record can be revoked in the next transaction, so ask again
 * before something of value changes hands.
 */
abstract contract ProvenanceGate {
    using GateCalls for IProvenanceRegistry;

    uint8 private constant MAX_GRADE = 2;

    /// @notice The registry that the modifiers ask.
    IProvenanceRegistry public immutable provenanceRegistry;

    /// @notice The grade that a record needs: 0 accepts records that are not graded, 1 `baseline`, 2 `strict`.
    uint8 public immutable minimumGrade;

    INamespaces internal immutable _namespaces;
    ILineage internal immutable _lineage;

    /// @notice Thrown when an account does not declare, by ERC-165, that it is a provenance registry.
    error NotProvenanceRegistry(address account);

    /// @notice Thrown when too few of the oracles that the dApp chose signed the record.
    error TooFewSigners(bytes32 recordId, uint256 count, uint256 threshold);

    modifier onlyRecorded(bytes32 modelDigest, bytes32 manifestDigest) {
        _requireRecorded(modelDigest, manifestDigest);
        _;
    }

    modifier onlyProven(bytes32 modelDigest, bytes32 manifestDigest, Proof calldata proof) {
        _requireProven(modelDigest, manifestDigest, proof);
        _;
    }

    /// @param namespaceId keccak256 of the namespace.
    /// @param releaseDigest keccak256 of `model@version`.
    modifier onlyNamed(bytes32 namespaceId, bytes32 releaseDigest) {
        _requireNamed(namespaceId, releaseDigest);
        _;
    }

    modifier onlyOpen(bytes32 recordId) {
        _requireOpen(recordId);
        _;
    }

    /// @param includeStated Whether to check ancestors too that only the namespace's owner names, and no signed
    /// manifest.
    modifier onlyWithLineage(bytes32 modelDigest, bytes32 manifestDigest, bool includeStated) {
        _requireLineage(modelDigest, manifestDigest, includeStated);
        _;
    }

    /// @param includeStated As for {onlyWithLineage}.
    /// @param generations 1 to 16. Further ancestors do not matter; see {ILineage-requireLineageWithin}.
    modifier onlyWithLineageWithin(bytes32 modelDigest, bytes32 manifestDigest, bool includeStated, uint8 generations) {
        _requireLineageWithin(modelDigest, manifestDigest, includeStated, generations);
        _;
    }

    /// @param oracles Strictly ascending, at most 32.
    /// @param threshold Smallest number of them that must have signed. 0 never passes, see {TooFewSigners}.
    modifier onlySignedBy(bytes32 modelDigest, bytes32 manifestDigest, address[] memory oracles, uint256 threshold) {
        _requireSignedBy(modelDigest, manifestDigest, oracles, threshold);
        _;
    }

    /// @param identity The publisher's identity; see {IProvenanceGate-requireSignedBy}. Put {onlyRecorded} beside this
    /// modifier if hardware matters too.
    modifier onlyFromPublisher(bytes32 modelDigest, bytes32 manifestDigest, bytes32 identity) {
        _requireFromPublisher(modelDigest, manifestDigest, identity);
        _;
    }

    /// @param registry A {IProvenanceRegistry}.
    /// @param grade See {minimumGrade}. Above 2, a grade that no record has, it reverts with
    /// {IProvenanceRegistry-UnknownGrade}.
    constructor(address registry, uint8 grade) {
        if (!ERC165Checker.supportsInterface(registry, type(IProvenanceRegistry).interfaceId)) {
            revert NotProvenanceRegistry(registry);
        }
        if (grade > MAX_GRADE) revert IProvenanceRegistry.UnknownGrade(grade);
        provenanceRegistry = IProvenanceRegistry(registry);
        minimumGrade = grade;
        // The registry's constructor made both, and they never change.
        _namespaces = IProvenanceRegistry(registry).namespaces();
        _lineage = IProvenanceRegistry(registry).lineage();
    }

    /// @dev Reverts unless {IProvenanceGate-requireModel} passes for the release.
    function _requireRecorded(bytes32 modelDigest, bytes32 manifestDigest) internal view virtual {
        provenanceRegistry.askModel(modelDigest, manifestDigest, minimumGrade);
    }

    /// @dev Reverts unless {IProvenanceGate-requireModelFromProof} passes for the release.
    function _requireProven(bytes32 modelDigest, bytes32 manifestDigest, Proof calldata proof) internal view virtual {
        provenanceRegistry.askModelFromProof(modelDigest, manifestDigest, proof, minimumGrade);
    }

    /// @dev Reverts unless `_requireRecorded` passes for the release, and at least `threshold` of `oracles` signed it.
    /// Reverts for a threshold of 0.
    function _requireSignedBy(
        bytes32 modelDigest,
        bytes32 manifestDigest,
        address[] memory oracles,
        uint256 threshold
    ) internal view {
        _requireRecorded(modelDigest, manifestDigest);
        uint256 count = provenanceRegistry.countSigners(modelDigest, manifestDigest, oracles);
        if (count < threshold || threshold == 0) {
            revert TooFewSigners(provenanceRegistry.recordIdOf(modelDigest, manifestDigest), count, threshold);
        }
    }

    /// @dev Reverts unless {IProvenanceGate-requireSignedBy} passes for the release and the publisher's identity.
    function _requireFromPublisher(bytes32 modelDigest, bytes32 manifestDigest, bytes32 identity) internal view {
        provenanceRegistry.requireSignedBy(modelDigest, manifestDigest, identity);
    }

    /// @dev Reverts unless {INamespaces-requireNamed} passes for the name.
    /// @return recordId The record that the name leads to.
    function _requireNamed(bytes32 namespaceId, bytes32 releaseDigest) internal view returns (bytes32 recordId) {
        return _namespaces.requireNamed(namespaceId, releaseDigest, minimumGrade);
    }

    /// @dev Reverts unless {IProvenanceGate-requireOpen} passes for the record.
    function _requireOpen(bytes32 recordId) internal view {
        provenanceRegistry.requireOpen(recordId, minimumGrade);
    }

    /// @dev Reverts unless {ILineage-requireLineage} passes for the release and its ancestors.
    function _requireLineage(bytes32 modelDigest, bytes32 manifestDigest, bool includeStated) internal view {
        _lineage.requireLineage(modelDigest, manifestDigest, minimumGrade, includeStated);
    }

    /// @dev Reverts unless {ILineage-requireLineageWithin} passes for the release and its nearest ancestors.
    function _requireLineageWithin(
        bytes32 modelDigest,
        bytes32 manifestDigest,
        bool includeStated,
        uint8 generations
    ) internal view {
        _lineage.requireLineageWithin(modelDigest, manifestDigest, minimumGrade, includeStated, generations);
    }
}
