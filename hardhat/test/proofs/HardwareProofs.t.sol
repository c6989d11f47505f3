// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {SnpVerifier} from "../../../contracts/amd/SnpVerifier.sol";
import {TenLinesProven} from "../../../contracts/examples/TenLinesProven.sol";
import {HardwareGate} from "../../../contracts/gate/HardwareGate.sol";
import {HardwareProofs} from "../../../contracts/proofs/HardwareProofs.sol";
import {AddedIntermediate, HardwareRules, IHardwareProofs} from "../../../contracts/proofs/IHardwareProofs.sol";
import {Manifests} from "../../../contracts/proofs/Manifests.sol";
import {ManifestSignatures} from "../../../contracts/proofs/ManifestSignatures.sol";
import {ProofWords} from "../../../contracts/proofs/ProofWords.sol";
import {Record} from "../../../contracts/Types.sol";
import {VM} from "../support/Vm.sol";
import {CredulousVerifier, LineVerifier, Samples} from "./Samples.sol";

contract RuledDapp is HardwareGate {
    HardwareRules private _rules;

    constructor(address proofs, HardwareRules memory rules) HardwareGate(proofs) {
        _rules = rules;
    }

    function enter(bytes32 model, bytes32 manifest) external onlyProvenAs(model, manifest, _rules) {}
}

