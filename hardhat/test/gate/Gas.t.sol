// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {ExactProvenanceGate, Terms} from "../../../contracts/gate/ExactProvenanceGate.sol";
import {ProvenanceGate} from "../../../contracts/gate/ProvenanceGate.sol";
import {Proof, Record} from "../../../contracts/Types.sol";
import {FromShipped} from "../support/RegistryBehaviour.sol";
import {VM} from "../support/Vm.sol";
import {Worlds} from "../support/Worlds.sol";

/// @dev Measures the modifiers' checks in the contract that uses them.
contract Meter is ProvenanceGate {
    constructor(address registry) ProvenanceGate(registry, 1) {}

    function recorded(bytes32 model, bytes32 manifest) external view returns (uint256) {
        uint256 before = gasleft();
        _requireRecorded(model, manifest);
        return before - gasleft();
    }

    function proven(bytes32 model, bytes32 manifest, Proof calldata proof) external view returns (uint256) {
        uint256 before = gasleft();
        _requireProven(model, manifest, proof);
        return before - gasleft();
    }

    function published(bytes32 model, bytes32 manifest, bytes32 identity) external view returns (uint256) {
        uint256 before = gasleft();
        _requireFromPublisher(model, manifest, identity);
        return before - gasleft();
    }

    function named(bytes32 namespaceId, bytes32 release) external view returns (uint256) {
        uint256 before = gasleft();
        _requireNamed(namespaceId, release);
        return before - gasleft();
    }

    function descended(bytes32 model, bytes32 manifest) external view returns (uint256) {
        uint256 before = gasleft();
        _requireLineage(model, manifest, true);
        return before - gasleft();
    }
}

contract ExactMeter is ExactProvenanceGate {
    constructor(address registry, Terms memory terms) ExactProvenanceGate(registry, terms) {}

    function recorded(bytes32 model, bytes32 manifest) external view returns (uint256) {
        uint256 before = gasleft();
        _requireRecorded(model, manifest);
        return before - gasleft();
    }
}

/// @dev Every test is a transaction of its own, which starts with cold storage. The registry is the deployed bytes. The
/// dApps are compiled without `viaIR`, as most dApps are.
contract GasTest is Worlds, FromShipped {
    Meter private meter;
    Proof private proof;
    bytes32 private namespaceId;
    bytes32 private release;

    function setUp() public override {
        super.setUp();
        meter = new Meter(address(registry));
        (namespaceId, release) = _publishNamed(2);
        Record[] memory records = new Record[](100);
        for (uint256 i = 0; i < records.length; ++i) {
            records[i] = _record(100 + i);
        }
        Grown memory tree = _grow(records);
        _recordBatch(tree);
        proof = _proof(tree, 57);
        _publish(_signedOnly(3));
        registry.notePublisher(_bytes(_record(GOOD)));
    }

    function test_gas_recorded() public view {
        _requireAtMost(5_600, meter.recorded(_modelDigest(GOOD), _manifestDigest(GOOD)));
    }

    function test_gas_proven() public view {
        Proof memory shown = proof;
        _requireAtMost(7_300, meter.proven(_modelDigest(157), _manifestDigest(157), shown));
    }

    function test_gas_published() public view {
        _requireAtMost(6_500, meter.published(_modelDigest(3), _manifestDigest(3), PUBLISHER));
        // The second question finds the registry warm, which saves 2,500.
        _requireAtMost(4_000, meter.published(_modelDigest(GOOD), _manifestDigest(GOOD), PUBLISHER));
    }

    function test_gas_named() public view {
        _requireAtMost(14_500, meter.named(namespaceId, release));
    }

    function test_gas_lineage() public view {
        _requireAtMost(25_500, meter.descended(_modelDigest(GOOD), _manifestDigest(GOOD)));
    }

    function test_gas_exact() public {
        Terms memory terms = Terms(2, 1 days, 3, false, new bytes32[](1));
        terms.policyDigests[0] = POLICY;
        ExactMeter exact = new ExactMeter(address(registry), terms);
        // The registry is warm from the query for the policy's number, which saves 2,500.
        _requireAtMost(19_000, exact.recorded(_modelDigest(GOOD), _manifestDigest(GOOD)) + 2_500);
    }

    function _requireAtMost(uint256 limit, uint256 gas) private pure {
        VM.assertTrue(gas <= limit, string.concat("gas: ", VM.toString(gas)));
    }
}
