// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {Modexp} from "./Modexp.sol";
import {Sha384} from "./Sha384.sol";

/**
 * @title RSASSA-PSS (RFC 8017, section 8.1.2) with RSA-4096, exponent 65537, SHA-384, MGF1 with SHA-384, salt of 48
 * bytes
 * @notice The encoded message EM has 512 bytes: masked DB (463) | H (48) | 0xbc. DB has 414 zeros | 0x01 | salt (48).
 */
library Pss {
    uint256 internal constant SIGNATURE_BYTES = 512;

    uint256 private constant EXPONENT = 65537;
    uint256 private constant INPUT_BYTES = 0x463;
    uint256 private constant DIGEST_BYTES = 48;
    uint256 private constant HASH_AT = 463;
    uint256 private constant SEED_BYTES = 52;
    uint256 private constant MASK_DIGESTS = 10;

    /**
     * @dev Returns whether a signature holds; false for a signature that is not below the modulus.
     * @param context A context of {Sha384}, which may be at work on a message of the caller's too.
     * @param keys The contract whose code holds the moduli, as {AmdKeys} does.
     * @param place Where in that code the modulus begins. Beyond the code's end there are zeros, which no signature is
     * below.
     * @param signature The position in the calldata at which the 512 bytes of the signature begin.
     * @param digest The place of the message's digest, which the context may still be at work on.
     */
    function verify(uint256 context, address keys, uint256 place, uint256 signature, uint256 digest)
        internal
        view
        returns (bool)
    {
        uint256 encoded = _recover(keys, place, signature);
        return encoded != 0 && _isEncodingOf(context, encoded, digest);
    }

    /// @dev Returns the place in memory of signature^65537 mod modulus, 512 bytes; 0 if the signature is too large.
    function _recover(address keys, uint256 place, uint256 signature) private view returns (uint256 encoded) {
        uint256 input;
        assembly ("memory-safe") {
            // (1) the precompile's input: three lengths, signature, exponent, modulus
            input := mload(0x40)
            let base := add(input, 0x60)
            let modulus := add(input, 0x263)
            mstore(input, SIGNATURE_BYTES)
            mstore(add(input, 0x20), 3)
            mstore(add(input, 0x40), SIGNATURE_BYTES)
            calldatacopy(base, signature, SIGNATURE_BYTES)
            mstore(add(input, 0x260), shl(232, EXPONENT))
            extcodecopy(keys, modulus, place, SIGNATURE_BYTES)
            // (2) the signature is a number below the modulus
            for { let i := 0 } lt(i, SIGNATURE_BYTES) { i := add(i, 32) } {
                let s := mload(add(base, i))
                let n := mload(add(modulus, i))
                if xor(s, n) {
                    if lt(s, n) { encoded := input }
                    break
                }
            }
            mstore(0x40, add(input, 0x480))
        }
        if (encoded != 0) Modexp.run(input, INPUT_BYTES, SIGNATURE_BYTES);
    }

    /// @dev EMSA-PSS-VERIFY (RFC 8017, section 9.1.2). The size of the salt is fixed, so no position depends on data.
    function _isEncodingOf(uint256 context, uint256 encoded, uint256 digest) private pure returns (bool sound) {
        uint256 mask = _startMask(context, encoded + HASH_AT);
        // The salt's part of the mask came first, so it is there.
        Sha384.wait(context, digest);
        uint256 hash = _startHash(context, encoded, mask, digest);
        Sha384.finish(context);
        assembly ("memory-safe") {
            // (1) the last byte, and the highest bit, which a number below a modulus of 4096 bits may have
            sound := and(eq(byte(31, mload(add(encoded, 480))), 0xbc), iszero(shr(255, mload(encoded))))
            // (2) DB without its highest bit begins with 414 zeros and 01
            let bits := and(xor(mload(encoded), mload(mask)), shr(1, not(0)))
            for { let i := 32 } lt(i, 384) { i := add(i, 32) } {
                bits := or(bits, xor(mload(add(encoded, i)), mload(add(mask, i))))
            }
            bits := or(bits, xor(shr(8, xor(mload(add(encoded, 384)), mload(add(mask, 384)))), 1))
            // (3) H is the digest of M'
            bits := or(bits, xor(mload(hash), mload(add(encoded, HASH_AT))))
            bits := or(bits, shr(128, xor(mload(add(hash, 32)), mload(add(encoded, add(HASH_AT, 32))))))
            sound := and(sound, iszero(bits))
        }
    }

    /// @dev Starts MGF1 (RFC 8017, appendix B.2.1) of H for 463 bytes: ten digests of H | counter, the last two, which
    /// mask the salt, first. Returns the place of the mask.
    function _startMask(uint256 context, uint256 hash) private pure returns (uint256 mask) {
        uint256 seed;
        assembly ("memory-safe") {
            mask := mload(0x40)
            seed := add(mask, 0x200)
            mstore(0x40, add(seed, mul(MASK_DIGESTS, 0x100)))
        }
        unchecked {
            for (uint256 i = 0; i < MASK_DIGESTS; ++i) {
                uint256 counter = (i + MASK_DIGESTS - 2) % MASK_DIGESTS;
                assembly ("memory-safe") {
                    mstore(seed, mload(hash))
                    mstore(add(seed, 32), or(shl(128, mload(add(hash, 16))), shl(96, counter)))
                }
                Sha384.hash(context, seed, SEED_BYTES, mask + DIGEST_BYTES * counter);
                seed += 0x100;
            }
        }
    }

    /// @dev Starts the digest of M' = 8 zeros | digest | salt; returns its place.
    function _startHash(uint256 context, uint256 encoded, uint256 mask, uint256 digest)
        private
        pure
        returns (uint256 hash)
    {
        uint256 message;
        assembly ("memory-safe") {
            message := mload(0x40)
            mstore(0x40, add(message, 0x140))
            mstore(message, 0)
            mstore(add(message, 8), mload(digest))
            mstore(add(message, 24), mload(add(digest, 16)))
            mstore(add(message, 56), xor(mload(add(encoded, 415)), mload(add(mask, 415))))
            mstore(add(message, 72), xor(mload(add(encoded, 431)), mload(add(mask, 431))))
        }
        hash = Sha384.newDigest();
        Sha384.hash(context, message, 104, hash);
    }
}
