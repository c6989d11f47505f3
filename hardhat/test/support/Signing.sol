// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {Oracle, Quorum} from "../../../contracts/Types.sol";
import {VM} from "./Vm.sol";

/**
 * @dev Oracles with known keys, and the digests that they sign. The digests are computed here from the text of EIP-712,
 * independently of the contract.
 *
 * Oracle `index` of epoch `epoch` has key number `32 * epoch + index`, unless a test makes up its set itself.
 */
abstract contract Signing {
    bytes32 internal constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    uint40 internal constant FOR_EVER = type(uint40).max;

    function _key(uint256 number) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode("key", number)));
    }

    function _account(uint256 number) internal pure returns (address) {
        return VM.addr(_key(number));
    }

    function _firstKey(uint16 epoch) internal pure returns (uint256) {
        return 32 * uint256(epoch);
    }

    /// @dev Returns an oracle of weight 1, valid from now on without end.
    function _oracle(uint256 keyNumber) internal view returns (Oracle memory) {
        return Oracle(_account(keyNumber), 1, uint40(block.timestamp), FOR_EVER, 0);
    }

    function _oracles(uint16 epoch, uint256 count) internal view returns (Oracle[] memory oracles) {
        oracles = new Oracle[](count);
        for (uint256 i = 0; i < count; ++i) {
            oracles[i] = _oracle(_firstKey(epoch) + i);
        }
    }

    /// @dev Returns signatures of the set's oracles whose bits are set.
    function _quorum(uint16 epoch, uint32 signers, bytes32 digest) internal pure returns (Quorum memory) {
        bytes memory signatures;
        for (uint256 i = 0; i < 32; ++i) {
            if (signers >> i & 1 == 1) signatures = bytes.concat(signatures, _compact(_firstKey(epoch) + i, digest));
        }
        return Quorum(epoch, signers, signatures);
    }

    /// @dev Returns one signature as specified by ERC-2098: r, then s with the parity of v in its highest bit.
    function _compact(uint256 keyNumber, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = VM.sign(_key(keyNumber), digest);
        return abi.encodePacked(r, uint256(s) | uint256(v - 27) << 255);
    }

    /// @dev Returns one signature of 65 bytes, as wallets make them.
    function _plain(uint256 keyNumber, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = VM.sign(_key(keyNumber), digest);
        return abi.encodePacked(r, s, v);
    }

    function _reportDigest(address registry, uint16 epoch, bytes memory record) internal view returns (bytes32) {
        bytes32 typehash = keccak256("Report(uint16 epoch,bytes record)");
        return _typed("ProvenanceRegistry", registry, keccak256(abi.encode(typehash, epoch, keccak256(record))));
    }

    function _batchDigest(address registry, uint16 epoch, bytes32 root, uint8 count, uint40 sealedAt, string memory uri)
        internal
        view
        returns (bytes32)
    {
        bytes32 typehash = keccak256("Batch(uint16 epoch,bytes32 root,uint8 count,uint40 sealedAt,string uri)");
        bytes memory fields = abi.encode(typehash, epoch, root, count, sealedAt, keccak256(bytes(uri)));
        return _typed("ProvenanceRegistry", registry, keccak256(fields));
    }

    function _claimDigest(
        address namespaces,
        string memory namespace,
        address owner,
        uint8 identityLimit,
        bytes32[] memory identities,
        uint256 nonce,
        uint40 deadline
    ) internal view returns (bytes32) {
        bytes32 typehash = keccak256(
            "Claim(string namespace,address owner,uint8 identityLimit,bytes32[] identities,uint256 nonce,uint40 deadline)"
        );
        bytes32 name = keccak256(bytes(namespace));
        bytes32 list = keccak256(abi.encodePacked(identities));
        bytes memory fields = abi.encode(typehash, name, owner, identityLimit, list, nonce, deadline);
        return _typed("ProvenanceNamespaces", namespaces, keccak256(fields));
    }

    /// @dev Returns the EIP-712 digest for this chain and the given contract.
    function _typed(string memory name, address verifier, bytes32 structHash) internal view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(DOMAIN_TYPEHASH, keccak256(bytes(name)), keccak256("1"), block.chainid, verifier)
        );
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }
}
