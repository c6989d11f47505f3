// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {Proof, Requirements} from "../../../contracts/Types.sol";
import {Books} from "./Books.sol";

/// @dev Compares a registry's answers with the books. Counts broken promises, so that an invariant has one number to
/// check.
abstract contract Inspector is Books {
    /// @dev Compares the registry's answers about a release, and about some record and some proof, with the books.
    function _inspect(uint256 release, uint8 pick) internal {
        release %= RELEASES;
        (bytes32 model, bytes32 manifest) = (_modelDigest(release), _manifestDigest(release));
        _expect(Promise.RevocationIsFinal, _registry.revokedModelTime(model) == _modelRevokedAt[release]);
        bytes memory standing = abi.encode(_registry.standingOf(model, manifest));
        _expect(Promise.GatesFollowTheBooks, keccak256(standing) == keccak256(abi.encode(_standingOf(release))));
        for (uint8 grade = 0; grade < 4; ++grade) {
            bool open = _registry.isModel(model, manifest, grade);
            bytes memory question = abi.encodeCall(_registry.requireModel, (model, manifest, grade));
            _expect(Promise.BothFlavoursAgree, open == _passes(question));
            _expect(Promise.GatesFollowTheBooks, open == _isOpen(release, grade));
        }
        bool simulated = _latest(release).productLine == 255 && _isStanding(release, _latest(release));
        _expect(Promise.GatesFollowTheBooks, _registry.isSimulatedModel(model, manifest) == simulated);
        _inspectPublisher(release, PUBLISHER);
        _inspectPublisher(release, OTHER_PUBLISHER);
        _inspectRequirements(release, pick);
        if (_ids.length != 0) _inspectRecord(_ids[(pick + release) % _ids.length]);
        if (_roots.length != 0) _inspectProof(_planted[_roots[(pick + release) % _roots.length]], pick);
    }

    function _inspectPublisher(uint256 release, bytes32 publisher) private {
        (bytes32 model, bytes32 manifest) = (_modelDigest(release), _manifestDigest(release));
        bool signed = _registry.isSignedBy(model, manifest, publisher);
        bytes memory question = abi.encodeCall(_registry.requireSignedBy, (model, manifest, publisher));
        _expect(Promise.BothFlavoursAgree, signed == _passes(question));
        _expect(Promise.GatesFollowTheBooks, signed == _isSignedBy(release, publisher));
    }

    function _inspectRequirements(uint256 release, uint8 pick) private {
        (bytes32 model, bytes32 manifest) = (_modelDigest(release), _manifestDigest(release));
        Requirements memory wanted = Requirements(pick % 4, uint40(pick) * 1 hours, pick % 8, true, new uint32[](0));
        bool meets = _registry.meets(model, manifest, wanted);
        bytes memory question = abi.encodeCall(_registry.requireMeets, (model, manifest, wanted));
        _expect(Promise.BothFlavoursAgree, meets == _passes(question));
        _expect(Promise.GatesFollowTheBooks, meets == _meets(release, wanted));
    }

    function _inspectRecord(bytes32 recordId) private {
        Kept storage kept = _kept[recordId];
        _expect(Promise.ContentNeverChanges, _registry.contentOf(recordId) == keccak256(kept.record));
        _expect(Promise.NothingIsDeleted, _registry.standingById(recordId).recordedAt == kept.recordedAt);
    }

    function _inspectProof(Planted storage batch, uint8 pick) private {
        uint256 leaf = pick % 2;
        (bytes32 model, bytes32 manifest) = (batch.records[leaf].modelDigest, batch.records[leaf].manifestDigest);
        Proof memory proof = batch.proofs[leaf];
        uint8 grade = pick / 2 % 4;
        bool open = _registry.isModelFromProof(model, manifest, proof, grade);
        bytes memory question = abi.encodeCall(_registry.requireModelFromProof, (model, manifest, proof, grade));
        _expect(Promise.BothFlavoursAgree, open == _passes(question));
        _expect(Promise.GatesFollowTheBooks, open == _isOpenFromProof(batch, leaf, grade));
        Requirements memory wanted = Requirements(pick % 4, uint40(pick) * 1 hours, pick % 8, true, new uint32[](0));
        bool meets = _registry.meetsFromProof(model, manifest, proof, wanted);
        question = abi.encodeCall(_registry.requireMeetsFromProof, (model, manifest, proof, wanted));
        _expect(Promise.BothFlavoursAgree, meets == _passes(question));
        _expect(Promise.GatesFollowTheBooks, meets == _meetsFromProof(batch, leaf, wanted));
        _expect(Promise.NothingIsDeleted, _registry.batchOf(batch.root).recordedAt == batch.recordedAt);
    }

    function _passes(bytes memory question) private view returns (bool passes) {
        (passes,) = address(_registry).staticcall(question);
    }
}
