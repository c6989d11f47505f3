// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IProvenanceRegistry} from "../IProvenanceRegistry.sol";

/**
 * @title Owner and guardian
 * @notice The owner announces oracle sets, which wait, and appoints the guardian; the guardian stops writes and
 * revokes. Neither can write a record, change one or remove one. The ownership is handed over in two steps and never
 * given up.
 */
abstract contract Stewards is IProvenanceRegistry, Ownable2Step {
    uint256 private constant MAX_TEXT_BYTES = 256;

    /// @inheritdoc IProvenanceRegistry
    address public guardian;

    modifier onlyStewards() {
        if (msg.sender != guardian && msg.sender != owner()) revert NotAllowed(msg.sender);
        _;
    }

    /// @inheritdoc IProvenanceRegistry
    function appointGuardian(address newGuardian) external onlyOwner {
        _appoint(newGuardian);
    }

    /// @notice Not possible: without an owner no oracle set could ever follow.
    function renounceOwnership() public view override onlyOwner {
        revert NotAllowed(msg.sender);
    }

    function _appoint(address newGuardian) internal {
        guardian = newGuardian;
        emit GuardianAppointed(newGuardian);
    }

    /// @dev Texts go into events only, and are short.
    function _requireText(string memory field, string calldata text, uint256 leastBytes) internal pure {
        uint256 lengthBytes = bytes(text).length;
        if (lengthBytes < leastBytes || lengthBytes > MAX_TEXT_BYTES) revert TextLength(field, lengthBytes);
    }
}
