// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {CalldataText} from "./CalldataText.sol";

/**
 * @title What a manifest's bytes say, in the RFC 8785 form that `provenance pack` writes
 * @notice This is no JSON parser: the caller says where, and the bytes there must be exactly these. Within JSON a
 * quotation mark in a string is always escaped, so no text in a manifest can pass for one of these patterns. What lies
 * elsewhere in the payload is not looked at.
 */
library Manifests {
    /// @dev Thrown when the payload does not have at `offset` what it must.
    error ManifestMalformed(uint256 offset);

    bytes16 private constant DIGITS = "0123456789abcdef";
    uint256 private constant MEASUREMENT_BYTES = 48;
    uint256 private constant DIGEST_CHARACTERS = 64;
    uint256 private constant NEXT_FILE = 0x227d2c; // "},
    uint256 private constant NO_MORE_FILES = 0x227d5d7d; // "}]}

    /**
     * @dev Requires that the manifest names the report, and returns the publisher's identity if it names one, else 0:
     *
     *     "internalParameters":{["publisher":{"identity":"LINE"},]"snpReport":{"sha256":"HEX"}}
     *
     * Without the report, the owner of any VM could sign a stranger's manifest.
     * @param offset Where that begins.
     */
    function requireNames(bytes calldata payload, uint256 offset, bytes32 reportDigest)
        internal
        pure
        returns (bytes32 publisher)
    {
        offset = _after(payload, offset, '"internalParameters":{');
        bytes memory begin = '"publisher":{"identity":"';
        if (has(payload, offset, begin)) {
            uint256 line = offset + begin.length;
            offset = _endOfText(payload, line);
            publisher = sha256(abi.encodePacked("provenance-identity-v1\n", payload[line:offset], "\n"));
            offset = _after(payload, offset, '"},');
        }
        _after(payload, offset, abi.encodePacked('"snpReport":{"sha256":"', hexOf(reportDigest), '"}}'));
    }

    /**
     * @dev Returns the digest `provenance-model-v1` of the files that the payload lists:
     *
     *     "predicateType":"https://slsa.dev/provenance/v1","subject":[FILE,FILE,...]}
     *
     * and there the payload ends, so this is the list of the outermost object. See {_readFiles} for a file.
     * @param offset Where that begins.
     */
    function modelDigest(bytes calldata payload, uint256 offset) internal pure returns (bytes32) {
        offset = _after(payload, offset, '"predicateType":"https://slsa.dev/provenance/v1","subject":[');
        bytes memory text;
        uint256 base;
        uint256 to;
        assembly ("memory-safe") {
            // The first line is shorter than what the payload has before its files, a file's line than the file.
            text := mload(0x40)
            mstore(0x40, add(text, and(add(payload.length, 0x3f), not(0x1f))))
            mstore(add(text, 0x20), "provenance-model-v1\n")
            to := add(text, 52)
            base := payload.offset
        }
        to = _readFiles(base, offset, payload.length, to);
        assembly ("memory-safe") {
            mstore(text, sub(to, add(text, 0x20)))
        }
        return sha256(text);
    }

    /// @dev Returns the identity of a workload as {IHardwareProofs-ReleaseProven} has it.
    /// @param measurement 48 bytes.
    function identityOf(bytes calldata measurement, bool isSimulated) internal pure returns (bytes32) {
        return sha256(
            abi.encodePacked(
                "provenance-identity-v1\n",
                isSimulated ? "simulated-snp-measurement " : "snp-measurement ",
                hexOf(bytes32(measurement[:32])),
                _hex(uint128(bytes16(measurement[32:MEASUREMENT_BYTES])), 32),
                "\n"
            )
        );
    }

    /// @dev Returns whether a text has these bytes at `offset`, for any `offset`.
    function has(bytes calldata text, uint256 offset, bytes memory wanted) internal pure returns (bool) {
        if (offset > text.length || text.length - offset < wanted.length) return false;
        return keccak256(text[offset:offset + wanted.length]) == keccak256(wanted);
    }

    /// @dev Returns a digest in lower-case hex.
    function hexOf(bytes32 digest) internal pure returns (bytes memory) {
        return _hex(uint256(digest), 64);
    }

    /// @dev Requires these bytes at `offset`; returns the position behind them.
    function _after(bytes calldata payload, uint256 offset, bytes memory wanted) private pure returns (uint256) {
        if (!has(payload, offset, wanted)) revert ManifestMalformed(offset);
        return offset + wanted.length;
    }

    /// @dev Returns the position of the quotation mark that ends a text, in which nothing is escaped.
    function _endOfText(bytes calldata payload, uint256 offset) private pure returns (uint256) {
        for (; offset < payload.length; ++offset) {
            if (payload[offset] == '"') return offset;
            if (payload[offset] == "\\" || payload[offset] < " ") break;
        }
        revert ManifestMalformed(offset);
    }

    /**
     * @dev Reads files, separated by commas, and the `]}` after them, which must end the payload:
     *
     *     {"annotations":{"size":S},"digest":{"fsverity_sha256_4096":"H"[,"sha256":"H"]},"name":"P"}
     *
     * S has 1 to 16 digits and no leading zero, H 64 of 0-9 a-f, P is of printable ASCII without quotation mark and
     * backslash, and comes after that of the file before. Writes the line `H S P` for each. What is read beyond the
     * payload is never accepted, since positions only grow.
     * @param base Where the payload begins in calldata.
     * @param offset Where the first file begins in it.
     * @param to Where to write in memory.
     * @return ends Where the text ends in memory.
     */
    function _readFiles(uint256 base, uint256 offset, uint256 length, uint256 to) private pure returns (uint256 ends) {
        unchecked {
            uint256 end = base + length;
            uint256 last = 0;
            uint256 lastLength = 0;
            offset += base;
            while (true) {
                // (1) size and digest, which lead to the path
                (offset, to) = _readFile(base, offset, to);
                length = CalldataText.textLength(offset);
                bool follows = last == 0 || CalldataText.precedes(last, lastLength, offset, length);
                if (length == 0 || !follows || offset + length > end) revert ManifestMalformed(offset - base);
                // (2) the path
                (last, lastLength) = (offset, length);
                offset += length;
                to = _copyLine(last, length, to);
                // (3) another file, or the end
                uint256 tail = CalldataText.wordAt(offset) >> 224;
                if (tail >> 8 == NEXT_FILE) {
                    offset += 3;
                } else {
                    if (tail != NO_MORE_FILES || offset + 4 != end) revert ManifestMalformed(offset - base);
                    return to;
                }
            }
        }
    }

    /// @dev Reads a file up to its path, and writes its digest and size. Returns the positions behind them.
    function _readFile(uint256 base, uint256 offset, uint256 to) private pure returns (uint256, uint256) {
        unchecked {
            bool holds = CalldataText.wordAt(offset) >> 72 == uint184(bytes23('{"annotations":{"size":'));
            uint256 size = offset + 23;
            uint256 length = CalldataText.numberLength(size);
            uint256 digest = size + length;
            holds = holds && length != 0
                && CalldataText.wordAt(digest) == uint256(bytes32('},"digest":{"fsverity_sha256_409'))
                && CalldataText.wordAt(digest + 32) >> 224 == uint32(bytes4('6":"'));
            digest += 36;
            holds = holds && CalldataText.isHexDigest(digest);
            uint256 next = digest + DIGEST_CHARACTERS;
            if (CalldataText.wordAt(next) >> 160 == uint96(bytes12('","sha256":"'))) {
                holds = holds && CalldataText.isHexDigest(next + 12);
                next += 12 + DIGEST_CHARACTERS;
            }
            holds = holds && CalldataText.wordAt(next) >> 168 == uint88(bytes11('"},"name":"'));
            if (!holds) revert ManifestMalformed(offset - base);
            assembly ("memory-safe") {
                calldatacopy(to, digest, 64)
                mstore8(add(to, 64), 0x20)
                calldatacopy(add(to, 65), size, length)
                to := add(add(to, 65), length)
                mstore8(to, 0x20)
            }
            return (next + 11, to + 1);
        }
    }

    /// @dev Writes a text and a line feed; returns the position behind them.
    function _copyLine(uint256 offset, uint256 length, uint256 to) private pure returns (uint256 end) {
        assembly ("memory-safe") {
            calldatacopy(to, offset, length)
            end := add(to, length)
            mstore8(end, 0x0a)
            end := add(end, 1)
        }
    }
    function _hex(uint256 value, uint256 digits) private pure returns (bytes memory text) {
        text = new bytes(digits);
        for (uint256 i = digits; i != 0; value >>= 4) {
            text[--i] = DIGITS[value & 15];
        }
    }
}
