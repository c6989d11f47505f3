// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {IProvenanceRegistry} from "../../../contracts/IProvenanceRegistry.sol";
import {Proof, Quorum, Record} from "../../../contracts/Types.sol";
import {VM} from "../support/Vm.sol";
import {Counters} from "./Counters.sol";

/// @dev Does to a registry anything that an account could do, in any order, and keeps the books.
contract Anybody is Counters {
    /// @dev A publication, with its assessment by the books.
    struct Attempt {
        uint256 release;
        Record record;
        uint16 epoch;
        uint32 signers;
        bool good;
        bool known;
        bool same;
    }

    /// @dev `registry` is new, has the first set of the books, and knows one policy.
    constructor(IProvenanceRegistry registry) Counters(registry) {}

    // ------------------------------------------------------------------------------------------ writes

    function publish(uint8 release, uint8 kind, uint8 variant, uint8 signers, uint8 how, bool earlier) external {
        uint16 epoch = earlier ? _epoch - 1 : _epoch;
        _tryRecord(release % RELEASES, _make(release % RELEASES, kind, variant), epoch, _choose(epoch, signers), how);
    }

    /// @dev A correct publication. Without this function, little would ever be written.
    function publishWell(uint8 release, bool isLater, uint8 grade) external {
        Record memory record = _make(release % RELEASES, isLater ? 3 : 0, grade % 3);
        _tryRecord(release % RELEASES, record, _epoch, _choose(_epoch, 0), 0);
    }

    function publishAgain(uint256 pick) external {
        if (_ids.length == 0) return;
        bytes32 recordId = _ids[pick % _ids.length];
        VM.recordLogs();
        try _registry.publish(_kept[recordId].record, Quorum(0, 0, "")) returns (bool isNew) {
            _expect(Promise.TheSameTwiceIsSilent, !isNew && _logs() == 0);
        } catch {
            _expect(Promise.TheSameTwiceIsSilent, false);
        }
        _inspect(pick % RELEASES, uint8(pick));
    }

    function recordBatch(uint8 one, uint8 other, uint8 kind, uint8 variant, uint8 signers, uint8 how) external {
        Record[2] memory records = [_make(one % RELEASES, 0, variant / 8), _make(other % RELEASES, kind, variant % 8)];
        Leaf[] memory leaves = new Leaf[](2);
        (leaves[0], leaves[1]) = (_leaf(records[0], 0, false), _leaf(records[1], 1, false));
        Planted storage batch = _tryBatch(leaves, _choose(_epoch, signers), how);
        if (batch.recordedAt != 0 && batch.releases.length == 0) {
            batch.releases = [one % RELEASES, other % RELEASES];
            batch.records.push(records[0]);
            batch.records.push(records[1]);
        }
        _inspect(one, how);
    }

    function notePublisher(uint256 pick, bool spoilt) external {
        if (_ids.length == 0) return;
        Kept storage kept = _kept[_ids[pick % _ids.length]];
        bytes memory record = kept.record;
        if (spoilt) record[191] ^= 0x01; // of the publisher's identity
        VM.recordLogs();
        try _registry.notePublisher(record) {
            _expect(Promise.EveryCallDoesWhatItShould, !spoilt && _logs() == (kept.noted ? 0 : 1));
            _expect(Promise.PauseStopsWrites, !_paused);
            kept.noted = true;
        } catch {
            _expect(Promise.EveryCallDoesWhatItShould, (spoilt || _paused) && _logs() == 0);
        }
        _inspect(pick % RELEASES, uint8(pick));
    }

    function materialise(uint256 pick, bool second) external {
        if (_roots.length == 0) return;
        Planted storage batch = _planted[_roots[pick % _roots.length]];
        uint256 leaf = second ? 1 : 0;
        Record memory record = batch.records[leaf];
        bool known = _isKnown(_idOf(record));
        bool isDue = !_paused && _isEnoughToday(batch) && (known || _hasItsPlace(batch.releases[leaf], record));
        Proof memory proof = batch.proofs[leaf];

        VM.recordLogs();
        try _registry.materialise(_bytes(record), proof) returns (bool isNew) {
            _expect(Promise.EveryCallDoesWhatItShould, isDue && isNew == !known);
            bool revokes = isNew && record.passed && _isDueToModel(batch.releases[leaf]);
            bool notes = isNew && _isNotedAtOnce(record);
            _expect(Promise.TheSameTwiceIsSilent, _logs() == (isNew ? 2 : 1) + (revokes ? 1 : 0) + (notes ? 1 : 0));
            batch.written[leaf] = true;
            if (isNew) _enter(batch.releases[leaf], record, _stampOf(batch));
            if (notes) _kept[_idOf(record)].noted = true;
            if (revokes) _applyToModel(batch.releases[leaf]);
        } catch (bytes memory reason) {
            _expect(Promise.EveryCallDoesWhatItShould, !isDue);
            bool paused = bytes4(reason) == IProvenanceRegistry.WritesArePaused.selector;
            _expect(Promise.PauseStopsWrites, paused == _paused);
        }
        _inspect(batch.releases[leaf], uint8(pick));
    }

    // ------------------------------------------------------------------------------------------ results

    function _tryRecord(uint256 release, Record memory record, uint16 epoch, uint32 signers, uint8 how) private {
        bytes memory encoded = _bytes(record);
        Quorum memory quorum = _quorum(epoch, signers, _reportDigest(address(_registry), epoch, encoded));
        Attempt memory attempt;
        (attempt.release, attempt.record) = (release, record);
        (attempt.epoch, attempt.signers) = (epoch, signers);
        attempt.good = _spoil(quorum, how) && _isQuorum(epoch, signers);
        Kept storage kept = _kept[_idOf(record)];
        attempt.known = kept.recordedAt != 0;
        attempt.same = attempt.known && keccak256(kept.record) == keccak256(encoded);

        VM.recordLogs();
        try _registry.publish(encoded, quorum) returns (bool isNew) {
            _published(attempt, isNew);
        } catch (bytes memory reason) {
            _refused(attempt, bytes4(reason));
        }
        _inspect(release, how);
    }

    function _published(Attempt memory attempt, bool isNew) private {
        bool isDue = !attempt.known && !_paused && attempt.good && _hasItsPlace(attempt.release, attempt.record);
        _expect(Promise.OnlyAQuorumWrites, !isNew || attempt.good);
        _expect(Promise.PauseStopsWrites, !isNew || !_paused);
        _expect(Promise.OtherContentIsRefused, !attempt.known || attempt.same);
        bool revokes = isNew && attempt.record.passed && _isDueToModel(attempt.release);
        bool notes = isNew && _isNotedAtOnce(attempt.record);
        uint256 events = (isNew ? 1 : 0) + (revokes ? 1 : 0) + (notes ? 1 : 0);
        _expect(Promise.TheSameTwiceIsSilent, isNew == !attempt.known && _logs() == events);
        _expect(Promise.EveryCallDoesWhatItShould, isNew == isDue);
        if (isNew) _enter(attempt.release, attempt.record, _stampNow(attempt.epoch, attempt.signers));
        if (notes) _kept[_idOf(attempt.record)].noted = true;
        if (revokes) _applyToModel(attempt.release);
    }

    function _refused(Attempt memory attempt, bytes4 reason) private {
        bool isDue = !attempt.known && !_paused && attempt.good && _hasItsPlace(attempt.release, attempt.record);
        _expect(Promise.TheSameTwiceIsSilent, !attempt.same);
        bool exists = reason == IProvenanceRegistry.RecordExists.selector;
        _expect(Promise.OtherContentIsRefused, exists == attempt.known);
        bool paused = reason == IProvenanceRegistry.WritesArePaused.selector;
        _expect(Promise.PauseStopsWrites, attempt.known || paused == _paused);
        _expect(Promise.EveryCallDoesWhatItShould, !isDue && _logs() == 0);
    }

    function _tryBatch(Leaf[] memory leaves, uint32 signers, uint8 how) private returns (Planted storage batch) {
        Grown memory tree = _growLeaves(leaves);
        bytes32 root = _root(tree);
        Quorum memory quorum = _signedBatch(root, signers);
        bool good = _spoil(quorum, how) && _isQuorum(_epoch, signers);
        batch = _planted[root];
        bool known = batch.recordedAt != 0;
        VM.recordLogs();
        try _registry.recordBatch(root, 2, uint40(block.timestamp), "", quorum) returns (bool isNew) {
            _expect(Promise.OnlyAQuorumWrites, !isNew || good);
            _expect(Promise.PauseStopsWrites, !isNew || !_paused);
            _expect(Promise.TheSameTwiceIsSilent, isNew == !known && _logs() == (isNew ? 1 : 0));
            if (isNew) _plant(batch, tree, signers);
        } catch {
            _expect(Promise.EveryCallDoesWhatItShould, !known && (_paused || !good) && _logs() == 0);
        }
    }

    // ------------------------------------------------------------------------------------------ inputs

    /// @dev The time of judgement is the day's beginning, so that the same record is made again and again.
    function _make(uint256 release, uint8 kind, uint8 variant) private view returns (Record memory record) {
        kind %= 8;
        if (kind < 3) record = _record(release);
        else if (kind < 6) record = _revision(release, _revisions[release] + 1);
        else if (kind < 7) record = _revision(release, _revisions[release] + variant % 3);
        else record = _failure(release);
        record.judgedAt = uint40(block.timestamp - block.timestamp % 1 days);
        variant %= 8;
        if (variant < 4 && record.passed) record.grade = variant;
        if (variant == 4) (record.productLine, record.grade) = (255, 0);
        if (variant == 5) record.checks = 1;
        if (variant == 6) _stripHardware(record);
        if (variant == 7) record.publisherIdentity = OTHER_PUBLISHER;
    }

    function _signedBatch(bytes32 root, uint32 bits) private view returns (Quorum memory) {
        bytes32 digest = _batchDigest(address(_registry), _epoch, root, 2, uint40(block.timestamp), "");
        return _quorum(_epoch, bits, digest);
    }

    function _plant(Planted storage batch, Grown memory tree, uint32 bits) private {
        (batch.proofs[0], batch.proofs[1]) = (_proof(tree, 0), _proof(tree, 1));
        batch.root = _root(tree);
        batch.recordedAt = uint40(block.timestamp);
        batch.epoch = _epoch;
        batch.signers = bits;
        _roots.push(batch.root);
    }

    function _stampNow(uint16 epoch, uint32 signers) private view returns (Kept memory stamp) {
        stamp.recordedAt = uint40(block.timestamp);
        stamp.epoch = epoch;
        stamp.signers = signers;
    }

}
