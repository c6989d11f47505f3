// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {AmdForms} from "./AmdForms.sol";
import {Der} from "./Der.sol";

/**
 * @title VCEK and VLEK certificates, in the one form that AMD gives them
 * @notice AMD 57230 (Versioned Chip Endorsement Key Certificate and KDS Interface Specification), RFC 5280, section
 * 4.1:
 *
 *     30 82 ....                                  Certificate
 *         30 82 ....                              TBSCertificate, the signed part
 *             a0 03 02 01 02                      version 3
 *             02 ..                               serial number; AMD writes 0
 *             30 ..                               RSASSA-PSS, see {AmdForms}
 *             30 ..                               issuer: SEV-Milan .. SEV-VLEK-Turin
 *             30 1e { UTCTime UTCTime }           validity
 *             30 7a                               subject: SEV-VCEK or SEV-VLEK
 *             30 76 .. 04 x y                     P-384 key
 *             a3 .. { 30 .. { extensions } }      30 .. { 06 .. identifier, 04 .. value }
 *         30 ..                                   the same algorithm
 *         03 82 02 01 00 ..                       signature, 512 bytes
 *
 * Every byte of it is accounted for: it is fixed and compared, or it is part of serial number, dates, key, or value of
 * one of AMD's extensions, each of which a kind of certificate has exactly once, and no other.
 */
