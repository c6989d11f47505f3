// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {RecordCodec} from "../../../contracts/lib/RecordCodec.sol";
import {Record} from "../../../contracts/Types.sol";
import {VM} from "../support/Vm.sol";

contract Decoder {
    function decode(bytes calldata record) external pure returns (Record memory) {
        return RecordCodec.decode(record);
    }
}

/// @dev A record has exactly one encoding.
contract RecordCodecTest {
    Decoder private _decoder;

    function setUp() public {
        _decoder = new Decoder();
    }

    function testFuzz_decodesWhatItEncoded(Record memory record) public view {
        _cutTexts(record);
        Record memory decoded = _decoder.decode(RecordCodec.encode(record));
        VM.assertEq(abi.encode(decoded), abi.encode(record), "record");
    }

    /// @dev The layout, field by field.
    function testFuzz_encodesAsItSays(Record memory record) public pure {
        _cutTexts(record);
        bytes memory digests = abi.encodePacked(
            record.modelDigest,
            record.manifestDigest,
            record.verdictDigest,
            record.reportDigest,
            record.policyDigest,
            record.publisherIdentity
        );
        bytes memory facts = abi.encodePacked(
            record.productLine,
            record.grade,
            record.revision,
            record.policyId,
            record.judgedAt,
            uint56(record.passed ? 1 : 0),
            record.checks,
            record.reportedTcb
        );
        bytes memory namespace = abi.encodePacked(uint8(bytes(record.namespace).length), record.namespace);
        bytes memory release = abi.encodePacked(uint8(bytes(record.release).length), record.release);
        bytes memory wanted = bytes.concat(digests, facts, namespace, release, abi.encodePacked(record.parents));
        VM.assertEq(RecordCodec.encode(record), wanted, "bytes");
    }

    function testFuzz_cutShortOrDecodedEqual(Record memory record, uint256 length) public view {
        _cutTexts(record);
        bytes memory encoded = RecordCodec.encode(record);
        length %= encoded.length;
        assembly ("memory-safe") {
            mstore(encoded, length)
        }
        _malformedOrTheOnlyEncoding(encoded);
    }

    function testFuzz_extendedOrDecodedEqual(Record memory record, bytes memory more) public view {
        _cutTexts(record);
        _malformedOrTheOnlyEncoding(bytes.concat(RecordCodec.encode(record), more));
    }

    function testFuzz_alteredOrDecodedEqual(Record memory record, uint256 place, bytes1 change) public view {
        _cutTexts(record);
        bytes memory encoded = RecordCodec.encode(record);
        encoded[place % encoded.length] ^= change;
        _malformedOrTheOnlyEncoding(encoded);
    }

    /// @dev Alters the bytes that determine how the rest is read.
    function testFuzz_lengthsAlteredOrDecodedEqual(Record memory record, uint8 first, uint8 second) public view {
        _cutTexts(record);
        bytes memory encoded = RecordCodec.encode(record);
        encoded[225 + uint256(uint8(encoded[224]))] = bytes1(second);
        encoded[224] = bytes1(first);
        _malformedOrTheOnlyEncoding(encoded);
    }

    function testFuzz_anythingOrDecodedEqual(bytes memory anything) public view {
        _malformedOrTheOnlyEncoding(anything);
    }

    function test_theShortestRecord() public view {
        Record memory empty;
        VM.assertEq(_decodeOr(new bytes(226)), abi.encode(empty), "226 zeros");
        VM.assertEq(_decodeOr(new bytes(225)), abi.encodeWithSelector(RecordCodec.RecordMalformed.selector, 225), "225");
    }

    function test_everyCutOfARecordWithParents() public view {
        Record memory record;
        (record.namespace, record.release, record.parents) = ("acme", "model@1", new bytes32[](2));
        bytes memory encoded = RecordCodec.encode(record);
        uint256 parents = encoded.length - 64;
        for (uint256 length = encoded.length - 1; length > 0; --length) {
            assembly ("memory-safe") {
                mstore(encoded, length)
            }
            bool whole = length == parents || length == parents + 32;
            VM.assertEq(_isDecoded(encoded), whole, VM.toString(length));
        }
    }

    function test_reservedBits() public view {
        Record memory record;
        for (uint256 bit = 0; bit < 256; ++bit) {
            bytes memory encoded = RecordCodec.encode(record);
            encoded[223 - bit / 8] |= bytes1(uint8(1 << bit % 8));
            VM.assertEq(_isDecoded(encoded), bit < 97 || bit >= 152, VM.toString(bit));
        }
    }

    function _malformedOrTheOnlyEncoding(bytes memory encoded) private view {
        try _decoder.decode(encoded) returns (Record memory record) {
            VM.assertEq(RecordCodec.encode(record), encoded, "another encoding of the same record");
        } catch (bytes memory reason) {
            bytes memory wanted = abi.encodeWithSelector(RecordCodec.RecordMalformed.selector, encoded.length);
            VM.assertEq(reason, wanted, "reason");
        }
    }

    function _isDecoded(bytes memory encoded) private view returns (bool decoded) {
        (decoded,) = address(_decoder).staticcall(abi.encodeCall(Decoder.decode, encoded));
    }

    /// @dev Returns the decoded record, or the error.
    function _decodeOr(bytes memory encoded) private view returns (bytes memory) {
        try _decoder.decode(encoded) returns (Record memory record) {
            return abi.encode(record);
        } catch (bytes memory reason) {
            return reason;
        }
    }

    /// @dev Cuts the texts to 255 bytes, the most that their length byte can express.
    function _cutTexts(Record memory record) private pure {
        (string memory namespace, string memory release) = (record.namespace, record.release);
        assembly ("memory-safe") {
            if gt(mload(namespace), 255) { mstore(namespace, 255) }
            if gt(mload(release), 255) { mstore(release, 255) }
        }
    }
}
