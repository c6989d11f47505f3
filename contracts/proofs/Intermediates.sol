// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {AmdForms} from "../amd/AmdForms.sol";
import {AmdIntermediates} from "../amd/AmdIntermediates.sol";
import {AddedIntermediate, IHardwareProofs} from "./IHardwareProofs.sol";
import {IntermediateKey} from "./IntermediateKey.sol";
import {ProofWords} from "./ProofWords.sol";
import {Revocations} from "./Revocations.sol";

/**
 * @title AMD's intermediates: the six whose keys the verifier holds, and those that somebody added
 * @notice Anybody adds the certificate of another one, which a pinned root signed. Its number is what a proof's word
 * says; the six have number 0.
 */
abstract contract Intermediates is Revocations {
    using ProofWords for uint256;

    /// @dev Where the modulus begins in the code of {IntermediateKey}.
    uint256 internal constant KEY_AT = 1;

    // The serial numbers of the certificates that the verifier's keys were taken from: the product line, then these.
    uint256 private constant ASK = 0x0001;
    uint256 private constant GENOA_ASK = 0x0002;
    uint256 private constant ASVK = 0x0101;
    /// @dev The bits that a proof's word has for it.
    uint256 private constant NUMBER_MAX = type(uint16).max;

    /// @dev Number n is at n - 1.
    AddedIntermediate[] private _added;
    mapping(bytes32 certificateDigest => uint256) private _numbers;

    /// @inheritdoc IHardwareProofs
    function addIntermediate(bytes calldata certificate) external returns (uint256 number) {
        bytes32 digest = keccak256(certificate);
        number = _numbers[digest];
        if (number != 0) return number;
        AmdIntermediates.Intermediate memory found = verifier.verifyIntermediate(certificate);
        // Nobody can add a key that AMD revoked long ago by keeping quiet about it.
        if (listsCurrentUntil(found.line) < block.timestamp) revert NoCurrentList(found.line);
        _requireNotRevoked(found.line, found.serial);
        number = _added.length + 1;
        if (number > NUMBER_MAX) revert TooManyIntermediates();
        _numbers[digest] = number;
        _added.push(
            AddedIntermediate({
                key: address(new IntermediateKey(found.modulus)),
                notBefore: uint40(found.notBefore),
                notAfter: uint40(found.notAfter),
                line: uint8(found.line),
                kind: uint8(found.kind),
                serial: found.serial
            })
        );
        emit IntermediateAdded(number, found.line, found.serial, certificate);
    }

    /// @inheritdoc IHardwareProofs
    function numberOf(bytes32 certificateDigest) external view returns (uint256) {
        return _numbers[certificateDigest];
    }

    /// @inheritdoc IHardwareProofs
    function intermediateAt(uint256 number) external view returns (AddedIntermediate memory) {
        return _addedAt(number);
    }

    /// @dev Returns the number of an intermediate by the digest of its certificate, 0 for none: a pinned one.
    function _numberOf(bytes32 certificateDigest) internal view returns (uint256 number) {
        if (certificateDigest == 0) return 0;
        number = _numbers[certificateDigest];
        if (number == 0) revert IntermediateUnknown(certificateDigest);
    }

    function _addedAt(uint256 number) internal view returns (AddedIntermediate memory) {
        if (number == 0 || number > _added.length) revert IntermediateUnknown(bytes32(number));
        return _added[number - 1];
    }

    /// @dev Returns the product line and the serial number of the intermediate that a proof leads over.
    function _revocableOf(uint256 word) internal view returns (uint256 line, uint256 serial) {
        line = word.certificateLineOf();
        uint256 number = word.intermediateOf();
        serial = number == 0 ? _pinnedSerial(line, word.kindOf()) : _addedAt(number).serial;
    }

    function _pinnedSerial(uint256 line, uint256 kind) private pure returns (uint256) {
        if (kind == AmdForms.VLEK) return line << 16 | ASVK;
        return line << 16 | (line == AmdForms.GENOA ? GENOA_ASK : ASK);
    }
}
