// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

/// @dev The cheat codes used in these tests. Foundry's book documents them.
interface Vm {
    struct Log {
        bytes32[] topics;
        bytes data;
        address emitter;
    }

    // chain state
    function warp(uint256 time) external;
    function load(address account, bytes32 slot) external view returns (bytes32);
    function store(address account, bytes32 slot, bytes32 value) external;
    function chainId(uint256 id) external;
    function etch(address account, bytes calldata code) external;
    function deal(address account, uint256 balance) external;
    function snapshotState() external returns (uint256);
    function revertToState(uint256 snapshot) external returns (bool);

    // callers and keys
    function prank(address sender) external;
    function prank(address sender, address origin) external;
    function startPrank(address sender) external;
    function stopPrank() external;
    function addr(uint256 key) external pure returns (address);
    function sign(uint256 key, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function signP256(uint256 key, bytes32 digest) external pure returns (bytes32 r, bytes32 s);

    // expectations for the next call
    function assume(bool condition) external pure;
    function expectRevert() external;
    function expectRevert(bytes4 selector) external;
    function expectRevert(bytes calldata reason) external;
    function expectPartialRevert(bytes4 selector) external;
    function expectEmit(address emitter) external;
    function recordLogs() external;
    function getRecordedLogs() external returns (Log[] memory);

    // files, read only
    function readFile(string calldata path) external view returns (string memory);
    function parseJsonBytes(string calldata json, string calldata key) external pure returns (bytes memory);
    function parseJsonUint(string calldata json, string calldata key) external pure returns (uint256);
    function toString(uint256 value) external pure returns (string memory);

    // comparisons that print the actual and the expected value
    function assertTrue(bool condition, string calldata what) external pure;
    function assertFalse(bool condition, string calldata what) external pure;
    function assertEq(uint256 got, uint256 wanted, string calldata what) external pure;
    function assertEq(bytes32 got, bytes32 wanted, string calldata what) external pure;
    function assertEq(address got, address wanted, string calldata what) external pure;
    function assertEq(bool got, bool wanted, string calldata what) external pure;
    function assertEq(string calldata got, string calldata wanted, string calldata what) external pure;
    function assertEq(bytes calldata got, bytes calldata wanted, string calldata what) external pure;
}

Vm constant VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
