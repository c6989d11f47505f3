// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";

/**
 * @title Payments that the payee withdraws
 * @notice The contract records the amount that it owes to an account, and the account withdraws it. So no account can
 * block the payment of another one by refusing its own. The contract holds for its users the sum of these credits, and
 * the amounts that it keeps account of elsewhere.
 */
abstract contract PullPayments is ReentrancyGuard {
    mapping(address account => uint256) private _credits;

    /// @notice Emitted when an account is owed more.
    event Credited(address indexed account, uint256 amount);

    /// @notice Emitted when an account withdraws its credit.
    event Withdrawn(address indexed account, address indexed to, uint256 amount);

    /// @notice Thrown when an account is owed nothing.
    error NothingToWithdraw(address account);

    /// @notice Thrown when the recipient is the zero address.
    error NoRecipient();

    /**
     * @notice Sends the caller's whole credit to `to`, which can be another account if the caller cannot receive it.
     *
     * Reverts with OpenZeppelin's `ReentrancyGuardReentrantCall` if `to` calls this function again while it is paid.
     * Reverts with the error of `to`, or OpenZeppelin's `FailedCall`, if `to` refuses the money; the caller then keeps
     * the credit.
     *
     * Emits a {Withdrawn} event.
     */
    function withdraw(address payable to) external nonReentrant {
        uint256 amount = _credits[msg.sender];
        if (amount == 0) revert NothingToWithdraw(msg.sender);
        if (to == address(0)) revert NoRecipient();
        _credits[msg.sender] = 0;
        emit Withdrawn(msg.sender, to, amount);
        Address.sendValue(to, amount);
    }

    /// @notice Returns the amount owed to an account, in wei.
    function creditOf(address account) external view returns (uint256) {
        return _credits[account];
    }

    /// @dev Adds `amount` to the credit of an account. The contract must hold the money already.
    function _credit(address account, uint256 amount) internal {
        _credits[account] += amount;
        emit Credited(account, amount);
    }
}
