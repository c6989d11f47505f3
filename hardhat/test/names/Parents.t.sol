// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {ILineage} from "../../../contracts/ILineage.sol";
import {INamespaces} from "../../../contracts/INamespaces.sol";
import {IProvenanceGate} from "../../../contracts/IProvenanceGate.sol";
import {RecordCodec} from "../../../contracts/lib/RecordCodec.sol";
import {Record} from "../../../contracts/Types.sol";
import {FromShipped, FromSource} from "../support/RegistryBehaviour.sol";
import {VM} from "../support/Vm.sol";
import {LineageBehaviour} from "./LineageBehaviour.sol";

/// @dev Parents that a record can have, and the accounts that can state them.
abstract contract ParentsBehaviour is LineageBehaviour {
    // --- attested: in the record

    function test_aRecordNamesItsParents() public {
        _publishFrom(PUBLISHER, 1);
        _publishFrom(PUBLISHER, 2);
        _child(3, _ids(1, 2));
        (bytes32[] memory attested, bytes32[] memory stated) = ancestry.parentsOf(_releaseId(3));
        _checkIds(attested, _ids(1, 2));
        VM.assertEq(stated.length, 0, "stated");
        VM.assertEq(address(ancestry.registry()), address(registry), "registry");
    }

    function test_aParentIsARecordedRelease() public {
        _refuseParent(_releaseId(9));
        bytes32 failureId = _publish(_failure(1));
        _refuseParent(failureId);
        _publishFrom(PUBLISHER, 1);
        Record memory later = _recordFrom(PUBLISHER, 1);
        later.revision = 1;
        bytes32 revisionId = _publish(later);
        _refuseParent(revisionId);
        _child(2, _ids(1));
    }

    function test_aParentMayBeHeldOrRevoked() public {
        bytes32 held = _publishFrom(MALLORY, 1);
        VM.assertTrue(_isHeld(held), "held");
        _revoke(held);
        _child(2, _ids(1));
    }

    function test_aRecordIsNotItsOwnParent() public {
        Record memory record = _recordFrom(PUBLISHER, 1);
        record.parents = _ids(1);
        bytes memory reason = abi.encodeWithSelector(ILineage.ParentIsSelf.selector, _releaseId(1));
        _refuse(record, reason);
        _publishFrom(PUBLISHER, 1);
        record.revision = 1;
        _refuse(record, reason);
    }

    function test_eightParentsAtMost() public {
        Record memory record = _recordFrom(PUBLISHER, 10);
        record.parents = _publishMany(9);
        _refuse(record, abi.encodeWithSelector(ILineage.TooManyParents.selector, 9));
        record.parents = _range(8);
        _publish(record);
        _checkAttested(10, record.parents);
    }

    function test_aLaterJudgementAddsItsParents() public {
        _publishMany(10);
        Record memory later = _recordFrom(PUBLISHER, 11);
        later.parents = _ids(1, 2);
        _publish(later);
        later.revision = 1;
        later.parents = _ids(2, 3);
        _publish(later);
        _checkAttested(11, _range(3));
        later.revision = 2;
        later.parents = new bytes32[](0);
        _publish(later);
        _checkAttested(11, _range(3));
        later.revision = 3;
        later.parents = _range(9);
        _refuse(later, abi.encodeWithSelector(ILineage.TooManyParents.selector, 9));
        later.parents = _range(8);
        _publish(later);
        _checkAttested(11, _range(8));
    }

    function test_aParentNamedTwiceIsOne() public {
        _publishFrom(PUBLISHER, 1);
        _child(2, _ids(1, 1));
        _checkAttested(2, _ids(1));
    }

    function test_aFailureHasNoParents() public {
        _publishFrom(PUBLISHER, 1);
        Record memory failure = _failure(2);
        failure.parents = _ids(1);
        bytes memory record = _bytes(failure);
        _refuseBytes(record, abi.encodeWithSelector(RecordCodec.RecordMalformed.selector, record.length));
    }

    function test_onlyTheRegistryAddsParents() public {
        for (uint256 i = 0; i < 3; ++i) {
            address caller = [OWNER, GUARDIAN, spaceOwner][i];
            VM.expectRevert(abi.encodeWithSelector(ILineage.NotRegistry.selector, caller));
            VM.prank(caller);
            ancestry.addParents(_releaseId(1), abi.encode(_releaseId(2)));
        }
    }

    // --- stated: by the owner of the namespace

    function test_theOwnerStatesAParent() public {
        _publishMany(3);
        _child(4, _ids(1));
        VM.expectEmit(address(ancestry));
        emit ILineage.ParentStated(_releaseId(4), _releaseId(2), spaceOwner);
        VM.prank(spaceOwner);
        ancestry.stateParent(SPACE_ID, _nameOf(4), _releaseId(4), _releaseId(2));
        (bytes32[] memory attested, bytes32[] memory stated) = ancestry.parentsOf(_releaseId(4));
        _checkIds(attested, _ids(1));
        _checkIds(stated, _ids(2));
    }

    function test_onlyTheOwnerStatesParents() public {
        _publishMany(2);
        for (uint256 i = 0; i < 3; ++i) {
            address caller = [OWNER, GUARDIAN, ANYBODY][i];
            VM.expectRevert(abi.encodeWithSelector(ILineage.NotNamespaceOwner.selector, SPACE_ID, caller));
            VM.prank(caller);
            ancestry.stateParent(SPACE_ID, _nameOf(2), _releaseId(2), _releaseId(1));
        }
    }

    function test_theNewOwnerStatesParents() public {
        _publishMany(2);
        VM.prank(spaceOwner);
        names.proposeHandover(SPACE_ID, ANYBODY);
        VM.warp(block.timestamp + DELAY);
        VM.prank(ANYBODY);
        names.acceptHandover(SPACE_ID);
        VM.expectRevert(abi.encodeWithSelector(ILineage.NotNamespaceOwner.selector, SPACE_ID, spaceOwner));
        VM.prank(spaceOwner);
        ancestry.stateParent(SPACE_ID, _nameOf(2), _releaseId(2), _releaseId(1));
        VM.prank(ANYBODY);
        ancestry.stateParent(SPACE_ID, _nameOf(2), _releaseId(2), _releaseId(1));
    }

    function test_theOwnerSpeaksForWhatANameLeadsToOnly() public {
        _publishFrom(PUBLISHER, 1);
        _publishFrom(MALLORY, 2);
        _refuseStatement(2); // held
        _refuseStatement(3); // not recorded
        _publish(_failure(5));
        _refuseStatement(5);

        Record memory elsewhere = _recordFrom(PUBLISHER, 4);
        elsewhere.namespace = "nobody";
        _publish(elsewhere);
        _refuseStatement(4);
        bytes32 nobody = keccak256("nobody");
        VM.expectRevert(abi.encodeWithSelector(ILineage.NotNamespaceOwner.selector, nobody, spaceOwner));
        VM.prank(spaceOwner);
        ancestry.stateParent(nobody, _nameOf(4), _releaseId(4), _releaseId(1));
    }

    function test_aStatementIsAboutTheReleaseThatIsMeant() public {
        _publishMany(2);
        _revoke(_releaseId(2));
        Record memory next = _recordFrom(PUBLISHER, 3);
        next.release = _releaseName(2);
        _publish(next); // now the name leads to this one
        VM.expectRevert(abi.encodeWithSelector(ILineage.RecordNotNamed.selector, _releaseId(2)));
        VM.prank(spaceOwner);
        ancestry.stateParent(SPACE_ID, _nameOf(2), _releaseId(2), _releaseId(1));
        VM.prank(spaceOwner);
        ancestry.stateParent(SPACE_ID, _nameOf(2), _releaseId(3), _releaseId(1));
        (, bytes32[] memory stated) = ancestry.parentsOf(_releaseId(3));
        _checkIds(stated, _ids(1));
        VM.expectRevert(abi.encodeWithSelector(ILineage.RecordNotNamed.selector, bytes32(0)));
        VM.prank(spaceOwner);
        ancestry.stateParent(SPACE_ID, _nameOf(9), 0, _releaseId(1));
    }

    function test_aStatedParentIsAnotherRecordedRelease() public {
        _publishMany(2);
        VM.startPrank(spaceOwner);
        VM.expectRevert(abi.encodeWithSelector(ILineage.ParentIsSelf.selector, _releaseId(2)));
        ancestry.stateParent(SPACE_ID, _nameOf(2), _releaseId(2), _releaseId(2));
        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.RecordNotFound.selector, _releaseId(3)));
        ancestry.stateParent(SPACE_ID, _nameOf(2), _releaseId(2), _releaseId(3));
        VM.stopPrank();
    }

    function test_eightStatementsAtMost() public {
        _publishMany(10);
        VM.startPrank(spaceOwner);
        for (uint256 i = 1; i <= 8; ++i) {
            ancestry.stateParent(SPACE_ID, _nameOf(10), _releaseId(10), _releaseId(i));
        }
        ancestry.stateParent(SPACE_ID, _nameOf(10), _releaseId(10), _releaseId(8)); // stated already
        VM.expectRevert(abi.encodeWithSelector(ILineage.TooManyParents.selector, 9));
        ancestry.stateParent(SPACE_ID, _nameOf(10), _releaseId(10), _releaseId(9));
        VM.stopPrank();
        (, bytes32[] memory stated) = ancestry.parentsOf(_releaseId(10));
        _checkIds(stated, _range(8));
    }

    function test_nothingIsStatedWhileWritesAreStopped() public {
        _publishMany(2);
        _pause();
        VM.expectRevert(ILineage.RegistryIsPaused.selector);
        VM.prank(spaceOwner);
        ancestry.stateParent(SPACE_ID, _nameOf(2), _releaseId(2), _releaseId(1));
    }

    function _refuseParent(bytes32 parent) private {
        Record memory record = _recordFrom(PUBLISHER, 100);
        record.parents = _one(parent);
        _refuse(record, abi.encodeWithSelector(IProvenanceGate.RecordNotFound.selector, parent));
    }

    function _refuseStatement(uint256 number) private {
        VM.expectRevert(abi.encodeWithSelector(ILineage.RecordNotNamed.selector, _releaseId(number)));
        VM.prank(spaceOwner);
        ancestry.stateParent(SPACE_ID, _nameOf(number), _releaseId(number), _releaseId(1));
    }

    function _checkAttested(uint256 number, bytes32[] memory wanted) private view {
        (bytes32[] memory attested,) = ancestry.parentsOf(_releaseId(number));
        _checkIds(attested, wanted);
    }

    function _checkIds(bytes32[] memory got, bytes32[] memory wanted) private pure {
        VM.assertEq(abi.encode(got), abi.encode(wanted), "parents");
    }
}

contract ParentsOfSource is ParentsBehaviour, FromSource {}

contract ParentsOfShipped is ParentsBehaviour, FromShipped {}
