// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {IProvenanceGate} from "../../../contracts/IProvenanceGate.sol";
import {Record} from "../../../contracts/Types.sol";
import {FromShipped, FromSource, RegistryBehaviour} from "../support/RegistryBehaviour.sol";
import {VM} from "../support/Vm.sol";

/// @dev Gates of release 1: when they open, and their errors when they do not.
abstract contract GatesBehaviour is RegistryBehaviour {
    bytes32 private _id;

    function setUp() public override {
        super.setUp();
        _id = _releaseId(1);
    }

    function test_notFound() public {
        _shut(0, abi.encodeWithSelector(IProvenanceGate.RecordNotFound.selector, _id));
    }

    function test_opensUpToItsGrade() public {
        for (uint8 grade = 0; grade < 3; ++grade) {
            Record memory record = _record(grade);
            record.grade = grade;
            _id = _publish(record);
            for (uint8 asked = 0; asked <= grade; ++asked) {
                _openFor(grade, asked);
            }
            bytes memory reason = abi.encodeWithSelector(IProvenanceGate.GradeTooLow.selector, _id, grade, grade + 1);
            _shutFor(grade, grade + 1, reason);
        }
    }

    function test_noGradeIsAboveStrict() public {
        _publish(_record(1));
        _shut(3, abi.encodeWithSelector(IProvenanceGate.GradeTooLow.selector, _id, 2, 3));
        _shut(255, abi.encodeWithSelector(IProvenanceGate.GradeTooLow.selector, _id, 2, 255));
    }

    function test_shutsWhenRevoked() public {
        _publish(_record(1));
        _revoke(_id, uint40(START));
        _shut(0, abi.encodeWithSelector(IProvenanceGate.RecordIsRevoked.selector, _id, START));
    }

    function test_revokedSaysMoreThanGradeTooLow() public {
        _publish(_record(1));
        _revoke(_id, 1);
        _shut(3, abi.encodeWithSelector(IProvenanceGate.RecordIsRevoked.selector, _id, 1));
    }

    function test_shutsAtTheTimeOfRevocationToTheSecond() public {
        _publish(_record(1));
        _revoke(_id, uint40(START + 1 days));
        _open(2);
        VM.warp(START + 1 days - 1);
        _open(2);
        _shut(3, abi.encodeWithSelector(IProvenanceGate.GradeTooLow.selector, _id, 2, 3));
        VM.warp(START + 1 days);
        _shut(0, abi.encodeWithSelector(IProvenanceGate.RecordIsRevoked.selector, _id, START + 1 days));
    }

    function test_aFailureNeverOpens() public {
        bytes32 failure = _publish(_failure(1));
        _shut(0, abi.encodeWithSelector(IProvenanceGate.RecordNotFound.selector, _id));
        _noRelease(failure);
    }

    /// @dev The id opens nothing before a revocation, which the release bears, nor after it.
    function test_theIdOfALaterJudgementOpensNothing() public {
        _publish(_record(1));
        _noRelease(_publish(_revision(1, 1)));
        _revoke(_id, uint40(START));
        _noRelease(_idOf(_revision(1, 1)));
    }

    function test_aFailureBlocksNothing() public {
        _publish(_failure(1));
        _publish(_record(1));
        _open(2);
        Record memory later = _failure(1);
        later.verdictDigest = keccak256("failed later");
        _publish(later);
        _open(2);
    }

    function test_simulatedHardwareProvesNothing() public {
        _publish(_simulated(1));
        _shut(0, abi.encodeWithSelector(IProvenanceGate.RecordIsSimulated.selector, _id));
        VM.assertTrue(registry.isSimulatedModel(_modelDigest(1), _manifestDigest(1)), "simulated");
        VM.warp(START + 1 days);
        _revoke(_id, uint40(START + 1 days + 1));
        VM.assertTrue(registry.isSimulatedModel(_modelDigest(1), _manifestDigest(1)), "not yet revoked");
        VM.warp(START + 1 days + 1);
        VM.assertFalse(registry.isSimulatedModel(_modelDigest(1), _manifestDigest(1)), "revoked");
    }

    function test_realHardwareIsNotSimulated() public {
        _publish(_record(1));
        VM.assertFalse(registry.isSimulatedModel(_modelDigest(1), _manifestDigest(1)), "real");
        VM.assertFalse(registry.isSimulatedModel(_modelDigest(2), _manifestDigest(2)), "unknown");
    }

    function test_heldUntilThePublisherIsTrusted() public {
        _claim("acme", 1, 0, new bytes32[](0));
        _publish(_record(1));
        VM.assertTrue(registry.standingById(_id).held, "held");
        _shut(0, abi.encodeWithSelector(IProvenanceGate.RecordIsClosed.selector, _id, true, false));
        _publish(_simulated(2));
        VM.assertFalse(registry.isSimulatedModel(_modelDigest(2), _manifestDigest(2)), "simulated and held");
    }

    function test_namedInAClaimedNamespace() public {
        _claim("acme", 1, 1, new bytes32[](0));
        _publish(_record(1));
        VM.assertTrue(registry.standingById(_id).named, "named");
        _open(2);
    }

    function test_doubtfulWithoutEnoughKeys() public {
        _publish(_record(1));
        VM.prank(GUARDIAN);
        registry.revokeKey(1, 0, uint40(START), "key lost");
        _open(2);
        registry.recount(_id);
        _shut(0, abi.encodeWithSelector(IProvenanceGate.RecordIsClosed.selector, _id, false, true));
    }

    function test_heldAndDoubtful() public {
        _claim("acme", 1, 0, new bytes32[](0));
        _publish(_record(1));
        VM.prank(GUARDIAN);
        registry.revokeKey(1, 0, uint40(START), "key lost");
        registry.recount(_id);
        _shut(0, abi.encodeWithSelector(IProvenanceGate.RecordIsClosed.selector, _id, true, true));
    }

    function test_modelAndManifestAreNotSwapped() public {
        _publish(_record(1));
        bytes32 swapped = keccak256(abi.encodePacked(_manifestDigest(1), _modelDigest(1)));
        VM.assertFalse(registry.isModel(_manifestDigest(1), _modelDigest(1), 0), "swapped");
        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.RecordNotFound.selector, swapped));
        registry.requireModel(_manifestDigest(1), _modelDigest(1), 0);
    }

    /// @dev For any record and any query, one form of the gate returns true exactly if the other does not revert.
    function testFuzz_bothFlavoursAgree(uint8 line, uint8 grade, uint8 asked, uint16 revokedIn, uint16 later, bool hold)
        public
    {
        if (hold) _claim("acme", 1, 0, new bytes32[](0));
        Record memory record = _record(1);
        record.productLine = line % 4 == 0 ? 255 : 1;
        record.grade = line % 4 == 0 ? 0 : grade % 3;
        _publish(record);
        if (revokedIn % 2 == 0) _revoke(_id, uint40(START + revokedIn));
        VM.warp(START + later);

        asked %= 4;
        bool open = !hold && record.productLine == 1 && asked <= record.grade
            && (revokedIn % 2 == 1 || later < revokedIn);
        VM.assertEq(registry.isModel(_modelDigest(1), _manifestDigest(1), asked), open, "isModel");
        VM.assertEq(registry.isOpen(_id, asked), open, "isOpen");
        VM.assertEq(_passes(abi.encodeCall(registry.requireOpen, (_id, asked))), open, "requireOpen");
        bytes memory question = abi.encodeCall(registry.requireModel, (_modelDigest(1), _manifestDigest(1), asked));
        VM.assertEq(_passes(question), open, "requireModel");
    }

    function _passes(bytes memory question) private view returns (bool passes) {
        (passes,) = address(registry).staticcall(question);
    }

    function _revoke(bytes32 recordId, uint40 effectiveFrom) private {
        VM.prank(GUARDIAN);
        registry.revoke(recordId, effectiveFrom, "found wanting");
    }

    function _noRelease(bytes32 recordId) private {
        VM.assertFalse(registry.isOpen(recordId, 0), "isOpen");
        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.RecordNotFound.selector, recordId));
        registry.requireOpen(recordId, 0);
    }

    function _open(uint8 grade) private view {
        _openFor(1, grade);
    }

    function _openFor(uint256 number, uint8 grade) private view {
        VM.assertTrue(registry.isModel(_modelDigest(number), _manifestDigest(number), grade), "isModel");
        VM.assertTrue(registry.isOpen(_id, grade), "isOpen");
        registry.requireModel(_modelDigest(number), _manifestDigest(number), grade);
        registry.requireOpen(_id, grade);
    }

    function _shut(uint8 grade, bytes memory reason) private {
        _shutFor(1, grade, reason);
    }

    function _shutFor(uint256 number, uint8 grade, bytes memory reason) private {
        VM.assertFalse(registry.isModel(_modelDigest(number), _manifestDigest(number), grade), "isModel");
        VM.assertFalse(registry.isOpen(_id, grade), "isOpen");
        VM.expectRevert(reason);
        registry.requireModel(_modelDigest(number), _manifestDigest(number), grade);
        VM.expectRevert(reason);
        registry.requireOpen(_id, grade);
    }
}

contract GatesOfSource is GatesBehaviour, FromSource {}

contract GatesOfShipped is GatesBehaviour, FromShipped {}
