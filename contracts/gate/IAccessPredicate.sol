// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/**
 * @notice One requirement that a tool's access predicate states, for machines.
 * @param kind ERC-165 id of the interface that stands for this kind of requirement.
 * @param data ABI-encoded, as the kind has it.
 * @param label For people.
 */
struct AccessRequirement {
    bytes4 kind;
    bytes data;
    string label;
}

/// @notice How several requirements go together.
enum RequirementLogic {
    AND,
    OR
}

/**
 * @title Who may use a tool, as ERC-8257 asks it
 * @notice The predicate interface of https://eips.ethereum.org/EIPS/eip-8257 (draft as of June 2026), ERC-165 id
 * 0xbdf9dc18. A registry of tools takes a revert for a malfunction, so a predicate says no instead.
 */
interface IAccessPredicate {
    /// @notice Whether `account` may use a tool.
    /// @param data What the caller has to show, as the predicate has it.
    function hasAccess(uint256 toolId, address account, bytes calldata data) external view returns (bool);

    /// @notice What kind of predicate this is, for people.
    function name() external view returns (string memory);

    /// @notice What it takes to pass; a hint, {hasAccess} decides.
    function getRequirements(uint256 toolId)
        external
        view
        returns (AccessRequirement[] memory requirements, RequirementLogic logic);
}
