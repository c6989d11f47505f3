// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {ILineage} from "../../../contracts/ILineage.sol";
import {INamespaces} from "../../../contracts/INamespaces.sol";
import {IOracleSets} from "../../../contracts/IOracleSets.sol";
import {IProvenanceGate} from "../../../contracts/IProvenanceGate.sol";
import {IProvenanceRegistry} from "../../../contracts/IProvenanceRegistry.sol";
import {Oracle, Quorum, Record} from "../../../contracts/Types.sol";
import {FromShipped, FromSource, IOwnable2Step, RegistryBehaviour} from "../support/RegistryBehaviour.sol";
import {VM} from "../support/Vm.sol";

/// @dev Rights of owner and guardian, and their limits.
abstract contract StewardsBehaviour is RegistryBehaviour {
    address private constant NEXT = address(0x4E87);

    IOwnable2Step private _owned;

    function setUp() public override {
        super.setUp();
        _owned = IOwnable2Step(address(registry));
    }

    function test_beginsWithItsStewards() public {
        VM.assertEq(_owned.owner(), OWNER, "owner");
        VM.assertEq(registry.guardian(), GUARDIAN, "guardian");
        VM.assertFalse(registry.writesPaused(), "paused");
        Oracle[] memory oracles = _oracles(1, 1);
        VM.expectRevert(abi.encodeWithSelector(IOwnable2Step.OwnableInvalidOwner.selector, address(0)));
        _deploy(address(0), GUARDIAN, DELAY, GRACE, oracles, 1);
    }

    function test_ownershipIsHandedOverInTwoSteps() public {
        VM.prank(OWNER);
        _owned.transferOwnership(NEXT);
        VM.assertEq(_owned.owner(), OWNER, "still the owner");
        VM.assertEq(_owned.pendingOwner(), NEXT, "pending");
        _notOwner(ANYBODY);
        _owned.acceptOwnership();
        VM.prank(NEXT);
        _owned.acceptOwnership();
        VM.assertEq(_owned.owner(), NEXT, "owner");
        _notOwner(OWNER);
        registry.appointGuardian(OWNER);
        VM.prank(NEXT);
        registry.appointGuardian(NEXT);
    }

    function test_ownershipIsNotGivenAwayByOthers() public {
        _notOwner(GUARDIAN);
        _owned.transferOwnership(GUARDIAN);
    }

    function test_ownershipIsNeverGivenUp() public {
        VM.expectRevert(abi.encodeWithSelector(IProvenanceRegistry.NotAllowed.selector, OWNER));
        VM.prank(OWNER);
        _owned.renounceOwnership();
        _notOwner(GUARDIAN);
        _owned.renounceOwnership();
        VM.assertEq(_owned.owner(), OWNER, "owner");
    }

    function test_theOwnerAppointsTheGuardian() public {
        VM.expectEmit(address(registry));
        emit IProvenanceRegistry.GuardianAppointed(NEXT);
        VM.prank(OWNER);
        registry.appointGuardian(NEXT);
        VM.assertEq(registry.guardian(), NEXT, "guardian");
        _notAllowed(GUARDIAN);
        registry.pauseWrites();
        VM.prank(NEXT);
        registry.pauseWrites();
    }

    function test_noGuardianAtAll() public {
        VM.prank(OWNER);
        registry.appointGuardian(address(0));
        VM.assertEq(registry.guardian(), address(0), "guardian");
        _notAllowed(GUARDIAN);
        registry.pauseWrites();
        VM.prank(OWNER);
        registry.pauseWrites();
    }

    function test_guardianAndOwnerStopWrites() public {
        VM.expectEmit(address(registry));
        emit IProvenanceRegistry.WritesPaused(true, GUARDIAN);
        VM.prank(GUARDIAN);
        registry.pauseWrites();
        VM.assertTrue(registry.writesPaused(), "paused");
        VM.expectEmit(address(registry));
        emit IProvenanceRegistry.WritesPaused(false, OWNER);
        VM.prank(OWNER);
        registry.resumeWrites();
        VM.assertFalse(registry.writesPaused(), "paused");
        VM.prank(OWNER);
        registry.pauseWrites();
        VM.assertTrue(registry.writesPaused(), "paused by the owner");
    }

    function test_nobodyElseStopsWrites() public {
        _notAllowed(ANYBODY);
        registry.pauseWrites();
        _notAllowed(_account(32));
        registry.pauseWrites();
    }

    function test_theGuardianDoesNoMore() public {
        _notOwner(GUARDIAN);
        registry.resumeWrites();
        _notOwner(GUARDIAN);
        registry.appointGuardian(GUARDIAN);
        _notOwner(GUARDIAN);
        registry.cancelOracles(POLICY);
        Oracle[] memory oracles = _oracles(2, 1);
        _notOwner(GUARDIAN);
        registry.scheduleOracles(oracles, 1);
    }

    function test_pausingShutsNoGate() public {
        bytes32 recordId = _publish(_record(1));
        VM.prank(GUARDIAN);
        registry.pauseWrites();
        VM.assertTrue(registry.isOpen(recordId, 2), "open");
        registry.requireOpen(recordId, 2);
    }

    function test_pausedWritesAreRefused() public {
        Grown memory tree = _grow(_only(_record(1)));
        _recordBatch(tree);
        _claim("acme", 1, 0, new bytes32[](0));
        _publish(_record(2));
        bytes memory held = _bytes(_record(2));
        Grown memory other = _grow(_only(_record(3)));
        VM.prank(GUARDIAN);
        registry.pauseWrites();

        bytes memory reason = abi.encodeWithSelector(IProvenanceRegistry.WritesArePaused.selector);
        _refuse(_record(4), reason);
        VM.expectRevert(reason);
        registry.materialise(tree.leaves[0].record, _proof(tree, 0));
        VM.expectRevert(reason);
        registry.releaseHeld(held);
        Quorum memory quorum = _quorum(1, THREE, _batchDigest(address(registry), 1, _root(other), 1, uint40(START), ""));
        VM.expectRevert(reason);
        registry.recordBatch(_root(other), 1, uint40(START), "", quorum);
    }

    function test_tellsWhatItIs() public view {
        IERC165 asked = IERC165(address(registry));
        VM.assertTrue(asked.supportsInterface(type(IERC165).interfaceId), "ERC-165");
        VM.assertTrue(asked.supportsInterface(type(IProvenanceGate).interfaceId), "gate");
        VM.assertTrue(asked.supportsInterface(type(IProvenanceRegistry).interfaceId), "registry");
        VM.assertTrue(asked.supportsInterface(type(IOracleSets).interfaceId), "oracle sets");
        VM.assertTrue(asked.supportsInterface(type(IERC5267).interfaceId), "EIP-712 domain");
        VM.assertFalse(asked.supportsInterface(0xffffffff), "nothing");
    }

    function test_itsSatellitesTellWhatTheyAre() public view {
        IERC165 names = IERC165(address(registry.namespaces()));
        IERC165 lineage = IERC165(address(registry.lineage()));
        VM.assertTrue(names.supportsInterface(type(IERC165).interfaceId), "names: ERC-165");
        VM.assertTrue(names.supportsInterface(type(INamespaces).interfaceId), "names");
        VM.assertFalse(names.supportsInterface(type(ILineage).interfaceId), "names: nothing else");
        VM.assertTrue(lineage.supportsInterface(type(IERC165).interfaceId), "lineage: ERC-165");
        VM.assertTrue(lineage.supportsInterface(type(ILineage).interfaceId), "lineage");
        VM.assertFalse(lineage.supportsInterface(type(INamespaces).interfaceId), "lineage: nothing else");
    }

    function test_hasItsSatellites() public view {
        VM.assertEq(address(registry.namespaces().registry()), address(registry), "names");
        VM.assertEq(address(registry.lineage().registry()), address(registry), "lineage");
    }

    function _only(Record memory record) private pure returns (Record[] memory records) {
        records = new Record[](1);
        records[0] = record;
    }

    function _notOwner(address caller) private {
        VM.expectRevert(abi.encodeWithSelector(IOwnable2Step.OwnableUnauthorizedAccount.selector, caller));
        VM.prank(caller);
    }

    function _notAllowed(address caller) private {
        VM.expectRevert(abi.encodeWithSelector(IProvenanceRegistry.NotAllowed.selector, caller));
        VM.prank(caller);
    }
}

contract StewardsOfSource is StewardsBehaviour, FromSource {}

contract StewardsOfShipped is StewardsBehaviour, FromShipped {}
