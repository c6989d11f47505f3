// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {IProvenanceGate} from "../../../contracts/IProvenanceGate.sol";
import {IProvenanceRegistry} from "../../../contracts/IProvenanceRegistry.sol";
import {Record, Standing} from "../../../contracts/Types.sol";
import {FromShipped, FromSource} from "../support/RegistryBehaviour.sol";
import {VM} from "../support/Vm.sol";
import {NamesBehaviour} from "../names/NamesBehaviour.sol";

/// @dev Attacks by a later judgement: to open a held release, to take another name, to get round a revocation or a
/// recount.
abstract contract LaterJudgementAttacksBehaviour is NamesBehaviour {
    uint40 private constant YEAR = 365 days;

    // --- a release stays held, named or nameless, as at its first judgement

    function test_aHeldReleaseStaysHeldWhateverALaterJudgementSays() public {
        _claimSpace(1, PUBLISHER);
        _claim("elsewhere", SPACE_OWNER_KEY + 1, 1, _one(MALLORY));
        bytes32 recordId = _publishFrom(MALLORY, 1);
        string[3] memory namespaces = ["elsewhere", "unclaimed", SPACE];
        bytes32[3] memory identities = [MALLORY, MALLORY, PUBLISHER];
        for (uint16 i = 0; i < 3; ++i) {
            Record memory later = _later(identities[i], i + 1);
            (later.namespace, later.release) = (namespaces[i], "other@9");
            bytes32 laterId = _publish(later);
            _staysHeld(recordId);
            Standing memory own = registry.standingById(laterId);
            VM.assertFalse(own.held || own.named, "of its own");
            bytes memory encoded = _bytes(later);
            VM.expectRevert(abi.encodeWithSelector(IProvenanceRegistry.NotHeld.selector, laterId));
            registry.releaseHeld(encoded);
            VM.assertEq(names.recordOfName(keccak256(bytes(namespaces[i])), keccak256("other@9")), 0, "name");
        }
    }

    function test_theFirstJudgementIsReleasedAndAllWithIt() public {
        _claimSpace(0, 0);
        bytes memory first = _bytes(_recordFrom(PUBLISHER, 1));
        bytes32 recordId = _publishFrom(PUBLISHER, 1);
        Record memory worse = _later(PUBLISHER, 1);
        worse.grade = 1;
        _publish(worse);
        _trust(PUBLISHER);
        _staysHeld(recordId);
        registry.releaseHeld(first);
        Standing memory standing = registry.standingOf(_modelDigest(1), _manifestDigest(1));
        VM.assertTrue(standing.named && !standing.held, "named");
        VM.assertEq(names.requireNamed(SPACE_ID, _nameOf(1), 1), recordId, "gate by name");
        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.GradeTooLow.selector, recordId, 1, 2));
        names.requireNamed(SPACE_ID, _nameOf(1), 2);
    }

    function test_aReleaseHasOneName() public {
        _claimSpace(0, 0);
        bytes memory first = _bytes(_recordFrom(PUBLISHER, 1));
        bytes32 recordId = _publishFrom(PUBLISHER, 1);
        Record memory renamed = _later(PUBLISHER, 1);
        renamed.release = "other@9";
        bytes memory second = _bytes(renamed);
        _publish(renamed);
        _trust(PUBLISHER);
        registry.releaseHeld(first);
        VM.expectPartialRevert(IProvenanceRegistry.NotHeld.selector);
        registry.releaseHeld(second);
        VM.assertEq(names.recordOfName(SPACE_ID, _nameOf(1)), recordId, "its name");
        VM.assertEq(names.recordOfName(SPACE_ID, keccak256("other@9")), 0, "another name");
        renamed = _later(PUBLISHER, 2);
        renamed.release = "other@9";
        _refuse(renamed, abi.encodeWithSelector(IProvenanceRegistry.RevisionRenamed.selector, recordId));
    }

    function test_aNamedReleaseDoesNotChangeItsName() public {
        _claimSpace(1, PUBLISHER);
        bytes32 recordId = _publishFrom(PUBLISHER, 1);
        bytes memory reason = abi.encodeWithSelector(IProvenanceRegistry.RevisionRenamed.selector, recordId);
        Record memory later = _later(PUBLISHER, 1);
        later.namespace = "unclaimed";
        _refuse(later, reason);
        later = _later(PUBLISHER, 1);
        later.release = "other@9";
        _refuse(later, reason);
        _publish(_later(PUBLISHER, 1));
        VM.assertEq(names.requireNamed(SPACE_ID, _nameOf(1), 2), recordId, "gate by name");
    }

    /// @dev It cannot be moved into a namespace either, whether or not its publisher is trusted there.
    function test_aNamelessReleaseStaysNameless() public {
        Record memory first = _recordFrom(PUBLISHER, 1);
        first.namespace = "unclaimed";
        bytes32 recordId = _publish(first);
        _claimSpace(1, PUBLISHER);
        bytes32 laterId = _publish(_later(PUBLISHER, 1));
        VM.assertTrue(registry.isOpen(recordId, 2), "open");
        VM.assertFalse(registry.standingOf(_modelDigest(1), _manifestDigest(1)).named, "named");
        VM.assertFalse(registry.standingById(laterId).named, "of its own");
        VM.assertEq(names.recordOfName(SPACE_ID, _nameOf(1)), 0, "name");
        _publishNamesake(2);
    }

    function test_whatLaterJudgementsLeaveInTheHistory() public {
        _claimSpace(1, PUBLISHER);
        _publishFrom(PUBLISHER, 1);
        uint48 number = _lastNumber();
        _publish(_later(PUBLISHER, 1));
        VM.assertEq(_lastNumber(), number + 1, "of a named release: an entry");
        Record memory held = _recordFrom(MALLORY, 2);
        _publish(held);
        number = _lastNumber();
        held.revision = 1;
        _publish(held);
        VM.assertEq(_lastNumber(), number, "of a held release: none");
    }

    // --- revocations

    function test_aRevocationLiesAYearAheadAtMost() public {
        bytes32 recordId = _publish(_record(1));
        uint40[2] memory tooLate = [uint40(START) + YEAR + 1, type(uint40).max];
        for (uint256 i = 0; i < 2; ++i) {
            VM.expectRevert(abi.encodeWithSelector(IProvenanceRegistry.OutOfTime.selector, tooLate[i], START));
            VM.prank(GUARDIAN);
            registry.revoke(recordId, tooLate[i], "never");
        }
        VM.prank(GUARDIAN);
        registry.revoke(recordId, uint40(START) + YEAR, "in a year");
        VM.warp(START + YEAR);
        VM.assertFalse(registry.isOpen(recordId, 0), "open");
    }

    function test_aScheduledRevocationCoversLaterJudgements() public {
        bytes32 recordId = _publish(_record(1));
        uint40 from = uint40(START + 1 days);
        VM.prank(GUARDIAN);
        registry.revoke(recordId, from, "tomorrow");
        VM.warp(from - 1);
        bytes32 laterId = _publish(_revision(1, 1));
        VM.assertTrue(registry.isOpen(recordId, 2), "until then");
        VM.assertEq(registry.standingOf(_modelDigest(1), _manifestDigest(1)).revokedAt, from, "revoked at");
        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.RecordNotFound.selector, laterId));
        VM.prank(GUARDIAN);
        registry.revoke(laterId, from, "the release is revoked, not a judgement");
        VM.warp(from);
        bytes memory reason = abi.encodeWithSelector(IProvenanceGate.RecordIsRevoked.selector, recordId, from);
        VM.expectRevert(reason);
        registry.requireModel(_modelDigest(1), _manifestDigest(1), 0);
        VM.expectRevert(reason);
        registry.requireOpen(recordId, 0);
        _refuse(_revision(1, 2), reason);
    }

    // --- recounts

    function test_recountingAReleaseRecountsItsLatestJudgement() public {
        bytes32 recordId = _publish(_record(1));
        VM.warp(START + 1 days);
        bytes32 laterId = _publish(_revision(1, 1));
        VM.prank(GUARDIAN);
        registry.revokeKey(1, 0, uint40(START + 1 days), "stolen");
        VM.assertTrue(registry.isOpen(recordId, 2), "nobody has recounted");
        VM.expectEmit(address(registry));
        emit IProvenanceRegistry.Recounted(laterId, 6, 2, true);
        VM.prank(ANYBODY);
        registry.recount(recordId);
        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.RecordIsClosed.selector, recordId, false, true));
        registry.requireOpen(recordId, 0);
        VM.recordLogs();
        registry.recount(recordId);
        registry.recount(laterId);
        VM.assertEq(_countLogs(), 0, "events");
    }

    function _publishNamesake(uint256 number) private {
        Record memory namesake = _recordFrom(PUBLISHER, number);
        namesake.release = _releaseName(1);
        VM.assertEq(_publish(namesake), names.requireNamed(SPACE_ID, _nameOf(1), 2), "the name is free");
    }

    function _staysHeld(bytes32 recordId) private {
        VM.assertTrue(registry.standingOf(_modelDigest(1), _manifestDigest(1)).held, "held");
        VM.assertFalse(registry.isModel(_modelDigest(1), _manifestDigest(1), 0), "open");
        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.RecordIsClosed.selector, recordId, true, false));
        registry.requireOpen(recordId, 0);
    }

    /// @dev Returns a later judgement of release 1, by the same name.
    function _later(bytes32 identity, uint16 revision) private view returns (Record memory record) {
        record = _recordFrom(identity, 1);
        record.revision = revision;
    }
}

contract LaterJudgementAttacksOnSource is LaterJudgementAttacksBehaviour, FromSource {}

contract LaterJudgementAttacksOnShipped is LaterJudgementAttacksBehaviour, FromShipped {}
