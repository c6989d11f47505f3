// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {AmdCrls} from "./AmdCrls.sol";
import {AmdForms} from "./AmdForms.sol";
import {AmdIntermediates} from "./AmdIntermediates.sol";
import {Children} from "./Children.sol";
import {KeyPlaces} from "./KeyPlaces.sol";
import {P384} from "./P384.sol";
import {Pss} from "./Pss.sol";
import {Sha384} from "./Sha384.sol";
import {SnpReports} from "./SnpReports.sol";
import {VekCertificates} from "./VekCertificates.sol";

/**
 * @title AMD SEV-SNP evidence, judged by the EVM alone
 * @notice From AMD's pinned intermediate keys over a VCEK or VLEK certificate to an attestation report. It has no
 * owner, no storage and no oracle, and takes no hints. What it returns is as trustworthy as AMD's keys and firmware.
 *
 * It does not look at the clock: the dates of a certificate are in `facts`, and the caller compares. Nor does it know
 * revoked keys, policies, or what a report is about.
 * @dev The constructor makes two contracts: the keys, then {P384}. Their addresses follow from this contract's, so its
 * code is the same everywhere. Whoever trusts a deployment compares the code of all four: this, keys, {P384}, its
 * table.
 */
abstract contract SnpVerifier {
    using SnpReports for bytes;

    /// @notice Thrown when the intermediate that a certificate names did not sign it.
    error CertificateNotSigned();

    /// @notice Thrown when the key did not sign the report.
    error ReportNotSigned();

    /// @notice Thrown when report and certificate disagree: 0 product line, 1 kind of key, 2 TCB, 3 chip, 4 reserved
    /// bytes of a TCB.
    error VekMismatch(uint8 what);

    /// @dev Bytes of a TCB version that are zero (AMD 56860, TCB_VERSION).
    uint256 private constant RESERVED_TCB = 0x0000ffffffff0000;
    uint256 private constant RESERVED_TCB_TURIN = 0x00ffffff00000000;

    /// @dev A modulus of 512 bytes, in the code of a contract from a place on.
    struct Key {
        address holder;
        uint256 place;
    }

    /// @notice Returns whether the keys are those of the simulator, which everybody has: then nothing is proven.
    function isSimulated() external pure virtual returns (bool);

    /// @notice Judges a report with the certificate of the key that signed it.
    /// @param report An attestation report, see {SnpReports}.
    /// @param vek A VCEK or VLEK certificate in DER, see {VekCertificates}.
    /// @return facts What the certificate says, see {VekCertificates-Vek}; the report's product line, kind of key and
    /// REPORTED_TCB are the same.
    /// @return chip keccak256 of the CHIP_ID that the certificate is for; the report's is the same, or masked with
    /// zeros.
    /// @return provider keccak256 of the CSP id, 0 for a VCEK.
    /// @return keyDigest keccak256 of the key's x and y.
    function verify(bytes calldata report, bytes calldata vek)
        external
        view
        returns (uint256 facts, bytes32 chip, bytes32 provider, bytes32 keyDigest)
    {
        VekCertificates.Vek memory parsed = VekCertificates.parse(vek);
        _requireGenuine(report, vek, parsed, _pinned(parsed.facts));
        return _answer(vek, parsed);
    }

    /// @notice Judges a report as {verify} does, with the certificate of a key that another intermediate signed. The
    /// caller vouches for that intermediate's key, and for its product line and kind of keys, which it compares.
    /// @param holder A contract whose code holds the modulus of the intermediate, 512 bytes.
    /// @param place Where in that code the modulus begins.
    function verifyUnder(bytes calldata report, bytes calldata vek, address holder, uint256 place)
        external
        view
        returns (uint256 facts, bytes32 chip, bytes32 provider, bytes32 keyDigest)
    {
        VekCertificates.Vek memory parsed = VekCertificates.parse(vek);
        _requireGenuine(report, vek, parsed, Key(holder, place));
        return _answer(vek, parsed);
    }

    /// @notice Judges a certificate alone. Returns the same as {verify}.
    function endorse(bytes calldata vek)
        external
        view
        returns (uint256 facts, bytes32 chip, bytes32 provider, bytes32 keyDigest)
    {
        VekCertificates.Vek memory parsed = VekCertificates.parse(vek);
        _requireEndorsed(Sha384.newContext(), vek, parsed, _pinned(parsed.facts));
        return _answer(vek, parsed);
    }

    /// @notice Judges a certificate alone, under the intermediate for which the caller vouches, see {verifyUnder}.
    function endorseUnder(bytes calldata vek, address holder, uint256 place)
        external
        view
        returns (uint256 facts, bytes32 chip, bytes32 provider, bytes32 keyDigest)
    {
        VekCertificates.Vek memory parsed = VekCertificates.parse(vek);
        _requireEndorsed(Sha384.newContext(), vek, parsed, Key(holder, place));
        return _answer(vek, parsed);
    }

    /// @notice Judges a report with a key that {endorse} or {verify} answered for. The caller vouches for the last
    /// three.
    /// @param key The key's x and y, 96 bytes.
    function verifyWith(bytes calldata report, bytes calldata key, uint256 facts, bytes32 chip) external view {
        _requireMatch(report, facts, chip);
        _requireSigned(report, key, Sha384.single(_signedPart(report), SnpReports.SIGNED_BYTES));
    }

    /// @notice Judges the certificate of an intermediate by the pinned root of its product line, see
    /// {AmdIntermediates}. Its dates and its revocation are the caller's to look at.
    function verifyIntermediate(bytes calldata certificate)
        external
        view
        returns (AmdIntermediates.Intermediate memory)
    {
        return AmdIntermediates.verify(certificate, keys());
    }

    /// @notice Judges a revocation list, see {AmdCrls}. Returns the product line (1 Milan, 2 Genoa, 3 Turin) of the
    /// root that signed it, its dates in seconds since 1970, and the revoked serial numbers.
    function verifyCrl(bytes calldata crl)
        external
        view
        returns (uint256 line, uint256 thisUpdate, uint256 nextUpdate, uint256[] memory serials)
    {
        AmdCrls.Crl memory parsed = AmdCrls.verify(crl, keys());
        return (parsed.line, parsed.thisUpdate, parsed.nextUpdate, parsed.serials);
    }

    /// @notice Returns SHA-384 of a message: the first 32 bytes, and the last 16, which zeros follow.
    function sha384(bytes calldata message) external pure returns (bytes32 high, bytes32 low) {
        return Sha384.read(Sha384.single(Sha384.copy(message, 0, message.length), message.length));
    }

    /// @notice Returns the contract whose code is the keys, in the order of {AmdKeys}.
    function keys() public view returns (address) {
        return Children.child(1);
    }

    /// @notice Returns the {P384} that judges reports.
    function p384() public view returns (P384) {
        return P384(Children.child(2));
    }

    /// @dev For constructors, which make the keys, then {P384}.
    function _requirePlaces(address madeKeys, P384 madeP384) internal view {
        Children.requireAt(1, madeKeys);
        Children.requireAt(2, address(madeP384));
    }

    function _requireMatch(bytes calldata report, uint256 facts, bytes32 chip) private pure {
        (uint256 version, uint256 kind) = report.requireFormat();
        uint256 line = uint8(facts >> 144);
        uint256 processor = report.lineOf(version);
        if (processor != 0 && processor != line) revert VekMismatch(0);
        if (kind != uint8(facts >> 152)) revert VekMismatch(1);
        // A certificate's TCB has no reserved bytes.
        if (report.u64(SnpReports.REPORTED_TCB) != uint64(facts)) revert VekMismatch(2);
        uint256 others = report.u64(SnpReports.CURRENT_TCB) | report.u64(SnpReports.COMMITTED_TCB)
            | report.u64(SnpReports.LAUNCH_TCB);
        if (others & (line == AmdForms.TURIN ? RESERVED_TCB_TURIN : RESERVED_TCB) != 0) revert VekMismatch(4);
        // The host may hide its chip. A VLEK is of no chip: its `chip` is that of zeros.
        bytes32 named = keccak256(report[SnpReports.CHIP_ID:SnpReports.COMMITTED_TCB]);
        bool isMasked = named == VekCertificates.NO_CHIP && kind == AmdForms.VCEK;
        if (named != chip && !isMasked) revert VekMismatch(3);
    }

    /// @dev Requires that report and certificate agree, and all signatures.
    function _requireGenuine(
        bytes calldata report,
        bytes calldata vek,
        VekCertificates.Vek memory parsed,
        Key memory intermediate
    ) private view {
        // (1) both have their form, and agree
        _requireMatch(report, parsed.facts, parsed.chip);
        // (2) AMD signed the certificate, and its key signed the report; both digests in one pass
        uint256 context = Sha384.newContext();
        uint256 digest = Sha384.newDigest();
        Sha384.hash(context, _signedPart(report), SnpReports.SIGNED_BYTES, digest);
        _requireEndorsed(context, vek, parsed, intermediate);
        _requireSigned(report, _keyOf(vek, parsed), digest);
    }

    /// @dev The context may be at work on another message; it has finished when this returns.
    function _requireEndorsed(
        uint256 context,
        bytes calldata vek,
        VekCertificates.Vek memory parsed,
        Key memory intermediate
    ) private view {
        uint256 digest = Sha384.newDigest();
        uint256 message = Sha384.copy(vek, AmdForms.SIGNED_AT, parsed.signedBytes);
        Sha384.hash(context, message, parsed.signedBytes, digest);
        uint256 signature = AmdForms.signatureOf(vek);
        bool isSigned = Pss.verify(context, intermediate.holder, intermediate.place, signature, digest);
        if (!isSigned) revert CertificateNotSigned();
    }

    /// @dev Requires that a key signed what has the digest at a place.
    function _requireSigned(bytes calldata report, bytes calldata key, uint256 digest) private view {
        (bytes32 rHigh, bytes32 rLow) = report.scalar(SnpReports.SIGNATURE_R);
        (bytes32 sHigh, bytes32 sLow) = report.scalar(SnpReports.SIGNATURE_S);
        bytes memory signature = abi.encodePacked(rHigh, bytes16(rLow), sHigh, bytes16(sLow));
        (bytes32 high, bytes32 low) = Sha384.read(digest);
        if (!p384().verify(abi.encodePacked(high, bytes16(low), signature, key))) revert ReportNotSigned();
    }

    /// @dev Returns the key of the pinned intermediate that a certificate names.
    function _pinned(uint256 facts) private view returns (Key memory) {
        return Key(keys(), KeyPlaces.intermediateAt(uint8(facts >> 144), uint8(facts >> 152)));
    }

    function _signedPart(bytes calldata report) private pure returns (uint256 message) {
        return Sha384.copy(report, 0, SnpReports.SIGNED_BYTES);
    }

    function _keyOf(bytes calldata vek, VekCertificates.Vek memory parsed) private pure returns (bytes calldata) {
        return vek[parsed.keyAt:parsed.keyAt + VekCertificates.KEY_BYTES];
    }

    function _answer(bytes calldata vek, VekCertificates.Vek memory parsed)
        private
        pure
        returns (uint256, bytes32, bytes32, bytes32)
    {
        return (parsed.facts, parsed.chip, parsed.provider, keccak256(_keyOf(vek, parsed)));
    }
}
