// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {TenLines} from "../../../contracts/examples/TenLines.sol";
import {TenSignedLines} from "../../../contracts/examples/TenSignedLines.sol";
import {ProvenanceGate} from "../../../contracts/gate/ProvenanceGate.sol";
import {ILineage} from "../../../contracts/ILineage.sol";
import {INamespaces} from "../../../contracts/INamespaces.sol";
import {IProvenanceGate} from "../../../contracts/IProvenanceGate.sol";
import {IProvenanceRegistry} from "../../../contracts/IProvenanceRegistry.sol";
import {Proof, Record} from "../../../contracts/Types.sol";
import {FromSource} from "../support/RegistryBehaviour.sol";
import {VM} from "../support/Vm.sol";
import {Worlds} from "../support/Worlds.sol";

/// @dev A dApp with every modifier.
contract Dapp is ProvenanceGate {
    uint256 public entered;

    constructor(address registry, uint8 grade) ProvenanceGate(registry, grade) {}

    function recorded(bytes32 model, bytes32 manifest) external onlyRecorded(model, manifest) {
        ++entered;
    }

    function proven(bytes32 model, bytes32 manifest, Proof calldata proof) external onlyProven(model, manifest, proof) {
        ++entered;
    }

    function named(bytes32 namespaceId, bytes32 release) external onlyNamed(namespaceId, release) {
        ++entered;
    }

    function kept(bytes32 recordId) external onlyOpen(recordId) {
        ++entered;
    }

    function descended(bytes32 model, bytes32 manifest, bool stated) external onlyWithLineage(model, manifest, stated) {
        ++entered;
    }

    function near(bytes32 model, bytes32 manifest, bool stated, uint8 generations)
        external
        onlyWithLineageWithin(model, manifest, stated, generations)
    {
        ++entered;
    }

    function signed(bytes32 model, bytes32 manifest, address[] memory oracles, uint256 threshold)
        external
        onlySignedBy(model, manifest, oracles, threshold)
    {
        ++entered;
    }

    function published(bytes32 model, bytes32 manifest, bytes32 identity)
        external
        onlyFromPublisher(model, manifest, identity)
    {
        ++entered;
    }

    /// @dev Returns the record that a name leads to, for callers that use it further.
    function recordOf(bytes32 namespaceId, bytes32 release) external view returns (bytes32) {
        return _requireNamed(namespaceId, release);
    }
}

/// @dev Another contract that supports ERC-165.
contract Stranger {
    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return interfaceId == 0x01ffc9a7;
    }
}

