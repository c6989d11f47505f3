// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/**
 * @title The key of an intermediate that somebody added
 * @notice Has no functions: its code is a zero, then the modulus. The zero stops whoever calls it, and the EVM refuses
 * code that begins as a modulus may, with ef (EIP-3541).
 */
contract IntermediateKey {
    constructor(bytes memory modulus) {
        bytes memory code = bytes.concat(hex"00", modulus);
        assembly ("memory-safe") {
            return(add(code, 0x20), mload(code))
        }
    }
}
