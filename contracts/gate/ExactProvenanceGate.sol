// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {IProvenanceGate} from "../IProvenanceGate.sol";
import {Proof, Requirements} from "../Types.sol";
import {ProvenanceGate} from "./ProvenanceGate.sol";

/**
 * @notice Requirements of a dApp for a record. No field is optional: say so explicitly if one does not matter.
 * @param minimumGrade 0 to 2.
 * @param maximumAge Seconds since the judgement; `type(uint40).max` if age does not matter.
 * @param minimumWeight Weight of the signers whose keys still count; the registry's own threshold holds in any case.
 * @param anyPolicy True to accept every policy, with empty `policyDigests`; false to accept only `policyDigests`.
 * @param policyDigests SHA-256 of the policies' bytes, at most 32, each of which the registry has numbered.
 */
struct Terms {
    uint8 minimumGrade;
    uint40 maximumAge;
    uint16 minimumWeight;
    bool anyPolicy;
    bytes32[] policyDigests;
}

/**
 * @title Base of a dApp that requires more than a grade
 * @notice A {ProvenanceGate} whose `onlyRecorded` uses {IProvenanceGate-requireMeets} and whose `onlyProven` uses
 * {IProvenanceGate-requireMeetsFromProof}. They check grade, age, policies and the weight that the signers have today,
 * and take keys revoked a moment ago into account. The other modifiers check the grade only: put one of these two
 * beside them.
 */
abstract contract ExactProvenanceGate is ProvenanceGate {
    uint256 private constant MAX_POLICIES = 32;

    uint40 private immutable _maximumAge;
    uint16 private immutable _minimumWeight;

    /// @dev Empty if every policy is accepted. It cannot be empty by mistake, see {_acceptPolicies}.
    uint32[] private _policyIds;

    /// @notice Emitted when the accepted policies change. An empty list means that every policy is accepted.
    event PoliciesAccepted(uint32[] policyIds);

    /// @notice Thrown when the registry has not numbered a policy, so that no record can have it.
    error PolicyNotNumbered(bytes32 policyDigest);

    /// @notice Thrown when policies are listed although every policy is accepted, or none is listed although not every
    /// policy is accepted.
    error PoliciesUnclear();

    /// @param registry A {IProvenanceRegistry}.
    /// @param terms Requirements for a record.
    constructor(address registry, Terms memory terms) ProvenanceGate(registry, terms.minimumGrade) {
        _maximumAge = terms.maximumAge;
        _minimumWeight = terms.minimumWeight;
        _acceptPolicies(terms.anyPolicy, terms.policyDigests);
    }

    /// @notice Returns the requirements for a record.
    function provenanceRequirements() public view returns (Requirements memory) {
        uint32[] memory policyIds = _policyIds;
        return Requirements(minimumGrade, _maximumAge, _minimumWeight, policyIds.length == 0, policyIds);
    }

    /// @dev Replaces the accepted policies. The calling function must restrict access.
    function _acceptPolicies(bool anyPolicy, bytes32[] memory policyDigests) internal {
        uint256 count = policyDigests.length;
        if (anyPolicy != (count == 0)) revert PoliciesUnclear();
        if (count > MAX_POLICIES) revert IProvenanceGate.TooMany(count, MAX_POLICIES);
        uint32[] memory policyIds = new uint32[](count);
        for (uint256 i = 0; i < count; ++i) {
            policyIds[i] = provenanceRegistry.policyIdOf(policyDigests[i]);
            if (policyIds[i] == 0) revert PolicyNotNumbered(policyDigests[i]);
        }
        _policyIds = policyIds;
        emit PoliciesAccepted(policyIds);
    }

    /// @inheritdoc ProvenanceGate
    function _requireRecorded(bytes32 modelDigest, bytes32 manifestDigest) internal view override {
        provenanceRegistry.requireMeets(modelDigest, manifestDigest, provenanceRequirements());
    }

    /// @inheritdoc ProvenanceGate
    function _requireProven(bytes32 modelDigest, bytes32 manifestDigest, Proof calldata proof) internal view override {
        provenanceRegistry.requireMeetsFromProof(modelDigest, manifestDigest, proof, provenanceRequirements());
    }
}
