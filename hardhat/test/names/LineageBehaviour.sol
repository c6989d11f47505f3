// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {Record} from "../../../contracts/Types.sol";
import {VM} from "../support/Vm.sol";
import {NamesBehaviour} from "./NamesBehaviour.sol";

/// @dev What the tests of parents and ancestors share: a claimed namespace that trusts one publisher.
abstract contract LineageBehaviour is NamesBehaviour {
    function setUp() public virtual override {
        super.setUp();
        _claimSpace(1, PUBLISHER);
    }

    /// @dev Publishes release `number` with these parents. Returns its record.
    function _child(uint256 number, bytes32[] memory parents) internal returns (bytes memory) {
        Record memory record = _recordFrom(PUBLISHER, number);
        record.parents = parents;
        _publish(record);
        return _bytes(record);
    }

    /// @dev Releases 1 to `count`, without parents. Returns their ids.
    function _publishMany(uint256 count) internal returns (bytes32[] memory) {
        for (uint256 i = 1; i <= count; ++i) {
            _publishFrom(PUBLISHER, i);
        }
        return _range(count);
    }

    /// @dev The record of a release without parents, judged now.
    function _bytesOf(uint256 number) internal view returns (bytes memory) {
        return _bytes(_recordFrom(PUBLISHER, number));
    }

    /// @dev As the owner of the namespace.
    function _state(bytes memory record, uint256 parent) internal {
        VM.prank(spaceOwner);
        ancestry.stateParent(record, _releaseId(parent));
    }

    function _revoke(bytes32 recordId) internal {
        VM.prank(GUARDIAN);
        registry.revoke(recordId, uint40(block.timestamp), "reason");
    }

    /// @dev Ids of releases 1 to `count`.
    function _range(uint256 count) internal pure returns (bytes32[] memory ids) {
        ids = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            ids[i] = _releaseId(i + 1);
        }
    }

    function _ids(uint256 number) internal pure returns (bytes32[] memory) {
        return _one(_releaseId(number));
    }

    function _ids(uint256 one, uint256 other) internal pure returns (bytes32[] memory ids) {
        ids = new bytes32[](2);
        (ids[0], ids[1]) = (_releaseId(one), _releaseId(other));
    }
}
