// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {IProvenanceGate} from "../../../contracts/IProvenanceGate.sol";
import {Record, Requirements} from "../../../contracts/Types.sol";
import {FromShipped, FromSource, RegistryBehaviour} from "../support/RegistryBehaviour.sol";
import {VM} from "../support/Vm.sol";

/// @dev The exact gate, and the count of signatures by oracles of your own choice.
abstract contract RequirementsBehaviour is RegistryBehaviour {
    bytes32 private _id;

    function setUp() public override {
        super.setUp();
        _id = _releaseId(1);
    }

    function test_opensForWhoAsksForNothingMore() public {
        _publish(_record(1));
        _meets(_any());
    }

    function test_asksWhatTheOtherGatesAsk() public {
        Requirements memory wanted = _any();
        _misses(wanted, abi.encodeWithSelector(IProvenanceGate.RecordNotFound.selector, _id));
        _publish(_record(1));
        wanted.minimumGrade = 3;
        _misses(wanted, abi.encodeWithSelector(IProvenanceGate.GradeTooLow.selector, _id, 2, 3));
        VM.prank(GUARDIAN);
        registry.revoke(_id, uint40(START), "found wanting");
        _misses(wanted, abi.encodeWithSelector(IProvenanceGate.RecordIsRevoked.selector, _id, START));
    }

    function test_simulatedHardwareMeetsNothing() public {
        _publish(_simulated(1));
        _misses(_any(), abi.encodeWithSelector(IProvenanceGate.RecordIsSimulated.selector, _id));
    }

    function test_heldMeetsNothing() public {
        _claim("acme", 1, 0, new bytes32[](0));
        _publish(_record(1));
        _misses(_any(), abi.encodeWithSelector(IProvenanceGate.RecordIsClosed.selector, _id, true, false));
    }

    function test_ageToTheSecond() public {
        _publish(_record(1));
        Requirements memory wanted = _any();
        wanted.maximumAge = 1 days;
        VM.warp(START + 1 days);
        _meets(wanted);
        VM.warp(START + 1 days + 1);
        _misses(wanted, abi.encodeWithSelector(IProvenanceGate.RecordIsExpired.selector, _id, START, 1 days));
        wanted.maximumAge = type(uint40).max;
        VM.warp(START + 1000 * 365 days);
        _meets(wanted);
    }

    function test_ageCountsFromTheJudgementNotTheRecord() public {
        Record memory record = _record(1);
        record.judgedAt = uint40(START - 1 days);
        _publish(record);
        Requirements memory wanted = _any();
        wanted.maximumAge = 1 days;
        _meets(wanted);
        wanted.maximumAge = 1 days - 1;
        _misses(wanted, abi.encodeWithSelector(IProvenanceGate.RecordIsExpired.selector, _id, START - 1 days, 1 days - 1));
    }

    function test_judgedByAClockThatRunsAhead() public {
        Record memory record = _record(1);
        record.judgedAt = uint40(START + 5 minutes);
        _publish(record);
        Requirements memory wanted = _any();
        wanted.maximumAge = 0;
        _meets(wanted);
    }

    function test_policiesOfTheCallersChoice() public {
        Record memory record = _record(1);
        record.policyId = 77;
        _publish(record);
        Requirements memory wanted = _any();
        wanted.anyPolicy = false;
        bytes memory wrong = abi.encodeWithSelector(IProvenanceGate.WrongPolicy.selector, _id, 77);
        _misses(wanted, wrong);
        wanted.policies = new uint32[](2);
        wanted.policies[0] = 76;
        wanted.policies[1] = 78;
        _misses(wanted, wrong);
        wanted.policies[1] = 77;
        _meets(wanted);
        wanted.policies = new uint32[](32);
        wanted.policies[31] = 77;
        _meets(wanted);
    }

    function test_33Policies() public {
        _publish(_record(1));
        Requirements memory wanted = _any();
        wanted.policies = new uint32[](33);
        _meets(wanted);
        wanted.anyPolicy = false;
        bytes memory reason = abi.encodeWithSelector(IProvenanceGate.TooMany.selector, 33, 32);
        VM.expectRevert(reason);
        registry.meets(_modelDigest(1), _manifestDigest(1), wanted);
        VM.expectRevert(reason);
        registry.requireMeets(_modelDigest(1), _manifestDigest(1), wanted);
    }

    function test_weightOfTheCallersChoice() public {
        _publishBy(15, _record(1));
        Requirements memory wanted = _any();
        wanted.minimumWeight = 4;
        _meets(wanted);
        wanted.minimumWeight = 5;
        _misses(wanted, abi.encodeWithSelector(IProvenanceGate.WeightTooLow.selector, _id, 4, 5));
    }

    function test_weightIsThatOfToday() public {
        _publishBy(31, _record(1));
        Requirements memory wanted = _any();
        wanted.minimumWeight = 5;
        _meets(wanted);
        _loseKey(3);
        _misses(wanted, abi.encodeWithSelector(IProvenanceGate.WeightTooLow.selector, _id, 4, 5));
        wanted.minimumWeight = 4;
        _meets(wanted);
        _loseKey(0);
        wanted.minimumWeight = 0;
        _meets(wanted);
        _loseKey(4);
        _misses(wanted, abi.encodeWithSelector(IProvenanceGate.RecordIsClosed.selector, _id, false, true));
        VM.assertTrue(registry.isModel(_modelDigest(1), _manifestDigest(1), 2), "nobody has recounted");
    }

    function test_theLatestJudgementIsMeasured() public {
        _publish(_record(1));
        VM.warp(START + 10 days);
        Requirements memory wanted = _any();
        wanted.maximumAge = 1 days;
        _misses(wanted, abi.encodeWithSelector(IProvenanceGate.RecordIsExpired.selector, _id, START, 1 days));
        _publishBy(31, _revision(1, 1));
        wanted.minimumWeight = 5;
        _meets(wanted);
    }

    function testFuzz_bothFlavoursAgree(uint8 grade, uint32 age, uint8 weight, uint32 policy, uint8 lost, uint32 later)
        public
    {
        _publishBy(31, _record(1));
        for (uint8 i = 0; i < SIZE; ++i) {
            if (lost >> i & 1 == 1) _loseKey(i);
        }
        VM.warp(START + later);
        Requirements memory wanted = Requirements(grade % 4, age, weight % 7, policy % 3 == 0, new uint32[](2));
        wanted.policies[0] = policy % 3;
        bool yes = registry.meets(_modelDigest(1), _manifestDigest(1), wanted);
        (bool passes,) = address(registry).staticcall(
            abi.encodeCall(registry.requireMeets, (_modelDigest(1), _manifestDigest(1), wanted))
        );
        VM.assertEq(yes, passes, "flavours");
        uint256 left = SIZE - _ones(lost & 31);
        bool due = grade % 4 < 3 && later <= age && policy % 3 != 2 && left >= THRESHOLD && left >= weight % 7;
        VM.assertEq(yes, due, "meets");
    }

    function test_signaturesByOraclesOfOnesChoice() public {
        _publishBy(15, _record(1));
        address[] memory mine = _sorted(_addresses());
        VM.assertEq(_signaturesBy(mine), 4, "all that signed");
        address[] memory two = new address[](2);
        (two[0], two[1]) = _ascending(_account(32), _account(36));
        VM.assertEq(_signaturesBy(two), 1, "one of two");
        VM.assertEq(_signaturesBy(new address[](0)), 0, "nobody");
        _loseKey(0);
        VM.assertEq(_signaturesBy(mine), 3, "a key revoked");
        VM.assertEq(_signaturesBy(two), 0, "none of two");
    }

    function test_signaturesByOraclesInDisorder() public {
        _publish(_record(1));
        address[] memory two = new address[](2);
        (two[1], two[0]) = _ascending(_account(32), _account(33));
        bytes memory reason = abi.encodeWithSelector(IProvenanceGate.NotAscending.selector, 1);
        VM.expectRevert(reason);
        _signaturesBy(two);
        two[1] = two[0];
        VM.expectRevert(reason);
        _signaturesBy(two);
    }

    function test_signaturesByTooManyOracles() public {
        _publish(_record(1));
        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.TooMany.selector, 33, 32));
        _signaturesBy(new address[](33));
    }

    function test_signaturesOnNothing() public {
        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.RecordNotFound.selector, _id));
        _signaturesBy(new address[](0));
    }

    /// @dev Returns requirements that any grade, age, policy and weight meets.
    function _any() private pure returns (Requirements memory) {
        return Requirements(0, type(uint40).max, 0, true, new uint32[](0));
    }

    function _loseKey(uint8 index) private {
        VM.prank(GUARDIAN);
        registry.revokeKey(1, index, uint40(START), "key lost");
    }

    function _meets(Requirements memory wanted) private view {
        VM.assertTrue(registry.meets(_modelDigest(1), _manifestDigest(1), wanted), "meets");
        registry.requireMeets(_modelDigest(1), _manifestDigest(1), wanted);
    }

    function _misses(Requirements memory wanted, bytes memory reason) private {
        VM.assertFalse(registry.meets(_modelDigest(1), _manifestDigest(1), wanted), "meets");
        VM.expectRevert(reason);
        registry.requireMeets(_modelDigest(1), _manifestDigest(1), wanted);
    }

    function _signaturesBy(address[] memory oracles) private view returns (uint256) {
        return registry.countSigners(_modelDigest(1), _manifestDigest(1), oracles);
    }

    function _addresses() private pure returns (address[] memory accounts) {
        accounts = new address[](SIZE);
        for (uint256 i = 0; i < SIZE; ++i) {
            accounts[i] = _account(32 + i);
        }
    }

    function _sorted(address[] memory accounts) private pure returns (address[] memory) {
        for (uint256 i = 0; i < accounts.length; ++i) {
            for (uint256 j = i + 1; j < accounts.length; ++j) {
                (accounts[i], accounts[j]) = _ascending(accounts[i], accounts[j]);
            }
        }
        return accounts;
    }

    function _ascending(address one, address other) private pure returns (address, address) {
        return one < other ? (one, other) : (other, one);
    }

    function _ones(uint256 bits) private pure returns (uint256 count) {
        for (; bits != 0; bits &= bits - 1) {
            ++count;
        }
    }
}

contract RequirementsOfSource is RequirementsBehaviour, FromSource {}

contract RequirementsOfShipped is RequirementsBehaviour, FromShipped {}
