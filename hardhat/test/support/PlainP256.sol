// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/**
 * @dev Stands in for OpenZeppelin's P256 while coverage is measured (foundry.toml), since that does not compile without
 * the optimizer. It asks the precompile of EIP-7951, as that does where there is one, and takes the same signatures.
 */
library P256 {
    uint256 internal constant N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551;

    function verify(bytes32 digest, bytes32 r, bytes32 s, bytes32 x, bytes32 y) internal view returns (bool) {
        (, bytes memory answer) = address(0x100).staticcall(abi.encode(digest, r, s, x, y));
        return answer.length == 32 && uint256(s) <= N / 2;
    }
}
