// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {IOracleSets} from "../../../contracts/IOracleSets.sol";
import {IProvenanceRegistry} from "../../../contracts/IProvenanceRegistry.sol";
import {Epoch, Oracle, Quorum} from "../../../contracts/Types.sol";
import {FromShipped, FromSource, IOwnable2Step, RegistryBehaviour} from "../support/RegistryBehaviour.sol";
import {VM} from "../support/Vm.sol";

/// @dev Succession of oracle sets, and invalid sets.
abstract contract OracleSetsBehaviour is RegistryBehaviour {
    uint40 private constant ACTIVE_FROM = uint40(START + DELAY);

    function test_beginsWithTheFirstSet() public view {
        VM.assertEq(registry.currentEpoch(), 1, "epoch");
        VM.assertEq(registry.publicDelay(), DELAY, "delay");
        _sameEpoch(1, Epoch(THRESHOLD, uint8(SIZE), FOR_EVER));
        for (uint8 i = 0; i < SIZE; ++i) {
            Oracle memory wanted = Oracle(_account(32 + i), 1, uint40(START), FOR_EVER, 0);
            VM.assertEq(abi.encode(registry.oracleAt(1, i)), abi.encode(wanted), "oracle");
        }
        _scheduled(0, 0);
    }

    function test_knowsNoOthers() public {
        _sameEpoch(0, Epoch(0, 0, 0));
        _sameEpoch(2, Epoch(0, 0, 0));
        VM.expectRevert(abi.encodeWithSelector(IOracleSets.UnknownOracle.selector, 1, SIZE));
        registry.oracleAt(1, uint8(SIZE));
        VM.expectRevert(abi.encodeWithSelector(IOracleSets.UnknownOracle.selector, 2, 0));
        registry.oracleAt(2, 0);
    }

    function test_announcesTheNextSet() public {
        Oracle[] memory oracles = _oracles(2, 2);
        VM.expectEmit(address(registry));
        emit IOracleSets.OracleSetScheduled(_digest(oracles, 2), oracles, 2, ACTIVE_FROM);
        _schedule(oracles, 2);
        _scheduled(_digest(oracles, 2), ACTIVE_FROM);
        VM.assertEq(registry.currentEpoch(), 1, "epoch");
    }

    function test_onlyTheOwnerAnnounces() public {
        Oracle[] memory oracles = _oracles(2, 2);
        VM.expectRevert(abi.encodeWithSelector(IOwnable2Step.OwnableUnauthorizedAccount.selector, GUARDIAN));
        VM.prank(GUARDIAN);
        registry.scheduleOracles(oracles, 2);
        _schedule(oracles, 2);
        VM.expectRevert(abi.encodeWithSelector(IOwnable2Step.OwnableUnauthorizedAccount.selector, GUARDIAN));
        VM.prank(GUARDIAN);
        registry.cancelOracles(_digest(oracles, 2));
    }

    function test_anyoneActivatesOnceTheDelayIsOver() public {
        Oracle[] memory oracles = _oracles(2, 2);
        _schedule(oracles, 2);
        bytes memory early = _notReady(oracles, 2, ACTIVE_FROM);
        VM.expectRevert(early);
        registry.activateOracles(oracles, 2);
        VM.warp(ACTIVE_FROM - 1);
        VM.expectRevert(early);
        registry.activateOracles(oracles, 2);

        VM.warp(ACTIVE_FROM);
        VM.expectEmit(address(registry));
        emit IOracleSets.EpochStarted(2, oracles, 2, ACTIVE_FROM + GRACE);
        VM.prank(ANYBODY);
        registry.activateOracles(oracles, 2);
        VM.assertEq(registry.currentEpoch(), 2, "epoch");
        _sameEpoch(1, Epoch(THRESHOLD, uint8(SIZE), ACTIVE_FROM + GRACE));
        _sameEpoch(2, Epoch(2, 2, FOR_EVER));
        _scheduled(0, 0);
    }

    function test_activatesWhatWasAnnouncedAndOnce() public {
        Oracle[] memory oracles = _oracles(2, 2);
        VM.expectRevert(_notReady(oracles, 2, 0));
        registry.activateOracles(oracles, 2);
        _schedule(oracles, 2);
        VM.warp(ACTIVE_FROM);
        VM.expectRevert(_notReady(oracles, 1, 0));
        registry.activateOracles(oracles, 1);
        Oracle[] memory others = _oracles(3, 2);
        VM.expectRevert(_notReady(others, 2, 0));
        registry.activateOracles(others, 2);
        registry.activateOracles(oracles, 2);
        VM.expectRevert(_notReady(oracles, 2, 0));
        registry.activateOracles(oracles, 2);
    }

    function test_anotherAnnouncementStartsAnew() public {
        Oracle[] memory first = _oracles(2, 2);
        _schedule(first, 2);
        VM.warp(START + 1 days);
        Oracle[] memory second = _oracles(3, 3);
        _schedule(second, 1);
        _scheduled(_digest(second, 1), ACTIVE_FROM + 1 days);
        VM.warp(ACTIVE_FROM);
        VM.expectRevert(_notReady(first, 2, 0));
        registry.activateOracles(first, 2);
        VM.expectRevert(_notReady(second, 1, ACTIVE_FROM + 1 days));
        registry.activateOracles(second, 1);
    }

    function test_takesAnAnnouncementBack() public {
        Oracle[] memory oracles = _oracles(2, 2);
        bytes32 setDigest = _digest(oracles, 2);
        _schedule(oracles, 2);
        VM.expectEmit(address(registry));
        emit IOracleSets.OracleSetCancelled(setDigest);
        VM.prank(OWNER);
        registry.cancelOracles(setDigest);
        _scheduled(0, 0);
        VM.warp(ACTIVE_FROM);
        VM.expectRevert(_notReady(oracles, 2, 0));
        registry.activateOracles(oracles, 2);
    }

    function test_takesNothingElseBack() public {
        _schedule(_oracles(2, 2), 2);
        _cannotCancel(POLICY);
        _cannotCancel(0);
        bytes32 setDigest = _digest(_oracles(2, 2), 2);
        VM.prank(OWNER);
        registry.cancelOracles(setDigest);
        _cannotCancel(setDigest);
        _cannotCancel(0);
    }

    function test_setsThatCannotBeOne() public {
        _unsound(new Oracle[](0), 1, abi.encodeWithSelector(IOracleSets.OracleCount.selector, 0));
        _unsound(_oracles(2, 33), 1, abi.encodeWithSelector(IOracleSets.OracleCount.selector, 33));
        Oracle[] memory oracles = _oracles(2, 3);
        oracles[1].weight = 0;
        _unsound(oracles, 1, abi.encodeWithSelector(IOracleSets.OracleInvalid.selector, 1));
        oracles = _oracles(2, 3);
        oracles[2].validUntil = oracles[2].validFrom;
        _unsound(oracles, 1, abi.encodeWithSelector(IOracleSets.OracleInvalid.selector, 2));
        oracles = _oracles(2, 3);
        oracles[0].key = address(0);
        _unsound(oracles, 1, abi.encodeWithSelector(IOracleSets.OracleInvalid.selector, 0));
        oracles = _oracles(2, 3);
        oracles[2].key = oracles[0].key;
        _unsound(oracles, 1, abi.encodeWithSelector(IOracleSets.OracleInvalid.selector, 2));
    }

    function test_thresholdsOutOfReach() public {
        _unsound(_oracles(2, 3), 0, abi.encodeWithSelector(IOracleSets.ThresholdUnreachable.selector, 0, 3));
        _unsound(_oracles(2, 3), 4, abi.encodeWithSelector(IOracleSets.ThresholdUnreachable.selector, 4, 3));
        Oracle[] memory oracles = _oracles(2, 2);
        oracles[0].weight = 65_535;
        _unsound(oracles, 9, abi.encodeWithSelector(IOracleSets.ThresholdUnreachable.selector, 9, 65_536));
    }

    function test_oracleSetsMayBeLarge() public {
        _rotate(_oracles(2, 32), 32);
        VM.assertEq(registry.oracleAt(2, 31).key, _account(95), "the last");
        Oracle[] memory heaviest = _oracles(3, 1);
        heaviest[0].weight = 65_535;
        _rotate(heaviest, 65_535);
    }

    function test_severalRoflAppsMayWaitForTheirKeys() public {
        Oracle[] memory oracles = _oracles(2, 3);
        (oracles[0].key, oracles[0].roflApp) = (address(0), bytes21("app a"));
        (oracles[2].key, oracles[2].roflApp) = (address(0), bytes21("app b"));
        _rotate(oracles, 1);
        VM.assertEq(abi.encode(registry.oracleAt(2, 2)), abi.encode(oracles[2]), "oracle");
    }

    function test_aKeylessOracleCannotSign() public {
        Oracle[] memory oracles = _oracles(2, 2);
        (oracles[0].key, oracles[0].roflApp) = (address(0), bytes21("app"));
        _rotate(oracles, 1);
        Quorum memory quorum = Quorum(2, 1, new bytes(64));
        VM.expectRevert(abi.encodeWithSelector(IOracleSets.WrongSigner.selector, 0, address(0), address(0)));
        registry.requireQuorum(POLICY, quorum);
    }

    function test_earlierSignaturesCountForTheGraceToTheSecond() public {
        bytes memory record = _bytes(_record(1));
        Quorum memory before = _signed(record);
        _rotate(_oracles(2, 2), 2);
        uint256 snapshot = VM.snapshotState();
        VM.assertTrue(registry.publish(record, before), "at once");
        VM.revertToState(snapshot);
        VM.warp(ACTIVE_FROM + GRACE - 1);
        VM.assertTrue(registry.publish(record, before), "in the last second");
        VM.assertEq(registry.standingById(_releaseId(1)).epoch, 1, "epoch");
        VM.revertToState(snapshot);
        VM.warp(ACTIVE_FROM + GRACE);
        VM.expectRevert(abi.encodeWithSelector(IOracleSets.StaleEpoch.selector, 1, 2));
        registry.publish(record, before);
    }

    /// @dev Even if the grace period is long.
    function test_onlyTheSetBeforeHasAGrace() public {
        registry = _deploy(OWNER, GUARDIAN, DELAY, 90 days, _oracles(1, SIZE), THRESHOLD);
        bytes memory record = _bytes(_record(1));
        Quorum memory before = _signed(record);
        _rotate(_oracles(2, 2), 2);
        uint256 snapshot = VM.snapshotState();
        registry.publish(record, before);
        VM.revertToState(snapshot);
        _rotate(_oracles(3, 2), 2);
        VM.expectRevert(abi.encodeWithSelector(IOracleSets.StaleEpoch.selector, 1, 3));
        registry.publish(record, before);
    }

    function test_earlierSignaturesNeedTheEarlierThreshold() public {
        bytes memory record = _bytes(_record(1));
        Quorum memory two = _signedBy(1, 3, record);
        _rotate(_oracles(2, 2), 2);
        VM.expectRevert(abi.encodeWithSelector(IOracleSets.QuorumTooSmall.selector, 2, 3));
        registry.publish(record, two);
        registry.publish(record, _signedBy(2, 3, record));
    }

    function test_whatIsRecordedStaysWhenItsSetIsGone() public {
        bytes32 recordId = _publish(_record(1));
        _rotate(_oracles(2, 2), 2);
        _rotate(_oracles(3, 2), 2);
        VM.warp(START + 1000 days);
        registry.recount(recordId);
        VM.assertTrue(registry.isOpen(recordId, 2), "open");
    }

    function test_firstSetsAreHeldToTheSameRules() public {
        Oracle[] memory none = new Oracle[](0);
        VM.expectRevert(abi.encodeWithSelector(IOracleSets.OracleCount.selector, 0));
        _deploy(OWNER, GUARDIAN, DELAY, GRACE, none, 1);
        Oracle[] memory two = _oracles(1, 2);
        VM.expectRevert(abi.encodeWithSelector(IOracleSets.ThresholdUnreachable.selector, 3, 2));
        _deploy(OWNER, GUARDIAN, DELAY, GRACE, two, 3);
    }

    function test_delaysHaveBounds() public {
        _badTimes(1 hours - 1, GRACE);
        _badTimes(90 days + 1, GRACE);
        _badTimes(DELAY, 90 days + 1);
        _deploy(OWNER, GUARDIAN, 1 hours, 0, _oracles(1, 1), 1);
        _deploy(OWNER, GUARDIAN, 90 days, 90 days, _oracles(1, 1), 1);
    }

    function _badTimes(uint40 delay, uint40 grace) private {
        Oracle[] memory oracles = _oracles(1, 1);
        VM.expectPartialRevert(IProvenanceRegistry.OutOfTime.selector);
        _deploy(OWNER, GUARDIAN, delay, grace, oracles, 1);
    }

    function _schedule(Oracle[] memory oracles, uint16 threshold) private {
        VM.prank(OWNER);
        registry.scheduleOracles(oracles, threshold);
    }

    function _unsound(Oracle[] memory oracles, uint16 threshold, bytes memory reason) private {
        VM.expectRevert(reason);
        _schedule(oracles, threshold);
    }

    function _cannotCancel(bytes32 setDigest) private {
        VM.expectRevert(abi.encodeWithSelector(IOracleSets.OracleSetNotReady.selector, setDigest, 0));
        VM.prank(OWNER);
        registry.cancelOracles(setDigest);
    }

    function _digest(Oracle[] memory oracles, uint16 threshold) private pure returns (bytes32) {
        return keccak256(abi.encode(oracles, threshold));
    }

    function _notReady(Oracle[] memory oracles, uint16 threshold, uint40 activeFrom) private pure returns (bytes memory) {
        bytes32 setDigest = _digest(oracles, threshold);
        return abi.encodeWithSelector(IOracleSets.OracleSetNotReady.selector, setDigest, activeFrom);
    }

    function _scheduled(bytes32 wanted, uint40 wantedFrom) private view {
        (bytes32 setDigest, uint40 activeFrom) = registry.scheduledSet();
        VM.assertEq(setDigest, wanted, "announced set");
        VM.assertEq(activeFrom, wantedFrom, "its time");
    }

    function _sameEpoch(uint16 number, Epoch memory wanted) private view {
        VM.assertEq(abi.encode(registry.epochOf(number)), abi.encode(wanted), "epoch");
    }
}

contract OracleSetsOfSource is OracleSetsBehaviour, FromSource {}

contract OracleSetsOfShipped is OracleSetsBehaviour, FromShipped {}
