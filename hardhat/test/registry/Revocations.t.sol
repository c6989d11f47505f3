// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {IProvenanceGate} from "../../../contracts/IProvenanceGate.sol";
import {IProvenanceRegistry} from "../../../contracts/IProvenanceRegistry.sol";
import {Standing} from "../../../contracts/Types.sol";
import {FromShipped, FromSource, RegistryBehaviour} from "../support/RegistryBehaviour.sol";
import {VM} from "../support/Vm.sol";

/// @dev A release is revoked once and permanently, and stays readable.
abstract contract RevocationsBehaviour is RegistryBehaviour {
    uint40 private constant LATER = uint40(START + 30 days);
    string private constant REASON = "the weights were swapped";

    bytes32 private _id;

    function setUp() public override {
        super.setUp();
        _id = _publish(_record(1));
    }

    function test_saysWhoWhenAndWhy() public {
        VM.expectEmit(address(registry));
        emit IProvenanceRegistry.RecordRevoked(_id, GUARDIAN, LATER, REASON);
        _revoke(GUARDIAN, _id, LATER);
    }

    function test_changesNothingElse() public {
        Standing memory wanted = registry.standingById(_id);
        bytes32 content = registry.contentOf(_id);
        _revoke(GUARDIAN, _id, LATER);
        wanted.revokedAt = LATER;
        VM.assertEq(abi.encode(registry.standingById(_id)), abi.encode(wanted), "standing");
        VM.assertEq(registry.contentOf(_id), content, "content");
    }

    function test_theOwnerMayToo() public {
        _revoke(OWNER, _id, uint40(START));
        VM.assertFalse(registry.isOpen(_id, 0), "open");
    }

    function test_nobodyElseMay() public {
        VM.expectRevert(abi.encodeWithSelector(IProvenanceRegistry.NotAllowed.selector, ANYBODY));
        _revoke(ANYBODY, _id, uint40(START));
    }

    function test_goesOnWhilePaused() public {
        VM.prank(GUARDIAN);
        registry.pauseWrites();
        _revoke(GUARDIAN, _id, uint40(START));
    }

    function test_isFinal() public {
        _revoke(GUARDIAN, _id, LATER);
        bytes memory reason = abi.encodeWithSelector(IProvenanceGate.RecordIsRevoked.selector, _id, LATER);
        VM.expectRevert(reason);
        _revoke(GUARDIAN, _id, LATER);
        VM.expectRevert(reason);
        _revoke(OWNER, _id, LATER + 1);
    }

    function test_onlyComesForward() public {
        _revoke(GUARDIAN, _id, LATER);
        VM.expectEmit(address(registry));
        emit IProvenanceRegistry.RecordRevoked(_id, OWNER, LATER - 1, REASON);
        _revoke(OWNER, _id, LATER - 1);
        VM.assertEq(registry.standingById(_id).revokedAt, LATER - 1, "revoked at");
        _revoke(GUARDIAN, _id, 1);
        VM.assertEq(registry.standingById(_id).revokedAt, 1, "revoked at");
    }

    function test_fromTheBeginningOfTimeMeansNothing() public {
        VM.expectRevert(abi.encodeWithSelector(IProvenanceRegistry.OutOfTime.selector, 0, START));
        _revoke(GUARDIAN, _id, 0);
    }

    function test_atMostAYearAhead() public {
        uint40 year = uint40(START + 365 days);
        VM.expectRevert(abi.encodeWithSelector(IProvenanceRegistry.OutOfTime.selector, year + 1, START));
        _revoke(GUARDIAN, _id, year + 1);
        _revoke(GUARDIAN, _id, year);
    }

    function test_meansEveryJudgement() public {
        _publish(_revision(1, 1));
        _revoke(GUARDIAN, _id, uint40(START));
        VM.assertFalse(registry.isModel(_modelDigest(1), _manifestDigest(1), 0), "open");
        VM.assertEq(registry.standingOf(_modelDigest(1), _manifestDigest(1)).revokedAt, START, "revoked at");
    }

    function test_standingReleases() public {
        bytes32 revision = _publish(_revision(1, 1));
        bytes32 failure = _publish(_failure(1));
        VM.assertTrue(registry.isStandingRelease(_id), "release");
        VM.assertFalse(registry.isStandingRelease(revision), "revision");
        VM.assertFalse(registry.isStandingRelease(failure), "failure");
        VM.assertFalse(registry.isStandingRelease(POLICY), "nothing");
        _revoke(GUARDIAN, _id, uint40(START + 5));
        VM.assertTrue(registry.isStandingRelease(_id), "not revoked yet");
        VM.warp(START + 5);
        VM.assertFalse(registry.isStandingRelease(_id), "revoked");
    }

    function test_isOfReleasesOnly() public {
        bytes32 revision = _publish(_revision(1, 1));
        bytes32 failure = _publish(_failure(1));
        _notFound(revision);
        _notFound(failure);
        _notFound(POLICY);
    }

    function test_needsAReason() public {
        _wrongReason("", 0);
        _wrongReason(string(new bytes(257)), 257);
        VM.prank(GUARDIAN);
        registry.revoke(_id, LATER, string(new bytes(256)));
        VM.prank(GUARDIAN);
        registry.revoke(_id, LATER - 1, "x");
    }

    function test_doesNotMakeRoomForAnotherRecord() public {
        _revoke(GUARDIAN, _id, uint40(START));
        bytes memory same = _bytes(_record(1));
        VM.assertFalse(registry.publish(same, _signed(same)), "written again");
        VM.assertFalse(registry.isOpen(_id, 0), "open");
    }

    function testFuzz_onlyComesForward(uint40 first, uint40 second) public {
        first = first % uint40(START + 365 days) + 1;
        _revoke(GUARDIAN, _id, first);
        bool earlier = second != 0 && second < first;
        if (!earlier) VM.expectRevert();
        _revoke(GUARDIAN, _id, second);
        VM.assertEq(registry.standingById(_id).revokedAt, earlier ? second : first, "revoked at");
    }

    function _revoke(address by, bytes32 recordId, uint40 effectiveFrom) private {
        VM.prank(by);
        registry.revoke(recordId, effectiveFrom, REASON);
    }

    function _notFound(bytes32 recordId) private {
        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.RecordNotFound.selector, recordId));
        _revoke(GUARDIAN, recordId, uint40(START));
    }

    function _wrongReason(string memory reason, uint256 lengthBytes) private {
        VM.expectRevert(abi.encodeWithSelector(IProvenanceRegistry.TextLength.selector, "reason", lengthBytes));
        VM.prank(GUARDIAN);
        registry.revoke(_id, LATER, reason);
    }
}

contract RevocationsOfSource is RevocationsBehaviour, FromSource {}

contract RevocationsOfShipped is RevocationsBehaviour, FromShipped {}
