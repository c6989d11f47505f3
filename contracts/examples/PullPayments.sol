// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";

/**
 * @title Money that is fetched, not sent
 * @notice What somebody is owed is noted down, and he fetches it himself: nobody can block another one's payment by
 * refusing his own. All that a contract holds for its users is the sum of the credits, and of what it notes elsewhere.
 */
abstract contract PullPayments is ReentrancyGuard {
    mapping(address account => uint256) private _credits;

    /// @notice Emitted when an account is owed more.
    event Credited(address indexed account, uint256 amount);

    /// @notice Emitted when an account fetched what it was owed.
    event Withdrawn(address indexed account, address indexed to, uint256 amount);

    /// @notice Thrown when an account is owed nothing.
    error NothingToWithdraw(address account);

    /// @notice Thrown when money would go to nobody.
    error NoRecipient();

    /**
     * @notice Sends all that the caller is owed to `to`, which may be another account if the caller cannot take it.
     *
     * Reverts with OpenZeppelin's `ReentrancyGuardReentrantCall` if `to` calls this again while it is paid, and with
     * its own error, or OpenZeppelin's `FailedCall`, if it refuses the money; then the caller is owed it still.
     * May emit {Withdrawn}.
     */
    function withdraw(address payable to) external nonReentrant {
        uint256 amount = _credits[msg.sender];
        if (amount == 0) revert NothingToWithdraw(msg.sender);
        if (to == address(0)) revert NoRecipient();
        _credits[msg.sender] = 0;
        emit Withdrawn(msg.sender, to, amount);
        Address.sendValue(to, amount);
    }

    /// @notice What an account is owed, in wei.
    function creditOf(address account) external view returns (uint256) {
        return _credits[account];
    }

    /// @dev Notes that an account is owed `amount` more, which the contract must hold already.
    function _credit(address account, uint256 amount) internal {
        _credits[account] += amount;
        emit Credited(account, amount);
    }
}
