// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {IProvenanceRegistry} from "../../../contracts/IProvenanceRegistry.sol";
import {Oracle, Proof, Record, Requirements, Standing} from "../../../contracts/Types.sol";
import {Signing} from "../support/Signing.sol";
import {Tree} from "../support/Tree.sol";

/**
 * @dev The expected state and answers of a registry, derived from the calls alone in a plain and slow way. There are
 * only a few releases, so that calls collide, and three oracles in every epoch: the first of weight 1, the last of
 * weight 3.
 */
abstract contract Books is Signing, Tree {
    enum Promise {
        OnlyAQuorumWrites,
        ContentNeverChanges,
        TheSameTwiceIsSilent,
        OtherContentIsRefused,
        RevocationIsFinal,
        NothingIsDeleted,
        PauseStopsWrites,
        BothFlavoursAgree,
        GatesFollowTheBooks,
        EveryCallDoesWhatItShould
    }

    /// @dev One record. `signers` and `doubtful` date from its last recount.
    struct Kept {
        bytes record;
        uint40 recordedAt;
        uint40 judgedAt;
        uint8 grade;
        uint8 productLine;
        uint16 epoch;
        uint32 signers;
        bool doubtful;
        bytes32 publisher;
        bool noted;
    }

    struct Planted {
        Proof[2] proofs;
        Record[] records;
        uint256[] releases;
        bytes32 root;
        uint40 recordedAt;
        uint16 epoch;
        uint32 signers;
        bool doubtful;
        bool[2] written;
    }

    uint256 internal constant RELEASES = 5;
    uint256 internal constant SIZE = 3;
    uint16 internal constant THRESHOLD = 3;
    uint40 internal constant DELAY = 2 days;
    uint40 internal constant GRACE = 1 days;
    address internal constant OWNER = address(0x0057E2);
    address internal constant GUARDIAN = address(0x6A6D);

    mapping(Promise => uint256) public broken;

    IProvenanceRegistry internal _registry;
    uint16 internal _epoch = 1;
    bool internal _paused;
    bytes32[] internal _ids;
    bytes32[] internal _roots;
    mapping(bytes32 recordId => Kept) internal _kept;
    mapping(bytes32 root => Planted) internal _planted;
    mapping(uint256 release => uint16) internal _revisions;
    mapping(uint256 release => uint40) internal _revokedAt;
    mapping(uint256 release => uint40) internal _modelRevokedAt;
    mapping(uint16 epoch => uint40) internal _acceptedUntil;
    mapping(uint16 epoch => mapping(uint256 index => uint40)) internal _validUntil;

    /// @dev Returns the set of an epoch, with keys as numbered by {Signing}.
    function _set(uint16 epoch) internal pure returns (Oracle[] memory oracles) {
        oracles = new Oracle[](SIZE);
        for (uint256 i = 0; i < SIZE; ++i) {
            oracles[i] = Oracle(_account(_firstKey(epoch) + i), uint16(i + 1), 0, FOR_EVER, 0);
        }
    }

    function _weightOf(uint256 signers) internal pure returns (uint16 weight) {
        for (uint256 i = 0; i < SIZE; ++i) {
            if (signers >> i & 1 == 1) weight += uint16(i + 1);
        }
    }

    /// @dev Returns whether good signatures by these oracles are enough now.
    function _isQuorum(uint16 epoch, uint32 signers) internal view returns (bool) {
        bool before = epoch + 1 == _epoch && block.timestamp < _acceptedUntil[epoch];
        if (epoch != _epoch && !before) return false;
        if (signers >> SIZE != 0) return false;
        return signers == _valid(epoch, signers, uint40(block.timestamp)) && _weightOf(signers) >= THRESHOLD;
    }

    /// @dev Returns the signers whose keys were valid at that time, by the knowledge of today.
    function _valid(uint16 epoch, uint32 signers, uint40 time) internal view returns (uint32 valid) {
        for (uint256 i = 0; i < SIZE; ++i) {
            if (signers >> i & 1 == 1 && time < _validUntil[epoch][i]) valid |= uint32(1 << i);
        }
    }

    /// @dev Returns whether a record can be written if there is none yet under its id.
    function _hasItsPlace(uint256 release, Record memory record) internal view returns (bool) {
        if (record.grade > 2) return false;
        if (!record.passed || record.revision == 0) return true;
        return _isKnown(_releaseId(release)) && record.revision == _revisions[release] + 1 && !_isRevoked(release);
    }

    /// @dev Enters a record with the time and the signers of `stamp`.
    function _enter(uint256 release, Record memory record, Kept memory stamp) internal {
        bytes32 recordId = _idOf(record);
        if (record.passed && record.revision != 0) _revisions[release] = record.revision;
        _kept[recordId] = _filled(stamp, record);
        _ids.push(recordId);
    }

    /// @dev Returns whether the registry notes the publisher of a record when it writes the record.
    function _isNotedAtOnce(Record memory record) internal pure returns (bool) {
        return record.passed && record.productLine == 254;
    }

    /// @dev Returns whether the revocation of the release's model changes the release once it is applied.
    function _isDueToModel(uint256 release) internal view returns (bool) {
        (uint40 model, uint40 known) = (_modelRevokedAt[release], _revokedAt[release]);
        return model != 0 && (known == 0 || model < known);
    }

    function _applyToModel(uint256 release) internal {
        if (_isDueToModel(release)) _revokedAt[release] = _modelRevokedAt[release];
    }

    function _filled(Kept memory stamp, Record memory record) internal pure returns (Kept memory) {
        stamp.record = _bytes(record);
        stamp.judgedAt = record.judgedAt;
        stamp.grade = record.grade;
        stamp.productLine = record.productLine;
        stamp.publisher = record.publisherIdentity;
        return stamp;
    }

    function _stampOf(Planted storage batch) internal view returns (Kept memory stamp) {
        stamp.recordedAt = batch.recordedAt;
        stamp.epoch = batch.epoch;
        stamp.signers = batch.signers;
        stamp.doubtful = batch.doubtful;
    }

    /// @dev Returns the judgement of a release that counts, all 0 if there is none.
    function _latest(uint256 release) internal view returns (Kept memory) {
        return _kept[_latestId(release)];
    }

    function _latestId(uint256 release) internal view returns (bytes32) {
        bytes32 releaseId = _releaseId(release);
        uint16 revision = _revisions[release];
        return revision == 0 ? releaseId : keccak256(abi.encodePacked(releaseId, revision));
    }

    function _isOpen(uint256 release, uint8 grade) internal view returns (bool) {
        Kept memory latest = _latest(release);
        return _isStanding(release, latest) && latest.productLine < 254 && latest.grade >= grade;
    }

    function _isSignedBy(uint256 release, bytes32 publisher) internal view returns (bool) {
        Kept memory latest = _latest(release);
        bool open = _isStanding(release, latest) && latest.productLine != 255;
        return open && latest.noted && latest.publisher == publisher;
    }

    function _isStanding(uint256 release, Kept memory latest) internal view returns (bool) {
        return latest.recordedAt != 0 && !latest.doubtful && !_isRevoked(release);
    }

    function _isRevoked(uint256 release) internal view returns (bool) {
        return _revokedAt[release] != 0 && block.timestamp >= _revokedAt[release];
    }

    /// @dev Returns whether the release meets the requirements with the keys that count today.
    function _meets(uint256 release, Requirements memory wanted) internal view returns (bool) {
        return !_isRevoked(release) && _satisfies(_latest(release), wanted);
    }

    function _satisfies(Kept memory judged, Requirements memory wanted) internal view returns (bool) {
        uint32 valid = _valid(judged.epoch, judged.signers, judged.recordedAt);
        bool enough = valid == judged.signers || _weightOf(valid) >= THRESHOLD;
        bool open = judged.recordedAt != 0 && !judged.doubtful && enough && judged.productLine < 254;
        return open && judged.grade >= wanted.minimumGrade && _weightOf(valid) >= wanted.minimumWeight
            && block.timestamp <= uint256(judged.judgedAt) + wanted.maximumAge;
    }

    /// @dev Returns whether a leaf is that of a release. Later judgements and failures have other ids.
    function _isFirst(Record memory record) internal pure returns (bool) {
        return record.passed && record.revision == 0;
    }

    function _isOpenFromProof(Planted storage batch, uint256 leaf, uint8 grade) internal view returns (bool) {
        Record memory record = batch.records[leaf];
        if (!_isFirst(record)) return false;
        if (batch.written[leaf]) return _isOpen(batch.releases[leaf], grade);
        return !batch.doubtful && record.productLine < 254 && record.grade >= grade;
    }

    function _meetsFromProof(Planted storage batch, uint256 leaf, Requirements memory wanted)
        internal
        view
        returns (bool)
    {
        if (_isKnown(_releaseId(batch.releases[leaf]))) return _meets(batch.releases[leaf], wanted);
        Record memory record = batch.records[leaf];
        return _isFirst(record) && _satisfies(_filled(_stampOf(batch), record), wanted);
    }

    /// @dev Returns whether a batch's signers are enough with the keys that count today.
    function _isEnoughToday(Planted storage batch) internal view returns (bool) {
        uint32 valid = _valid(batch.epoch, batch.signers, batch.recordedAt);
        return !batch.doubtful && (valid == batch.signers || _weightOf(valid) >= THRESHOLD);
    }

    function _isKnown(bytes32 recordId) internal view returns (bool) {
        return _kept[recordId].recordedAt != 0;
    }

    function _standingOf(uint256 release) internal view returns (Standing memory standing) {
        Kept memory latest = _latest(release);
        if (latest.recordedAt == 0) return standing;
        standing.recordedAt = latest.recordedAt;
        standing.revokedAt = _revokedAt[release];
        standing.judgedAt = latest.judgedAt;
        standing.policyId = 1;
        standing.signers = latest.signers;
        standing.weight = _weightOf(latest.signers);
        standing.epoch = latest.epoch;
        standing.revisions = _revisions[release];
        standing.grade = latest.grade;
        standing.productLine = latest.productLine;
        standing.doubtful = latest.doubtful;
    }

    function _expect(Promise promised, bool kept) internal {
        if (!kept) ++broken[promised];
    }
}
