// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {Der} from "./Der.sol";

/**
 * @title What AMD's certificates and revocation lists have in common: the frame, the algorithm, and names
 * @notice RFC 5280, sections 4.1 and 5.1: SEQUENCE { signed part, AlgorithmIdentifier, BIT STRING of 512 bytes }, with
 * the same AlgorithmIdentifier in the signed part. Algorithm and names are compared as the keccak256 of their DER.
 */
library AmdForms {
    using Der for bytes;

    /// @dev Thrown when a name is that of none of AMD's authorities of this kind.
    error UnknownAuthority(bytes32 nameHash);

    uint256 internal constant VCEK = 0;
    uint256 internal constant VLEK = 1;
    uint256 internal constant MILAN = 1;
    uint256 internal constant GENOA = 2;
    uint256 internal constant TURIN = 3;

    uint256 internal constant SIGNED_AT = 4;
    /// @dev What the signed part of a certificate begins with.
    uint256 internal constant VERSION_3 = 0xa003020102;
    uint256 internal constant VERSION_BYTES = 5;
    /// @dev What is before the two times of a certificate.
    uint256 internal constant VALIDITY = 0x301e;
    uint256 internal constant SIGNATURE_BYTES = 512;
    uint256 internal constant KEY_ID_BYTES = 20;
    /// @dev Where the key identifiers of the roots begin in the code of {AmdKeys}.
    uint256 private constant ROOT_KEY_IDS_AT = 9 * 512;

    // RSASSA-PSS with SHA-384, MGF1 with SHA-384 and a salt of 48 bytes (RFC 4055, section 3.1), as most certificates
    // have it, and with the default trailerField written out, as authorities and early VCEKs have it.
    bytes32 private constant PSS = 0xdbaa23db909d993146ce9bceb311967fd4323f9676b0183bef91179e166a598b;
    uint256 private constant PSS_BYTES = 67;
    bytes32 private constant PSS_WITH_TRAILER = 0x9f9d49556de3bc1a127d3aa3064e482079015e0ebc670e7e30370cde7b6d049e;
    uint256 private constant PSS_WITH_TRAILER_BYTES = 72;
    uint256 private constant SIGNATURE_HEAD = 0x0382020100;
    uint256 private constant SIGNATURE_HEAD_BYTES = 5;

    // Names: OU=Engineering, C=US, L=Santa Clara, ST=CA, O=Advanced Micro Devices, and the common name in the
    // constant's.
    uint256 private constant NAME_BYTES = 125;
    uint256 private constant LONG_NAME_BYTES = 131;
    bytes32 private constant SEV_MILAN = 0xc74a95a79bd579bbb9cbc2f6267ff20a31c29e56d3400ace80c06f4466b957d9;
    bytes32 private constant SEV_GENOA = 0x065466c73dd0d7fa4c2b76b18600cce036cd7504e3dd506fa60b05c306d65fc9;
    bytes32 private constant SEV_TURIN = 0xbce7310bc0a45da30f1526fbe14b293ed2d35b4d6087739f568b39fc17e5e21c;
    bytes32 private constant SEV_VLEK_MILAN = 0x2e95f4708bf759e4dbb2d801e59c99a2beac4fc3238baa7bbff77860af5f5fa4;
    bytes32 private constant SEV_VLEK_GENOA = 0xca0403939eff69d80c39ec6baa5eb860f46acbbd443ab44efcffefa007105f18;
    bytes32 private constant SEV_VLEK_TURIN = 0xc810697cf674e38128fb552b4775fb0ae17314139f87c205fa8ebba2aa58c9e3;
    bytes32 private constant ARK_MILAN = 0x0ba913e4a2fe07105a12e9d18f34c09c20c8406ac54ccf9e2e99e345267e38cd;
    bytes32 private constant ARK_GENOA = 0xc1ae5c8ffcc118f6f8209c26246e6b969ccfceb677c8f67eae6e46445bc276db;
    bytes32 private constant ARK_TURIN = 0x7826255198c82b41b06173e4fb36bdeedc2bd03bace2a59e13984b7dbf4ed284;

    /// @dev Returns where the content of the signed part begins and ends. The caller's `least` is a length of the
    /// signed part that its fixed fields stay below, so that they are within the bytes.
    function signedPart(bytes calldata der, uint256 least) internal pure returns (uint256 begin, uint256 end) {
        (begin, end) = der.open(0, 0x30, der.length);
        if (begin != SIGNED_AT || end != der.length) revert Der.DerMalformed(0);
        (begin, end) = der.open(SIGNED_AT, 0x30, der.length);
        if (end < least) revert Der.DerMalformed(SIGNED_AT);
    }

    /// @dev Reads the algorithm at `offset` of a signed part that ends at `end`, and requires the same after the signed
    /// part, then a signature, then nothing; returns where the algorithm ends.
    function afterAlgorithm(bytes calldata der, uint256 offset, uint256 end) internal pure returns (uint256) {
        unchecked {
            bool isPlain = uint8(der.word(offset) >> 240) == PSS_BYTES - 2;
            uint256 size = isPlain ? PSS_BYTES : PSS_WITH_TRAILER_BYTES;
            uint256 signatureAt = end + size;
            if (signatureAt + SIGNATURE_HEAD_BYTES + SIGNATURE_BYTES != der.length) revert Der.DerMalformed(end);
            bytes32 algorithm = keccak256(der[offset:offset + size]);
            if (algorithm != (isPlain ? PSS : PSS_WITH_TRAILER)) revert Der.DerMalformed(offset);
            if (keccak256(der[end:signatureAt]) != algorithm) revert Der.DerMalformed(end);
            if (der.word(signatureAt) >> 216 != SIGNATURE_HEAD) revert Der.DerMalformed(signatureAt);
            return offset + size;
        }
    }

    /// @dev Returns the position in the calldata of the signature, which ends a certificate or list.
    function signatureOf(bytes calldata der) internal pure returns (uint256 position) {
        assembly ("memory-safe") {
            position := sub(add(der.offset, der.length), SIGNATURE_BYTES)
        }
    }

    /// @dev Returns the product line and the kind of key of the intermediate whose name is at `offset`, and where it
    /// ends.
    function intermediateAt(bytes calldata der, uint256 offset)
        internal
        pure
        returns (uint256 line, uint256 kind, uint256 end)
    {
        unchecked {
            // A name of 128 bytes has its length in two bytes.
            bool isLong = uint8(der.word(offset) >> 240) == 0x81;
            end = offset + (isLong ? LONG_NAME_BYTES : NAME_BYTES);
            bytes32 name = keccak256(der[offset:end]);
            if (name == SEV_MILAN) return (MILAN, VCEK, end);
            if (name == SEV_GENOA) return (GENOA, VCEK, end);
            if (name == SEV_TURIN) return (TURIN, VCEK, end);
            if (name == SEV_VLEK_MILAN) return (MILAN, VLEK, end);
            if (name == SEV_VLEK_GENOA) return (GENOA, VLEK, end);
            if (name == SEV_VLEK_TURIN) return (TURIN, VLEK, end);
            revert UnknownAuthority(name);
        }
    }

    /// @dev Returns the product line of the root whose name is at `offset`, and where it ends.
    function rootAt(bytes calldata der, uint256 offset) internal pure returns (uint256 line, uint256 end) {
        unchecked {
            end = offset + NAME_BYTES;
            bytes32 name = keccak256(der[offset:end]);
            if (name == ARK_MILAN) return (MILAN, end);
            if (name == ARK_GENOA) return (GENOA, end);
            if (name == ARK_TURIN) return (TURIN, end);
            revert UnknownAuthority(name);
        }
    }

    /// @dev Returns the subject key identifier of the root of a product line, a number of 20 bytes.
    /// @param keys The contract whose code holds it, as {AmdKeys} does.
    function rootKeyId(address keys, uint256 line) internal view returns (uint256 id) {
        assembly ("memory-safe") {
            mstore(0, 0)
            extcodecopy(keys, 12, add(ROOT_KEY_IDS_AT, mul(sub(line, 1), KEY_ID_BYTES)), KEY_ID_BYTES)
            id := mload(0)
        }
    }
}
