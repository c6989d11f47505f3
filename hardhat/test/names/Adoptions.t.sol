// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {IProvenanceRegistry} from "../../../contracts/IProvenanceRegistry.sol";
import {INamespaces} from "../../../contracts/INamespaces.sol";
import {RecordCodec} from "../../../contracts/lib/RecordCodec.sol";
import {Record, Standing} from "../../../contracts/Types.sol";
import {FromShipped, FromSource} from "../support/RegistryBehaviour.sol";
import {VM} from "../support/Vm.sol";
import {NamesBehaviour} from "./NamesBehaviour.sol";

/// @dev A release that was recorded before its namespace was claimed gets its name if the owner adopts it.
abstract contract AdoptionsBehaviour is NamesBehaviour {
    bytes private _record1;
    bytes32 private _id1;

    function setUp() public override {
        super.setUp();
        _record1 = _bytes(_recordFrom(PUBLISHER, 1));
        _id1 = _publishFrom(PUBLISHER, 1);
        VM.warp(START + 1);
    }

    function test_theNameLeadsToItFromThenOn() public {
        _claimSpace(1, PUBLISHER);
        Standing memory wanted = registry.standingById(_id1);
        _nothingNamed(1);
        uint48 number = _lastNumber();
        _adopt(_record1);
        VM.assertEq(names.requireNamed(SPACE_ID, _nameOf(1), 2), _id1, "gate");
        VM.assertEq(uint256(_lastNumber()), uint256(number) + 1, "history");
        wanted.named = true;
        VM.assertEq(abi.encode(registry.standingById(_id1)), abi.encode(wanted), "standing");
    }

    function test_theHistoryTellsIt() public {
        _claimSpace(1, PUBLISHER);
        uint256 head = names.headOf(SPACE_ID);
        uint8 kind = uint8(INamespaces.Entry.Adopted);
        VM.assertEq(uint256(kind), 9, "kinds are numbered for ever");
        bytes32 content = keccak256(_record1);
        uint256 hash = uint256(keccak256(abi.encode(head, kind, content, uint40(block.timestamp))));
        uint256 next = (head >> 208) + 1 << 208 | uint256(uint208(hash));
        VM.expectEmit(address(names));
        emit INamespaces.NamespaceEntry(
            SPACE_ID, uint48(next >> 208), INamespaces.Entry.Adopted, content, uint40(block.timestamp), next
        );
        _adopt(_record1);
    }

    function test_onlyTheOwnerAdopts() public {
        _refuseBy(ANYBODY); // nobody has claimed the namespace
        _claimSpace(1, PUBLISHER);
        _refuseBy(OWNER);
        _refuseBy(GUARDIAN);
        _refuseBy(ANYBODY);
    }

    function test_onlyATrustedPublisher() public {
        _claimSpace(2, OTHER); // one more would be trusted on first use, which an adoption is not
        bytes memory reason = abi.encodeWithSelector(INamespaces.IdentityNotTrusted.selector, SPACE_ID, PUBLISHER);
        VM.expectRevert(reason);
        _adopt(_record1);
        _trust(PUBLISHER);
        _adopt(_record1);
        VM.prank(spaceOwner);
        names.dropIdentity(SPACE_ID, PUBLISHER);
        VM.assertEq(names.requireNamed(SPACE_ID, _nameOf(1), 2), _id1, "existing records stay as they are");
    }

    function test_aPublisherOfNobodyKnownIsNeverTrusted() public {
        bytes memory record = _bytes(_recordFrom(0, 2));
        _publishFrom(0, 2);
        VM.warp(block.timestamp + 1);
        _claimSpace(1, PUBLISHER);
        VM.expectRevert(abi.encodeWithSelector(INamespaces.IdentityNotTrusted.selector, SPACE_ID, bytes32(0)));
        _adopt(record);
    }

    function test_onlyOnce() public {
        _claimSpace(1, PUBLISHER);
        _adopt(_record1);
        _notAdoptable(_id1);
        _adopt(_record1);
    }

    function test_takesNoNameFromAReleaseInGoodStanding() public {
        _claimSpace(1, PUBLISHER);
        Record memory rival = _recordFrom(PUBLISHER, 2);
        rival.release = _releaseName(1);
        bytes32 rivalId = _publish(rival);
        VM.expectRevert(abi.encodeWithSelector(INamespaces.NameTaken.selector, SPACE_ID, _nameOf(1), rivalId));
        _adopt(_record1);
        _revoke(rivalId);
        _adopt(_record1);
        VM.assertEq(names.requireNamed(SPACE_ID, _nameOf(1), 2), _id1, "gate");
    }

    function test_onlyWhatWasRecordedBeforeTheClaim() public {
        _claimSpace(1, PUBLISHER);
        bytes memory named = _bytes(_recordFrom(PUBLISHER, 2));
        _publishFrom(PUBLISHER, 2);
        _notAdoptable(_releaseId(2));
        _adopt(named);
        _publishFrom(OTHER, 3); // held
        bytes memory held = _bytes(_recordFrom(OTHER, 3));
        _trust(OTHER);
        _notAdoptable(_releaseId(3));
        _adopt(held);
    }

    function test_onlyTheBytesThatWereRecorded() public {
        _claimSpace(1, PUBLISHER);
        Record memory other = _recordFrom(PUBLISHER, 1);
        other.release = "model@another";
        _notAdoptable(_id1);
        _adopt(_bytes(other));
        Record memory foreign = _recordFrom(MALLORY, 1);
        foreign.publisherIdentity = PUBLISHER;
        foreign.manifestDigest = keccak256("never recorded");
        _notAdoptable(_idOf(foreign));
        _adopt(_bytes(foreign));
        VM.expectRevert(abi.encodeWithSelector(RecordCodec.RecordMalformed.selector, 223));
        _adopt(new bytes(223));
    }

    function test_neitherLaterJudgementsNorFailures() public {
        Record memory later = _recordFrom(PUBLISHER, 1);
        later.revision = 1;
        _publish(later);
        Record memory failure = _failure(2);
        _publish(failure);
        VM.warp(block.timestamp + 1);
        _claimSpace(1, PUBLISHER);
        _notAdoptable(_id1);
        _adopt(_bytes(later));
        _notAdoptable(_releaseId(2));
        _adopt(_bytes(failure));
        _adopt(_record1);
        VM.assertEq(names.requireNamed(SPACE_ID, _nameOf(1), 2), _id1, "the first judgement brings its name");
    }

    function test_aLaterJudgementKeepsTheAdoptedName() public {
        _claimSpace(1, PUBLISHER);
        _adopt(_record1);
        Record memory later = _recordFrom(PUBLISHER, 1);
        later.revision = 1;
        later.release = "model@another";
        _refuse(later, abi.encodeWithSelector(IProvenanceRegistry.RevisionRenamed.selector, _id1));
        later.release = _releaseName(1);
        _publish(later);
        VM.assertTrue(registry.standingOf(_modelDigest(1), _manifestDigest(1)).named, "named");
    }

    function test_neitherRevokedNorDoubtfulReleases() public {
        _claimSpace(1, PUBLISHER);
        uint256 snapshot = VM.snapshotState();
        VM.prank(GUARDIAN);
        registry.revokeKey(1, 0, 1, "stolen");
        _notAdoptable(_id1);
        _adopt(_record1);
        VM.revertToState(snapshot);
        _revoke(_id1);
        _notAdoptable(_id1);
        _adopt(_record1);
    }

    function test_notWhileWritesAreStopped() public {
        _claimSpace(1, PUBLISHER);
        _pause();
        VM.expectRevert(INamespaces.RegistryIsPaused.selector);
        _adopt(_record1);
    }

    function test_onlyNamespacesTellTheRegistry() public {
        _claimSpace(1, PUBLISHER);
        VM.expectRevert(abi.encodeWithSelector(IProvenanceRegistry.NotAllowed.selector, spaceOwner));
        VM.prank(spaceOwner);
        registry.noteNamed(_id1);
    }

    /// @dev An adoption changes one flag of one record, whoever tries it with whichever record.
    function testFuzz_touchesOneReleaseOnly(uint8 which, uint8 publisher, uint8 caller) public {
        bytes32[4] memory publishers = [PUBLISHER, OTHER, MALLORY, bytes32(0)];
        bytes[4] memory records;
        for (uint256 i = 2; i < 6; ++i) {
            records[i - 2] = _bytes(_recordFrom(publishers[i - 2], i));
            _publishFrom(publishers[i - 2], i);
        }
        VM.warp(block.timestamp + 1);
        _claimSpace(2, publishers[publisher % 3]);
        uint256 number = 2 + which % 4;
        bool due = number - 2 == publisher % 3 && caller % 2 == 0;
        VM.prank(caller % 2 == 0 ? spaceOwner : ANYBODY);
        try names.adoptRelease(records[number - 2]) {
            VM.assertTrue(due, "adopted");
        } catch {
            VM.assertFalse(due, "refused");
        }
        for (uint256 i = 2; i < 6; ++i) {
            VM.assertEq(registry.standingById(_releaseId(i)).named, due && i == number, "named");
            VM.assertTrue(registry.isOpen(_releaseId(i), 2), "open");
        }
    }

    function _adopt(bytes memory record) private {
        VM.prank(spaceOwner);
        names.adoptRelease(record);
    }

    function _revoke(bytes32 id) private {
        VM.prank(GUARDIAN);
        registry.revoke(id, uint40(block.timestamp), "reason");
    }

    function _refuseBy(address caller) private {
        VM.expectRevert(abi.encodeWithSelector(INamespaces.NotNamespaceOwner.selector, SPACE_ID, caller));
        VM.prank(caller);
        names.adoptRelease(_record1);
    }

    function _notAdoptable(bytes32 id) private {
        VM.expectRevert(abi.encodeWithSelector(INamespaces.NotAdoptable.selector, id));
    }

    function _nothingNamed(uint256 number) private {
        VM.expectRevert(abi.encodeWithSelector(INamespaces.NothingNamed.selector, SPACE_ID, _nameOf(number)));
        names.requireNamed(SPACE_ID, _nameOf(number), 0);
    }
}

contract AdoptionsOfSource is AdoptionsBehaviour, FromSource {}

contract AdoptionsOfShipped is AdoptionsBehaviour, FromShipped {}
