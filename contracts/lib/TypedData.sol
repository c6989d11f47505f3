// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

/**
 * @title The EIP-712 domain of a contract
 * @notice Bound to this chain and this contract, so a signature is worth nothing at any other.
 * @dev Computed anew for each use: it follows a chain that forks off, and without immutables the code of every registry
 * is the same, byte for byte, so that readers can compare it.
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

    /// @dev The domain's name.
    function _domainName() internal pure virtual returns (string memory);

    /// @dev What is signed for a struct with this hash.
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
