// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {IOracleSets} from "../../../contracts/IOracleSets.sol";
import {INamespaces} from "../../../contracts/INamespaces.sol";
import {IProvenanceGate} from "../../../contracts/IProvenanceGate.sol";
import {Namespace, Quorum} from "../../../contracts/Types.sol";
import {FromShipped, FromSource} from "../support/RegistryBehaviour.sol";
import {VM} from "../support/Vm.sol";
import {NamesBehaviour} from "./NamesBehaviour.sol";

/// @dev Publishers that a namespace trusts: on first use, by its owner, and by the publishers that it trusts already.
abstract contract IdentitiesBehaviour is NamesBehaviour {
    // --- trust on first use

    function test_theFirstPublishersAreTrustedAndThenNoMore() public {
        _claimSpace(2, 0);
        VM.assertFalse(_isHeld(_publishFrom(PUBLISHER, 1)), "first");
        VM.assertFalse(_isHeld(_publishFrom(OTHER, 2)), "second");
        VM.assertTrue(_isHeld(_publishFrom(MALLORY, 3)), "third");
        VM.assertFalse(_isHeld(_publishFrom(OTHER, 4)), "second again");

        Namespace memory space = names.namespaceOf(SPACE_ID);
        VM.assertEq(space.firstUses, 2, "firstUses");
        VM.assertEq(space.trusted, 2, "trusted");
        VM.assertEq(names.trustedSince(SPACE_ID, PUBLISHER), block.timestamp, "since");
        VM.assertEq(names.trustedSince(SPACE_ID, MALLORY), 0, "not trusted");
    }

    function test_thePublishersOfTheClaimCountAsFirstUses() public {
        _claimSpace(1, PUBLISHER);
        VM.assertTrue(_isHeld(_publishFrom(OTHER, 1)), "another");
        VM.assertFalse(_isHeld(_publishFrom(PUBLISHER, 2)), "the claim's");
    }

    function test_aLimitOfZeroTrustsNobody() public {
        _claimSpace(0, 0);
        VM.assertTrue(_isHeld(_publishFrom(PUBLISHER, 1)), "held");
    }

    function test_anUnknownPublisherIsNotTrusted() public {
        _claimSpace(2, 0);
        VM.assertTrue(_isHeld(_publishFrom(0, 1)), "held");
        VM.assertEq(names.namespaceOf(SPACE_ID).firstUses, 0, "firstUses");
    }

    function test_nobodyIsHeldWhereNobodyClaimed() public {
        bytes32 recordId = _publishFrom(MALLORY, 1);
        VM.assertFalse(_isHeld(recordId), "held");
        VM.assertFalse(registry.standingById(recordId).named, "named");
        VM.assertEq(names.headOf(SPACE_ID), 0, "history");
    }

    function test_aHeldRecordIsKeptAndShut() public {
        _claimSpace(0, 0);
        bytes32 recordId = _publishFrom(PUBLISHER, 1);
        VM.assertTrue(registry.contentOf(recordId) != 0, "kept");
        VM.assertFalse(registry.isModel(_modelDigest(1), _manifestDigest(1), 0), "open");
        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.RecordIsClosed.selector, recordId, true, false));
        registry.requireModel(_modelDigest(1), _manifestDigest(1), 0);
    }

    // --- a new publisher, by the owner

    function test_aProposedPublisherCountsAfterTheDelay() public {
        _claimSpace(1, PUBLISHER);
        VM.prank(spaceOwner);
        names.proposeIdentity(SPACE_ID, OTHER);
        uint40 from = uint40(block.timestamp) + DELAY;
        VM.assertEq(names.acceptableFrom(SPACE_ID, OTHER), from, "from");
        VM.assertEq(names.trustedSince(SPACE_ID, OTHER), 0, "not yet");

        VM.warp(from - 1);
        VM.assertTrue(_isHeld(_publishFrom(OTHER, 1)), "held");
        VM.expectRevert(abi.encodeWithSelector(INamespaces.NotYet.selector, from));
        names.acceptIdentity(SPACE_ID, OTHER);

        VM.warp(from);
        VM.prank(ANYBODY);
        names.acceptIdentity(SPACE_ID, OTHER);
        VM.assertEq(names.trustedSince(SPACE_ID, OTHER), from, "since");
        VM.assertEq(names.acceptableFrom(SPACE_ID, OTHER), 0, "proposed no more");
        VM.assertFalse(_isHeld(_publishFrom(OTHER, 2)), "trusted");
    }

    function test_onlyTheOwnerProposesAndDrops() public {
        _claimSpace(1, PUBLISHER);
        for (uint256 i = 0; i < 3; ++i) {
            address caller = [OWNER, GUARDIAN, ANYBODY][i];
            bytes memory reason = abi.encodeWithSelector(INamespaces.NotNamespaceOwner.selector, SPACE_ID, caller);
            VM.startPrank(caller);
            VM.expectRevert(reason);
            names.proposeIdentity(SPACE_ID, OTHER);
            VM.expectRevert(reason);
            names.dropIdentity(SPACE_ID, PUBLISHER);
            VM.stopPrank();
        }
    }

    function test_nobodyProposesWhereNobodyClaimed() public {
        VM.expectRevert(abi.encodeWithSelector(INamespaces.NotNamespaceOwner.selector, SPACE_ID, spaceOwner));
        VM.prank(spaceOwner);
        names.proposeIdentity(SPACE_ID, OTHER);
    }

    function test_aPublisherIsProposedOnce() public {
        _claimSpace(1, PUBLISHER);
        VM.startPrank(spaceOwner);
        VM.expectRevert(abi.encodeWithSelector(INamespaces.IdentityKnown.selector, bytes32(0)));
        names.proposeIdentity(SPACE_ID, 0);
        VM.expectRevert(abi.encodeWithSelector(INamespaces.IdentityKnown.selector, PUBLISHER));
        names.proposeIdentity(SPACE_ID, PUBLISHER);
        names.proposeIdentity(SPACE_ID, OTHER);
        VM.expectRevert(abi.encodeWithSelector(INamespaces.IdentityKnown.selector, OTHER));
        names.proposeIdentity(SPACE_ID, OTHER);
        VM.stopPrank();
    }

    function test_onlyWhatWasProposedIsAcceptedAndOnce() public {
        _claimSpace(1, PUBLISHER);
        bytes memory never = abi.encodeWithSelector(INamespaces.NotYet.selector, 0);
        VM.expectRevert(never);
        names.acceptIdentity(SPACE_ID, OTHER);
        _trust(OTHER);
        VM.expectRevert(never);
        names.acceptIdentity(SPACE_ID, OTHER);
    }

    function test_sixteenAreTrustedAtMost() public {
        _claimSpace(0, 0);
        for (uint256 i = 0; i < 16; ++i) {
            _trust(keccak256(abi.encode(i)));
        }
        VM.prank(spaceOwner);
        names.proposeIdentity(SPACE_ID, OTHER);
        VM.warp(block.timestamp + DELAY);
        VM.expectRevert(abi.encodeWithSelector(INamespaces.IdentityLimit.selector, 17, 16));
        names.acceptIdentity(SPACE_ID, OTHER);

        VM.prank(spaceOwner);
        names.dropIdentity(SPACE_ID, keccak256(abi.encode(0)));
        names.acceptIdentity(SPACE_ID, OTHER);
        VM.assertEq(names.namespaceOf(SPACE_ID).trusted, 16, "trusted");
    }

    // --- a dropped publisher

    function test_aDroppedPublisherIsHeldFromThenOn() public {
        _claimSpace(1, PUBLISHER);
        _publishFrom(PUBLISHER, 1);
        VM.prank(spaceOwner);
        names.dropIdentity(SPACE_ID, PUBLISHER);
        VM.assertEq(names.trustedSince(SPACE_ID, PUBLISHER), 0, "trusted since");
        VM.assertEq(names.namespaceOf(SPACE_ID).trusted, 0, "trusted");
        VM.assertTrue(_isHeld(_publishFrom(PUBLISHER, 2)), "later record");
        VM.assertTrue(registry.isModel(_modelDigest(1), _manifestDigest(1), 2), "earlier record");
    }

    function test_aDroppedPublisherDoesNotComeBackByItsNextUse() public {
        _claimSpace(3, PUBLISHER);
        _publishFrom(MALLORY, 1);
        VM.prank(spaceOwner);
        names.dropIdentity(SPACE_ID, MALLORY);
        VM.assertTrue(_isHeld(_publishFrom(MALLORY, 2)), "again");
        VM.assertTrue(_isHeld(_publishFrom(OTHER, 3)), "nobody else, either");
        VM.assertFalse(_isHeld(_publishFrom(PUBLISHER, 4)), "trusted");
    }

    function test_aDroppedProposalEndsNoFirstUses() public {
        _claimSpace(2, PUBLISHER);
        VM.startPrank(spaceOwner);
        names.proposeIdentity(SPACE_ID, MALLORY);
        names.dropIdentity(SPACE_ID, MALLORY);
        VM.stopPrank();
        VM.assertFalse(_isHeld(_publishFrom(OTHER, 1)), "first use");
    }

    function test_aDroppedProposalIsGone() public {
        _claimSpace(1, PUBLISHER);
        VM.startPrank(spaceOwner);
        names.proposeIdentity(SPACE_ID, OTHER);
        names.dropIdentity(SPACE_ID, OTHER);
        VM.assertEq(names.acceptableFrom(SPACE_ID, OTHER), 0, "from");
        VM.assertEq(names.namespaceOf(SPACE_ID).trusted, 1, "trusted");
        VM.warp(block.timestamp + DELAY);
        VM.expectRevert(abi.encodeWithSelector(INamespaces.NotYet.selector, 0));
        names.acceptIdentity(SPACE_ID, OTHER);
        VM.expectRevert(abi.encodeWithSelector(INamespaces.IdentityUnknown.selector, OTHER));
        names.dropIdentity(SPACE_ID, OTHER);
        names.proposeIdentity(SPACE_ID, OTHER);
        VM.stopPrank();
    }

    function test_aDroppedPublisherComesBackAfterTheDelay() public {
        _claimSpace(1, PUBLISHER);
        VM.prank(spaceOwner);
        names.dropIdentity(SPACE_ID, PUBLISHER);
        _trust(PUBLISHER);
        VM.assertFalse(_isHeld(_publishFrom(PUBLISHER, 1)), "trusted");
    }

    // --- changes approved by the trusted publishers

    function test_mostPublishersProposeAnother() public {
        _claimSpace(2, PUBLISHER);
        _publishFrom(OTHER, 1);
        uint48 number = _lastNumber();
        Quorum memory quorum = _approved(MALLORY, true, 2, number);
        VM.prank(ANYBODY);
        names.changeIdentity(SPACE_ID, MALLORY, true, 2, number, quorum);
        VM.assertEq(names.acceptableFrom(SPACE_ID, MALLORY), block.timestamp + DELAY, "from");
        VM.assertEq(names.trustedSince(SPACE_ID, MALLORY), 0, "not yet");
        VM.warp(block.timestamp + DELAY);
        names.acceptIdentity(SPACE_ID, MALLORY);
        VM.assertFalse(_isHeld(_publishFrom(MALLORY, 2)), "trusted");
    }

    function test_mostPublishersDropOneAtOnce() public {
        _claimSpace(1, PUBLISHER);
        uint48 number = _lastNumber();
        names.changeIdentity(SPACE_ID, PUBLISHER, false, 1, number, _approved(PUBLISHER, false, 1, number));
        VM.assertTrue(_isHeld(_publishFrom(PUBLISHER, 1)), "held");
    }

    function test_halfOfThePublishersAreNotMost() public {
        _claimSpace(2, PUBLISHER);
        _publishFrom(OTHER, 1);
        _refuseApprovals(1, 2);
        _refuseApprovals(0, 2);
        _refuseApprovals(3, 2);
        _trust(keccak256("third"));
        _refuseApprovals(1, 3);
        uint48 number = _lastNumber();
        names.changeIdentity(SPACE_ID, MALLORY, true, 2, number, _approved(MALLORY, true, 2, number));
    }

    function test_whereNobodyIsTrustedNobodyApproves() public {
        _claimSpace(0, 0);
        _refuseApprovals(0, 0);
        _refuseApprovals(1, 0);
    }

    function test_aChangeIsForOneStateOfTheNamespace() public {
        _claimSpace(1, PUBLISHER);
        uint48 number = _lastNumber();
        _refuseNumber(number + 1, number);
        _refuseNumber(number - 1, number);
        Quorum memory quorum = _approved(OTHER, true, 1, number);
        names.changeIdentity(SPACE_ID, OTHER, true, 1, number, quorum);
        VM.prank(spaceOwner);
        names.dropIdentity(SPACE_ID, OTHER);
        VM.expectRevert(abi.encodeWithSelector(INamespaces.WrongHistoryNumber.selector, number, number + 2));
        names.changeIdentity(SPACE_ID, OTHER, true, 1, number, quorum);
    }

    function test_nothingChangesWhereNobodyClaimed() public {
        _refuseNumber(0, 0);
        _refuseNumber(1, 0);
    }

    function test_everyFieldOfAChangeIsSigned() public {
        _claimSpace(2, PUBLISHER);
        _publishFrom(OTHER, 1);
        _claim("acme2", SPACE_OWNER_KEY + 1, 1, _one(PUBLISHER));
        _claim("acme3", SPACE_OWNER_KEY + 2, 2, _one(PUBLISHER));
        uint48 number = _lastNumber();
        Quorum memory quorum = _approved(OTHER, false, 2, number);
        bytes32 elsewhere = keccak256("acme3");
        uint48 there = uint48(names.headOf(elsewhere) >> 208);

        VM.expectPartialRevert(IOracleSets.WrongSigner.selector);
        names.changeIdentity(SPACE_ID, PUBLISHER, false, 2, number, quorum);
        VM.expectPartialRevert(IOracleSets.WrongSigner.selector);
        names.changeIdentity(SPACE_ID, OTHER, true, 2, number, quorum);
        _trust(MALLORY); // two of three are a majority too
        number = _lastNumber();
        quorum = _approved(OTHER, false, 2, number);
        VM.expectPartialRevert(IOracleSets.WrongSigner.selector);
        names.changeIdentity(SPACE_ID, OTHER, false, 3, number, quorum);
        quorum = _approved(PUBLISHER, false, 1, there);
        VM.expectPartialRevert(IOracleSets.WrongSigner.selector);
        names.changeIdentity(elsewhere, PUBLISHER, false, 1, there, quorum);
    }

    function test_aChangeIsSignedInTheRegistrysDomain() public {
        _claimSpace(1, PUBLISHER);
        uint48 number = _lastNumber();
        uint16 epoch = registry.currentEpoch();
        bytes32 structHash = _changeHash(epoch, SPACE_ID, OTHER, true, 1, number);
        bytes32 elsewhere = _typed("ProvenanceRegistry", address(names), structHash);
        VM.expectPartialRevert(IOracleSets.WrongSigner.selector);
        names.changeIdentity(SPACE_ID, OTHER, true, 1, number, _quorum(epoch, THREE, elsewhere));
    }

    function test_aChangeTakesAQuorumOfOraclesThatSignNow() public {
        _claimSpace(1, PUBLISHER);
        uint48 number = _lastNumber();
        bytes32 structHash = _changeHash(1, SPACE_ID, OTHER, true, 1, number);
        bytes32 digest = _typed("ProvenanceRegistry", address(registry), structHash);
        Quorum memory two = _quorum(1, 3, digest);
        VM.expectRevert(abi.encodeWithSelector(IOracleSets.QuorumTooSmall.selector, 2, THRESHOLD));
        names.changeIdentity(SPACE_ID, OTHER, true, 1, number, two);

        Quorum memory three = _quorum(1, THREE, digest);
        _rotate(_oracles(2, SIZE), THRESHOLD);
        VM.warp(block.timestamp + GRACE);
        VM.expectRevert(abi.encodeWithSelector(IOracleSets.StaleEpoch.selector, 1, 2));
        names.changeIdentity(SPACE_ID, OTHER, true, 1, number, three);
        VM.warp(block.timestamp - 1);
        names.changeIdentity(SPACE_ID, OTHER, true, 1, number, three);
    }

    // --- while writes are paused

    function test_nobodyIsTrustedWhileWritesAreStopped() public {
        _claimSpace(1, PUBLISHER);
        VM.prank(spaceOwner);
        names.proposeIdentity(SPACE_ID, OTHER);
        VM.warp(block.timestamp + DELAY);
        uint48 number = _lastNumber();
        Quorum memory quorum = _approved(MALLORY, true, 1, number);
        _pause();
        bytes memory reason = abi.encodeWithSelector(INamespaces.RegistryIsPaused.selector);
        VM.expectRevert(reason);
        names.acceptIdentity(SPACE_ID, OTHER);
        VM.expectRevert(reason);
        names.changeIdentity(SPACE_ID, MALLORY, true, 1, number, quorum);
        VM.startPrank(spaceOwner);
        VM.expectRevert(reason);
        names.proposeIdentity(SPACE_ID, MALLORY);
        names.dropIdentity(SPACE_ID, PUBLISHER); // removing power does not wait
        VM.stopPrank();
    }

    function _refuseApprovals(uint8 approvals, uint256 trusted) private {
        uint48 number = _lastNumber();
        Quorum memory quorum = _approved(MALLORY, true, approvals, number);
        VM.expectRevert(abi.encodeWithSelector(INamespaces.TooFewApprovals.selector, approvals, trusted));
        names.changeIdentity(SPACE_ID, MALLORY, true, approvals, number, quorum);
    }

    function _refuseNumber(uint48 number, uint48 current) private {
        Quorum memory quorum = _approved(OTHER, true, 1, number);
        VM.expectRevert(abi.encodeWithSelector(INamespaces.WrongHistoryNumber.selector, number, current));
        names.changeIdentity(SPACE_ID, OTHER, true, 1, number, quorum);
    }
}

contract IdentitiesOfSource is IdentitiesBehaviour, FromSource {}

contract IdentitiesOfShipped is IdentitiesBehaviour, FromShipped {}