contract ProvenanceGateTest is Worlds, FromSource {
    Dapp private dapp;

    function setUp() public override {
        super.setUp();
        dapp = new Dapp(address(registry), 1);
    }

    function test_says_what_it_asks() public view {
        VM.assertEq(address(dapp.provenanceRegistry()), address(registry), "registry");
        VM.assertEq(uint256(dapp.minimumGrade()), 1, "grade");
    }

    function test_takes_only_a_registry() public {
        address[3] memory others = [ANYBODY, address(new Stranger()), address(registry.lineage())];
        for (uint256 i = 0; i < others.length; ++i) {
            VM.expectRevert(abi.encodeWithSelector(ProvenanceGate.NotProvenanceRegistry.selector, others[i]));
            new Dapp(others[i], 1);
        }
    }

    function test_recorded() public {
        dapp.recorded(_modelDigest(GOOD), _manifestDigest(GOOD));
        VM.assertEq(dapp.entered(), 1, "entered");
    }

    function test_published() public {
        registry.notePublisher(_bytes(_record(GOOD)));
        dapp.published(_modelDigest(GOOD), _manifestDigest(GOOD), PUBLISHER);
        _publish(_signedOnly(2));
        dapp.published(_modelDigest(2), _manifestDigest(2), PUBLISHER);
        VM.assertEq(dapp.entered(), 2, "entered");
        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.SignedByAnother.selector, _releaseId(2), PUBLISHER));
        dapp.published(_modelDigest(2), _manifestDigest(2), OTHER_PUBLISHER);
    }

    function test_the_ten_signed_lines() public {
        TenSignedLines ten = new TenSignedLines(address(registry), PUBLISHER);
        _publish(_signedOnly(2));
        VM.prank(ANYBODY);
        ten.register(_modelDigest(2), _manifestDigest(2));
        VM.assertEq(ten.modelOf(ANYBODY), _modelDigest(2), "registered");
        Record memory other = _signedOnly(3);
        other.publisherIdentity = OTHER_PUBLISHER;
        _publish(other);
        bytes memory reason =
            abi.encodeWithSelector(IProvenanceGate.SignedByAnother.selector, _releaseId(3), OTHER_PUBLISHER);
        VM.expectRevert(reason);
        ten.register(_modelDigest(3), _manifestDigest(3));
    }

    function test_the_ten_lines() public {
        TenLines ten = new TenLines(address(registry));
        VM.prank(ANYBODY);
        ten.register(_modelDigest(GOOD), _manifestDigest(GOOD));
        VM.assertEq(ten.modelOf(ANYBODY), _modelDigest(GOOD), "registered");
        bytes memory reason = _spoiled(2, 1);
        VM.expectRevert(reason);
        ten.register(_modelDigest(2), _manifestDigest(2));
    }

    function test_every_refusal_of_a_record_reaches_the_dapp() public {
        for (uint256 kind = 0; kind < SPOILINGS; ++kind) {
            bytes memory reason = _spoiled(2, kind);
            VM.expectRevert(reason);
            dapp.recorded(_modelDigest(2), _manifestDigest(2));
            setUp(); // another registry
        }
        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.RecordNotFound.selector, _releaseId(UNKNOWN)));
        dapp.recorded(_modelDigest(UNKNOWN), _manifestDigest(UNKNOWN));
    }

    function test_a_dapp_decides_on_the_grade() public {
        Record memory record = _record(2);
        record.grade = 1;
        _publish(record);
        dapp.recorded(_modelDigest(2), _manifestDigest(2));
        Dapp strict = new Dapp(address(registry), 2);
        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.GradeTooLow.selector, _releaseId(2), 1, 2));
        strict.recorded(_modelDigest(2), _manifestDigest(2));
    }

    function test_proven() public {
        Grown memory tree = _batch();
        dapp.proven(_modelDigest(11), _manifestDigest(11), _proof(tree, 1));
        VM.assertEq(dapp.entered(), 1, "entered");

        bytes memory notFound = abi.encodeWithSelector(IProvenanceGate.RecordNotFound.selector, _releaseId(10));
        VM.expectRevert(notFound);
        dapp.proven(_modelDigest(10), _manifestDigest(10), _proof(tree, 1));
        // unlike the other gate, this one depends on whether the record is written out
        VM.expectRevert(notFound);
        dapp.recorded(_modelDigest(10), _manifestDigest(10));
        registry.materialise(tree.leaves[0].record, _proof(tree, 0));
        dapp.recorded(_modelDigest(10), _manifestDigest(10));
    }

    function test_refusals_through_a_proof_reach_the_dapp() public {
        Grown memory tree = _batch();
        Proof memory first = _proof(tree, 0);
        VM.prank(GUARDIAN);
        registry.revokeInBatch(_modelDigest(10), _manifestDigest(10), first, uint40(block.timestamp), "leaked");
        VM.expectRevert(
            abi.encodeWithSelector(IProvenanceGate.RecordIsRevoked.selector, _releaseId(10), block.timestamp)
        );
        dapp.proven(_modelDigest(10), _manifestDigest(10), first);

        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.RecordIsSimulated.selector, _releaseId(12)));
        dapp.proven(_modelDigest(12), _manifestDigest(12), _proof(tree, 2));
        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.GradeTooLow.selector, _releaseId(13), 0, 1));
        dapp.proven(_modelDigest(13), _manifestDigest(13), _proof(tree, 3));
        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.RecordIsClosed.selector, _releaseId(14), true, false));
        dapp.proven(_modelDigest(14), _manifestDigest(14), _proof(tree, 4));

        _revokeKey(0);
        registry.recountBatch(_root(tree));
        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.RecordIsClosed.selector, _releaseId(11), false, true));
        dapp.proven(_modelDigest(11), _manifestDigest(11), _proof(tree, 1));
    }

    function test_takes_only_a_grade_that_there_is() public {
        VM.expectRevert(abi.encodeWithSelector(IProvenanceRegistry.UnknownGrade.selector, 3));
        new Dapp(address(registry), 3);
    }

    function test_signed_by_oracles_of_ones_own_choice() public {
        address[] memory oracles = new address[](2);
        (oracles[0], oracles[1]) = (_oracles(1, 5)[0].key, _oracles(1, 5)[4].key); // the last one did not sign
        if (oracles[0] > oracles[1]) (oracles[0], oracles[1]) = (oracles[1], oracles[0]);
        dapp.signed(_modelDigest(GOOD), _manifestDigest(GOOD), oracles, 1);
        VM.assertEq(dapp.entered(), 1, "entered");
        VM.expectRevert(abi.encodeWithSelector(ProvenanceGate.TooFewSigners.selector, _releaseId(GOOD), 1, 2));
        dapp.signed(_modelDigest(GOOD), _manifestDigest(GOOD), oracles, 2);
        VM.expectRevert(abi.encodeWithSelector(ProvenanceGate.TooFewSigners.selector, _releaseId(GOOD), 1, 0));
        dapp.signed(_modelDigest(GOOD), _manifestDigest(GOOD), oracles, 0);
        bytes memory reason = _spoiled(2, 2); // revoked, though they signed it
        VM.expectRevert(reason);
        dapp.signed(_modelDigest(2), _manifestDigest(2), oracles, 1);
    }

    function test_named() public {
        (bytes32 namespaceId, bytes32 release) = _publishNamed(2);
        dapp.named(namespaceId, release);
        VM.assertEq(dapp.entered(), 1, "entered");
        VM.assertEq(dapp.recordOf(namespaceId, release), _releaseId(2), "record");
        dapp.kept(_releaseId(2));
        VM.assertEq(dapp.entered(), 2, "entered");

        VM.expectRevert(
            abi.encodeWithSelector(INamespaces.NothingNamed.selector, namespaceId, keccak256("model@none"))
        );
        dapp.named(namespaceId, keccak256("model@none"));
        _revoke(2);
        bytes memory revoked =
            abi.encodeWithSelector(IProvenanceGate.RecordIsRevoked.selector, _releaseId(2), block.timestamp);
        VM.expectRevert(revoked);
        dapp.named(namespaceId, release);
        VM.expectRevert(revoked);
        dapp.kept(_releaseId(2));
    }

    function test_lineage() public {
        Record memory child = _record(2);
        child.parents = new bytes32[](1);
        child.parents[0] = _releaseId(GOOD);
        _publish(child);
        dapp.descended(_modelDigest(2), _manifestDigest(2), false);
        VM.assertEq(dapp.entered(), 1, "entered");

        _revoke(GOOD);
        VM.expectRevert(
            abi.encodeWithSelector(IProvenanceGate.RecordIsRevoked.selector, _releaseId(GOOD), block.timestamp)
        );
        dapp.descended(_modelDigest(2), _manifestDigest(2), false);
        dapp.recorded(_modelDigest(2), _manifestDigest(2));
    }

    function test_lineage_of_the_nearest_generations() public {
        for (uint256 i = 2; i < 4; ++i) {
            Record memory child = _record(i);
            child.parents = new bytes32[](1);
            child.parents[0] = _releaseId(i - 1);
            _publish(child);
        }
        _revoke(GOOD);
        dapp.near(_modelDigest(3), _manifestDigest(3), true, 1);
        VM.assertEq(dapp.entered(), 1, "entered");
        VM.expectRevert(
            abi.encodeWithSelector(IProvenanceGate.RecordIsRevoked.selector, _releaseId(GOOD), block.timestamp)
        );
        dapp.near(_modelDigest(3), _manifestDigest(3), true, 2);
    }

    function test_lineage_by_stated_parents() public {
        _publish(_record(3));
        (bytes32 namespaceId,) = _publishNamed(2);
        ILineage lineage = registry.lineage();
        VM.prank(registry.namespaces().namespaceOf(namespaceId).owner);
        lineage.stateParent(namespaceId, keccak256(bytes(_releaseName(2))), _releaseId(2), _releaseId(3));
        _revoke(3);
        dapp.descended(_modelDigest(2), _manifestDigest(2), false);
        VM.expectRevert(
            abi.encodeWithSelector(IProvenanceGate.RecordIsRevoked.selector, _releaseId(3), block.timestamp)
        );
        dapp.descended(_modelDigest(2), _manifestDigest(2), true);
    }

    /// @dev Releases 10 and 11, good; 12 simulated; 13 of grade 0; 14 with a name in a claimed namespace.
    function _batch() private returns (Grown memory tree) {
        Leaf[] memory leaves = new Leaf[](5);
        leaves[0] = _leaf(_record(10), 0, false);
        leaves[1] = _leaf(_record(11), 1, false);
        leaves[2] = _leaf(_simulated(12), 2, false);
        Record memory poor = _record(13);
        poor.grade = 0;
        leaves[3] = _leaf(poor, 3, false);
        leaves[4] = _leaf(_record(14), 4, true);
        tree = _growLeaves(leaves);
        _recordBatch(tree);
    }
}
