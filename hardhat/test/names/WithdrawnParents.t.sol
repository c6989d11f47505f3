// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {ILineage} from "../../../contracts/ILineage.sol";
import {Record} from "../../../contracts/Types.sol";
import {FromShipped, FromSource} from "../support/RegistryBehaviour.sol";
import {VM} from "../support/Vm.sol";
import {LineageBehaviour} from "./LineageBehaviour.sol";

/// @dev The owner of a namespace can take back the parents that were stated for its releases, and no others.
abstract contract WithdrawnParentsBehaviour is LineageBehaviour {
    function test_theOwnerTakesAStatementBack() public {
        _publishMany(4);
        for (uint256 parent = 1; parent < 4; ++parent) {
            _state(4, parent);
        }
        VM.expectEmit(address(ancestry));
        emit ILineage.ParentWithdrawn(_releaseId(4), _releaseId(1), spaceOwner);
        _withdraw(4, 1);
        _isStated(_ids(3, 2)); // the last one took its place
        _withdraw(4, 2);
        _isStated(_ids(3));
        _withdraw(4, 3);
        _isStated(new bytes32[](0));
    }

    function test_thenTheGateIsOpenAgain() public {
        _publishMany(2);
        _state(2, 1);
        _revoke(_releaseId(1));
        VM.assertFalse(ancestry.hasLineage(_modelDigest(2), _manifestDigest(2), 2, true), "shut");
        _withdraw(2, 1);
        _pass(2, 2);
    }

    function test_thenItCanBeStatedAgain() public {
        _publishMany(9);
        for (uint256 parent = 1; parent <= 8; ++parent) {
            _state(9, parent);
        }
        _withdraw(9, 3);
        _state(9, 3);
        VM.assertEq(_count(9, true), 8, "ancestors");
    }

    function test_onlyTheOwnerOfTheChildsNamespace() public {
        _publishMany(2);
        _state(2, 1);
        for (uint256 i = 0; i < 3; ++i) {
            address caller = [OWNER, GUARDIAN, ANYBODY][i];
            VM.expectRevert(abi.encodeWithSelector(ILineage.NotNamespaceOwner.selector, SPACE_ID, caller));
            VM.prank(caller);
            ancestry.withdrawParent(SPACE_ID, _nameOf(2), _releaseId(2), _releaseId(1));
        }
    }

    function test_aNewOwnerTakesBackWhatTheFormerOneStated() public {
        _publishMany(2);
        _state(2, 1);
        VM.prank(spaceOwner);
        names.proposeHandover(SPACE_ID, ANYBODY);
        VM.warp(block.timestamp + DELAY);
        VM.prank(ANYBODY);
        names.acceptHandover(SPACE_ID);
        VM.prank(ANYBODY);
        ancestry.withdrawParent(SPACE_ID, _nameOf(2), _releaseId(2), _releaseId(1));
        VM.assertEq(_count(2, true), 0, "ancestors");
    }

    function test_onlyWhatWasStated() public {
        _publishMany(3);
        _child(4, _ids(1));
        _state(4, 2);
        for (uint256 i = 1; i <= 4; ++i) {
            if (i == 2) continue;
            VM.expectRevert(abi.encodeWithSelector(ILineage.ParentNotStated.selector, _releaseId(i)));
            _withdraw(4, i); // attested, not named at all, and the release itself
        }
        _withdraw(4, 2);
        VM.expectRevert(abi.encodeWithSelector(ILineage.ParentNotStated.selector, _releaseId(2)));
        _withdraw(4, 2);
        VM.assertEq(_count(4, true), 1, "the attested parent stays");
    }

    function test_onlyOfTheReleaseToWhichTheNameLeads() public {
        _publishMany(3);
        _state(2, 1);
        VM.expectRevert(abi.encodeWithSelector(ILineage.RecordNotNamed.selector, _releaseId(2)));
        VM.prank(spaceOwner);
        ancestry.withdrawParent(SPACE_ID, _nameOf(3), _releaseId(2), _releaseId(1));
    }

    function test_notWhileWritesAreStopped() public {
        _publishMany(2);
        _state(2, 1);
        _pause();
        VM.expectRevert(ILineage.RegistryIsPaused.selector);
        _withdraw(2, 1);
    }

    /// @dev Any mixture of statements and withdrawals leaves exactly the set that a list kept beside it has.
    function testFuzz_theSetIsKept(uint256 seed) public {
        _publishMany(9);
        uint256 wanted;
        for (uint256 step = 0; step < 24; ++step) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 parent = 1 + seed % 8;
            bool known = wanted >> parent & 1 == 1;
            if (seed >> 8 & 1 == 0) {
                _state(9, parent);
                wanted |= 1 << parent;
            } else {
                if (!known) VM.expectRevert(abi.encodeWithSelector(ILineage.ParentNotStated.selector, _releaseId(parent)));
                _withdraw(9, parent);
                wanted &= ~(1 << parent);
            }
        }
        (, bytes32[] memory stated) = ancestry.parentsOf(_releaseId(9));
        for (uint256 i = 0; i < stated.length; ++i) {
            for (uint256 parent = 1; parent <= 8; ++parent) {
                if (stated[i] == _releaseId(parent)) wanted ^= 1 << parent;
            }
        }
        VM.assertEq(wanted, 0, "stated parents, each once");
    }

    function _withdraw(uint256 number, uint256 parent) private {
        VM.prank(spaceOwner);
        ancestry.withdrawParent(SPACE_ID, _nameOf(number), _releaseId(number), _releaseId(parent));
    }

    function _isStated(bytes32[] memory wanted) private view {
        (, bytes32[] memory stated) = ancestry.parentsOf(_releaseId(4));
        VM.assertEq(abi.encode(stated), abi.encode(wanted), "stated parents");
    }
}

contract WithdrawnParentsOfSource is WithdrawnParentsBehaviour, FromSource {}

contract WithdrawnParentsOfShipped is WithdrawnParentsBehaviour, FromShipped {}
