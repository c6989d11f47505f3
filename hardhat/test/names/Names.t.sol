// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {INamespaces} from "../../../contracts/INamespaces.sol";
import {IProvenanceGate} from "../../../contracts/IProvenanceGate.sol";
import {IProvenanceRegistry} from "../../../contracts/IProvenanceRegistry.sol";
import {RecordCodec} from "../../../contracts/lib/RecordCodec.sol";
import {Record} from "../../../contracts/Types.sol";
import {FromShipped, FromSource} from "../support/RegistryBehaviour.sol";
import {VM} from "../support/Vm.sol";
import {NamesBehaviour} from "./NamesBehaviour.sol";

/// @dev Records that a name leads to, and how a held record gets its name.
abstract contract NamesOfRecordsBehaviour is NamesBehaviour {
    // --- names

    function test_aNameLeadsToTheRecord() public {
        _claimSpace(1, PUBLISHER);
        bytes32 recordId = _publishFrom(PUBLISHER, 1);
        VM.assertTrue(registry.standingById(recordId).named, "named");
        VM.assertEq(names.recordOfName(SPACE_ID, _nameOf(1)), recordId, "name");
        VM.assertEq(names.requireNamed(SPACE_ID, _nameOf(1), 2), recordId, "gate");
    }

    function test_whereNobodyClaimedThereAreNoNames() public {
        _publishFrom(PUBLISHER, 1);
        VM.assertEq(names.recordOfName(SPACE_ID, _nameOf(1)), 0, "name");
        _expectNothingNamed(SPACE_ID, _nameOf(1));
        names.requireNamed(SPACE_ID, _nameOf(1), 0);
    }

    function test_aNameIsGivenOnce() public {
        _claimSpace(1, PUBLISHER);
        bytes32 recordId = _publishFrom(PUBLISHER, 1);
        Record memory second = _recordFrom(PUBLISHER, 2);
        second.release = _releaseName(1);
        uint256 head = names.headOf(SPACE_ID);
        _refuse(second, _taken(recordId));
        VM.assertEq(names.headOf(SPACE_ID), head, "history");
        second.release = _releaseName(2);
        _publish(second);
    }

    function test_theSameNameInAnotherNamespaceIsAnotherName() public {
        _claimSpace(1, PUBLISHER);
        _claim("acme2", SPACE_OWNER_KEY + 1, 1, _one(PUBLISHER));
        bytes32 first = _publishFrom(PUBLISHER, 1);
        Record memory second = _recordFrom(PUBLISHER, 2);
        second.namespace = "acme2";
        second.release = _releaseName(1);
        VM.assertEq(names.recordOfName(keccak256("acme2"), _nameOf(1)), 0, "not yet");
        VM.assertEq(_publish(second), names.recordOfName(keccak256("acme2"), _nameOf(1)), "second");
        VM.assertEq(names.recordOfName(SPACE_ID, _nameOf(1)), first, "first");
    }

    function test_aNameLeadsToTheReleaseWhateverItsJudgement() public {
        _claimSpace(1, PUBLISHER);
        bytes32 releaseId = _publishFrom(PUBLISHER, 1);
        Record memory later = _recordFrom(PUBLISHER, 1);
        later.revision = 1;
        later.grade = 1;
        _publish(later);
        VM.assertTrue(registry.standingOf(later.modelDigest, later.manifestDigest).named, "named");
        VM.assertEq(names.recordOfName(SPACE_ID, _nameOf(1)), releaseId, "name");
        VM.assertEq(names.requireNamed(SPACE_ID, _nameOf(1), 1), releaseId, "gate");
        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.GradeTooLow.selector, releaseId, 1, 2));
        names.requireNamed(SPACE_ID, _nameOf(1), 2);
    }

    function test_aFailureHasNoNameAndNoEntry() public {
        _claimSpace(1, PUBLISHER);
        uint256 head = names.headOf(SPACE_ID);
        bytes32 recordId = _publish(_failure(1));
        VM.assertFalse(registry.standingById(recordId).named, "named");
        VM.assertEq(names.recordOfName(SPACE_ID, keccak256("model@1")), 0, "name");
        VM.assertEq(names.headOf(SPACE_ID), head, "history");
    }

    function test_theGateByNameIsTheGateOfTheRecord() public {
        _claimSpace(1, PUBLISHER);
        bytes32 recordId = _publishFrom(PUBLISHER, 1);
        VM.prank(GUARDIAN);
        registry.revoke(recordId, uint40(block.timestamp), "reason");
        VM.expectRevert(
            abi.encodeWithSelector(IProvenanceGate.RecordIsRevoked.selector, recordId, uint40(block.timestamp))
        );
        names.requireNamed(SPACE_ID, _nameOf(1), 0);

        Record memory simulated = _simulated(2);
        simulated.release = _releaseName(2);
        recordId = _publish(simulated);
        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.RecordIsSimulated.selector, recordId));
        names.requireNamed(SPACE_ID, _nameOf(2), 0);
    }

    function test_aLaterJudgementKeepsTheNameWhoeverPublished() public {
        _claimSpace(1, PUBLISHER);
        bytes32 releaseId = _publishFrom(PUBLISHER, 1);
        Record memory later = _recordFrom(MALLORY, 1);
        later.revision = 1;
        _publish(later);
        VM.assertTrue(registry.standingOf(later.modelDigest, later.manifestDigest).named, "named");
        VM.assertEq(names.requireNamed(SPACE_ID, _nameOf(1), 2), releaseId, "gate");
        VM.assertEq(names.trustedSince(SPACE_ID, MALLORY), 0, "trusted");
    }

    function test_aLaterJudgementTakesNoOtherName() public {
        _claimSpace(1, PUBLISHER);
        _claim("acme2", SPACE_OWNER_KEY + 1, 1, _one(PUBLISHER));
        bytes32 releaseId = _publishFrom(PUBLISHER, 1);
        _publishFrom(PUBLISHER, 2);
        bytes memory reason = abi.encodeWithSelector(IProvenanceRegistry.RevisionRenamed.selector, releaseId);
        Record memory later = _recordFrom(PUBLISHER, 1);
        later.revision = 1;
        later.release = _releaseName(3);
        _refuse(later, reason);
        later.release = _releaseName(2);
        _refuse(later, reason);
        later.release = _releaseName(1);
        later.namespace = "acme2";
        _refuse(later, reason);
    }

    function test_theNameOfARevokedReleaseIsFree() public {
        _claimSpace(1, PUBLISHER);
        bytes32 first = _publishFrom(PUBLISHER, 1);
        Record memory second = _recordFrom(PUBLISHER, 2);
        second.release = _releaseName(1);
        VM.prank(GUARDIAN);
        registry.revoke(first, uint40(block.timestamp) + 1, "reason");
        _refuse(second, _taken(first));
        VM.warp(block.timestamp + 1);
        bytes32 secondId = _publish(second);
        VM.assertEq(names.requireNamed(SPACE_ID, _nameOf(1), 2), secondId, "gate");
    }

    // --- claimed later

    function test_aLaterClaimShutsNothing() public {
        _publishFrom(PUBLISHER, 1);
        _claimSpace(0, 0);
        Record memory later = _recordFrom(PUBLISHER, 1);
        later.revision = 1;
        bytes32 recordId = _publish(later);
        VM.assertFalse(_isHeld(recordId), "held");
        VM.assertFalse(registry.standingById(recordId).named, "named");
        VM.assertTrue(registry.isModel(_modelDigest(1), _manifestDigest(1), 2), "open");
    }

    function test_aRecordOfABatchIsHeldIfTheClaimWasThereBefore() public {
        Record[] memory records = new Record[](1);
        records[0] = _recordFrom(PUBLISHER, 1);
        Grown memory before = _grow(records);
        _recordBatch(before);
        VM.warp(block.timestamp + 1);
        _claimSpace(0, 0);
        records[0] = _recordFrom(PUBLISHER, 2);
        Grown memory afterwards = _grow(records);
        _recordBatch(afterwards);

        registry.materialise(before.leaves[0].record, _proof(before, 0));
        VM.assertTrue(registry.isModel(_modelDigest(1), _manifestDigest(1), 2), "before");
        registry.materialise(afterwards.leaves[0].record, _proof(afterwards, 0));
        VM.assertTrue(_isHeld(_releaseId(2)), "afterwards");
    }

    // --- held records

    function test_aHeldRecordIsReleasedOnceItsPublisherIsTrusted() public {
        _claimSpace(0, 0);
        bytes memory record = _bytes(_recordFrom(PUBLISHER, 1));
        bytes32 recordId = _publishFrom(PUBLISHER, 1);
        VM.assertEq(names.recordOfName(SPACE_ID, _nameOf(1)), 0, "no name");
        _expectClosed(recordId);
        registry.requireOpen(recordId, 0);

        _trust(PUBLISHER);
        VM.prank(ANYBODY);
        registry.releaseHeld(record);
        VM.assertFalse(_isHeld(recordId), "held");
        VM.assertTrue(registry.standingById(recordId).named, "named");
        VM.assertEq(names.requireNamed(SPACE_ID, _nameOf(1), 2), recordId, "gate");
        _expectNotHeld(recordId);
        registry.releaseHeld(record);
    }

    function test_aHeldRecordWaitsForItsPublisher() public {
        _claimSpace(1, OTHER);
        bytes memory record = _bytes(_recordFrom(PUBLISHER, 1));
        _publishFrom(PUBLISHER, 1);
        bytes memory reason = abi.encodeWithSelector(INamespaces.IdentityNotTrusted.selector, SPACE_ID, PUBLISHER);
        VM.expectRevert(reason);
        registry.releaseHeld(record);
        VM.prank(spaceOwner);
        names.proposeIdentity(SPACE_ID, PUBLISHER);
        VM.warp(block.timestamp + DELAY);
        VM.expectRevert(reason);
        registry.releaseHeld(record);
        names.acceptIdentity(SPACE_ID, PUBLISHER);
        VM.prank(spaceOwner);
        names.dropIdentity(SPACE_ID, PUBLISHER);
        VM.expectRevert(reason);
        registry.releaseHeld(record);
    }

    function test_aRecordOfNobodyKnownStaysHeld() public {
        _claimSpace(1, PUBLISHER);
        bytes memory record = _bytes(_recordFrom(0, 1));
        _publishFrom(0, 1);
        VM.expectRevert(abi.encodeWithSelector(INamespaces.IdentityNotTrusted.selector, SPACE_ID, bytes32(0)));
        registry.releaseHeld(record);
    }

    function test_onlyHeldRecordsAreReleased() public {
        _claimSpace(1, PUBLISHER);
        Record memory record = _recordFrom(PUBLISHER, 1);
        _expectNotHeld(_idOf(record)); // unknown
        registry.releaseHeld(_bytes(record));
        _publish(record);
        _expectNotHeld(_idOf(record)); // open
        registry.releaseHeld(_bytes(record));

        Record memory held = _recordFrom(OTHER, 2);
        _publish(held);
        _trust(OTHER);
        held.release = _releaseName(3);
        _expectNotHeld(_idOf(held)); // another content
        registry.releaseHeld(_bytes(held));
        VM.expectRevert(abi.encodeWithSelector(RecordCodec.RecordMalformed.selector, 223));
        registry.releaseHeld(new bytes(223));
    }

    function test_aHeldRecordLosesItsNameToTheOneThatCameBetween() public {
        _claimSpace(1, PUBLISHER);
        Record memory held = _recordFrom(OTHER, 1);
        bytes32 heldId = _publish(held);
        Record memory between = _recordFrom(PUBLISHER, 2);
        between.release = _releaseName(1);
        bytes32 betweenId = _publish(between);
        _trust(OTHER);
        VM.expectRevert(_taken(betweenId));
        registry.releaseHeld(_bytes(held));
        VM.assertTrue(_isHeld(heldId), "held");
    }

    function test_aReleasedRecordStaysRevoked() public {
        _claimSpace(0, 0);
        bytes32 recordId = _publishFrom(PUBLISHER, 1);
        bytes memory record = _bytes(_recordFrom(PUBLISHER, 1));
        VM.prank(GUARDIAN);
        registry.revoke(recordId, uint40(block.timestamp), "reason");
        _trust(PUBLISHER);
        registry.releaseHeld(record);
        VM.assertFalse(registry.isModel(_modelDigest(1), _manifestDigest(1), 0), "open");
    }

    function test_aLaterJudgementOfAHeldReleaseIsHeldUntilTheFirstIsReleased() public {
        _claimSpace(1, PUBLISHER);
        bytes32 releaseId = _publishFrom(OTHER, 1);
        Record memory later = _recordFrom(PUBLISHER, 1);
        later.revision = 1;
        bytes32 laterId = _publish(later);
        _expectClosed(releaseId);
        registry.requireOpen(releaseId, 0);
        bytes memory record = _bytes(later);
        VM.expectRevert(abi.encodeWithSelector(IProvenanceRegistry.NotHeld.selector, laterId));
        registry.releaseHeld(record);
        _trust(OTHER);
        later = _recordFrom(OTHER, 1);
        later.judgedAt -= DELAY;
        registry.releaseHeld(_bytes(later));
        VM.assertEq(names.requireNamed(SPACE_ID, _nameOf(1), 2), releaseId, "gate");
    }

    function test_aHeldRecordTakesTheNameOfARevokedRelease() public {
        _claimSpace(1, PUBLISHER);
        Record memory held = _recordFrom(OTHER, 1);
        _publish(held);
        Record memory between = _recordFrom(PUBLISHER, 2);
        between.release = _releaseName(1);
        bytes32 betweenId = _publish(between);
        VM.prank(GUARDIAN);
        registry.revoke(betweenId, uint40(block.timestamp), "reason");
        _trust(OTHER);
        registry.releaseHeld(_bytes(held));
        VM.assertEq(names.recordOfName(SPACE_ID, _nameOf(1)), _idOf(held), "name");
    }

    function test_nothingIsReleasedWhileWritesAreStopped() public {
        _claimSpace(0, 0);
        _publishFrom(PUBLISHER, 1);
        bytes memory record = _bytes(_recordFrom(PUBLISHER, 1));
        _trust(PUBLISHER);
        _pause();
        VM.expectRevert(IProvenanceRegistry.WritesArePaused.selector);
        registry.releaseHeld(record);
    }

    // --- access

    function test_onlyTheRegistryAdmitsAndReleases() public {
        _claimSpace(1, PUBLISHER);
        for (uint256 i = 0; i < 3; ++i) {
            address caller = [OWNER, GUARDIAN, spaceOwner][i];
            bytes memory reason = abi.encodeWithSelector(INamespaces.NotRegistry.selector, caller);
            VM.startPrank(caller);
            VM.expectRevert(reason);
            names.admit(SPACE_ID, PUBLISHER, _nameOf(1), _releaseId(1), keccak256("content"));
            VM.expectRevert(reason);
            names.release(SPACE_ID, PUBLISHER, _nameOf(1), _releaseId(1), keccak256("content"));
            VM.stopPrank();
        }
    }

    function _taken(bytes32 recordId) private pure returns (bytes memory) {
        return abi.encodeWithSelector(INamespaces.NameTaken.selector, SPACE_ID, _nameOf(1), recordId);
    }

    function _expectNothingNamed(bytes32 namespaceId, bytes32 releaseDigest) private {
        VM.expectRevert(abi.encodeWithSelector(INamespaces.NothingNamed.selector, namespaceId, releaseDigest));
    }

    function _expectNotHeld(bytes32 recordId) private {
        VM.expectRevert(abi.encodeWithSelector(IProvenanceRegistry.NotHeld.selector, recordId));
    }

    function _expectClosed(bytes32 recordId) private {
        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.RecordIsClosed.selector, recordId, true, false));
    }
}

contract NamesOfSource is NamesOfRecordsBehaviour, FromSource {}

contract NamesOfShipped is NamesOfRecordsBehaviour, FromShipped {}
