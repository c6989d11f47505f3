// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {P256} from "@openzeppelin/contracts/utils/cryptography/P256.sol";
import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";
import {SnpVerifier} from "../amd/SnpVerifier.sol";

/**
 * @title The VM's key: bound by the report, and what it signed
 * @notice A key is a SubjectPublicKeyInfo (RFC 5480) on P-256 or P-384 in the one encoding that this project accepts,
 * with an uncompressed point. Both s and n - s make a signature.
 */
library ManifestSignatures {
    /// @dev Thrown when REPORT_DATA is neither SHA-256 nor SHA-384 of the key, followed by zeros.
    error KeyNotBound();

    /// @dev Thrown for a key that is not ECDSA on P-256 or P-384, or a signature of another length than it makes.
    error KeyAlgorithmUnknown(uint256 keyBytes, uint256 signatureBytes);

    /// @dev Thrown when the key did not sign the payload.
    error ManifestNotSigned();

    uint256 private constant REPORT_DATA = 0x050;
    uint256 private constant MEASUREMENT = 0x090;
    // SEQUENCE { SEQUENCE { id-ecPublicKey, prime256v1 or secp384r1 }, BIT STRING without unused bits: 04 .. }
    bytes27 private constant P256_HEAD = 0x3059301306072a8648ce3d020106082a8648ce3d03010703420004;
    uint256 private constant P256_KEY_BYTES = 91;
    uint256 private constant P256_SIGNATURE_BYTES = 64;
    bytes24 private constant P384_HEAD = 0x3076301006072a8648ce3d020106052b8104002203620004;
    uint256 private constant P384_KEY_BYTES = 120;
    uint256 private constant P384_SIGNATURE_BYTES = 96;
    uint256 private constant P256_HALF_N = 0x7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8;

    /// @dev Reverts unless the report names the key by `sha256-spki` or `sha384-spki`; all 64 bytes are compared.
    /// @param report A report that the verifier accepted.
    function requireBound(SnpVerifier verifier, bytes calldata report, bytes calldata key) internal pure {
        bytes32 first = bytes32(report[REPORT_DATA:REPORT_DATA + 32]);
        bytes32 second = bytes32(report[REPORT_DATA + 32:MEASUREMENT]);
        if (second == 0) {
            if (first != sha256(key)) revert KeyNotBound();
        } else {
            (bytes32 high, bytes32 low) = verifier.sha384(key);
            if (first != high || second != low) revert KeyNotBound();
        }
    }

    /// @dev Reverts unless the key signed the payload in a DSSE envelope (v1.0, protocol.md) of the type
    /// application/vnd.in-toto+json: with SHA-256 on P-256, SHA-384 on P-384.
    function requireSigned(
        SnpVerifier verifier,
        bytes calldata key,
        bytes calldata signature,
        bytes calldata payload
    ) internal view {
        bool isP256 = key.length == P256_KEY_BYTES && signature.length == P256_SIGNATURE_BYTES
            && bytes27(key) == P256_HEAD;
        bool isP384 = key.length == P384_KEY_BYTES && signature.length == P384_SIGNATURE_BYTES
            && bytes24(key) == P384_HEAD;
        if (!isP256 && !isP384) revert KeyAlgorithmUnknown(key.length, signature.length);
        bytes memory message = abi.encodePacked(
            "DSSEv1 28 application/vnd.in-toto+json ", Strings.toString(payload.length), " ", payload
        );
        bool holds = isP256
            ? _isSignedOnP256(key, signature, sha256(message))
            : _isSignedOnP384(verifier, key, signature, message);
        if (!holds) revert ManifestNotSigned();
    }

    function _isSignedOnP256(bytes calldata key, bytes calldata signature, bytes32 digest)
        private
        view
        returns (bool)
    {
        uint256 s = uint256(bytes32(signature[32:]));
        // OpenZeppelin's function takes the lower one of s and n - s.
        if (s > P256_HALF_N && s < P256.N) s = P256.N - s;
        return P256.verify(digest, bytes32(signature), bytes32(s), bytes32(key[27:59]), bytes32(key[59:]));
    }

    function _isSignedOnP384(SnpVerifier verifier, bytes calldata key, bytes calldata signature, bytes memory message)
        private
        view
        returns (bool)
    {
        (bytes32 high, bytes32 low) = verifier.sha384(message);
        return verifier.p384().verify(abi.encodePacked(high, bytes16(low), signature, key[24:]));
    }
}
