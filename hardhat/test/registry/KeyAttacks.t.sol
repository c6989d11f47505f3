// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {IOracleSets} from "../../../contracts/IOracleSets.sol";
import {Oracle, Quorum} from "../../../contracts/Types.sol";
import {FromShipped, FromSource, RegistryBehaviour} from "../support/RegistryBehaviour.sol";
import {VM} from "../support/Vm.sol";
import {Subcall} from "./RoflKeys.t.sol";

/// @dev Attacks with keys that are in two sets, with sets that are no longer accepted, and with keys that ROFL apps
/// bind anew.
abstract contract KeyAttacksBehaviour is RegistryBehaviour {
    bytes21 private constant APP = bytes21("the oracle's ROFL app");

    // --- keys in several sets

    function test_aKeyLostInOneSetIsLostInTheOther() public {
        bytes memory record = _bytes(_record(1));
        _rotate(_backwards(), THRESHOLD);
        uint40 since = uint40(block.timestamp);
        VM.prank(GUARDIAN);
        registry.revokeKey(2, 2, since, "stolen"); // key 34, oracle 2 of either set
        VM.prank(GUARDIAN);
        registry.revokeKey(2, 4, since, "stolen"); // key 32, oracle 0 of the first set
        Quorum memory quorum = _signedBy(1, THREE, record); // in the grace period
        VM.expectRevert(abi.encodeWithSelector(IOracleSets.OracleNotValid.selector, 0, START, since));
        registry.publish(record, quorum);
        quorum = _signedBy(1, 22, record); // keys 33, 34 and 36
        VM.expectRevert(abi.encodeWithSelector(IOracleSets.OracleNotValid.selector, 2, START, since));
        registry.publish(record, quorum);
        VM.assertEq(registry.oracleAt(1, 1).validUntil, FOR_EVER, "another key");
    }

    /// @dev Two sets later, the guardian revokes the key in the first one.
    function test_aKeyLostInAnOldSetIsLostInTheTwoInForce() public {
        _rotate(_backwards(), THRESHOLD);
        _rotate(_oracles(1, SIZE), THRESHOLD);
        VM.prank(GUARDIAN);
        registry.revokeKey(1, 0, uint40(START), "stolen");
        VM.assertEq(registry.oracleAt(2, 4).validUntil, START, "in the set before");
        VM.assertEq(registry.oracleAt(3, 0).validUntil, START, "in the set in force");
        VM.assertEq(registry.oracleAt(3, 4).validUntil, FOR_EVER, "another key");
    }

    /// @dev Not even where grace periods overlap.
    function test_aSetBeforeTheLastOneIsNeverAccepted() public {
        registry = _deploy(OWNER, GUARDIAN, 1 hours, 90 days, _oracles(1, SIZE), THRESHOLD);
        registry.numberPolicy(POLICY);
        bytes memory record = _bytes(_record(1));
        Quorum memory first = _signedBy(1, THREE, record);
        Quorum memory second = _signedBy(2, THREE, record);
        for (uint16 epoch = 2; epoch <= 3; ++epoch) {
            Oracle[] memory oracles = _oracles(epoch, SIZE);
            VM.prank(OWNER);
            registry.scheduleOracles(oracles, THRESHOLD);
            VM.warp(block.timestamp + 1 hours);
            registry.activateOracles(oracles, THRESHOLD);
        }
        VM.assertTrue(registry.epochOf(1).acceptedUntil > block.timestamp, "within its grace period");
        VM.expectRevert(abi.encodeWithSelector(IOracleSets.StaleEpoch.selector, 1, 3));
        registry.publish(record, first);
        registry.publish(record, second);
        VM.expectRevert(abi.encodeWithSelector(IOracleSets.StaleEpoch.selector, 1, 3));
        registry.addSigners(record, first);
    }

    // --- keys of ROFL apps

    /// @dev The new key counts neither in the block of the record nor in any later one.
    function test_aNewKeyHasNotSignedWhatTheOldOneDid() public {
        _startApps();
        bytes memory record = _bytes(_record(1));
        registry.publish(record, _signedBy(2, 6, record));
        VM.assertEq(_signedByKey(65), 1, "before");
        _bind(1, 99);
        VM.assertEq(_signedByKey(99), 0, "in the same block");
        VM.assertEq(_signedByKey(65), 0, "the old key is no oracle's any more");
        VM.assertEq(_signedByKey(66), 1, "another oracle's");
        _bind(1, 98);
        VM.warp(block.timestamp + 1);
        _bind(1, 97);
        VM.assertEq(_signedByKey(98), 0, "bound again in the same block");
        VM.assertEq(_signedByKey(97), 0, "later");
        registry.requireModel(_modelDigest(1), _manifestDigest(1), 2);
        VM.assertEq(registry.standingOf(_modelDigest(1), _manifestDigest(1)).weight, 2, "weight");
    }

    function test_aNewKeyHasSignedWhatItSigns() public {
        _startApps();
        _bind(1, 99);
        bytes memory record = _bytes(_record(1));
        Quorum memory quorum = Quorum(2, 2, _compact(99, _reportDigest(address(registry), 2, record)));
        uint40 next = uint40(block.timestamp + 1);
        VM.expectRevert(abi.encodeWithSelector(IOracleSets.OracleNotValid.selector, 1, next, FOR_EVER));
        registry.publish(record, quorum);
        VM.warp(next);
        registry.publish(record, quorum);
        VM.assertEq(_signedByKey(99), 1, "signed");
        _bind(1, 98);
        VM.assertEq(_signedByKey(98), 0, "bound again");
    }

    /// @dev All apps that wait for their keys have the key 0.
    function test_revokingAWaitingAppEndsNoOther() public {
        Oracle[] memory oracles = _oracles(2, 3);
        for (uint256 i = 0; i < 2; ++i) {
            (oracles[i].key, oracles[i].roflApp) = (address(0), APP);
        }
        _rotate(oracles, 1);
        oracles[2].validFrom = uint40(block.timestamp);
        _rotate(oracles, 1);
        VM.recordLogs();
        VM.prank(GUARDIAN);
        registry.revokeKey(3, 0, uint40(START), "app broken");
        VM.assertEq(_countLogs(), 1, "events");
        VM.assertEq(registry.oracleAt(3, 0).validUntil, START, "the app");
        VM.assertEq(registry.oracleAt(3, 1).validUntil, FOR_EVER, "the other one");
        VM.assertEq(registry.oracleAt(2, 0).validUntil, FOR_EVER, "in the set before");
    }

    /// @dev A key belongs to one oracle at a time, whichever binds it first.
    function test_oneKeyIsNotTwoOracles() public {
        _startApps();
        _bind(1, 99);
        VM.expectRevert(abi.encodeWithSelector(IOracleSets.OracleInvalid.selector, 0));
        _bind(0, 99);
        _bind(1, 98);
        _bind(0, 99);
        VM.assertEq(registry.oracleAt(2, 0).key, _account(99), "key");
    }

    /// @dev Returns the first set in reverse order.
    function _backwards() private view returns (Oracle[] memory oracles) {
        oracles = _oracles(1, SIZE);
        (oracles[0], oracles[4]) = (oracles[4], oracles[0]);
        (oracles[1], oracles[3]) = (oracles[3], oracles[1]);
    }

    /// @dev Starts a set in which oracles 0 and 1 are apps, and the first waits for its key.
    function _startApps() private {
        VM.etch(0x0100000000000000000000000000000000000103, type(Subcall).runtimeCode);
        Oracle[] memory oracles = _oracles(2, 3);
        (oracles[0].key, oracles[0].roflApp) = (address(0), APP);
        oracles[1].roflApp = APP;
        _rotate(oracles, 1);
    }

    function _bind(uint8 index, uint256 keyNumber) private {
        VM.prank(ANYBODY, ANYBODY);
        registry.bindRoflKey(index, _account(keyNumber));
    }

    function _signedByKey(uint256 keyNumber) private view returns (uint256) {
        address[] memory oracles = new address[](1);
        oracles[0] = _account(keyNumber);
        return registry.countSigners(_modelDigest(1), _manifestDigest(1), oracles);
    }
}

contract KeyAttacksOnSource is KeyAttacksBehaviour, FromSource {}

contract KeyAttacksOnShipped is KeyAttacksBehaviour, FromShipped {}
