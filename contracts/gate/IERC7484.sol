// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/**
 * @title Registry of modules, as ERC-7484 has it
 * @notice The functions of https://eips.ethereum.org/EIPS/eip-7484 (draft as of June 2024). Every check reverts unless
 * enough of the attesters vouch for the module. Lists of attesters are in strictly ascending order.
 */
interface IERC7484 {
    /// @notice Asks the attesters that the caller trusts.
    function check(address module) external view;

    /// @notice Asks the attesters that a smart account trusts.
    function checkForAccount(address smartAccount, address module) external view;

    /// @notice Asks the attesters that the caller trusts, about a module of this type.
    function check(address module, uint256 moduleType) external view;

    /// @notice Asks the attesters that a smart account trusts, about a module of this type.
    function checkForAccount(address smartAccount, address module, uint256 moduleType) external view;

    /// @notice Says whom the caller trusts, and how many of them have to vouch for a module.
    function trustAttesters(uint8 threshold, address[] calldata attesters) external;

    /// @notice Asks the attesters named here.
    function check(address module, address[] calldata attesters, uint256 threshold) external view;

    /// @notice Asks the attesters named here, about a module of this type.
    function check(address module, uint256 moduleType, address[] calldata attesters, uint256 threshold) external view;
}
