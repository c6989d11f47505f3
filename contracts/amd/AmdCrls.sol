// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {AmdForms} from "./AmdForms.sol";
import {Der} from "./Der.sol";
import {KeyPlaces} from "./KeyPlaces.sol";
import {Pss} from "./Pss.sol";
import {Sha384} from "./Sha384.sol";

/**
 * @title Revocation lists of AMD's roots
 * @notice RFC 5280, section 5.1, in the form that AMD gives them; the frame is that of {AmdForms}. The signed part:
 *
 *     02 01 01                                version 2
 *     30 ..                                   RSASSA-PSS
 *     30 7b ..                                issuer: ARK-Milan, ARK-Genoa or ARK-Turin
 *     UTCTime UTCTime                         this update, next update
 *     30 .. { 30 .. { 02 .., UTCTime, 30 .. } .. }    revoked serial numbers; left out if there are none
 *     a0 .. { 30 .. { two extensions } }      authority key identifier and CRL number
 *
 * The authority key identifier is the root's. The last part of an entry, its extensions, is seldom there. No extension
 * of an entry or of the list may be critical: so a list is complete, and its serial numbers are those of certificates
 * that its own issuer signed.
 */
library AmdCrls {
    using AmdForms for bytes;
    using Der for bytes;

    /// @notice A list. Times are in seconds since 1970; the product line is as in {AmdForms}.
    struct Crl {
        uint256 line;
        uint256 thisUpdate;
        uint256 nextUpdate;
        uint256[] serials;
    }

    /// @dev Thrown when the root that a list names did not sign it.
    error CrlNotSigned();

    /// @dev The fixed fields come to less, so they are within the bytes.
    uint256 private constant SIGNED_LEAST_BYTES = 280;
    uint256 private constant VERSION_2 = 0x020101;
    /// @dev An entry has at least a serial number of one byte and a time, each with its header, in a header.
    uint256 private constant ENTRY_LEAST_BYTES = 20;
    // An extension 2.5.29.x that is not critical begins with 06 03 55 1d x 04; these are the x of a list.
    uint256 private constant EXTENSION = 0x0603551d0004;
    uint256 private constant CRL_NUMBER = 20;
    uint256 private constant AUTHORITY_KEY_ID = 35;
    uint256 private constant KEY_ID = 0x30168014; // SEQUENCE { [0] 20 bytes }

    /// @dev Returns what a list says. Reverts with {Der-DerMalformed} or {AmdForms-UnknownAuthority} unless it has the
    /// form, and with {CrlNotSigned} unless its root signed it.
    /// @param keys The contract whose code holds the moduli, as {AmdKeys} does.
    function verify(bytes calldata crl, address keys) internal view returns (Crl memory parsed) {
        uint256 end;
        (parsed, end) = _parse(crl, keys);
        uint256 length = end - AmdForms.SIGNED_AT;
        uint256 context = Sha384.newContext();
        uint256 digest = Sha384.newDigest();
        Sha384.hash(context, Sha384.copy(crl, AmdForms.SIGNED_AT, length), length, digest);
        uint256 place = KeyPlaces.rootAt(parsed.line);
        if (!Pss.verify(context, keys, place, AmdForms.signatureOf(crl), digest)) revert CrlNotSigned();
    }

    /// @dev Returns the fields, and where the signed part ends.
    function _parse(bytes calldata crl, address keys) private view returns (Crl memory parsed, uint256 end) {
        uint256 offset;
        (offset, end) = crl.signedPart(SIGNED_LEAST_BYTES);
        if (crl.word(offset) >> 232 != VERSION_2) revert Der.DerMalformed(offset);
        offset = crl.afterAlgorithm(offset + 3, end);
        (parsed.line, offset) = crl.rootAt(offset);
        parsed.thisUpdate = crl.utcTime(offset);
        parsed.nextUpdate = crl.utcTime(offset + Der.TIME_BYTES);
        offset += 2 * Der.TIME_BYTES;
        if (crl.word(offset) >> 248 == 0x30) (parsed.serials, offset) = _serials(crl, offset, end);
        _requireListExtensions(crl, offset, end, AmdForms.rootKeyId(keys, parsed.line));
    }

    function _serials(bytes calldata crl, uint256 offset, uint256 limit)
        private
        pure
        returns (uint256[] memory serials, uint256 end)
    {
        (offset, end) = crl.open(offset, 0x30, limit);
        // DER leaves an empty list out
        if (offset == end) revert Der.DerMalformed(offset);
        serials = new uint256[]((end - offset) / ENTRY_LEAST_BYTES);
        uint256 count = 0;
        while (offset < end) {
            (uint256 begin, uint256 next) = crl.open(offset, 0x30, end);
            uint256 serial;
            (serial, offset) = crl.unsigned(begin, next);
            // A root signs few certificates, so lists are short.
            for (uint256 i = 0; i < count; ++i) {
                if (serials[i] == serial) revert Der.DerMalformed(begin);
            }
            serials[count++] = serial;
            crl.utcTime(offset);
            offset += Der.TIME_BYTES;
            if (offset != next) _requireEntryExtensions(crl, offset, next);
            offset = next;
        }
        assembly ("memory-safe") {
            mstore(serials, count)
        }
    }

    /// @dev Requires [0] { SEQUENCE { the two extensions, in any order } } up to the end of the signed part.
    function _requireListExtensions(bytes calldata crl, uint256 offset, uint256 limit, uint256 rootKeyId) private pure {
        uint256 begin = _openToEnd(crl, _openToEnd(crl, offset, 0xa0, limit), 0x30, limit);
        uint256 seen = 0;
        while (begin < limit) {
            (uint256 number, uint256 content, uint256 next) = _extension(crl, begin, limit, seen);
            if (number == CRL_NUMBER) {
                (, uint256 end) = crl.unsigned(content, next);
                if (end != next) revert Der.DerMalformed(content);
            } else if (number == AUTHORITY_KEY_ID) {
                bool isRoots =
                    next - content == 4 + AmdForms.KEY_ID_BYTES && crl.word(content) >> 64 == KEY_ID << 160 | rootKeyId;
                if (!isRoots) revert Der.DerMalformed(content);
            }
            seen |= 1 << number;
            begin = next;
        }
        if (seen != 1 << CRL_NUMBER | 1 << AUTHORITY_KEY_ID) revert Der.DerMalformed(offset);
    }

    /// @dev Requires SEQUENCE { one or more extensions } up to `limit`. What they say is not looked at.
    function _requireEntryExtensions(bytes calldata crl, uint256 offset, uint256 limit) private pure {
        offset = _openToEnd(crl, offset, 0x30, limit);
        if (offset == limit) revert Der.DerMalformed(offset);
        uint256 seen = 0;
        while (offset < limit) {
            (uint256 number,, uint256 next) = _extension(crl, offset, limit, seen);
            seen |= 1 << number;
            offset = next;
        }
    }

    /// @dev Reads SEQUENCE { 2.5.29.x, OCTET STRING } with an x that was not seen yet; returns x, and where the content
    /// of the OCTET STRING begins and ends.
    function _extension(bytes calldata crl, uint256 offset, uint256 limit, uint256 seen)
        private
        pure
        returns (uint256 number, uint256 content, uint256 next)
    {
        (content, next) = crl.open(offset, 0x30, limit);
        uint256 head = crl.word(content) >> 208;
        number = uint8(head >> 8);
        // above 127 another byte would follow
        bool isExtension = head == EXTENSION | number << 8 && number < 128 && seen >> number & 1 == 0;
        if (!isExtension) revert Der.DerMalformed(content);
        content = _openToEnd(crl, content + 5, 0x04, next);
    }

    /// @dev Opens a value that must end at `end`; returns where its content begins.
    function _openToEnd(bytes calldata der, uint256 offset, uint256 tag, uint256 end)
        private
        pure
        returns (uint256 begin)
    {
        uint256 stop;
        (begin, stop) = der.open(offset, tag, end);
        if (stop != end) revert Der.DerMalformed(offset);
    }
}
