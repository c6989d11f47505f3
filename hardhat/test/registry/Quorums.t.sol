// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";
import {IOracleSets} from "../../../contracts/IOracleSets.sol";
import {IProvenanceRegistry} from "../../../contracts/IProvenanceRegistry.sol";
import {Oracle, Quorum} from "../../../contracts/Types.sol";
import {FromShipped, FromSource, RegistryBehaviour} from "../support/RegistryBehaviour.sol";
import {VM} from "../support/Vm.sol";

/// @dev Quorums that do not count as enough valid signatures, each with its own error. Oracles are numbered from 0.
abstract contract QuorumsBehaviour is RegistryBehaviour {
    bytes32 internal constant HASH = keccak256("some struct");
    // The highest s that an account may use is half the curve's order.
    uint256 internal constant HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;

    function test_threeOfFive() public view {
        VM.assertEq(registry.requireQuorum(HASH, _over(7)), 3, "the first three");
        VM.assertEq(registry.requireQuorum(HASH, _over(28)), 3, "the last three");
        VM.assertEq(registry.requireQuorum(HASH, _over(21)), 3, "every other one");
        VM.assertEq(registry.requireQuorum(HASH, _over(31)), 5, "all");
    }

    function testFuzz_enoughIsEnough(uint32 signers) public {
        signers &= 31;
        uint256 weight = 0;
        for (uint256 i = 0; i < SIZE; ++i) {
            weight += signers >> i & 1;
        }
        Quorum memory quorum = _over(signers);
        if (weight < THRESHOLD) VM.expectRevert(_tooSmall(weight));
        uint16 got = registry.requireQuorum(HASH, quorum);
        if (weight >= THRESHOLD) VM.assertEq(got, weight, "weight");
    }

    function test_tooFewSignatures() public {
        _refused(Quorum(1, 0, ""), _tooSmall(0));
        _refused(_over(3), _tooSmall(2));
    }

    function test_aSignatureCountsOnce() public {
        bytes memory twice = bytes.concat(_sign(32), _sign(32), _sign(34));
        _refused(Quorum(1, 7, twice), _wrong(1, _account(32), _account(33)));
    }

    function test_signaturesInAnotherOrder() public {
        bytes memory swapped = bytes.concat(_sign(33), _sign(32), _sign(34));
        _refused(Quorum(1, 7, swapped), _wrong(0, _account(33), _account(32)));
    }

    function test_aStrangersSignature() public {
        _refused(Quorum(1, 7, bytes.concat(_sign(32), _sign(33), _sign(1))), _wrong(2, _account(1), _account(34)));
    }

    function test_whatIsNoSignature() public {
        bytes memory nothing = new bytes(64);
        _refused(Quorum(1, 7, bytes.concat(nothing, _sign(33), _sign(34))), _wrong(0, address(0), _account(32)));
    }

    function test_highS() public {
        bytes memory high = abi.encodePacked(bytes32(uint256(1)), HALF_ORDER + 1);
        bytes memory signatures = bytes.concat(_sign(32), high, _sign(34));
        _refused(Quorum(1, 7, signatures), abi.encodeWithSelector(IOracleSets.HighS.selector, 1));
        bytes memory half = abi.encodePacked(bytes32(uint256(1)), HALF_ORDER);
        VM.expectPartialRevert(IOracleSets.WrongSigner.selector);
        registry.requireQuorum(HASH, Quorum(1, 7, bytes.concat(_sign(32), half, _sign(34))));
    }

    function test_signaturesCutShort() public {
        bytes memory signatures = _over(7).signatures;
        for (uint256 length = 0; length < signatures.length; ++length) {
            uint256 wanted = 64 * (length / 64 + 1);
            _refused(Quorum(1, 7, _head(signatures, length)), _length(length, wanted));
        }
    }

    function test_bytesAfterTheSignatures() public {
        bytes memory signatures = _over(7).signatures;
        _refused(Quorum(1, 7, bytes.concat(signatures, hex"00")), _length(193, 192));
        _refused(Quorum(1, 7, bytes.concat(signatures, _sign(35))), _length(256, 192));
    }

    function test_signaturesOf65Bytes() public {
        bytes32 digest = _typed("ProvenanceRegistry", address(registry), HASH);
        bytes memory plain = bytes.concat(_plain(32, digest), _plain(33, digest), _plain(34, digest));
        VM.expectPartialRevert(IOracleSets.WrongSigner.selector);
        registry.requireQuorum(HASH, Quorum(1, 7, plain));
    }

    function test_bitsAboveTheLastOracle() public {
        for (uint256 bit = SIZE; bit < 32; ++bit) {
            uint32 signers = uint32(7 | 1 << bit);
            _refused(_over(signers), abi.encodeWithSelector(IOracleSets.UnknownOracle.selector, 1, SIZE));
        }
    }

    function test_epochsThatNeverWere() public {
        _refused(Quorum(0, 7, _over(7).signatures), abi.encodeWithSelector(IOracleSets.StaleEpoch.selector, 0, 1));
        _refused(Quorum(2, 7, _over(7).signatures), abi.encodeWithSelector(IOracleSets.StaleEpoch.selector, 2, 1));
    }

    function test_anotherContent() public {
        Quorum memory quorum = _over(7);
        bytes32 other = keccak256("another struct");
        address recovered = _recover(_typed("ProvenanceRegistry", address(registry), other), quorum.signatures);
        VM.expectRevert(_wrong(0, recovered, _account(32)));
        registry.requireQuorum(other, quorum);
    }

    function test_anotherContract() public {
        bytes32 there = _typed("ProvenanceRegistry", address(0xBEEF), HASH);
        _signedForElsewhere(there);
    }

    function test_anotherDomainsName() public {
        _signedForElsewhere(_typed("ProvenanceNamespaces", address(registry), HASH));
    }

    function test_noDomainAtAll() public {
        _signedForElsewhere(HASH);
    }

    function test_anotherChain() public {
        uint256 here = block.chainid;
        Quorum memory quorum = _over(7);
        VM.chainId(here + 1);
        bytes32 there = _typed("ProvenanceRegistry", address(registry), HASH);
        _refused(quorum, _wrong(0, _recover(there, quorum.signatures), _account(32)));
        VM.chainId(here);
        registry.requireQuorum(HASH, quorum);
    }

    /// @dev A signature for one registry is worthless for another with the same oracles.
    function test_aRecordForAnotherRegistry() public {
        IProvenanceRegistry other = _deploy(OWNER, GUARDIAN, DELAY, GRACE, _oracles(1, SIZE), THRESHOLD);
        bytes memory record = _bytes(_record(1));
        Quorum memory quorum = _signed(record);
        VM.expectPartialRevert(IOracleSets.WrongSigner.selector);
        other.publish(record, quorum);
        registry.publish(record, quorum);
    }

    /// @dev The epoch is signed: a member of two sets has not signed for both.
    function test_aSignatureForAnotherEpoch() public {
        bytes memory record = _bytes(_record(1));
        Quorum memory first = _signed(record);
        _rotate(_oracles(1, SIZE), THRESHOLD);
        VM.expectPartialRevert(IOracleSets.WrongSigner.selector);
        registry.publish(record, Quorum(2, first.signers, first.signatures));
    }

    function test_windowsHoldToTheSecond() public {
        Oracle[] memory oracles = _oracles(2, 3);
        oracles[1].validFrom = uint40(START + 10 days);
        oracles[1].validUntil = uint40(START + 20 days);
        _rotate(oracles, 3);
        bytes32 digest = _typed("ProvenanceRegistry", address(registry), HASH);
        Quorum memory quorum = _quorum(2, 7, digest);
        bytes memory reason = abi.encodeWithSelector(
            IOracleSets.OracleNotValid.selector, 1, oracles[1].validFrom, oracles[1].validUntil
        );
        VM.warp(START + 10 days - 1);
        _refused(quorum, reason);
        VM.warp(START + 10 days);
        registry.requireQuorum(HASH, quorum);
        VM.warp(START + 20 days - 1);
        registry.requireQuorum(HASH, quorum);
        VM.warp(START + 20 days);
        _refused(quorum, reason);
    }

    function test_weightsAreWhatCounts() public {
        Oracle[] memory oracles = _oracles(2, 3);
        oracles[0].weight = 60_000;
        oracles[1].weight = 5_000;
        oracles[2].weight = 535;
        _rotate(oracles, 60_500);
        bytes32 digest = _typed("ProvenanceRegistry", address(registry), HASH);
        VM.assertEq(registry.requireQuorum(HASH, _quorum(2, 3, digest)), 65_000, "the first two");
        VM.assertEq(registry.requireQuorum(HASH, _quorum(2, 5, digest)), 60_535, "the first and the last");
        VM.assertEq(registry.requireQuorum(HASH, _quorum(2, 7, digest)), 65_535, "all that 16 bits hold");
        _refused(_quorum(2, 6, digest), abi.encodeWithSelector(IOracleSets.QuorumTooSmall.selector, 5_535, 60_500));
    }

    function test_allOf32() public {
        _rotate(_oracles(2, 32), 32);
        bytes32 digest = _typed("ProvenanceRegistry", address(registry), HASH);
        VM.assertEq(registry.requireQuorum(HASH, _quorum(2, type(uint32).max, digest)), 32, "weight");
    }

    function test_tellsItsDomain() public view {
        (bytes1 fields, string memory name, string memory version, uint256 chain, address verifier, bytes32 salt,) =
            IERC5267(address(registry)).eip712Domain();
        VM.assertEq(bytes32(fields), bytes32(hex"0f"), "fields");
        VM.assertEq(name, "ProvenanceRegistry", "name");
        VM.assertEq(version, "1", "version");
        VM.assertEq(chain, block.chainid, "chain");
        VM.assertEq(verifier, address(registry), "contract");
        VM.assertEq(salt, bytes32(0), "salt");
    }

    /// @dev Returns good signatures over HASH by these oracles of the first epoch.
    function _over(uint32 signers) private view returns (Quorum memory) {
        return _quorum(1, signers, _typed("ProvenanceRegistry", address(registry), HASH));
    }

    function _sign(uint256 keyNumber) private view returns (bytes memory) {
        return _compact(keyNumber, _typed("ProvenanceRegistry", address(registry), HASH));
    }

    function _signedForElsewhere(bytes32 digest) private {
        Quorum memory quorum = _quorum(1, 7, digest);
        bytes32 here = _typed("ProvenanceRegistry", address(registry), HASH);
        _refused(quorum, _wrong(0, _recover(here, quorum.signatures), _account(32)));
    }

    function _refused(Quorum memory quorum, bytes memory reason) private {
        VM.expectRevert(reason);
        registry.requireQuorum(HASH, quorum);
    }

    /// @dev Returns the account that the first of these signatures would belong to if this were the digest.
    function _recover(bytes32 digest, bytes memory signatures) private pure returns (address) {
        (bytes32 r, uint256 vs) = abi.decode(signatures, (bytes32, uint256));
        return ecrecover(digest, uint8(27 + (vs >> 255)), r, bytes32(vs << 1 >> 1));
    }

    function _head(bytes memory data, uint256 length) private pure returns (bytes memory head) {
        head = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            head[i] = data[i];
        }
    }

    function _tooSmall(uint256 weight) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IOracleSets.QuorumTooSmall.selector, weight, THRESHOLD);
    }

    function _wrong(uint256 index, address recovered, address wanted) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IOracleSets.WrongSigner.selector, index, recovered, wanted);
    }

    function _length(uint256 lengthBytes, uint256 wanted) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IOracleSets.SignaturesLength.selector, lengthBytes, wanted);
    }
}

contract QuorumsOfSource is QuorumsBehaviour, FromSource {}

contract QuorumsOfShipped is QuorumsBehaviour, FromShipped {}
