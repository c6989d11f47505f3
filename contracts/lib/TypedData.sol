// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

/**
 * @title The EIP-712 domain of a contract
 * @notice The domain is bound to this chain and this contract, so a signature is worthless for any other.
 * @dev Computes the domain for each use, so that it stays right on a chain that forks off. Without immutables the code
 * of every registry is the same, byte for byte, so readers can compare it.
 */
abstract contract TypedData is IERC5267 {
    string private constant VERSION = "1";
    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");

    /// @inheritdoc IERC5267
    function eip712Domain()
        external
        view
        returns (
            bytes1 fields,
            string memory name,
            string memory version,
            uint256 chainId,
            address verifyingContract,
            bytes32 salt,
            uint256[] memory extensions
        )
    {
        return (hex"0f", _domainName(), VERSION, block.chainid, address(this), 0, new uint256[](0));
    }

    /// @dev Returns the domain's name.
    function _domainName() internal pure virtual returns (string memory);

    /// @dev Returns the digest that a signer signs for a struct with this hash.
    function _typedDigest(bytes32 structHash) internal view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                DOMAIN_TYPEHASH,
                keccak256(bytes(_domainName())),
                keccak256(bytes(VERSION)),
                block.chainid,
                address(this)
            )
        );
        return MessageHashUtils.toTypedDataHash(domain, structHash);
    }
}
