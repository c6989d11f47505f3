// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {ERC165Checker} from "@openzeppelin/contracts/utils/introspection/ERC165Checker.sol";
import {HardwareRules, IHardwareProofs} from "../proofs/IHardwareProofs.sol";
import {ProofWords} from "../proofs/ProofWords.sol";

/**
 * @title Base of a dApp that wants AMD's signature checked by the EVM, not an oracle's word
 * @notice Modifiers that let a function run for proven releases only. A refusal is the error of {IHardwareProofs}, and
 * passes through unchanged.
 *
 * - {onlyProvenByHardware}: a genuine chip signed the report of the VM whose key signed the manifest. The guest was not
 *   open to a debugger or to migration, ran at VMPL 0, and the hardware was not simulated.
 * - {onlyProvenAs}: the same proof, by rules of your own.
 *
 * Put {ProvenanceGate-onlyRecorded} beside it if you want an oracle's grade too: what a proof does not say, such as the
 * name, an oracle's record does.
 */
abstract contract HardwareGate {
    /// @notice The contract that the modifiers ask.
    IHardwareProofs public immutable hardwareProofs;

    /// @dev Bits that no proof of an ordinary release has.
    uint256 internal constant FORBIDDEN =
        ProofWords.DEBUG | ProofWords.MIGRATION | ProofWords.VMPL | ProofWords.HOST | ProofWords.SIMULATED;

    /// @notice Thrown when an account does not declare, by ERC-165, that it keeps proofs.
    error NotHardwareProofs(address account);

    modifier onlyProvenByHardware(bytes32 modelDigest, bytes32 manifestDigest) {
        _requireProvenByHardware(modelDigest, manifestDigest);
        _;
    }

    modifier onlyProvenAs(bytes32 modelDigest, bytes32 manifestDigest, HardwareRules memory rules) {
        hardwareProofs.requireProvenAs(modelDigest, manifestDigest, rules);
        _;
    }

    /// @param proofs A {IHardwareProofs}. Compare the code of the account yourself, its registry and its verifier, and
    /// the verifier's code: anybody can deploy a contract that calls everything proven.
    constructor(address proofs) {
        if (!ERC165Checker.supportsInterface(proofs, type(IHardwareProofs).interfaceId)) {
            revert NotHardwareProofs(proofs);
        }
        hardwareProofs = IHardwareProofs(proofs);
    }

    /// @dev Reverts unless {IHardwareProofs-requireProven} passes for the release.
    function _requireProvenByHardware(bytes32 modelDigest, bytes32 manifestDigest) internal view virtual {
        hardwareProofs.requireProven(modelDigest, manifestDigest, 0, FORBIDDEN);
    }
}
