// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {IProvenanceRegistry} from "../../../contracts/IProvenanceRegistry.sol";
import {Proof, Quorum, Record} from "../../../contracts/Types.sol";
import {VM} from "../support/Vm.sol";
import {Keepers} from "./Keepers.sol";

/// @dev Calls that anyone can make about the signatures of recorded content, and about leaves that no longer count.
abstract contract Counters is Keepers {
    constructor(IProvenanceRegistry registry) Keepers(registry) {}

    function recount(uint256 pick) external {
        if (_ids.length == 0) return;
        bytes32 recordId = _ids[pick % _ids.length];
        Kept storage kept = _kept[_counted(recordId)];
        uint32 valid = _valid(kept.epoch, kept.signers, kept.recordedAt);
        VM.recordLogs();
        _registry.recount(recordId);
        _expect(Promise.EveryCallDoesWhatItShould, _logs() == (valid == kept.signers ? 0 : 1));
        if (valid != kept.signers && _weightOf(valid) < THRESHOLD) kept.doubtful = true;
        kept.signers = valid;
        _inspect(pick % RELEASES, uint8(pick));
    }

    function recountBatch(uint256 pick) external {
        if (_roots.length == 0) return;
        Planted storage batch = _planted[_roots[pick % _roots.length]];
        uint32 valid = _valid(batch.epoch, batch.signers, batch.recordedAt);
        VM.recordLogs();
        _registry.recountBatch(batch.root);
        _expect(Promise.EveryCallDoesWhatItShould, _logs() == (valid == batch.signers ? 0 : 1));
        if (valid != batch.signers && _weightOf(valid) < THRESHOLD) batch.doubtful = true;
        batch.signers = valid;
        _inspect(batch.releases[0], uint8(pick));
    }

    function addSigners(uint256 pick, uint8 signers, uint8 how, bool anotherEpoch) external {
        if (_ids.length == 0) return;
        Kept storage kept = _kept[_ids[pick % _ids.length]];
        uint16 epoch = anotherEpoch ? _epoch : kept.epoch;
        uint32 bits = _choose(epoch, signers);
        Quorum memory quorum = _quorum(epoch, bits, _reportDigest(address(_registry), epoch, kept.record));
        bool good = _spoil(quorum, how) && _isQuorum(epoch, bits) && epoch == kept.epoch;
        try _registry.addSigners(kept.record, quorum) {
            _expect(Promise.OnlyAQuorumWrites, good);
            _expect(Promise.PauseStopsWrites, !_paused);
            kept.signers = _valid(epoch, kept.signers | bits, kept.recordedAt);
            kept.doubtful = false;
        } catch {
            _expect(Promise.OnlyAQuorumWrites, _paused || !good);
        }
        _inspect(pick % RELEASES, how);
    }

    function addBatchSigners(uint256 pick, uint8 signers, uint8 how) external {
        if (_roots.length == 0) return;
        Planted storage batch = _planted[_roots[pick % _roots.length]];
        uint16 epoch = batch.epoch;
        uint32 bits = _choose(epoch, signers);
        Quorum memory quorum = _quorum(epoch, bits, _batchDigest(address(_registry), epoch, batch.root, 2, 0, "again"));
        bool good = _spoil(quorum, how) && _isQuorum(epoch, bits);
        try _registry.addBatchSigners(batch.root, 0, "again", quorum) {
            _expect(Promise.OnlyAQuorumWrites, good);
            _expect(Promise.PauseStopsWrites, !_paused);
            batch.signers = _valid(epoch, batch.signers | bits, batch.recordedAt);
            batch.doubtful = false;
        } catch {
            _expect(Promise.OnlyAQuorumWrites, _paused || !good);
        }
        _inspect(batch.releases[0], how);
    }

    function closeLeaf(uint256 pick, bool second) external {
        if (_roots.length == 0) return;
        Planted storage batch = _planted[_roots[pick % _roots.length]];
        uint256 leaf = second ? 1 : 0;
        Record memory record = batch.records[leaf];
        uint256 release = batch.releases[leaf];
        bool known = _isKnown(_releaseId(release));
        bool isDue = _isFirst(record) && (known || _modelRevokedAt[release] != 0);
        Proof memory proof = batch.proofs[leaf];
        try _registry.closeLeaf(record.modelDigest, record.manifestDigest, proof) {
            _expect(Promise.EveryCallDoesWhatItShould, isDue);
            batch.written[leaf] = true;
            if (!known) _enter(release, record, _stampOf(batch));
            _applyToModel(release);
        } catch {
            _expect(Promise.EveryCallDoesWhatItShould, !isDue);
        }
        _inspect(batch.releases[leaf], uint8(pick));
    }

    function applyRevocations(uint8 release, bool twice) external {
        release %= uint8(RELEASES);
        bytes32[] memory manifests = new bytes32[](twice ? 2 : 1);
        for (uint256 i = 0; i < manifests.length; ++i) {
            manifests[i] = _manifestDigest(release);
        }
        bool isDue = _modelRevokedAt[release] != 0 && _isKnown(_releaseId(release));
        VM.recordLogs();
        try _registry.applyRevocations(_modelDigest(release), manifests) {
            _expect(Promise.RevocationIsFinal, isDue && _logs() == (_isDueToModel(release) ? 1 : 0));
            _applyToModel(release);
        } catch {
            _expect(Promise.RevocationIsFinal, !isDue);
        }
        _inspect(release, release);
    }

    /// @dev Returns the id that is recounted: for a release, that of its latest judgement.
    function _counted(bytes32 recordId) private view returns (bytes32) {
        for (uint256 i = 0; i < RELEASES; ++i) {
            if (recordId == _releaseId(i)) return _latestId(i);
        }
        return recordId;
    }

    /// @dev Mostly returns all oracles that can sign now, otherwise some of them or one too many.
    function _choose(uint16 epoch, uint8 signers) internal view returns (uint32) {
        return signers % 16 < 10 ? _valid(epoch, 7, uint40(block.timestamp)) : signers % 11;
    }

    /// @dev Mostly leaves the signatures as they are. Returns whether it did.
    function _spoil(Quorum memory quorum, uint8 how) internal pure returns (bool) {
        if (how % 8 == 7) quorum.signatures = bytes.concat(quorum.signatures, hex"00");
        else if (how % 8 == 6 && quorum.signatures.length != 0) quorum.signatures[how % 64] ^= 0x01;
        else return true;
        return false;
    }
}
