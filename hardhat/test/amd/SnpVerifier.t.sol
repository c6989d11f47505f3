// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {AmdVerifier} from "../../../contracts/amd/AmdVerifier.sol";
import {AmdCrls} from "../../../contracts/amd/AmdCrls.sol";
import {AmdForms} from "../../../contracts/amd/AmdForms.sol";
import {AmdIntermediates} from "../../../contracts/amd/AmdIntermediates.sol";
import {Children} from "../../../contracts/amd/Children.sol";
import {Der} from "../../../contracts/amd/Der.sol";
import {Modexp} from "../../../contracts/amd/Modexp.sol";
import {SnpReports} from "../../../contracts/amd/SnpReports.sol";
import {SnpVerifier} from "../../../contracts/amd/SnpVerifier.sol";
import {VekCertificates} from "../../../contracts/amd/VekCertificates.sol";
import {VM} from "../support/Vm.sol";
import {Evidence} from "./Evidence.sol";

/// @dev Makes calls of internal functions from outside, so that a test can see them fail.
contract Outside {
    function requireAt(address made) external view {
        Children.requireAt(1, made);
    }

    function modexp() external view {
        Modexp.run(0x80, 0, 48);
    }
}

/// @dev Evidence of every line and kind is accepted, and refused when one thing about it is wrong.
contract SnpVerifierTest is Evidence {
    function test_acceptsEveryLineAndKind() public view {
        for (uint256 line = 0; line < 3; ++line) {
            for (uint256 kind = 0; kind < 2; ++kind) {
                (bytes memory report, bytes memory vek) = (_report(line, kind), _vek(line, kind));
                (uint256 facts, bytes32 chip, bytes32 provider, bytes32 key) = verifier.verify(report, vek);
                VM.assertEq(uint8(facts >> 144), line + 1, "line");
                VM.assertEq(facts >> 152, kind, "kind");
                VM.assertEq(provider, kind == 0 ? bytes32(0) : keccak256("CN=cloud.example"), "provider");
                (uint256 endorsed, bytes32 sameChip,, bytes32 sameKey) = verifier.endorse(vek);
                VM.assertEq(endorsed, facts, "facts");
                VM.assertEq(sameChip, chip, "chip");
                VM.assertEq(sameKey, key, "key");
            }
        }
    }

    function test_tellsWhoseKeysItHas() public {
        AmdVerifier amd = new AmdVerifier();
        VM.assertFalse(amd.isSimulated(), "AMD's");
        VM.assertTrue(verifier.isSimulated(), "the simulator's");
        VM.assertEq(amd.keys().code.length, 9 * 512 + 3 * 20, "keys, and the key identifiers of the roots");
        (bytes memory report, bytes memory vek) = (_report(0, 0), _vek(0, 0));
        VM.expectRevert(SnpVerifier.CertificateNotSigned.selector);
        amd.verify(report, vek);
    }

    function test_acceptsAKeyThatItEndorsed() public view {
        bytes memory vek = _vek(2, 0);
        (uint256 facts, bytes32 chip,, bytes32 digest) = verifier.endorse(vek);
        bytes memory key = _keyOf(vek, digest);
        verifier.verifyWith(_report(2, 0), key, facts, chip);
    }

    function test_refusesTheReportOfAnotherKey() public {
        (bytes memory report, bytes memory vek) = (_report(2, 0), _vek(2, 0));
        // report_data
        VM.expectRevert(SnpVerifier.ReportNotSigned.selector);
        verifier.verify(_changed(report, 0x50, 0xff), vek);
        // r is 0
        VM.expectRevert(SnpVerifier.ReportNotSigned.selector);
        verifier.verify(_patched(report, 0x2a0, new bytes(48)), vek);
    }

    function test_refusesACertificateThatIsNotSigned() public {
        bytes memory vek = _vek(1, 0);
        VM.expectRevert(SnpVerifier.CertificateNotSigned.selector);
        verifier.endorse(_changed(vek, vek.length - 1, uint8(vek[vek.length - 1]) ^ 1));
        // a number above the modulus
        VM.expectRevert(SnpVerifier.CertificateNotSigned.selector);
        verifier.endorse(_changed(vek, vek.length - 512, 0xff));
    }

    function test_refusesWhatDoesNotMatch() public {
        (bytes memory report, bytes memory vek) = (_report(2, 0), _vek(2, 0));
        _expectMismatch(0, _changed(report, 0x188, 0x19), vek);
        _expectMismatch(1, _changed(report, 0x48, 4), vek);
        _expectMismatch(2, _changed(report, 0x180, uint8(report[0x180]) ^ 1), vek);
        _expectMismatch(3, _changed(report, 0x1a0, uint8(report[0x1a0]) ^ 1), vek);
        _expectMismatch(4, _changed(report, 0x38 + 4, 1), vek);
        _expectMismatch(4, _changed(_report(0, 0), 0x1f0 + 2, 1), _vek(0, 0));
        // A chip may be hidden from a VCEK's reports, and none is shown in a VLEK's.
        VM.expectRevert(SnpVerifier.ReportNotSigned.selector);
        verifier.verify(_patched(report, 0x1a0, new bytes(64)), vek);
        _expectMismatch(3, _changed(_report(2, 1), 0x1a0, 1), _vek(2, 1));
    }

    function test_knowsProcessorsByTheirNumbers() public {
        (bytes memory report, bytes memory vek) = (_report(1, 0), _vek(1, 0));
        uint16[10] memory numbers = [0x1900, 0x190f, 0x1910, 0x191f, 0x1920, 0x19a0, 0x19b0, 0x1a11, 0x1a12, 0x1700];
        uint8[10] memory wanted = [1, 1, 2, 2, 255, 2, 255, 3, 255, 255];
        for (uint256 i = 0; i < numbers.length; ++i) {
            // A processor of Genoa's passes on to the signature.
            bytes4 error = wanted[i] == 2 ? SnpVerifier.ReportNotSigned.selector : SnpVerifier.VekMismatch.selector;
            VM.expectPartialRevert(error);
            verifier.verify(_patched(report, 0x188, abi.encodePacked(numbers[i])), vek);
        }
    }

    function test_refusesReportsOfAnotherForm() public {
        (bytes memory report, bytes memory vek) = (_report(2, 0), _vek(2, 0));
        uint16[15] memory offsets =
            [0, 0, 0x34, 0x48, 0x48, 0x0b, 0x0a, 0x30, 0x4c, 0x18b, 0x1eb, 0x1ef, 0x208, 0x2d0, 0x318];
        uint8[15] memory values = [1, 6, 2, 2, 8, 4, 0, 4, 1, 1, 1, 1, 1, 1, 1];
        for (uint256 i = 0; i < offsets.length; ++i) {
            VM.expectPartialRevert(SnpReports.ReportMalformed.selector);
            verifier.verify(_changed(report, offsets[i], values[i]), vek);
        }
        VM.expectRevert(abi.encodeWithSelector(SnpReports.ReportMalformed.selector, 1185));
        verifier.verify(abi.encodePacked(report, uint8(0)), vek);
        // The host's VMPL has the form; gates refuse it.
        VM.expectRevert(SnpVerifier.ReportNotSigned.selector);
        verifier.verify(_patched(report, 0x30, hex"ffffffff"), vek);
    }

    /// @dev Wherever a byte of the signed part differs, the form or the signature is wrong.
    function test_refusesCertificatesWithAnyChangedByte() public view {
        for (uint256 i = 0; i < 2; ++i) {
            bytes memory vek = _vek(2 * i, i);
            for (uint256 at = 0; at < vek.length - 512; ++at) {
                // Most bytes of the key are only under the signature, which takes long.
                if (at > 400 && at % 5 != 0 && at < 500) continue;
                _expectRefused(_changed(vek, at, uint8(vek[at]) ^ 1));
                if (at < 24 || at > vek.length - 600) _expectRefused(_changed(vek, at, uint8(vek[at]) ^ 0x81));
            }
        }
    }

    function test_refusesCertificatesThatAreCut() public {
        bytes memory vek = _vek(0, 0);
        VM.expectPartialRevert(Der.DerMalformed.selector);
        verifier.endorse("");
        VM.expectPartialRevert(Der.DerMalformed.selector);
        verifier.endorse(abi.encodePacked(vek, uint8(0)));
        // a signed part too short for the fixed fields
        VM.expectRevert(abi.encodeWithSelector(Der.DerMalformed.selector, 4));
        verifier.endorse(_patched(vek, 6, hex"0200"));
        // a short frame
        VM.expectRevert(abi.encodeWithSelector(Der.DerMalformed.selector, 0));
        verifier.endorse(hex"3003020100");
    }

    function test_readsLists() public view {
        for (uint256 line = 0; line < 3; ++line) {
            (uint256 got, uint256 from, uint256 until, uint256[] memory serials) = verifier.verifyCrl(_crl(line));
            VM.assertEq(got, line + 1, "line");
            VM.assertEq(until - from, 365 days, "a year");
            VM.assertEq(serials.length, 2, "serials");
            VM.assertEq(serials[0], 0x010001, "first");
            VM.assertEq(serials[1], 0x80, "second");
        }
    }

    function test_refusesListsWithAnyChangedByte() public view {
        bytes memory crl = _crl(0);
        for (uint256 at = 0; at < crl.length - 512; ++at) {
            for (uint256 bit = 1; bit < 256; bit <<= 1) {
                if (bit > 1 && at % 3 != 0) continue;
                try verifier.verifyCrl(_changed(crl, at, uint8(crl[at]) ^ uint8(bit))) {
                    revert("accepted");
                } catch {}
            }
        }
    }

    function test_refusesListsOfOthers() public {
        bytes memory crl = _crl(0);
        VM.expectRevert(AmdCrls.CrlNotSigned.selector);
        verifier.verifyCrl(_changed(crl, crl.length - 1, uint8(crl[crl.length - 1]) ^ 1));
        bytes memory vek = _vek(0, 0);
        VM.expectPartialRevert(Der.DerMalformed.selector);
        verifier.verifyCrl(vek);
    }

    function test_refusesListsOfAnotherForm() public {
        string[12] memory names = [
            "no-entries",
            "no-extensions-of-an-entry",
            "extension-of-an-entry-twice",
            "odd-extension-of-an-entry",
            "serial-twice",
            "one-extension",
            "five-numbers",
            "number-with-more",
            "delta",
            "short-key-id",
            "long-key-id",
            "other-key-id"
        ];
        for (uint256 i = 0; i < names.length; ++i) {
            bytes memory crl = _read(string.concat("crl-", names[i]));
            VM.expectPartialRevert(Der.DerMalformed.selector);
            verifier.verifyCrl(crl);
        }
    }

    function test_namesAnIssuerThatItDoesNotKnow() public {
        // The last byte of the name, after the heads, version and serial number, and the algorithm.
        bytes memory vek = _vek(0, 0);
        VM.expectPartialRevert(AmdForms.UnknownAuthority.selector);
        verifier.endorse(_changed(vek, 16 + 72 + 124, 0x00));
        bytes memory crl = _crl(0);
        VM.expectPartialRevert(AmdForms.UnknownAuthority.selector);
        verifier.verifyCrl(_changed(crl, 11 + 67 + 124, 0x00));
    }

    function test_readsIntermediates() public view {
        string[2] memory roles = ["-ask", "-asvk"];
        for (uint256 line = 0; line < 3; ++line) {
            for (uint256 kind = 0; kind < 2; ++kind) {
                bytes memory certificate = _read(string.concat(lines[line], roles[kind]));
                AmdIntermediates.Intermediate memory found = verifier.verifyIntermediate(certificate);
                VM.assertEq(found.line << 8 | found.kind, line + 1 << 8 | kind, "line and kind");
                VM.assertEq(found.serial >> 16, line + 1, "serial");
                VM.assertEq(found.notAfter / 365 days - found.notBefore / 365 days, 25, "years");
                VM.assertEq(found.modulus.length, 512, "modulus");
            }
        }
    }

    function test_refusesIntermediatesWithAnyChangedByte() public {
        bytes memory certificate = _read("Genoa-ask");
        for (uint256 at = 0; at < certificate.length - 512; ++at) {
            // Most bytes of the key are only under the signature, which takes long.
            if (at > 420 && at < 900 && at % 40 != 0) continue;
            try verifier.verifyIntermediate(_changed(certificate, at, uint8(certificate[at]) ^ 1)) {
                revert("accepted");
            } catch {}
        }
        VM.expectRevert(AmdIntermediates.IntermediateNotSigned.selector);
        verifier.verifyIntermediate(_changed(certificate, certificate.length - 1, uint8(certificate[certificate.length - 1]) ^ 1));
    }

    function test_judgesUnderAnIntermediateForWhichTheCallerVouches() public {
        (bytes memory report, bytes memory vek) = (_report(1, 0), _vek(1, 0));
        (uint256 facts,,, bytes32 key) = verifier.verify(report, vek);
        // Genoa's ASK is the fifth key
        (uint256 same,,, bytes32 sameKey) = verifier.verifyUnder(report, vek, verifier.keys(), 4 * 512);
        VM.assertEq(same, facts, "facts");
        VM.assertEq(sameKey, key, "key");
        (same,,,) = verifier.endorseUnder(vek, verifier.keys(), 4 * 512);
        VM.assertEq(same, facts, "endorsed");
        address keys = verifier.keys();
        VM.expectRevert(SnpVerifier.CertificateNotSigned.selector);
        verifier.verifyUnder(report, vek, keys, 5 * 512);
        VM.expectRevert(SnpVerifier.CertificateNotSigned.selector);
        verifier.endorseUnder(vek, address(this), 1 << 200);
    }

    function test_hashes() public view {
        (bytes32 high, bytes32 low) = verifier.sha384("abc");
        VM.assertEq(high, 0xcb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed, "first 32 bytes");
        VM.assertEq(low, bytes32(bytes16(0x8086072ba1e7cc2358baeca134c825a7)), "last 16 bytes");
    }

    function test_standsOnlyWhereCreateIsEthereums() public {
        Outside outside = new Outside();
        VM.expectRevert(abi.encodeWithSelector(Children.WrongPlace.selector, address(this)));
        outside.requireAt(address(this));
    }

    function test_takesNoSilenceForAnAnswer() public {
        Outside outside = new Outside();
        VM.expectRevert(Modexp.ModexpFailed.selector);
        outside.modexp();
    }

    function _expectMismatch(uint8 what, bytes memory report, bytes memory vek) private {
        VM.expectRevert(abi.encodeWithSelector(SnpVerifier.VekMismatch.selector, what));
        verifier.verify(report, vek);
    }

    function _expectRefused(bytes memory vek) private view {
        try verifier.endorse(vek) {
            revert("accepted");
        } catch (bytes memory reason) {
            bytes4 error = bytes4(reason);
            bool isTyped = error == VekCertificates.CertificateMalformed.selector || error == Der.DerMalformed.selector
                || error == AmdForms.UnknownAuthority.selector || error == SnpVerifier.CertificateNotSigned.selector;
            VM.assertTrue(isTyped, "a typed error");
        }
    }

    /// @dev Returns the 96 bytes that have this digest.
    function _keyOf(bytes memory vek, bytes32 digest) private pure returns (bytes memory key) {
        key = new bytes(96);
        for (uint256 at = 0; at < vek.length - 96; ++at) {
            for (uint256 i = 0; i < 96; ++i) {
                key[i] = vek[at + i];
            }
            if (keccak256(key) == digest) return key;
        }
        revert("no such key");
    }
}
