// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {IProvenanceGate} from "../IProvenanceGate.sol";
import {RecordIds} from "../lib/RecordIds.sol";
import {Standings} from "../lib/Standings.sol";
import {Proof, Requirements, Standing} from "../Types.sol";
import {Batches} from "./Batches.sol";

/**
 * @title Gates
 * @notice See {IProvenanceGate}. A gate decides with one mask and one comparison of one word. It decodes the word only
 * if that is special in some way, or for a refusal.
 */
abstract contract Gates is Batches {
    using Standings for uint256;

    uint256 private constant MAX_POLICIES = 32;

    /// @inheritdoc IProvenanceGate
    function requireModel(bytes32 modelDigest, bytes32 manifestDigest, uint8 minimumGrade) external view {
        requireOpen(RecordIds.ofRelease(modelDigest, manifestDigest), minimumGrade);
    }

    /// @inheritdoc IProvenanceGate
    function isModel(bytes32 modelDigest, bytes32 manifestDigest, uint8 minimumGrade) external view returns (bool) {
        return isOpen(RecordIds.ofRelease(modelDigest, manifestDigest), minimumGrade);
    }

    /// @inheritdoc IProvenanceGate
    function isSimulatedModel(bytes32 modelDigest, bytes32 manifestDigest) external view returns (bool) {
        uint256 word = _latest(RecordIds.ofRelease(modelDigest, manifestDigest));
        return word.isSimulated() && _isStanding(word);
    }

    /// @inheritdoc IProvenanceGate
    function requireSignedBy(bytes32 modelDigest, bytes32 manifestDigest, bytes32 identity) external view {
        if (isSignedBy(modelDigest, manifestDigest, identity)) return;
        bytes32 recordId = RecordIds.ofRelease(modelDigest, manifestDigest);
        uint256 word = _latest(recordId);
        if (!_isStanding(word) || word.isSimulated()) _refuse(recordId, word, 0);
        revert SignedByAnother(recordId, _publisherOf(recordId, word));
    }

    /// @inheritdoc IProvenanceGate
    function requireModelFromProof(
        bytes32 modelDigest,
        bytes32 manifestDigest,
        Proof calldata proof,
        uint8 minimumGrade
    ) external view {
        bytes32 recordId = RecordIds.ofRelease(modelDigest, manifestDigest);
        uint256 word = _proven(recordId, proof);
        if (!_isOpen(word, minimumGrade)) _refuse(recordId, word, minimumGrade);
    }

    /// @inheritdoc IProvenanceGate
    function isModelFromProof(bytes32 modelDigest, bytes32 manifestDigest, Proof calldata proof, uint8 minimumGrade)
        external
        view
        returns (bool)
    {
        return _isOpen(_proven(RecordIds.ofRelease(modelDigest, manifestDigest), proof), minimumGrade);
    }

    /// @inheritdoc IProvenanceGate
    function requireMeets(bytes32 modelDigest, bytes32 manifestDigest, Requirements calldata requirements)
        external
        view
    {
        bytes32 recordId = RecordIds.ofRelease(modelDigest, manifestDigest);
        _requireMeets(recordId, _latest(recordId), requirements);
    }

    /// @inheritdoc IProvenanceGate
    function meets(bytes32 modelDigest, bytes32 manifestDigest, Requirements calldata requirements)
        external
        view
        returns (bool)
    {
        return _meets(_latest(RecordIds.ofRelease(modelDigest, manifestDigest)), requirements);
    }

    /// @inheritdoc IProvenanceGate
    function requireMeetsFromProof(
        bytes32 modelDigest,
        bytes32 manifestDigest,
        Proof calldata proof,
        Requirements calldata requirements
    ) external view {
        bytes32 recordId = RecordIds.ofRelease(modelDigest, manifestDigest);
        _requireMeets(recordId, _provenOrLatest(recordId, proof), requirements);
    }

    /// @inheritdoc IProvenanceGate
    function meetsFromProof(
        bytes32 modelDigest,
        bytes32 manifestDigest,
        Proof calldata proof,
        Requirements calldata requirements
    ) external view returns (bool) {
        return _meets(_provenOrLatest(RecordIds.ofRelease(modelDigest, manifestDigest), proof), requirements);
    }

    /// @inheritdoc IProvenanceGate
    function countSigners(bytes32 modelDigest, bytes32 manifestDigest, address[] calldata oracles)
        external
        view
        returns (uint256)
    {
        bytes32 recordId = RecordIds.ofRelease(modelDigest, manifestDigest);
        uint256 word = _latest(recordId);
        if (word == 0) revert RecordNotFound(recordId);
        return _countSignersAmong(word, oracles);
    }

    /// @inheritdoc IProvenanceGate
    function recordIdOf(bytes32 modelDigest, bytes32 manifestDigest) external pure returns (bytes32) {
        return RecordIds.ofRelease(modelDigest, manifestDigest);
    }

    /// @inheritdoc IProvenanceGate
    function standingOf(bytes32 modelDigest, bytes32 manifestDigest) external view returns (Standing memory) {
        return _latest(RecordIds.ofRelease(modelDigest, manifestDigest)).unpackStanding();
    }

    /// @inheritdoc IProvenanceGate
    function isSignedBy(bytes32 modelDigest, bytes32 manifestDigest, bytes32 identity) public view returns (bool) {
        bytes32 recordId = RecordIds.ofRelease(modelDigest, manifestDigest);
        uint256 word = _copies[recordId][identity];
        if (word & Standings.SPECIAL_IF_SIGNED == 0 && word != 0) return true;
        word = _latest(recordId);
        return identity != 0 && _isStanding(word) && !word.isSimulated() && _publisherOf(recordId, word) == identity;
    }

    /// @inheritdoc IProvenanceGate
    function requireOpen(bytes32 recordId, uint8 minimumGrade) public view {
        if (!isOpen(recordId, minimumGrade)) _refuse(recordId, _latest(recordId), minimumGrade);
    }

    /// @inheritdoc IProvenanceGate
    function isOpen(bytes32 recordId, uint8 minimumGrade) public view returns (bool) {
        uint256 word = _standings[recordId];
        if (word & Standings.SPECIAL == 0) return word != 0 && word.gradeOf() >= minimumGrade;
        return _isOpen(_latest(recordId), minimumGrade);
    }

    /// @dev Returns whether the release is recorded, not closed and not revoked. Simulated hardware and the grade do
    /// not matter.
    function _isStanding(uint256 word) private view returns (bool) {
        return word != 0 && word & Standings.CLOSING == 0 && !word.isRevoked();
    }

    function _isOpen(uint256 word, uint8 minimumGrade) private view returns (bool) {
        if (word & Standings.SPECIAL == 0) return word != 0 && word.gradeOf() >= minimumGrade;
        return _isStanding(word) && word & Standings.UNBACKED == 0 && word.gradeOf() >= minimumGrade;
    }

    /// @dev Reverts with the reason for which the gate is shut. Call it only with a word that does not open the gate.
    function _refuse(bytes32 recordId, uint256 word, uint8 minimumGrade) private view {
        if (word == 0) revert RecordNotFound(recordId);
        if (word.isRevoked()) revert RecordIsRevoked(recordId, word.revokedAtOf());
        if (word & Standings.CLOSING != 0) {
            revert RecordIsClosed(recordId, word & Standings.HELD != 0, word & Standings.DOUBTFUL != 0);
        }
        if (word.isSimulated()) revert RecordIsSimulated(recordId);
        if (word.isSignedOnly()) revert RecordIsSignedOnly(recordId);
        revert GradeTooLow(recordId, word.gradeOf(), minimumGrade);
    }

    /// @dev Returns the noted publisher of a release's latest judgement, whose word this is; 0 if nobody noted it.
    function _publisherOf(bytes32 recordId, uint256 word) private view returns (bytes32) {
        return publisherOf[RecordIds.ofRevision(recordId, word.revisionsOf())];
    }

    function _requireMeets(bytes32 recordId, uint256 word, Requirements calldata requirements) private view {
        word = _recounted(word);
        if (!_isOpen(word, requirements.minimumGrade)) _refuse(recordId, word, requirements.minimumGrade);
        if (!_isFresh(word, requirements)) {
            revert RecordIsExpired(recordId, word.judgedAtOf(), requirements.maximumAge);
        }
        if (!_isListed(word, requirements)) revert WrongPolicy(recordId, word.policyIdOf());
        if (word.weightOf() < requirements.minimumWeight) {
            revert WeightTooLow(recordId, word.weightOf(), requirements.minimumWeight);
        }
    }

    function _meets(uint256 word, Requirements calldata requirements) private view returns (bool) {
        word = _recounted(word);
        return _isOpen(word, requirements.minimumGrade) && _isFresh(word, requirements)
            && _isListed(word, requirements) && word.weightOf() >= requirements.minimumWeight;
    }

    /// @dev Returns whether the record is young enough. A record judged "in the future", by a clock that runs ahead,
    /// is.
    function _isFresh(uint256 word, Requirements calldata requirements) private view returns (bool) {
        return block.timestamp <= uint256(word.judgedAtOf()) + requirements.maximumAge;
    }

    function _isListed(uint256 word, Requirements calldata requirements) private pure returns (bool) {
        if (requirements.anyPolicy) return true;
        uint256 count = requirements.policies.length;
        if (count > MAX_POLICIES) revert TooMany(count, MAX_POLICIES);
        uint32 policyId = word.policyIdOf();
        for (uint256 i = 0; i < count; ++i) {
            if (requirements.policies[i] == policyId) return true;
        }
        return false;
    }
}
