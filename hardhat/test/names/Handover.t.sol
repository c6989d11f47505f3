// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {INamespaces} from "../../../contracts/INamespaces.sol";
import {FromShipped, FromSource} from "../support/RegistryBehaviour.sol";
import {VM} from "../support/Vm.sol";
import {NamesBehaviour} from "./NamesBehaviour.sol";

/// @dev Handover of a namespace to another owner.
abstract contract HandoverBehaviour is NamesBehaviour {
    address private constant BUYER = address(0xB4E2);

    function setUp() public override {
        super.setUp();
        _claimSpace(1, PUBLISHER);
    }

    function test_aNamespaceIsTakenOverAfterTheDelay() public {
        _offer(BUYER);
        uint40 from = uint40(block.timestamp) + DELAY;
        _checkOffer(BUYER, from);
        VM.warp(from - 1);
        VM.expectRevert(abi.encodeWithSelector(INamespaces.NotYet.selector, from));
        VM.prank(BUYER);
        names.acceptHandover(SPACE_ID);
        VM.assertEq(names.namespaceOf(SPACE_ID).owner, spaceOwner, "not yet");

        VM.warp(from);
        VM.prank(BUYER);
        names.acceptHandover(SPACE_ID);
        VM.assertEq(names.namespaceOf(SPACE_ID).owner, BUYER, "owner");
        _checkOffer(address(0), 0);
    }

    function test_theOwnerBeforeKeepsNothing() public {
        _handOver();
        VM.startPrank(spaceOwner);
        _expectNotOwner(spaceOwner);
        names.proposeIdentity(SPACE_ID, OTHER);
        _expectNotOwner(spaceOwner);
        names.dropIdentity(SPACE_ID, PUBLISHER);
        _expectNotOwner(spaceOwner);
        names.proposeHandover(SPACE_ID, spaceOwner);
        _expectNotOwner(spaceOwner);
        names.acceptHandover(SPACE_ID);
        VM.stopPrank();

        VM.startPrank(BUYER);
        names.proposeIdentity(SPACE_ID, OTHER);
        names.dropIdentity(SPACE_ID, PUBLISHER);
        VM.stopPrank();
    }

    function test_onlyTheOwnerOffers() public {
        _expectNotOwner(BUYER);
        VM.prank(BUYER);
        names.proposeHandover(SPACE_ID, BUYER);
        bytes32 unclaimed = keccak256("nobody's");
        VM.expectRevert(abi.encodeWithSelector(INamespaces.NotNamespaceOwner.selector, unclaimed, spaceOwner));
        VM.prank(spaceOwner);
        names.proposeHandover(unclaimed, BUYER);
    }

    function test_onlyWhoeverItWasOfferedToTakes() public {
        _offer(BUYER);
        VM.warp(block.timestamp + DELAY);
        for (uint256 i = 0; i < 3; ++i) {
            address caller = [spaceOwner, OWNER, ANYBODY][i];
            _expectNotOwner(caller);
            VM.prank(caller);
            names.acceptHandover(SPACE_ID);
        }
    }

    function test_whatNobodyOfferedNobodyTakes() public {
        _expectNotOwner(BUYER);
        VM.prank(BUYER);
        names.acceptHandover(SPACE_ID);
    }

    function test_anOfferIsTakenOnce() public {
        _handOver();
        _expectNotOwner(BUYER);
        VM.prank(BUYER);
        names.acceptHandover(SPACE_ID);
    }

    function test_anOfferIsTakenBack() public {
        _offer(BUYER);
        _offer(address(0));
        _checkOffer(address(0), 0);
        VM.warp(block.timestamp + DELAY);
        _expectNotOwner(BUYER);
        VM.prank(BUYER);
        names.acceptHandover(SPACE_ID);
    }

    function test_anotherOfferWaitsAnew() public {
        _offer(BUYER);
        VM.warp(block.timestamp + DELAY);
        _offer(ANYBODY);
        _offer(BUYER);
        VM.expectRevert(abi.encodeWithSelector(INamespaces.NotYet.selector, block.timestamp + DELAY));
        VM.prank(BUYER);
        names.acceptHandover(SPACE_ID);
    }

    function _offer(address to) private {
        VM.prank(spaceOwner);
        names.proposeHandover(SPACE_ID, to);
    }

    function _handOver() private {
        _offer(BUYER);
        VM.warp(block.timestamp + DELAY);
        VM.prank(BUYER);
        names.acceptHandover(SPACE_ID);
    }

    function _checkOffer(address to, uint40 from) private view {
        (address offeredTo, uint40 takenFrom) = names.handoverOf(SPACE_ID);
        VM.assertEq(offeredTo, to, "to");
        VM.assertEq(takenFrom, from, "from");
    }

    function _expectNotOwner(address caller) private {
        VM.expectRevert(abi.encodeWithSelector(INamespaces.NotNamespaceOwner.selector, SPACE_ID, caller));
    }
}

contract HandoverOfSource is HandoverBehaviour, FromSource {}

contract HandoverOfShipped is HandoverBehaviour, FromShipped {}
