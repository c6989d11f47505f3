// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {IProvenanceRegistry} from "../contracts/IProvenanceRegistry.sol";
import {ProvenanceRegistry} from "../contracts/ProvenanceRegistry.sol";

/// @dev The few cheat codes used here; Hardhat's Solidity tests answer them at this address, as Forge does.
interface Vm {
    struct Log {
        bytes32[] topics;
        bytes data;
        address emitter;
    }

    function prank(address sender) external;
    function warp(uint256 time) external;
    function recordLogs() external;
    function getRecordedLogs() external returns (Log[] memory);
}

Vm constant VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
address constant ADMIN = address(0xA11CE);
address constant ORACLE = address(0x0AC1E);
address constant GUARDIAN = address(0x6A6D);

/**
 * @dev Does what anybody might do to a registry, in any order, and keeps its own books: what was written first, and
 * what the events say. Every broken promise is counted. Few digests, so that they collide all the time.
 */
contract Anybody {
    uint256 public constant MANIFESTS = 6;
    uint256 public constant MODELS = 3;

    ProvenanceRegistry public immutable registry;
    uint256 public brokenPromises;

    mapping(bytes32 manifest => bytes32) public firstContent; // arguments of the publication that counted
    mapping(bytes32 manifest => bytes32) public firstEntry; // entry as first read back, without revokedAt
    mapping(bytes32 manifest => bool) public revoked;
    mapping(bytes32 model => IProvenanceRegistry.Standing) private _counted; // from events alone

    constructor(ProvenanceRegistry registry_) {
        registry = registry_;
    }

    function publish(uint8 caller, uint8 manifestSeed, uint8 modelSeed, uint8 gradeSeed, uint8 line, bool plain) external {
        bytes32 manifest = digest("manifest", manifestSeed % MANIFESTS);
        IProvenanceRegistry.Record memory record = IProvenanceRegistry.Record({
            modelDigest: digest("model", modelSeed % MODELS),
            verdictDigest: digest("verdict", 0),
            reportDigest: digest("report", modelSeed % 2),
            policyDigest: digest("policy", 0),
            judgedAt: 1,
            reportedTcb: 7,
            checks: 1,
            grade: gradeSeed % 4,
            productLine: line % 5 == 4 ? 255 : line % 5
        });
        string memory name = plain ? "a/model" : "b/model";
        bytes32 content = keccak256(abi.encode(record, name));
        bool wellFormed = record.grade < 3 && record.productLine != 0 && (record.productLine != 255 || record.grade == 0);
        bool known = firstContent[manifest] != 0;
        bool allowed = wellFormed && who(caller) == ORACLE && (!known || firstContent[manifest] == content);

        VM.recordLogs();
        VM.prank(who(caller));
        try registry.publish(manifest, record, name, "1") returns (bool isNew) {
            _expect(allowed && isNew == !known);
            if (!known) {
                firstContent[manifest] = content;
                firstEntry[manifest] = entryHash(manifest);
            }
        } catch {
            _expect(!allowed);
        }
        _expect(_count() == (allowed && !known ? 1 : 0));
    }

    function revoke(uint8 caller, uint8 manifestSeed) external {
        bytes32 manifest = digest("manifest", manifestSeed % MANIFESTS);
        bool allowed = who(caller) == GUARDIAN && firstContent[manifest] != 0 && !revoked[manifest];
        VM.recordLogs();
        VM.prank(who(caller));
        try registry.revoke(manifest, "reason") {
            _expect(allowed);
            revoked[manifest] = true;
        } catch {
            _expect(!allowed);
        }
        _expect(_count() == (allowed ? 1 : 0));
    }

    function wait(uint16 time) external {
        VM.warp(block.timestamp + time);
    }

    function counted(bytes32 model) external view returns (IProvenanceRegistry.Standing memory) {
        return _counted[model];
    }

    /// @dev Hash of everything in an entry but the time of its revocation.
    function entryHash(bytes32 manifest) public view returns (bytes32) {
        IProvenanceRegistry.Entry memory entry = registry.entryOf(manifest);
        entry.revokedAt = 0;
        return keccak256(abi.encode(entry));
    }

    function digest(string memory kind, uint256 number) public pure returns (bytes32) {
        return keccak256(abi.encode(kind, number));
    }

    function who(uint8 caller) public pure returns (address) {
        if (caller % 4 < 2) return ORACLE;
        return caller % 4 == 2 ? GUARDIAN : ADMIN;
    }

    function _expect(bool kept) private {
        if (!kept) ++brokenPromises;
    }

    /// @dev Books the events of one call, and returns how many there were.
    function _count() private returns (uint256) {
        Vm.Log[] memory logs = VM.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            bytes32 model = logs[i].topics[2];
            bool isNew = logs[i].topics[0] == IProvenanceRegistry.RecordPublished.selector;
            IProvenanceRegistry.Record memory record;
            if (isNew) {
                (IProvenanceRegistry.Entry memory entry,,) =
                    abi.decode(logs[i].data, (IProvenanceRegistry.Entry, string, string));
                record = entry.record;
                ++_counted[model].records;
            } else {
                record = registry.entryOf(logs[i].topics[1]).record;
            }
            IProvenanceRegistry.Standing storage standing = _counted[model];
            if (record.productLine == 255) standing.simulated = isNew ? standing.simulated + 1 : standing.simulated - 1;
            else if (record.grade == 0) standing.grade0 = isNew ? standing.grade0 + 1 : standing.grade0 - 1;
            else if (record.grade == 1) standing.grade1 = isNew ? standing.grade1 + 1 : standing.grade1 - 1;
            else standing.grade2 = isNew ? standing.grade2 + 1 : standing.grade2 - 1;
        }
        return logs.length;
    }
}

