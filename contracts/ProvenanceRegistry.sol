// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {AccessControlDefaultAdminRules} from
    "@openzeppelin/contracts/access/extensions/AccessControlDefaultAdminRules.sol";
import {IProvenanceRegistry} from "./IProvenanceRegistry.sol";

/**
 * @title Registry of judged model releases
 * @notice See {IProvenanceRegistry} for what every function promises.
 * @dev Three parties: oracles write, guardians revoke, the admin appoints both and cannot touch a record. The admin is
 * handed over in two steps and after a delay. No proxy, no pause, no loop over storage.
 */
contract ProvenanceRegistry is IProvenanceRegistry, AccessControlDefaultAdminRules {
    /// @notice May publish records.
    bytes32 public constant ORACLE_ROLE = keccak256("ORACLE_ROLE");

    /// @notice May revoke records.
    bytes32 public constant GUARDIAN_ROLE = keccak256("GUARDIAN_ROLE");

    uint8 private constant SIMULATED = 255;
    uint256 private constant MAX_TEXT_BYTES = 256;

    // Block times lag behind the oracle's clock, on some chains by a minute or more.
    uint256 private constant CLOCK_TOLERANCE = 5 minutes;

    mapping(bytes32 manifestDigest => Entry) private _entries;
    mapping(bytes32 modelDigest => Standing) private _standings;
    mapping(bytes32 modelDigest => mapping(uint256 index => bytes32 manifestDigest)) private _manifests;
    mapping(bytes32 reportDigest => bytes32 manifestDigest) private _firstManifests;

    /// @param adminDelay Seconds that must pass before a new admin can accept.
    constructor(uint48 adminDelay, address admin, address oracle, address guardian)
        AccessControlDefaultAdminRules(adminDelay, admin)
    {
        _grantRole(ORACLE_ROLE, oracle);
        _grantRole(GUARDIAN_ROLE, guardian);
    }

    /// @inheritdoc IProvenanceRegistry
    function publish(
        bytes32 manifestDigest,
        Record calldata record,
        string calldata name,
        string calldata version
    ) external onlyRole(ORACLE_ROLE) returns (bool isNew) {
        _requireWellFormed(manifestDigest, record);
        _requireText("name", name);
        _requireText("version", version);

        bytes32 releaseDigest = keccak256(abi.encode(name, version));
        Entry storage entry = _entries[manifestDigest];
        if (entry.recordedAt != 0) {
            bool same = entry.releaseDigest == releaseDigest
                && keccak256(abi.encode(entry.record)) == keccak256(abi.encode(record));
            if (!same) revert RecordExists(manifestDigest);
            return false;
        }

        entry.record = record;
        entry.releaseDigest = releaseDigest;
        entry.oracle = msg.sender;
        entry.recordedAt = uint48(block.timestamp);
        _index(manifestDigest, record);
        emit RecordPublished(manifestDigest, record.modelDigest, keccak256(bytes(name)), entry, name, version);
        return true;
    }

    /// @inheritdoc IProvenanceRegistry
    function revoke(bytes32 manifestDigest, string calldata reason) external onlyRole(GUARDIAN_ROLE) {
        _requireText("reason", reason);
        Entry storage entry = _entries[manifestDigest];
        if (entry.recordedAt == 0) revert RecordNotFound(manifestDigest);
        if (entry.revokedAt != 0) revert RecordIsRevoked(manifestDigest);

        entry.revokedAt = uint48(block.timestamp);
        bytes32 modelDigest = entry.record.modelDigest;
        Standing storage standing = _standings[modelDigest];
        if (entry.record.productLine == SIMULATED) --standing.simulated;
        else if (entry.record.grade == 0) --standing.grade0;
        else if (entry.record.grade == 1) --standing.grade1;
        else --standing.grade2;
        emit RecordRevoked(manifestDigest, modelDigest, msg.sender, entry.revokedAt, reason);
    }

    /// @inheritdoc IProvenanceRegistry
    function requireRecorded(bytes32 modelDigest, uint8 minimumGrade) external view {
        Standing storage standing = _standings[modelDigest];
        if (_hasActive(standing, minimumGrade)) return;
        if (standing.records == 0) revert RecordNotFound(modelDigest);
        if (_hasActive(standing, 0)) {
            revert GradeTooLow(modelDigest, _bestGrade(standing), minimumGrade);
        }
        if (standing.simulated != 0) revert RecordIsSimulated(modelDigest);
        revert RecordIsRevoked(modelDigest);
    }

    /// @inheritdoc IProvenanceRegistry
    function isRecorded(bytes32 modelDigest, uint8 minimumGrade) external view returns (bool) {
        return _hasActive(_standings[modelDigest], minimumGrade);
    }

    /// @inheritdoc IProvenanceRegistry
    function isRecordedSimulated(bytes32 modelDigest) external view returns (bool) {
        return _standings[modelDigest].simulated != 0;
    }

    /// @inheritdoc IProvenanceRegistry
    function standingOf(bytes32 modelDigest) external view returns (Standing memory) {
        return _standings[modelDigest];
    }

    /// @inheritdoc IProvenanceRegistry
    function entryOf(bytes32 manifestDigest) external view returns (Entry memory) {
        if (_entries[manifestDigest].recordedAt == 0) revert RecordNotFound(manifestDigest);
        return _entries[manifestDigest];
    }

    /// @inheritdoc IProvenanceRegistry
    function statusOf(bytes32 manifestDigest) external view returns (Status) {
        Entry storage entry = _entries[manifestDigest];
        if (entry.recordedAt == 0) return Status.NotFound;
        return entry.revokedAt == 0 ? Status.Active : Status.Revoked;
    }

    /// @inheritdoc IProvenanceRegistry
    function recordCountOf(bytes32 modelDigest) external view returns (uint256) {
        return _standings[modelDigest].records;
    }

    /// @inheritdoc IProvenanceRegistry
    function manifestOf(bytes32 modelDigest, uint256 index) external view returns (bytes32) {
        uint256 count = _standings[modelDigest].records;
        if (index >= count) revert IndexOutOfBounds(modelDigest, index, count);
        return _manifests[modelDigest][index];
    }

    /// @inheritdoc IProvenanceRegistry
    function latestManifestOf(bytes32 modelDigest) external view returns (bytes32) {
        uint256 count = _standings[modelDigest].records;
        if (count == 0) revert RecordNotFound(modelDigest);
        return _manifests[modelDigest][count - 1];
    }

    /// @inheritdoc IProvenanceRegistry
    function manifestByReport(bytes32 reportDigest) external view returns (bytes32) {
        return _firstManifests[reportDigest];
    }

    /// @notice ERC-165: this registry, access control with default admin rules, and ERC-165 itself.
    function supportsInterface(bytes4 interfaceId) public view override returns (bool) {
        return interfaceId == type(IProvenanceRegistry).interfaceId || super.supportsInterface(interfaceId);
    }

    /// @dev Makes a new record findable by model and by report, and counts it.
    function _index(bytes32 manifestDigest, Record calldata record) private {
        Standing storage standing = _standings[record.modelDigest];
        _manifests[record.modelDigest][standing.records] = manifestDigest;
        if (_firstManifests[record.reportDigest] == 0) _firstManifests[record.reportDigest] = manifestDigest;

        ++standing.records;
        if (record.productLine == SIMULATED) ++standing.simulated;
        else if (record.grade == 0) ++standing.grade0;
        else if (record.grade == 1) ++standing.grade1;
        else ++standing.grade2;
    }

    function _requireWellFormed(bytes32 manifestDigest, Record calldata record) private view {
        if (manifestDigest == 0) revert ZeroDigest("manifestDigest");
        if (record.modelDigest == 0) revert ZeroDigest("modelDigest");
        if (record.verdictDigest == 0) revert ZeroDigest("verdictDigest");
        if (record.reportDigest == 0) revert ZeroDigest("reportDigest");
        if (record.policyDigest == 0) revert ZeroDigest("policyDigest");
        if (record.checks == 0) revert NothingChecked();
        if (record.grade > 2) revert UnknownGrade(record.grade);
        if (record.productLine == 0) revert UnknownProductLine(record.productLine);
        if (record.productLine == SIMULATED && record.grade != 0) revert SimulatedGrade(record.grade);
        if (record.judgedAt > block.timestamp + CLOCK_TOLERANCE) {
            revert JudgedInFuture(record.judgedAt, block.timestamp);
        }
    }

    function _requireText(string memory field, string calldata text) private pure {
        uint256 lengthBytes = bytes(text).length;
        if (lengthBytes == 0 || lengthBytes > MAX_TEXT_BYTES) revert TextLength(field, lengthBytes);
    }

    function _hasActive(Standing storage standing, uint8 minimumGrade) private view returns (bool) {
        if (minimumGrade == 0 && standing.grade0 != 0) return true;
        if (minimumGrade <= 1 && standing.grade1 != 0) return true;
        return minimumGrade <= 2 && standing.grade2 != 0;
    }

    /// @dev Of a model with an active record on real hardware.
    function _bestGrade(Standing storage standing) private view returns (uint8) {
        if (standing.grade2 != 0) return 2;
        return standing.grade1 != 0 ? 1 : 0;
    }
}
