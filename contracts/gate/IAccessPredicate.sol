// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/**
 * @notice One requirement of a tool's access predicate, for machines.
 * @param kind ERC-165 id of the interface that stands for this kind of requirement.
 * @param data ABI-encoded, in the form that the kind defines.
 * @param label For people.
 */
struct AccessRequirement {
    bytes4 kind;
    bytes data;
    string label;
}

/// @notice How several requirements combine.
enum RequirementLogic {
    AND,
    OR
}

/**
 * @title Access predicate of a tool (ERC-8257)
 * @notice The predicate interface of https://eips.ethereum.org/EIPS/eip-8257 (draft of June 2026), ERC-165 id
 * 0xbdf9dc18. A registry of tools treats a revert as a malfunction, so a predicate returns false instead.
 */
interface IAccessPredicate {
    /// @notice Returns whether `account` may use a tool.
    /// @param data Data that the caller presents, in the form that the predicate defines.
    function hasAccess(uint256 toolId, address account, bytes calldata data) external view returns (bool);

    /// @notice Returns the kind of this predicate, for people.
    function name() external view returns (string memory);

    /// @notice Returns the requirements to pass, as a hint; {hasAccess} decides.
    function getRequirements(uint256 toolId)
        external
        view
        returns (AccessRequirement[] memory requirements, RequirementLogic logic);
}
