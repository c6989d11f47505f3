// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IProvenanceRegistry} from "../IProvenanceRegistry.sol";

/**
 * @title Owner and guardian
 * @notice The owner announces oracle sets, which wait in public, and appoints the guardian. The guardian pauses writes
 * and revokes. Neither can write, change or remove a record. Ownership is handed over in two steps and cannot be given
 * up.
 */
abstract contract Stewards is IProvenanceRegistry, Ownable2Step {
    uint256 private constant MAX_TEXT_BYTES = 256;

    /// @inheritdoc IProvenanceRegistry
    address public guardian;

    modifier onlyStewards() {
        _requireSteward();
        _;
    }

    /// @inheritdoc IProvenanceRegistry
    function appointGuardian(address newGuardian) external onlyOwner {
        _appoint(newGuardian);
    }

    /// @notice Always reverts: without an owner, no oracle set could follow.
    function renounceOwnership() public view override onlyOwner {
        revert NotAllowed(msg.sender);
    }

    function _appoint(address newGuardian) internal {
        guardian = newGuardian;
        emit GuardianAppointed(newGuardian);
    }

    /// @dev A function, so that its code is not repeated in every function with the modifier.
    function _requireSteward() private view {
        if (msg.sender != guardian && msg.sender != owner()) revert NotAllowed(msg.sender);
    }

    /// @dev Reverts unless a revocation has a reason.
    function _requireReason(string calldata reason) internal pure {
        _requireText("reason", reason, 1);
    }

    /// @dev Texts appear only in events, and are short.
    function _requireText(string memory field, string calldata text, uint256 leastBytes) internal pure {
        uint256 lengthBytes = bytes(text).length;
        if (lengthBytes < leastBytes || lengthBytes > MAX_TEXT_BYTES) revert TextLength(field, lengthBytes);
    }
}
