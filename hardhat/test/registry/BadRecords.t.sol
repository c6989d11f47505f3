// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {IProvenanceGate} from "../../../contracts/IProvenanceGate.sol";
import {IProvenanceRegistry} from "../../../contracts/IProvenanceRegistry.sol";
import {RecordCodec} from "../../../contracts/lib/RecordCodec.sol";
import {Quorum, Record} from "../../../contracts/Types.sol";
import {FromShipped, FromSource, RegistryBehaviour} from "../support/RegistryBehaviour.sol";
import {VM} from "../support/Vm.sol";

/// @dev Records that the oracles signed but the registry refuses.
abstract contract BadRecordsBehaviour is RegistryBehaviour {
    function test_digestsThatMustNotBeZero() public {
        Record memory record = _record(1);
        record.modelDigest = 0;
        _refuse(record, _zero("modelDigest"));
        record = _record(1);
        record.manifestDigest = 0;
        _refuse(record, _zero("manifestDigest"));
        record = _record(1);
        record.verdictDigest = 0;
        _refuse(record, _zero("verdictDigest"));
        record = _record(1);
        record.reportDigest = 0;
        _refuse(record, _zero("reportDigest"));
        record = _record(1);
        record.policyDigest = 0;
        _refuse(record, _zero("policyDigest"));
    }

    function test_digestsThatAFailureNeeds() public {
        Record memory record = _failure(1);
        record.manifestDigest = 0;
        _refuse(record, _zero("manifestDigest"));
        record = _failure(1);
        record.verdictDigest = 0;
        _refuse(record, _zero("verdictDigest"));
        record = _failure(1);
        record.policyDigest = 0;
        _refuse(record, _zero("policyDigest"));
    }

    function test_thePublisherMayBeUnknown() public {
        Record memory record = _record(1);
        record.publisherIdentity = 0;
        _publish(record);
    }

    function test_nothingChecked() public {
        Record memory record = _record(1);
        record.checks = 0;
        _refuse(record, abi.encodeWithSelector(IProvenanceRegistry.NothingChecked.selector));
    }

    function test_unknownProductLine() public {
        Record memory record = _record(1);
        record.productLine = 0;
        _refuse(record, abi.encodeWithSelector(IProvenanceRegistry.UnknownProductLine.selector, 0));
    }

    function test_unknownGrade() public {
        Record memory record = _record(1);
        record.grade = 3;
        _refuse(record, abi.encodeWithSelector(IProvenanceRegistry.UnknownGrade.selector, 3));
    }

    function test_gradesThatNobodyEarns() public {
        Record memory record = _simulated(1);
        record.grade = 1;
        _refuse(record, abi.encodeWithSelector(IProvenanceRegistry.GradeNotEarned.selector, 1));
        record = _failure(1);
        record.grade = 2;
        _refuse(record, abi.encodeWithSelector(IProvenanceRegistry.GradeNotEarned.selector, 2));
    }

    function test_policyWithoutANumber() public {
        Record memory record = _record(1);
        record.policyId = 0;
        _refuse(record, abi.encodeWithSelector(IProvenanceRegistry.PolicyNotNumbered.selector));
    }

    function test_judgedTooLongAgoOrTooSoon() public {
        Record memory record = _record(1);
        record.judgedAt = uint40(START - 7 days - 1);
        _refuse(record, abi.encodeWithSelector(IProvenanceRegistry.OutOfTime.selector, record.judgedAt, START));
        record.judgedAt = uint40(START + 5 minutes + 1);
        _refuse(record, abi.encodeWithSelector(IProvenanceRegistry.OutOfTime.selector, record.judgedAt, START));
        record.judgedAt = type(uint40).max;
        _refuse(record, abi.encodeWithSelector(IProvenanceRegistry.OutOfTime.selector, record.judgedAt, START));
    }

    function test_judgedJustInTime() public {
        Record memory record = _record(1);
        record.judgedAt = uint40(START - 7 days);
        _publish(record);
        record = _record(2);
        record.judgedAt = uint40(START + 5 minutes);
        _publish(record);
    }

    function test_textsThatMustNotBeEmpty() public {
        Record memory record = _record(1);
        record.namespace = "";
        _refuse(record, abi.encodeWithSelector(IProvenanceRegistry.TextLength.selector, "namespace", 0));
        record = _record(1);
        record.release = "";
        _refuse(record, abi.encodeWithSelector(IProvenanceRegistry.TextLength.selector, "release", 0));
    }

    function test_aFailureHasNoLaterJudgement() public {
        Record memory record = _failure(1);
        record.revision = 1;
        bytes32 recordId = _idOf(record);
        _refuse(record, abi.encodeWithSelector(IProvenanceRegistry.WrongRevision.selector, recordId, 1, 0));
    }

    function test_parentsThatAreNotRecorded() public {
        Record memory record = _record(2);
        record.parents = new bytes32[](1);
        record.parents[0] = _releaseId(1);
        _refuse(record, abi.encodeWithSelector(IProvenanceGate.RecordNotFound.selector, _releaseId(1)));
    }

    function test_nineParents() public {
        Record memory record = _record(9);
        record.parents = new bytes32[](9);
        for (uint256 i = 0; i < 9; ++i) {
            record.parents[i] = _publish(_record(i));
        }
        _refuse(record, abi.encodeWithSelector(IProvenanceRegistry.TooManyParents.selector, 9));
    }

    function test_itselfAsParent() public {
        Record memory record = _record(1);
        record.parents = new bytes32[](1);
        record.parents[0] = _releaseId(1);
        _refuse(record, abi.encodeWithSelector(IProvenanceRegistry.ParentIsSelf.selector, _releaseId(1)));
    }

    function test_aFailureHasNoParents() public {
        Record memory record = _failure(2);
        record.parents = new bytes32[](1);
        record.parents[0] = _publish(_record(1));
        bytes memory reason = abi.encodeWithSelector(RecordCodec.RecordMalformed.selector, _bytes(record).length);
        _refuse(record, reason);
    }

    function test_bytesCutShort() public {
        bytes memory record = _bytes(_record(1));
        for (uint256 length = 0; length < record.length; ++length) {
            bytes memory short = _resized(record, length);
            _refuseBytes(short, abi.encodeWithSelector(RecordCodec.RecordMalformed.selector, length));
        }
    }

    /// @dev Except 32 bytes, which are a parent.
    function test_bytesTooMany() public {
        bytes memory record = _bytes(_record(1));
        for (uint256 more = 1; more < 65; ++more) {
            bytes memory long = _resized(record, record.length + more);
            bytes4 wanted = more % 32 == 0 ? IProvenanceGate.RecordNotFound.selector : RecordCodec.RecordMalformed.selector;
            Quorum memory quorum = _signed(long);
            VM.expectPartialRevert(wanted);
            registry.publish(long, quorum);
        }
    }

    function test_factsWithBitsThatMeanNothing() public {
        for (uint256 bit = 97; bit < 152; ++bit) {
            bytes memory record = _bytes(_record(1));
            record[223 - bit / 8] |= bytes1(uint8(1 << bit % 8));
            _refuseBytes(record, abi.encodeWithSelector(RecordCodec.RecordMalformed.selector, record.length));
        }
    }

    /// @dev `idOf` requires only the bytes that it reads.
    function test_idOfTooFewBytes() public {
        bytes memory record = _resized(_bytes(_record(1)), 224);
        VM.assertEq(registry.idOf(record), _releaseId(1), "id");
        record = _resized(record, 223);
        VM.expectRevert(abi.encodeWithSelector(RecordCodec.RecordMalformed.selector, 223));
        registry.idOf(record);
    }

    function _zero(string memory field) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IProvenanceRegistry.ZeroDigest.selector, field);
    }

    function _resized(bytes memory data, uint256 length) private pure returns (bytes memory resized) {
        resized = new bytes(length);
        for (uint256 i = 0; i < length && i < data.length; ++i) {
            resized[i] = data[i];
        }
    }
}

contract BadRecordsOfSource is BadRecordsBehaviour, FromSource {}

contract BadRecordsOfShipped is BadRecordsBehaviour, FromShipped {}
