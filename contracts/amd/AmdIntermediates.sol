// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {AmdForms} from "./AmdForms.sol";
import {Der} from "./Der.sol";
import {KeyPlaces} from "./KeyPlaces.sol";
import {Pss} from "./Pss.sol";
import {Sha384} from "./Sha384.sol";

/**
 * @title Certificates of AMD's intermediates, in the one form that AMD gives them
 * @notice An ASK signs VCEKs, an ASVK signs VLEKs; the ARK of their product line signs both. RFC 5280, section 4.1, in
 * the frame of {AmdForms}. The signed part:
 *
 *     a0 03 02 01 02                      version 3
 *     02 ..                               serial number, with which a list revokes it
 *     30 ..                               RSASSA-PSS
 *     30 7b ..                            issuer: ARK-Milan, ARK-Genoa or ARK-Turin
 *     30 1e { UTCTime UTCTime }           validity
 *     30 ..                               subject: SEV-Milan .. SEV-VLEK-Turin
 *     30 82 02 22 ..                      RSA key: modulus of 512 bytes, exponent 65537
 *     a3 81 a3 { 30 81 a0 { extensions } }
 *
 * The extensions are five, in this order: subject key identifier, the ARK's key identifier, critical basicConstraints
 * (a CA, of path length 0), critical keyUsage (keyCertSign), and the place of the revocation list. Every byte is fixed
 * and compared, but for serial number, dates, modulus and subject key identifier.
 */
library AmdIntermediates {
    using AmdForms for bytes;
    using Der for bytes;

    /// @notice What a certificate says. Times are in seconds since 1970; line and kind (that of the keys which it
    /// signs) are as in {AmdForms}. The modulus has 512 bytes.
    struct Intermediate {
        uint256 line;
        uint256 kind;
        uint256 serial;
        uint256 notBefore;
        uint256 notAfter;
        bytes modulus;
    }

    /// @dev Thrown when the root that a certificate names did not sign it.
    error IntermediateNotSigned();

    /// @dev What the fixed parts come to with the shortest serial number, algorithm and subject.
    uint256 private constant SIGNED_LEAST_BYTES = 1080;
    /// @dev Key and extensions, which end the signed part.
    uint256 private constant KEY_BYTES = 716;
    uint256 private constant MODULUS_AT = 33;
    uint256 private constant SUBJECT_ID_AT = 567;
    // SEQUENCE { SEQUENCE { rsaEncryption, NULL }, BIT STRING { SEQUENCE { INTEGER 00 .., INTEGER 65537 } } }
    bytes private constant KEY_HEAD = hex"30820222300d06092a864886f70d01010105000382020f003082020a0282020100";
    bytes private constant EXPONENT_TO_SUBJECT_ID = hex"0203010001" hex"a381a33081a0" hex"301d0603551d0e04160414";
    bytes private constant TO_ROOT_ID = hex"301f0603551d23041830168014";
    // Constraints; usage, as AMD writes it: with one unused bit, where DER would have two; what is before the address.
    bytes private constant TO_ADDRESS = hex"30120603551d130101ff040830060101ff020100"
        hex"300e0603551d0f0101ff040403020104" hex"303a0603551d1f04333031302fa02da02b8629";

    /// @dev Returns what a certificate says. Reverts with {Der-DerMalformed} or {AmdForms-UnknownAuthority} unless it
    /// has the form, and with {IntermediateNotSigned} unless its root signed it.
    /// @param keys The contract whose code holds the roots, as {AmdKeys} does.
    function verify(bytes calldata certificate, address keys) internal view returns (Intermediate memory parsed) {
        uint256 end;
        (parsed, end) = _parse(certificate, keys);
        uint256 length = end - AmdForms.SIGNED_AT;
        uint256 context = Sha384.newContext();
        uint256 digest = Sha384.newDigest();
        Sha384.hash(context, Sha384.copy(certificate, AmdForms.SIGNED_AT, length), length, digest);
        uint256 place = KeyPlaces.rootAt(parsed.line);
        bool isSigned = Pss.verify(context, keys, place, AmdForms.signatureOf(certificate), digest);
        if (!isSigned) revert IntermediateNotSigned();
    }

    /// @dev Returns the fields, and where the signed part ends.
    function _parse(bytes calldata certificate, address keys)
        private
        view
        returns (Intermediate memory parsed, uint256 end)
    {
        uint256 offset;
        (offset, end) = certificate.signedPart(SIGNED_LEAST_BYTES);
        _require(certificate.word(offset) >> 216 == AmdForms.VERSION_3, offset);
        (parsed.serial, offset) = certificate.unsigned(offset + AmdForms.VERSION_BYTES, end);
        offset = certificate.afterAlgorithm(offset, end);
        (parsed.line, offset) = certificate.rootAt(offset);
        _require(certificate.word(offset) >> 240 == AmdForms.VALIDITY, offset);
        parsed.notBefore = certificate.utcTime(offset + 2);
        parsed.notAfter = certificate.utcTime(offset + 2 + Der.TIME_BYTES);
        uint256 line;
        (line, parsed.kind, offset) = certificate.intermediateAt(offset + 2 + 2 * Der.TIME_BYTES);
        _require(line == parsed.line, offset);
        _require(offset + KEY_BYTES == end, offset);
        parsed.modulus = certificate[offset + MODULUS_AT:offset + MODULUS_AT + KeyPlaces.MODULUS_BYTES];
        // a number of 4096 bits
        _require(uint8(parsed.modulus[0]) > 0x7f, offset + MODULUS_AT);
        bytes calldata subjectId = certificate[offset + SUBJECT_ID_AT:offset + SUBJECT_ID_AT + AmdForms.KEY_ID_BYTES];
        bytes memory wanted = _keyAndExtensions(parsed, subjectId, bytes20(uint160(AmdForms.rootKeyId(keys, line))));
        _require(keccak256(certificate[offset:end]) == keccak256(wanted), offset);
    }

    /// @dev Returns what must follow the subject's name.
    function _keyAndExtensions(Intermediate memory parsed, bytes calldata subjectId, bytes20 rootId)
        private
        pure
        returns (bytes memory)
    {
        bytes memory start = abi.encodePacked(KEY_HEAD, parsed.modulus, EXPONENT_TO_SUBJECT_ID, subjectId);
        string memory kind = parsed.kind == AmdForms.VCEK ? "vcek" : "vlek";
        bytes memory list = abi.encodePacked("https://kdsintf.amd.com/", kind, "/v1/", _nameOf(parsed.line), "/crl");
        return abi.encodePacked(start, TO_ROOT_ID, rootId, TO_ADDRESS, list);
    }

    function _nameOf(uint256 line) private pure returns (string memory) {
        if (line == AmdForms.MILAN) return "Milan";
        return line == AmdForms.GENOA ? "Genoa" : "Turin";
    }

    function _require(bool holds, uint256 offset) private pure {
        if (!holds) revert Der.DerMalformed(offset);
    }
}