/// @dev What tests/contracts/proofs tests on the shipped bytes, on the source: each branch once.
contract HardwareProofsTest is Samples {
    function test_proofsOnBothCurves() public {
        (bytes32 model, bytes32 identity, bytes32 releaseId) = _prove();
        VM.assertTrue(model != 0 && identity != 0, "found");
        uint256 word = proofs.proofOf(releaseId);
        VM.assertTrue(word & ProofWords.SIMULATED != 0, "simulated");
        sample = _sample("p384");
        (,, bytes32 other) = _prove();
        VM.assertTrue(other != releaseId && proofs.proofOf(other) != 0, "the other curve");
    }

    function test_aKnownKeyNeedsNoCertificate() public {
        SnpVerifier judge = proofs.verifier();
        (uint256 facts, bytes32 chip,, bytes32 keyDigest) = judge.endorse(sample.vek);
        (bytes memory vek, bytes memory key) = (sample.vek, _keyOf(sample.vek));
        (sample.vek, sample.vekKey, sample.vekFacts, sample.vekChip) = ("", key, facts, chip);
        VM.expectRevert(abi.encodeWithSelector(IHardwareProofs.KeyNotEndorsed.selector, keyDigest));
        proofs.prove(sample, "");
        VM.assertEq(proofs.endorse(vek, 0), keyDigest, "key");
        VM.assertTrue(proofs.isEndorsed(keyDigest, facts, chip, 0), "endorsed");
        proofs.endorse(vek, 0);
        _prove();
    }

    function test_aManifestIsBoundAndSigned() public {
        sample.payload = _flip(sample.payload, 10);
        VM.expectRevert(ManifestSignatures.ManifestNotSigned.selector);
        proofs.prove(sample, "");
        sample = _sample("p256");
        sample.signature = _flip(sample.signature, 40);
        VM.expectRevert(ManifestSignatures.ManifestNotSigned.selector);
        proofs.prove(sample, "");
        sample = _sample("p256");
        sample.key = _flip(sample.key, 90);
        VM.expectRevert(ManifestSignatures.KeyNotBound.selector);
        proofs.prove(sample, "");
        sample = _sample("p256");
        sample.signature = "";
        VM.expectRevert(abi.encodeWithSelector(ManifestSignatures.KeyAlgorithmUnknown.selector, 91, 0));
        proofs.prove(sample, "");
    }

    function test_bothSignaturesOfAKeyHold() public {
        uint256 order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551;
        (bytes32 r, bytes32 s) = abi.decode(sample.signature, (bytes32, bytes32));
        _prove();
        sample.signature = abi.encodePacked(r, order - uint256(s));
        _prove();
        sample.signature = abi.encodePacked(r, order);
        VM.expectRevert(ManifestSignatures.ManifestNotSigned.selector);
        proofs.prove(sample, "");
    }

    function test_aManifestCanNameItsPublisher() public {
        bytes memory before = sample.payload;
        uint256 at = sample.internalAt + bytes('"internalParameters":{').length;
        _sign(_inserted(before, at, '"publisher":{"identity":"key 07"},'));
        sample.subjectsAt += sample.payload.length - before.length;
        (bytes32 model,, bytes32 releaseId) = _prove();
        Record memory record = _honest(model, sha256("provenance-identity-v1\nkey 07\n"));
        _publish(record);
        (bytes32 found,) = proofs.prove(sample, _bytes(record));
        VM.assertEq(found, releaseId, "the publisher's");
        record.publisherIdentity = proofs.identityOf(releaseId);
        (record.revision, record.verdictDigest) = (1, keccak256("of the workload"));
        _publish(record);
        VM.expectRevert(abi.encodeWithSelector(IHardwareProofs.RecordDiffers.selector, 5));
        proofs.prove(sample, _bytes(record));
    }

    function test_placesAreChecked() public {
        for (uint256 i = 0; i < 3; ++i) {
            sample.internalAt = i == 0 ? 0 : i == 1 ? sample.payload.length : type(uint256).max;
            VM.expectRevert(abi.encodeWithSelector(Manifests.ManifestMalformed.selector, sample.internalAt));
            proofs.prove(sample, "");
        }
        sample = _sample("p256");
        ++sample.subjectsAt;
        VM.expectRevert(abi.encodeWithSelector(Manifests.ManifestMalformed.selector, sample.subjectsAt));
        proofs.prove(sample, "");
    }

    function test_aRecordIsComparedFieldByField() public {
        (bytes32 model, bytes32 identity, bytes32 releaseId) = _prove();
        Record memory honest = _honest(model, identity);
        VM.expectRevert(abi.encodeWithSelector(IHardwareProofs.RecordUnknown.selector, releaseId));
        proofs.prove(sample, _bytes(honest));
        uint16 revision = 0;
        for (uint8 field = 0; field < 9; ++field) {
            if (field == 2 || field == 4) continue;
            Record memory lie = _honest(model, identity);
            lie.verdictDigest = keccak256(abi.encode("lie", field));
            if (field == 0) lie.modelDigest = bytes32(uint256(7));
            if (field == 1) lie.manifestDigest = bytes32(uint256(7));
            if (field == 3) lie.reportDigest = bytes32(uint256(7));
            if (field == 5) lie.publisherIdentity = bytes32(uint256(7));
            if (field == 6) lie.reportedTcb = 7;
            if (field == 7) lie.productLine = 2;
            if (field == 8) lie.passed = false;
            if (field > 1 && field != 8) lie.revision = revision++;
            _publish(lie);
            VM.expectRevert(abi.encodeWithSelector(IHardwareProofs.RecordDiffers.selector, field));
            proofs.prove(sample, _bytes(lie));
        }
        honest.revision = revision;
        honest.verdictDigest = keccak256("truth");
        _publish(honest);
        proofs.prove(sample, _bytes(honest));
    }

    function test_aCertificateHoldsForItsTime() public {
        VM.warp(AT - 31 days);
        VM.expectPartialRevert(IHardwareProofs.NotInTime.selector);
        proofs.prove(sample, "");
        VM.warp(AT + 3650 days);
        VM.expectPartialRevert(IHardwareProofs.NotInTime.selector);
        proofs.prove(sample, "");
    }

    function test_gates() public {
        (bytes32 model,, bytes32 releaseId) = _prove();
        bytes32 manifest = sha256(sample.payload);
        uint256 word = proofs.proofOf(releaseId);
        proofs.requireProven(model, manifest, word, ~word);
        _refuse(releaseId, 0, word);
        proofs.requireProven(model, manifest, word | 1 << 240, 0);
        _refuse(releaseId, 1, word);
        proofs.requireProven(model, manifest, 0, ProofWords.SIMULATED);
        VM.expectPartialRevert(IHardwareProofs.NotProven.selector);
        proofs.requireProven(manifest, model, 0, 0);
    }

    function test_rules() public {
        proofs = new HardwareProofs(new CredulousVerifier(), registry);
        (bytes32 model, bytes32 identity, bytes32 releaseId) = _prove();
        bytes32 manifest = sha256(sample.payload);
        uint256 word = proofs.proofOf(releaseId);
        HardwareRules memory rules = _anything();
        proofs.requireProvenAs(model, manifest, rules);
        rules.genoaFloor = ProofWords.tcbOf(word);
        rules.milanFloor = rules.turinFloor = type(uint64).max;
        rules.identity = identity;
        proofs.requireProvenAs(model, manifest, rules);
        new RuledDapp(address(proofs), rules).enter(model, manifest);
        uint8[5] memory refusals = [uint8(2), 3, 4, 5, 6];
        for (uint256 i = 0; i < refusals.length; ++i) {
            rules = _anything();
            if (refusals[i] == 2) rules.lines = ~uint256(4);
            if (refusals[i] == 3) rules.genoaFloor = ProofWords.tcbOf(word) + 1;
            if (refusals[i] == 4) rules.identity = bytes32(uint256(7));
            if (refusals[i] == 5) (rules.maximumAge,) = (9, _wait(10));
            if (refusals[i] == 6) rules.freshLists = true;
            _refuse(releaseId, refusals[i], word);
            proofs.requireProvenAs(model, manifest, rules);
        }
        proofs.submitCrl(_list(".crl"));
        rules = _anything();
        rules.freshLists = true;
        proofs.requireProvenAs(model, manifest, rules);
        VM.assertTrue(proofs.listsCurrentUntil(2) > AT, "Genoa's");
        VM.assertEq(proofs.listsCurrentUntil(0) + proofs.listsCurrentUntil(4), 0, "no line");
    }

    function test_eachLineHasAFloorOfItsOwn() public {
        bytes32 manifest = sha256(sample.payload);
        for (uint256 line = 1; line < 4; ++line) {
            proofs = new HardwareProofs(SnpVerifier(address(new LineVerifier(line, line & 1))), registry);
            (bytes32 model,, bytes32 releaseId) = _prove();
            uint256 word = proofs.proofOf(releaseId);
            HardwareRules memory rules = _anything();
            rules.milanFloor = rules.genoaFloor = rules.turinFloor = type(uint64).max;
            _refuse(releaseId, 3, word);
            proofs.requireProvenAs(model, manifest, rules);
            if (line == 1) rules.milanFloor = 0;
            if (line == 2) rules.genoaFloor = 0;
            if (line == 3) rules.turinFloor = 0;
            proofs.requireProvenAs(model, manifest, rules);
        }
    }

    function test_aDappAsksForBoth() public {
        proofs = new HardwareProofs(new CredulousVerifier(), registry);
        (bytes32 model, bytes32 identity,) = _prove();
        bytes32 manifest = sha256(sample.payload);
        TenLinesProven dapp = new TenLinesProven(address(registry), address(proofs));
        VM.expectRevert();
        dapp.register(model, manifest);
        Record memory record = _honest(model, identity);
        (record.productLine, record.grade) = (2, 1);
        _publish(record);
        dapp.register(model, manifest);
        VM.assertEq(dapp.modelOf(address(this)), model, "entered");
        Record memory other = _record(9);
        _publish(other);
        VM.expectPartialRevert(IHardwareProofs.NotProven.selector);
        dapp.register(other.modelDigest, other.manifestDigest);
        VM.expectRevert(abi.encodeWithSelector(HardwareGate.NotHardwareProofs.selector, address(registry)));
        new TenLinesProven(address(registry), address(registry));
    }

    function test_aRevocationShutsNewProofsAtOnceAndOldOnesByARecheck() public {
        (bytes32 model,, bytes32 releaseId) = _prove();
        bytes32 manifest = sha256(sample.payload);
        uint256 word = proofs.proofOf(releaseId);
        proofs.submitCrl(_list(".revoking_crl"));
        VM.assertTrue(proofs.isRevoked(2, 0x20002), "Genoa's ASK");
        VM.assertFalse(proofs.isRevoked(2, 0x20101), "Genoa's ASVK");
        proofs.submitCrl(_list(".revoking_crl"));
        VM.expectRevert(abi.encodeWithSelector(IHardwareProofs.IntermediateIsRevoked.selector, 2, 0x20002));
        proofs.prove(sample, "");
        _refuse(releaseId, 7, word);
        proofs.requireProvenAs(model, manifest, _anything());
        proofs.requireProven(model, manifest, 0, 0);
        proofs.recheck(releaseId);
        _refuse(releaseId, 7, word | ProofWords.REVOKED);
        proofs.requireProven(model, manifest, 0, 0);
        VM.expectRevert(abi.encodeWithSelector(IHardwareProofs.NothingToRecheck.selector, releaseId));
        proofs.recheck(releaseId);
    }

    function test_aLaterIntermediateCountsOnceSomebodyAddedIt() public {
        bytes memory certificate = _later();
        VM.expectRevert(abi.encodeWithSelector(IHardwareProofs.IntermediateUnknown.selector, sample.intermediate));
        proofs.prove(sample, "");
        VM.expectRevert(abi.encodeWithSelector(IHardwareProofs.NoCurrentList.selector, 2));
        proofs.addIntermediate(certificate);
        proofs.submitCrl(_list(".crl"));
        VM.assertEq(proofs.addIntermediate(certificate), 1, "number");
        VM.assertEq(proofs.addIntermediate(certificate), 1, "the same");
        VM.assertEq(proofs.numberOf(sample.intermediate), 1, "known");
        (,, bytes32 releaseId) = _prove();
        uint256 word = proofs.proofOf(releaseId);
        VM.assertEq(ProofWords.intermediateOf(word), 1, "in the word");
        proofs.endorse(sample.vek, sample.intermediate);
        // AMD revokes it
        proofs.submitCrl(_list(".later_crl"));
        VM.expectRevert(abi.encodeWithSelector(IHardwareProofs.IntermediateIsRevoked.selector, 2, 0x20003));
        proofs.prove(sample, "");
        proofs.recheck(releaseId);
        VM.assertEq(proofs.proofOf(releaseId), word | ProofWords.REVOKED, "shut");
        proofs = new HardwareProofs(proofs.verifier(), registry);
        proofs.submitCrl(_list(".later_crl"));
        VM.expectRevert(abi.encodeWithSelector(IHardwareProofs.IntermediateIsRevoked.selector, 2, 0x20003));
        proofs.addIntermediate(certificate);
    }

    function test_anIntermediateSignsOneKindOfKeys() public {
        _later();
        bytes memory other = _list(".later_asvk");
        proofs.submitCrl(_list(".crl"));
        VM.assertEq(proofs.addIntermediate(other), 1, "number");
        AddedIntermediate memory kept = proofs.intermediateAt(1);
        VM.assertEq(uint256(kept.line) << 8 | kept.kind, 0x201, "line and kind");
        VM.assertEq(kept.serial, 0x20103, "serial");
        VM.assertEq(kept.key.code.length, 513, "key");
        sample.intermediate = keccak256(other);
        VM.expectRevert(abi.encodeWithSelector(IHardwareProofs.IntermediateDiffers.selector, sample.intermediate));
        proofs.prove(sample, "");
        for (uint256 i = 0; i < 3; i += 2) {
            VM.expectRevert(abi.encodeWithSelector(IHardwareProofs.IntermediateUnknown.selector, bytes32(i)));
            proofs.intermediateAt(i);
        }
    }

    function test_thereAreNoMoreIntermediatesThanNumbers() public {
        bytes memory certificate = _later();
        proofs.submitCrl(_list(".crl"));
        proofs.addIntermediate(_list(".later_asvk"));
        for (uint256 slot = 0; slot < 10; ++slot) {
            if (VM.load(address(proofs), bytes32(slot)) != bytes32(uint256(1))) continue;
            VM.store(address(proofs), bytes32(slot), bytes32(uint256(type(uint16).max)));
        }
        VM.expectRevert(IHardwareProofs.TooManyIntermediates.selector);
        proofs.addIntermediate(certificate);
    }

    /// @dev Makes the sample one under a later intermediate; returns its certificate.
    function _later() private returns (bytes memory certificate) {
        certificate = _list(".later_ask");
        sample = _sample("later");
        sample.intermediate = keccak256(certificate);
    }

    function test_aListOfTheFutureIsRefused() public {
        VM.warp(AT - 400 days);
        bytes memory crl = _list(".crl");
        VM.expectPartialRevert(IHardwareProofs.NotInTime.selector);
        proofs.submitCrl(crl);
    }

    function test_thereIsNothingToRecheck() public {
        VM.expectRevert(abi.encodeWithSelector(IHardwareProofs.NotProven.selector, bytes32(0)));
        proofs.recheck(0);
        (,, bytes32 releaseId) = _prove();
        VM.expectRevert(abi.encodeWithSelector(IHardwareProofs.NothingToRecheck.selector, releaseId));
        proofs.recheck(releaseId);
        VM.assertTrue(proofs.supportsInterface(type(IHardwareProofs).interfaceId), "proofs");
        VM.assertFalse(proofs.supportsInterface(0xffffffff), "anything");
    }

    function _refuse(bytes32 releaseId, uint8 what, uint256 word) private {
        VM.expectRevert(abi.encodeWithSelector(IHardwareProofs.ProofNotEnough.selector, releaseId, what, word));
    }

    function _wait(uint256 time) private returns (uint256) {
        VM.warp(block.timestamp + time);
        return time;
    }

    function _anything() private pure returns (HardwareRules memory rules) {
        rules.lines = type(uint256).max;
        rules.maximumAge = type(uint40).max;
    }

    function _inserted(bytes memory text, uint256 at, bytes memory more) private pure returns (bytes memory) {
        bytes memory rest = new bytes(text.length - at);
        for (uint256 i = at; i < text.length; ++i) {
            rest[i - at] = text[i];
        }
        return bytes.concat(_head(text, at), more, rest);
    }

    /// @dev Returns the 96 bytes after the header of a key on P-384.
    function _keyOf(bytes memory vek) private pure returns (bytes memory key) {
        bytes32 head = bytes32(bytes24(0x3076301006072a8648ce3d020106052b8104002203620004));
        key = new bytes(96);
        for (uint256 at = 0; at + 120 < vek.length; ++at) {
            bytes32 found;
            assembly ("memory-safe") {
                found := mload(add(add(vek, 32), at))
            }
            if (bytes24(found) != bytes24(head)) continue;
            for (uint256 i = 0; i < 96; ++i) {
                key[i] = vek[at + 24 + i];
            }
        }
    }
}