contract RegistryInvariants {
    Anybody private _anybody;
    ProvenanceRegistry private _registry;

    function setUp() public {
        VM.warp(1_760_000_000);
        _registry = new ProvenanceRegistry(1 days, ADMIN, ORACLE, GUARDIAN);
        _anybody = new Anybody(_registry);
    }

    /// @dev The fuzzer calls this contract only.
    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_anybody);
    }

    /// @dev Only the role writes; an identical publication is a no-op; another one reverts; each change is one event.
    function invariant_everyCallDoesWhatItPromises() public view {
        require(_anybody.brokenPromises() == 0, "a promise was broken");
    }

    function invariant_recordsNeverChangeAndRevocationIsFinal() public view {
        for (uint256 i = 0; i < _anybody.MANIFESTS(); ++i) {
            bytes32 manifest = _anybody.digest("manifest", i);
            IProvenanceRegistry.Status wanted = IProvenanceRegistry.Status.NotFound;
            if (_anybody.firstContent(manifest) != 0) {
                require(_anybody.entryHash(manifest) == _anybody.firstEntry(manifest), "a record changed");
                wanted = _anybody.revoked(manifest)
                    ? IProvenanceRegistry.Status.Revoked
                    : IProvenanceRegistry.Status.Active;
            }
            require(_registry.statusOf(manifest) == wanted, "a status is wrong");
        }
    }

    function invariant_countersEqualTheEvents() public view {
        for (uint256 i = 0; i < _anybody.MODELS(); ++i) {
            bytes32 model = _anybody.digest("model", i);
            bytes memory counted = abi.encode(_anybody.counted(model));
            require(keccak256(abi.encode(_registry.standingOf(model))) == keccak256(counted), "a counter is wrong");
        }
    }

    function invariant_theGateFollowsTheCounters() public view {
        for (uint256 i = 0; i < _anybody.MODELS(); ++i) {
            bytes32 model = _anybody.digest("model", i);
            IProvenanceRegistry.Standing memory counted = _anybody.counted(model);
            require(_registry.isRecorded(model, 2) == (counted.grade2 > 0), "grade 2");
            require(_registry.isRecorded(model, 1) == (counted.grade1 + counted.grade2 > 0), "grade 1");
            require(_registry.isRecorded(model, 0) == (counted.grade0 + counted.grade1 + counted.grade2 > 0), "grade 0");
            require(_registry.isRecordedSimulated(model) == (counted.simulated > 0), "simulated");
            require(!_registry.isRecorded(model, 3), "grade 3");
        }
    }
}

contract RegistryFuzz {
    ProvenanceRegistry private _registry;

    function setUp() public {
        VM.warp(1_760_000_000);
        _registry = new ProvenanceRegistry(1 days, ADMIN, ORACLE, GUARDIAN);
    }

    /// @dev Whatever the oracle says and the registry takes is read back bit for bit; the fuzzer picks every field.
    function testFuzz_readsBackWhatWasWritten(bytes32 manifest, IProvenanceRegistry.Record memory record) public {
        VM.prank(ORACLE);
        try _registry.publish(manifest, record, "a/model", "1") {
            IProvenanceRegistry.Entry memory entry = _registry.entryOf(manifest);
            require(keccak256(abi.encode(entry.record)) == keccak256(abi.encode(record)), "another record");
            require(entry.oracle == ORACLE && entry.recordedAt == block.timestamp && entry.revokedAt == 0, "stamps");
            require(_registry.latestManifestOf(record.modelDigest) == manifest, "not found by model");
            require(_registry.manifestByReport(record.reportDigest) == manifest, "not found by report");
        } catch {
            require(!_acceptable(manifest, record), "refused for no reason");
        }
    }

    /// @dev The same with fields that are mostly acceptable, so that the first branch is taken too.
    function testFuzz_takesEveryAcceptableRecord(bytes32 manifest, IProvenanceRegistry.Record memory record) public {
        record.judgedAt = uint64(record.judgedAt % (block.timestamp + 5 minutes + 1));
        record.grade = record.productLine == 255 ? 0 : record.grade % 3;
        if (record.productLine == 0) record.productLine = 1;
        testFuzz_readsBackWhatWasWritten(manifest, record);
        if (_acceptable(manifest, record)) _registry.entryOf(manifest);
    }

    function testFuzz_nobodyElseWrites(address caller, bytes32 manifest, IProvenanceRegistry.Record memory record) public {
        if (caller == ORACLE) return;
        VM.prank(caller);
        try _registry.publish(manifest, record, "a/model", "1") {
            revert("published");
        } catch (bytes memory reason) {
            require(bytes4(reason) == bytes4(keccak256("AccessControlUnauthorizedAccount(address,bytes32)")), "reason");
        }
    }

    function _acceptable(bytes32 manifest, IProvenanceRegistry.Record memory record) private view returns (bool) {
        if (manifest == 0 || record.modelDigest == 0 || record.verdictDigest == 0) return false;
        if (record.reportDigest == 0 || record.policyDigest == 0 || record.checks == 0) return false;
        if (record.productLine == 0 || record.grade > 2) return false;
        if (record.productLine == 255 && record.grade != 0) return false;
        return record.judgedAt <= block.timestamp + 5 minutes;
    }
}