library VekCertificates {
    using AmdForms for bytes;
    using Der for bytes;

    /**
     * @notice What a certificate says.
     * @param facts From the lowest bit: TCB 64 (as the number REPORTED_TCB is) | notBefore 40 | notAfter 40 | product
     * line 8 (1 Milan, 2 Genoa, 3 Turin) | kind of key 8 (0 VCEK, 1 VLEK). Dates are in seconds since 1970.
     * @param chip keccak256 of the 64 bytes that a report's CHIP_ID must be.
     * @param provider keccak256 of a VLEK's CSP id; 0 for a VCEK.
     * @param keyAt The position of the 96 bytes of the public key.
     * @param signedBytes The length of the signed part, which begins at {AmdForms-SIGNED_AT}.
     */
    struct Vek {
        uint256 facts;
        bytes32 chip;
        bytes32 provider;
        uint256 keyAt;
        uint256 signedBytes;
    }

    /// @dev Thrown when a certificate has another form; `offset` is where it differs, or where the part begins that
    /// does.
    error CertificateMalformed(uint256 offset);

    uint256 internal constant KEY_BYTES = 96;
    /// @dev keccak256 of 64 zero bytes: the CHIP_ID of a report that a VLEK signed, or that hides its chip.
    bytes32 internal constant NO_CHIP = 0xad3228b676f7d3cd4284a5443f17f1962b36e491b30a40b2405849e597ba5fb5;

    /// @dev What the fixed parts and the least extensions come to; positions up to the extensions are below it.
    uint256 private constant SIGNED_LEAST_BYTES = 600;
    uint256 private constant SUBJECT_BYTES = 124;
    bytes32 private constant SEV_VCEK = 0xf82c4874306737e92a7ebcbbd0bfe658eb52e4cf17341a003d5837a6732fdf34;
    bytes32 private constant SEV_VLEK = 0xddb0de2a11238f8e9d94ae907cfda7a43052a4974334db4e9d5e2c52b5287742;
    /// @dev SEQUENCE { SEQUENCE { id-ecPublicKey, secp384r1 }, BIT STRING without unused bits: 04 .. }
    uint256 private constant P384_KEY = 0x3076301006072a8648ce3d020106052b8104002203620004;
    uint256 private constant P384_KEY_HEAD_BYTES = 24;
    uint256 private constant AMD_ARC = 0x2b060104019c7801; // 1.3.6.1.4.1.3704.1

    // An extension's number is its bit in a set of those seen: .1 and .2 have 0 and 1, .3.k has 2 + k, .4 and .5 have
    // 12 and 13. Their meaning: structVersion, productName, components of the TCB, hwID, CSP id.
    uint256 private constant STRUCT_VERSION = 0;
    uint256 private constant PRODUCT_NAME = 1;
    uint256 private constant HWID = 12;
    uint256 private constant CSP_ID = 13;
    uint256 private constant LEGACY_SET = 0x7fb; // .1 .2 .3.1 to .3.8
    uint256 private constant TURIN_SET = 0xfbb; // .1 .2 .3.1 to .3.9 without .3.4

    /// @dev Parses a certificate; nothing in it is trusted. Reverts with {CertificateMalformed}, {Der-DerMalformed} or
    /// {AmdForms-UnknownAuthority} unless it has the form.
    function parse(bytes calldata vek) internal pure returns (Vek memory parsed) {
        unchecked {
            // (1) the frame, version and serial number, algorithm
            (uint256 offset, uint256 end) = vek.signedPart(SIGNED_LEAST_BYTES);
            parsed.signedBytes = end - AmdForms.SIGNED_AT;
            _require(vek.word(offset) >> 216 == AmdForms.VERSION_3, offset);
            // AMD has written 0 as the serial number so far. Nothing is made of it.
            (, offset) = vek.unsigned(offset + AmdForms.VERSION_BYTES, end);
            offset = vek.afterAlgorithm(offset, end);
            // (2) issuer, validity, subject
            uint256 line;
            uint256 kind;
            (line, kind, offset) = vek.intermediateAt(offset);
            _require(vek.word(offset) >> 240 == AmdForms.VALIDITY, offset);
            parsed.facts = vek.utcTime(offset + 2) << 64 | vek.utcTime(offset + 2 + Der.TIME_BYTES) << 104;
            parsed.facts |= line << 144 | kind << 152;
            offset += 2 + 2 * Der.TIME_BYTES;
            _require(
                keccak256(vek[offset:offset + SUBJECT_BYTES]) == (kind == AmdForms.VCEK ? SEV_VCEK : SEV_VLEK), offset
            );
            offset += SUBJECT_BYTES;
            // (3) the key
            _require(vek.word(offset) >> 64 == P384_KEY, offset);
            parsed.keyAt = offset + P384_KEY_HEAD_BYTES;
            // (4) AMD's extensions
            _readExtensions(vek, parsed.keyAt + KEY_BYTES, end, parsed, line, kind);
        }
    }

    /// @dev Fills in the components of the TCB, chip and provider. Each extension of the line and kind must be there
    /// once.
    function _readExtensions(
        bytes calldata vek,
        uint256 offset,
        uint256 end,
        Vek memory parsed,
        uint256 line,
        uint256 kind
    ) private pure {
        unchecked {
            uint256 stop;
            (offset, stop) = vek.open(offset, 0xa3, end);
            _require(stop == end, offset);
            (offset, stop) = vek.open(offset, 0x30, end);
            _require(stop == end, offset);
            uint256 seen = 0;
            uint256 facts = 0;
            while (offset < end) {
                (uint256 number, uint256 begin, uint256 next) = _extension(vek, offset, end);
                _require(seen >> number & 1 == 0, offset);
                seen |= 1 << number;
                if (number == HWID) parsed.chip = _chip(vek, begin, next, line);
                else if (number == CSP_ID) parsed.provider = _provider(vek, begin, next);
                else facts |= _fact(vek, begin, next, number, line);
                offset = next;
            }
            uint256 wanted = 1 << (kind == AmdForms.VCEK ? HWID : CSP_ID);
            wanted |= line == AmdForms.TURIN ? TURIN_SET : LEGACY_SET;
            _require(seen == wanted, end);
            parsed.facts |= facts;
            if (kind == AmdForms.VLEK) parsed.chip = NO_CHIP;
        }
    }

    /// @dev Reads 30 l 06 (09 | 0a) arc (x | 03 k) 04 v value; such an extension is not critical. Returns its number,
    /// and where its value begins and ends.
    function _extension(bytes calldata vek, uint256 offset, uint256 end)
        private
        pure
        returns (uint256 number, uint256 begin, uint256 next)
    {
        unchecked {
            uint256 head = vek.word(offset);
            (number, begin) = _numberIn(head, offset);
            begin += offset + 6;
            // Both lengths are below 0x80: from there on DER writes them in another form.
            uint256 length = uint8(head >> 240);
            next = offset + 2 + length;
            _require(length < 0x80 && begin <= next && next <= end, offset);
            _require(vek.word(begin - 2) >> 240 == 0x0400 + next - begin, offset);
        }
    }

    /// @dev Returns the number of the extension that begins with this word, and the length of its identifier.
    function _numberIn(uint256 head, uint256 offset) private pure returns (uint256 number, uint256 idBytes) {
        unchecked {
            _require(head >> 248 == 0x30 && uint8(head >> 232) == 0x06 && uint64(head >> 160) == AMD_ARC, offset);
            idBytes = uint8(head >> 224);
            uint256 arc = uint8(head >> 152);
            if (idBytes == 9) {
                _require(arc == 1 || arc == 2 || arc == 4 || arc == 5, offset);
                return (arc < 3 ? arc - 1 : arc + 8, idBytes);
            }
            uint256 component = uint8(head >> 144);
            _require(idBytes == 10 && arc == 3 && component != 0 && component < 10, offset);
            return (2 + component, idBytes);
        }
    }

    /// @dev Checks structVersion or productName, or returns the bits of a component of the TCB.
    function _fact(bytes calldata vek, uint256 begin, uint256 next, uint256 number, uint256 line)
        private
        pure
        returns (uint256)
    {
        unchecked {
            uint256 length = next - begin;
            uint256 value = vek.word(begin);
            // A value begins with its tag, which is not 0: so no two values have the same number.
            _require(length < 33 && value >> 248 != 0, begin);
            value >>= 256 - 8 * length;
            if (number == PRODUCT_NAME) {
                _require(_isProduct(value, line), begin);
                return 0;
            }
            // an INTEGER of 0 to 255 in its shortest form
            uint256 integer = uint8(value);
            _require(value >> 8 == (integer < 0x80 ? 0x0201 : 0x020200), begin);
            if (number != STRUCT_VERSION) return _component(integer, number - 2, line, begin);
            _require(integer == (line == AmdForms.TURIN ? 1 : 0), begin);
            return 0;
        }
    }

    /// @dev IA5Strings.
    function _isProduct(uint256 value, uint256 line) private pure returns (bool) {
        if (line == AmdForms.GENOA) return value == 0x160547656e6f61; // Genoa
        if (line == AmdForms.TURIN) return value == 0x1605547572696e; // Turin
        // Milan (a VLEK's), Milan-B0 (of every stepping so far), Milan-B1
        return value == 0x16054d696c616e || value == 0x16084d696c616e2d4230 || value == 0x16084d696c616e2d4231;
    }

    /// @dev Returns the bits of component .3.k in a TCB version (AMD 56860, TCB_VERSION): bootloader, tee, snp, four
    /// reserved ones, microcode, and fmc on Turin.
    function _component(uint256 integer, uint256 k, uint256 line, uint256 offset) private pure returns (uint256) {
        unchecked {
            if (k == 8) return integer << 56;
            if (k > 3 && k < 8) {
                _require(integer == 0, offset);
                return 0;
            }
            if (line == AmdForms.TURIN) return k == 9 ? integer : integer << 8 * k;
            return k == 3 ? integer << 48 : integer << 8 * (k - 1);
        }
    }

    /// @dev A hwID is raw: 64 bytes, on Turin 8, which 56 zeros follow in a report.
    function _chip(bytes calldata vek, uint256 begin, uint256 next, uint256 line) private pure returns (bytes32) {
        _require(next - begin == (line == AmdForms.TURIN ? 8 : 64), begin);
        if (line != AmdForms.TURIN) return keccak256(vek[begin:next]);
        return keccak256(abi.encode(vek.word(begin) >> 192 << 192, 0));
    }

    /// @dev An IA5String of 1 to 125 printable characters.
    function _provider(bytes calldata vek, uint256 begin, uint256 next) private pure returns (bytes32) {
        unchecked {
            uint256 length = next - begin;
            _require(length > 2 && vek.word(begin) >> 240 == 0x1600 + length - 2, begin);
            for (uint256 i = begin + 2; i < next; ++i) {
                uint256 character = vek.word(i) >> 248;
                _require(character > 0x1f && character < 0x7f, i);
            }
            return keccak256(vek[begin + 2:next]);
        }
    }

    function _require(bool holds, uint256 offset) private pure {
        if (!holds) revert CertificateMalformed(offset);
    }
}
