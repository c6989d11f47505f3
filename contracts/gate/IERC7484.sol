// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/**
 * @title Registry of modules (ERC-7484)
 * @notice The functions of https://eips.ethereum.org/EIPS/eip-7484 (draft of June 2024). Every check reverts unless
 * enough of the attesters vouch for the module. Lists of attesters are in strictly ascending order.
 */
interface IERC7484 {
    /// @notice Checks a module with the attesters that the caller trusts.
    function check(address module) external view;

    /// @notice Checks a module with the attesters that a smart account trusts.
    function checkForAccount(address smartAccount, address module) external view;

    /// @notice Checks a module of this type with the attesters that the caller trusts.
    function check(address module, uint256 moduleType) external view;

    /// @notice Checks a module of this type with the attesters that a smart account trusts.
    function checkForAccount(address smartAccount, address module, uint256 moduleType) external view;

    /// @notice Sets the attesters that the caller trusts, and how many of them have to vouch for a module.
    function trustAttesters(uint8 threshold, address[] calldata attesters) external;

    /// @notice Checks a module with the given attesters.
    function check(address module, address[] calldata attesters, uint256 threshold) external view;

    /// @notice Checks a module of this type with the given attesters.
    function check(address module, uint256 moduleType, address[] calldata attesters, uint256 threshold) external view;
}
