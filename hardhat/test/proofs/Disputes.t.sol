// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {Disputes} from "../../../contracts/proofs/Disputes.sol";
import {HardwareProofs} from "../../../contracts/proofs/HardwareProofs.sol";
import {Challenge, Cited, IDisputes} from "../../../contracts/proofs/IDisputes.sol";
import {Manifests} from "../../../contracts/proofs/Manifests.sol";
import {Record} from "../../../contracts/Types.sol";
import {VM} from "../support/Vm.sol";
import {CredulousVerifier, Samples} from "./Samples.sol";

/// @dev What tests/contracts/proofs tests on the shipped bytes, on the source: each branch once.
contract DisputesTest is Samples {
    uint256 private constant NOWHERE = type(uint256).max;

    Disputes private _disputes;
    bytes32 private _model;
    bytes32 private _identity;
    bool private _refusesMoney;

    function setUp() public override {
        super.setUp();
        uint256 before = VM.snapshotState();
        (bytes32 model, bytes32 identity,) = _prove();
        VM.revertToState(before);
        (_model, _identity) = (model, identity);
        _disputes = new Disputes(proofs, GUARDIAN, 1 gwei);
    }

    receive() external payable {
        require(!_refusesMoney, "no");
    }

    function test_liesAreDisproved() public {
        _expect(1, _lie(1), sample.report, sample.vek);
        _expect(3, _lie(3), sample.report, sample.vek);
        _expect(4, _lie(4), sample.report, sample.vek);
        _expect(6, _lie(6), _hostReport(), sample.vek);
        _expect(7, _lie(7), _flip(_copy(sample.report), 0x2a1), sample.vek);
    }

    /// @dev An oracle that cites its certificate in PEM, or none, still answers for what the report alone shows.
    function test_aLieAboutTheReportNeedsNoCertificate() public {
        Record memory record = _lie(3);
        Cited memory cited = _published(record, sample.report, sample.vek);
        (cited.vek, cited.vekAt) = ("", NOWHERE);
        VM.assertEq(_disputes.disprove(_bytes(record), cited), 3, "reason");
    }

    function test_linesAndGradesOfGenuineHardware() public {
        proofs = new HardwareProofs(new CredulousVerifier(), registry);
        _disputes = new Disputes(proofs, GUARDIAN, 0);
        _identity = Manifests_.identityOf(_measurement(sample.report));
        for (uint8 line = 1; line < 5; ++line) {
            Record memory record = _lie(20 + line);
            (record.productLine, record.grade) = (line, 1);
            record.publisherIdentity = line == 4 ? bytes32(uint256(9)) : _identity;
            bytes memory report = _copy(sample.report);
            if (line == 2) report[0x00a] ^= 0x08; // open to a debugger
            if (line == 2) record.reportDigest = sha256(_head(report, 0x2a0));
            _expect(line == 2 ? 5 : 2, record, report, sample.vek);
        }
    }

    function test_aPublisherThatTheVerdictDoesNotName() public {
        proofs = new HardwareProofs(new CredulousVerifier(), registry);
        _disputes = new Disputes(proofs, GUARDIAN, 0);
        for (uint8 line = 1; line < 4; ++line) {
            Record memory record = _lie(10 + line);
            record.productLine = line;
            record.publisherIdentity = bytes32(uint256(7));
            bytes memory report = _copy(sample.report);
            report[0x188] = line == 3 ? bytes1(0x1a) : bytes1(0x19);
            report[0x189] = line == 2 ? bytes1(0x11) : bytes1(0x01);
            _expect(4, _with(record, report), report, sample.vek);
        }
    }

    function test_aCertificateOfAnotherReport() public {
        Record memory record = _lie(8);
        bytes memory report = _flip(_copy(sample.report), 0x180);
        record.reportedTcb ^= 0x01;
        _expect(8, _with(record, report), report, sample.vek);
        // a certificate that AMD did not sign
        bytes memory vek = _flip(_copy(sample.vek), sample.vek.length - 1);
        record = _lie(9);
        record.reportedTcb ^= 0x01;
        _refuse(_with(record, report), report, vek, IDisputes.NotDisproved.selector);
        // a TCB with a byte that this version takes for reserved
        report = _flip(_copy(sample.report), 0x1e2);
        _refuse(_with(_lie(10), report), report, sample.vek, IDisputes.NotDisproved.selector);
    }

    function test_anHonestRecordIsNotDisproved() public {
        Record memory record = _lie(30);
        _refuse(record, sample.report, sample.vek, IDisputes.NotDisproved.selector);
        bytes memory longer = abi.encodePacked(sample.report, uint8(0));
        _refuse(_lie(31), longer, sample.vek, IDisputes.NotDisproved.selector);
        bytes memory later = _copy(sample.report);
        later[0] = 0x06;
        _refuse(_lie(32), later, sample.vek, IDisputes.NotDisproved.selector);
        _refuse(_with(_lie(33), sample.report), sample.report, "", IDisputes.NotDisproved.selector);
    }

    function test_whatIsNotCitedDoesNotCount() public {
        bytes memory report = _flip(_copy(sample.report), 0x2a1);
        Record memory record = _with(_lie(8), report);
        bytes memory verdict = _verdict(report, sample.vek, "simulated", record.reportDigest);
        record.verdictDigest = sha256(verdict);
        bytes memory encoded = _bytes(record);
        Cited memory cited = _cite(verdict, report, sample.vek);
        VM.expectPartialRevert(IDisputes.RecordUnknown.selector);
        _disputes.disprove(encoded, cited);
        _publish(record);
        cited.verdict = abi.encodePacked(verdict, " ");
        VM.expectPartialRevert(IDisputes.NotTheVerdict.selector);
        _disputes.disprove(encoded, cited);
        cited = _cite(verdict, report, sample.vek);
        ++cited.reportAt;
        VM.expectRevert(abi.encodeWithSelector(IDisputes.NotCited.selector, cited.reportAt));
        _disputes.disprove(encoded, cited);
        cited = _cite(verdict, report, sample.vek);
        ++cited.vekAt;
        VM.expectRevert(abi.encodeWithSelector(IDisputes.NotCited.selector, cited.vekAt));
        _disputes.disprove(encoded, cited);
        Record memory failed = _failure(7);
        _publish(failed);
        VM.expectPartialRevert(IDisputes.NotDisputable.selector);
        _disputes.disprove(_bytes(failed), cited);
    }

    function test_theAppointedContractRevokes() public {
        VM.prank(OWNER);
        registry.appointGuardian(address(_disputes));
        Record memory record = _expect(3, _lie(3), sample.report, sample.vek);
        VM.assertTrue(registry.standingOf(record.modelDigest, record.manifestDigest).revokedAt != 0, "revoked");
        VM.expectPartialRevert(IDisputes.IsDisproved.selector);
        _disputes.requireUndisputed(record.modelDigest, record.manifestDigest);
        VM.expectPartialRevert(IDisputes.NotKeeper.selector);
        _disputes.pauseWrites();
        VM.expectPartialRevert(IDisputes.NotKeeper.selector);
        _disputes.revoke(bytes32(uint256(5)), 1, "nobody's word");
        VM.expectPartialRevert(IDisputes.NotKeeper.selector);
        _disputes.revokeAllOf(bytes32(uint256(5)), "nobody's word");
        VM.expectPartialRevert(IDisputes.NotKeeper.selector);
        _disputes.revokeKey(1, 4, 7, "nobody's word");
        VM.startPrank(GUARDIAN);
        _disputes.revokeAllOf(bytes32(uint256(5)), "a backdoor");
        _disputes.revokeKey(1, 4, 7, "stolen");
        _disputes.pauseWrites();
        VM.expectRevert();
        _disputes.revoke(bytes32(uint256(5)), 1, "unknown");
        VM.stopPrank();
        VM.expectPartialRevert(IDisputes.NotKeeper.selector);
        _disputes.appointKeeper(ANYBODY);
        VM.prank(OWNER);
        _disputes.appointKeeper(ANYBODY);
        VM.assertEq(_disputes.keeper(), ANYBODY, "keeper");
    }

    /// @dev An inner call gets 63 of 64 parts of what gas there is, so a caller could give too little for it and enough
    /// for what follows; and so could an honest one, whose node estimates the least gas with which the call succeeds.
    function test_noGasMarksTheRecordWithoutRevoking() public {
        VM.prank(OWNER);
        registry.appointGuardian(address(_disputes));
        _rotate(_oracles(2, 32), 2);
        Record memory record = _lie(3);
        record.judgedAt = uint40(block.timestamp);
        record.verdictDigest = sha256(_verdict(sample.report, sample.vek, "simulated", record.reportDigest));
        _publishBy(3 << 30, record); // no oracle comes after these
        bytes memory data = abi.encodeCall(_disputes.disprove, (_bytes(record), _citedBy(record)));
        uint256 succeeded = 0;
        for (uint256 gas = 50_000; gas < 450_000; gas += 1000) {
            uint256 before = VM.snapshotState();
            (bool done,) = address(_disputes).call{gas: gas}(data);
            if (done) {
                ++succeeded;
                VM.assertTrue(
                    registry.standingOf(record.modelDigest, record.manifestDigest).revokedAt != 0, "release"
                );
                VM.assertEq(registry.oracleAt(2, 30).validUntil, block.timestamp, "key");
                VM.assertEq(registry.oracleAt(2, 31).validUntil, block.timestamp, "last key");
            }
            VM.revertToState(before);
        }
        VM.assertTrue(succeeded > 100 && succeeded < 350, "too little gas and enough");
    }

    function test_challenges() public {
        Record memory record = _honest(_model, _identity);
        record.namespace = "acme";
        _publish(record);
        (bytes memory encoded, bytes32 releaseId) = (_bytes(record), _idOf(record));
        uint256 deposit = _disputes.deposit();
        VM.deal(address(this), 4 * deposit);
        VM.expectRevert(abi.encodeWithSelector(IDisputes.WrongDeposit.selector, 0, deposit));
        _disputes.challenge(encoded);
        _disputes.challenge{value: deposit}(encoded);
        VM.expectRevert(abi.encodeWithSelector(IDisputes.AlreadyChallenged.selector, releaseId));
        _disputes.challenge{value: deposit}(encoded);
        VM.expectPartialRevert(IDisputes.NotYet.selector);
        _disputes.close(releaseId);
        uint256 before = VM.snapshotState();
        // (1) answered here
        _disputes.answer(releaseId, sample, encoded);
        VM.assertEq(_disputes.creditOf(address(this)), deposit, "credit");
        VM.expectRevert(abi.encodeWithSelector(IDisputes.NotChallenged.selector, releaseId));
        _disputes.answer{gas: 200_000}(releaseId, sample, encoded); // too late, and no proof is paid for
        bytes32 other = _challengeAnother(deposit);
        VM.expectRevert(abi.encodeWithSelector(IDisputes.NotChallenged.selector, releaseId));
        _disputes.answer(other, sample, encoded);
        VM.expectRevert(abi.encodeWithSelector(IDisputes.AlreadyProven.selector, releaseId));
        _disputes.challenge{value: deposit}(encoded);
        _refusesMoney = true;
        VM.expectRevert(abi.encodeWithSelector(IDisputes.NotSent.selector, address(this), deposit));
        _disputes.withdraw();
        _refusesMoney = false;
        _disputes.withdraw();
        VM.expectRevert(abi.encodeWithSelector(IDisputes.NothingToWithdraw.selector, address(this)));
        _disputes.withdraw();
        // (2) answered elsewhere
        VM.revertToState(before);
        before = VM.snapshotState();
        proofs.prove(sample, encoded);
        _disputes.close(releaseId);
        _disputes.requireUndisputed(record.modelDigest, record.manifestDigest);
        // (3) not answered
        VM.revertToState(before);
        VM.warp(block.timestamp + 7 days);
        _disputes.close(releaseId);
        VM.assertTrue(_disputes.challengeOf(releaseId).isUnanswered, "flagged");
        VM.expectRevert(abi.encodeWithSelector(IDisputes.NotChallenged.selector, releaseId));
        _disputes.close(releaseId);
        VM.expectRevert(abi.encodeWithSelector(IDisputes.IsUnanswered.selector, releaseId));
        _disputes.requireUndisputed(record.modelDigest, record.manifestDigest);
        VM.assertEq(_disputes.reasonAgainst(releaseId), 0, "no reason");
        proofs.prove(sample, encoded);
        _disputes.requireUndisputed(record.modelDigest, record.manifestDigest);
    }

    function _challengeAnother(uint256 deposit) private returns (bytes32 releaseId) {
        Record memory record = _lie(9);
        releaseId = _publish(record);
        _disputes.challenge{value: deposit}(_bytes(record));
    }

    /// @dev Returns a record of a release of its own that says of the sample what the kind of lie selects.
    function _lie(uint256 kind) private view returns (Record memory record) {
        record = _honest(keccak256(abi.encode("model", kind)), _identity);
        if (kind == 1) record.reportDigest = bytes32(uint256(7));
        if (kind == 3) record.reportedTcb = 7;
        if (kind == 4) record.publisherIdentity = bytes32(uint256(7));
    }

    function _with(Record memory record, bytes memory report) private pure returns (Record memory) {
        record.reportDigest = sha256(_head(report, 0x2a0));
        return record;
    }

    /// @dev Publishes a record with a verdict that cites the evidence, and disproves it for this reason.
    function _expect(uint8 reason, Record memory record, bytes memory report, bytes memory vek)
        private
        returns (Record memory)
    {
        if (reason == 6 || reason == 7) record = _with(record, report);
        Cited memory cited = _published(record, report, vek);
        VM.assertEq(_disputes.disprove(_bytes(record), cited), reason, "reason");
        return record;
    }

    function _refuse(Record memory record, bytes memory report, bytes memory vek, bytes4 why) private {
        Cited memory cited = _published(record, report, vek);
        VM.expectPartialRevert(why);
        _disputes.disprove(_bytes(record), cited);
    }

    function _published(Record memory record, bytes memory report, bytes memory vek) private returns (Cited memory) {
        string memory label = record.productLine == 1 ? "Milan" : record.productLine == 2 ? "Genoa" : "simulated";
        if (record.productLine == 3) label = "Turin";
        bytes memory verdict = _verdict(report, vek, label, record.reportDigest);
        record.verdictDigest = sha256(verdict);
        _publish(record);
        return _cite(verdict, report, vek);
    }

    function _citedBy(Record memory record) private view returns (Cited memory) {
        bytes memory verdict = _verdict(sample.report, sample.vek, "simulated", record.reportDigest);
        return _cite(verdict, sample.report, sample.vek);
    }

    function _verdict(bytes memory report, bytes memory vek, string memory label, bytes32 digest)
        private
        pure
        returns (bytes memory)
    {
        return bytes.concat(
            _citation(report, "provenance/snp/report.bin"),
            _citation(vek, "provenance/snp/vek.der"),
            bytes(string.concat('"productLine":"', label, '","reportDigest":"', string(Manifests.hexOf(digest)))),
            '","reportedTcb":"'
        );
    }

    function _citation(bytes memory data, string memory name) private pure returns (bytes memory) {
        string memory digest = string(Manifests.hexOf(sha256(data)));
        return bytes(string.concat('{"digest":{"sha256":"', digest, '"},"uri":"', name, '"}'));
    }

    function _cite(bytes memory verdict, bytes memory report, bytes memory vek) private pure returns (Cited memory) {
        uint256 vekAt = _citation(report, "provenance/snp/report.bin").length;
        uint256 lineAt = vekAt + _citation(vek, "provenance/snp/vek.der").length;
        return Cited(verdict, report, 0, vek, vekAt, lineAt);
    }

    function _hostReport() private view returns (bytes memory report) {
        report = _copy(sample.report);
        for (uint256 at = 0x030; at < 0x034; ++at) {
            report[at] = 0xff;
        }
    }

    function _copy(bytes memory data) private pure returns (bytes memory) {
        return _head(data, data.length);
    }

    function _measurement(bytes memory report) private pure returns (bytes memory measurement) {
        measurement = new bytes(48);
        for (uint256 i = 0; i < 48; ++i) {
            measurement[i] = report[0x090 + i];
        }
    }
}

/// @dev Memory in place of calldata.
library Manifests_ {
    function identityOf(bytes memory measurement) internal pure returns (bytes32) {
        bytes32 high;
        bytes32 low;
        assembly ("memory-safe") {
            high := mload(add(measurement, 32))
            low := mload(add(measurement, 64))
        }
        bytes memory tail = Manifests.hexOf(low);
        assembly ("memory-safe") {
            mstore(tail, 32)
        }
        return sha256(
            abi.encodePacked("provenance-identity-v1\nsnp-measurement ", Manifests.hexOf(high), tail, "\n")
        );
    }
}
