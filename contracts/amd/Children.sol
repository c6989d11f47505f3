// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/**
 * @title Contracts that a constructor makes, found without storage or immutables
 * @notice So the code of their maker is the same on every chain.
 */
library Children {
    /// @notice Thrown by a constructor on a chain whose CREATE gives other addresses than Ethereum's.
    error WrongPlace(address made);

    /// @dev Returns the address of the contract that this one made with a nonce of 1 to 127; the first has nonce 1. It
    /// is the last 20 bytes of keccak256(RLP([address, nonce])).
    function child(uint8 nonce) internal view returns (address) {
        return address(uint160(uint256(keccak256(abi.encodePacked(hex"d694", address(this), nonce)))));
    }

    /// @dev Requires that a contract just made is at its place.
    function requireAt(uint8 nonce, address made) internal view {
        if (made != child(nonce)) revert WrongPlace(made);
    }
}
