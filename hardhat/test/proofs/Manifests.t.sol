// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {Manifests} from "../../../contracts/proofs/Manifests.sol";
import {ManifestSignatures} from "../../../contracts/proofs/ManifestSignatures.sol";
import {SnpVerifier} from "../../../contracts/amd/SnpVerifier.sol";
import {SimulatorVerifier} from "../../../contracts/testing/SimulatorVerifier.sol";
import {VM} from "../support/Vm.sol";

contract ManifestReader {
    function names(bytes calldata payload, uint256 at, bytes32 digest) external pure returns (bytes32) {
        return Manifests.requireNames(payload, at, digest);
    }

    function model(bytes calldata payload) external pure returns (bytes32) {
        return Manifests.modelDigest(payload, 0);
    }

    function bound(SnpVerifier verifier, bytes calldata report, bytes calldata key) external pure {
        ManifestSignatures.requireBound(verifier, report, key);
    }
}

/// @dev Manifests whose bytes are made here, and what is read of them.
contract ManifestsTest {
    bytes32 private constant DIGEST = bytes32(uint256(0xd16e57));
    string private constant HEAD = '"predicateType":"https://slsa.dev/provenance/v1","subject":[';
    string private constant HASH = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    ManifestReader private _reader = new ManifestReader();

    function testFuzz_aManifestNamesItsReport(bytes32 digest, bytes memory before) public view {
        bytes memory member = _member("", digest);
        VM.assertEq(_reader.names(abi.encodePacked(before, member), before.length, digest), 0, "no publisher");
    }

    function test_aPublisherIsALine() public {
        bytes32 found = _reader.names(_member('"publisher":{"identity":"key 12"},', DIGEST), 0, DIGEST);
        VM.assertEq(found, sha256("provenance-identity-v1\nkey 12\n"), "publisher");
        _refuse(52);
        _reader.names(_member('"publisher":{"identity":"key 1\\"},', DIGEST), 0, DIGEST);
        _refuse(52);
        _reader.names(_member('"publisher":{"identity":"key 1\n"},', DIGEST), 0, DIGEST);
        bytes memory unended = '"internalParameters":{"publisher":{"identity":"key';
        _refuse(unended.length);
        _reader.names(unended, 0, DIGEST);
        _refuse(56);
        _reader.names(_member('"publisher":{"identity":"key 12"},,', DIGEST), 0, bytes32(uint256(1)));
    }

    function test_theListOfFiles() public view {
        bytes32 one = sha256(bytes.concat("provenance-model-v1\n", bytes(HASH), " 0 a\n"));
        VM.assertEq(_reader.model(_list(_file("0", "", "a"))), one, "one file");
        bytes memory two = bytes.concat(_file("0", "", "a"), ",", _file("4096", _sha256(), "a b"));
        bytes memory lines = bytes.concat("provenance-model-v1\n", bytes(HASH), " 0 a\n", bytes(HASH), " 4096 a b\n");
        VM.assertEq(_reader.model(_list(two)), sha256(lines), "two files");
    }

    function test_whatIsNotSuchAListIsRefused() public {
        uint256 path = bytes(HEAD).length + _file("0", "", "").length - 2;
        bytes[13] memory lists = [
            _file("01", "", "a"),
            _file("", "", "a"),
            _file("12345678901234567", "", "a"),
            _file("0", "", ""),
            _file("0", "", "\\"),
            bytes.concat(_file("0", "", "b"), ",", _file("0", "", "a")),
            bytes.concat(_file("0", "", "a"), ",", _file("0", "", "a")),
            bytes.concat(_file("0", "", "a"), ","),
            bytes.concat(_file("0", "", "a"), " "),
            "",
            '{"annotations":{"size":0},"digest":{"sha256":"',
            _file("0", bytes('","sha256":"zz'), "a"),
            _file("0", bytes('","sha1":"zz'), "a")
        ];
        for (uint256 i = 0; i < lists.length; ++i) {
            VM.expectPartialRevert(Manifests.ManifestMalformed.selector);
            _reader.model(_list(lists[i]));
        }
        VM.expectPartialRevert(Manifests.ManifestMalformed.selector);
        _reader.model(bytes.concat(bytes(HEAD), _file("0", "", "a"), "]} "));
        VM.expectPartialRevert(Manifests.ManifestMalformed.selector);
        _reader.model(bytes.concat(bytes(HEAD), _file("0", "", "a")));
        _refuse(path);
        _reader.model(_list(_file("0", "", "")));
    }

    function test_aKeyIsBoundByEitherDigest() public {
        SnpVerifier verifier = new SimulatorVerifier();
        bytes memory key = "a key";
        bytes memory report = new bytes(0x4a0);
        _put(report, 0x050, sha256(key));
        _reader.bound(verifier, report, key);
        (bytes32 high, bytes32 low) = verifier.sha384(key);
        _put(report, 0x050, high);
        _put(report, 0x070, low);
        _reader.bound(verifier, report, key);
        for (uint256 at = 0x050; at < 0x090; at += 0x3f) {
            report[at] ^= 0x01;
            VM.expectRevert(ManifestSignatures.KeyNotBound.selector);
            _reader.bound(verifier, report, key);
            report[at] ^= 0x01;
        }
    }

    function _refuse(uint256 at) private {
        VM.expectRevert(abi.encodeWithSelector(Manifests.ManifestMalformed.selector, at));
    }

    function _member(string memory publisher, bytes32 digest) private pure returns (bytes memory) {
        string memory hexed = string(Manifests.hexOf(digest));
        return bytes(string.concat('"internalParameters":{', publisher, '"snpReport":{"sha256":"', hexed, '"}}'));
    }

    function _list(bytes memory files) private pure returns (bytes memory) {
        return bytes.concat(bytes(HEAD), files, "]}");
    }

    function _file(string memory size, bytes memory more, string memory path) private pure returns (bytes memory) {
        string memory digest = string.concat('},"digest":{"fsverity_sha256_4096":"', HASH, string(more));
        return bytes(string.concat('{"annotations":{"size":', size, digest, '"},"name":"', path, '"}'));
    }

    function _sha256() private pure returns (bytes memory) {
        return bytes(string.concat('","sha256":"', HASH));
    }

    function _put(bytes memory data, uint256 at, bytes32 word) private pure {
        assembly ("memory-safe") {
            mstore(add(add(data, 32), at), word)
        }
    }
}
