// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {Record} from "../../../contracts/Types.sol";
import {VM} from "../support/Vm.sol";
import {NamesBehaviour} from "./NamesBehaviour.sol";

/// @dev Makes an account and its storage cold again, as at the beginning of a transaction.
interface Cooler {
    function cool(address account) external;
}

/// @dev Common base for the tests of parents and ancestors: a claimed namespace that trusts one publisher.
abstract contract LineageBehaviour is NamesBehaviour {
    uint256 internal constant DEEPEST = 16;
    uint256 internal constant MOST = 32;

    function setUp() public virtual override {
        super.setUp();
        _claimSpace(1, PUBLISHER);
    }

    /// @dev Publishes release `number` with these parents.
    function _child(uint256 number, bytes32[] memory parents) internal {
        Record memory record = _recordFrom(PUBLISHER, number);
        record.parents = parents;
        _publish(record);
    }

    /// @dev Publishes releases 1 to `count`, without parents. Returns their ids.
    function _publishMany(uint256 count) internal returns (bytes32[] memory) {
        for (uint256 i = 1; i <= count; ++i) {
            _publishFrom(PUBLISHER, i);
        }
        return _range(count);
    }

    /// @dev States a parent as the owner of the namespace.
    function _state(uint256 number, uint256 parent) internal {
        VM.prank(spaceOwner);
        ancestry.stateParent(SPACE_ID, _nameOf(number), _releaseId(number), _releaseId(parent));
    }

    function _revoke(bytes32 recordId) internal {
        VM.prank(GUARDIAN);
        registry.revoke(recordId, uint40(block.timestamp), "reason");
    }

    /// @dev Publishes releases 1 to `count`, each a child of the one before.
    function _chain(uint256 count) internal {
        _publishFrom(PUBLISHER, 1);
        for (uint256 i = 2; i <= count; ++i) {
            _child(i, _ids(i - 1));
        }
    }

    /// @dev Publishes release 33 with 32 ancestors: four parents, each with seven of its own.
    function _tree() internal {
        bytes32[] memory four = new bytes32[](4);
        for (uint256 i = 0; i < 4; ++i) {
            bytes32[] memory seven = new bytes32[](7);
            for (uint256 j = 0; j < 7; ++j) {
                seven[j] = _publishFrom(PUBLISHER, 8 * i + j + 1);
            }
            _child(8 * i + 8, seven);
            four[i] = _releaseId(8 * i + 8);
        }
        _child(MOST + 1, four);
    }

    /// @dev Publishes four layers of eight releases. The parents of each are the whole layer before it, attested and
    /// stated.
    function _lattice() internal {
        for (uint256 i = 0; i <= MOST; ++i) {
            Record memory record = _recordFrom(PUBLISHER, i + 1);
            record.parents = new bytes32[](i < 8 ? 0 : 8);
            for (uint256 j = 0; j < record.parents.length; ++j) {
                record.parents[j] = _releaseId((i / 8 - 1) * 8 + j + 1);
            }
            _publish(record);
        }
        for (uint256 i = 0; i <= MOST; ++i) {
            for (uint256 j = 1; j <= 8; ++j) {
                _state(i + 1, i + 1 == j ? 9 : j);
            }
        }
    }

    function _count(uint256 number, bool includeStated) internal view returns (uint256) {
        return ancestry.ancestorsOf(_releaseId(number), includeStated).length;
    }

    /// @dev Checks that the gate is open with stated edges and without.
    function _pass(uint256 number, uint8 grade) internal view {
        _passGrade(number, grade);
        ancestry.requireLineage(_modelDigest(number), _manifestDigest(number), grade, true);
        VM.assertTrue(ancestry.hasLineage(_modelDigest(number), _manifestDigest(number), grade, true), "with stated");
    }

    function _passGrade(uint256 number, uint8 grade) internal view {
        ancestry.requireLineage(_modelDigest(number), _manifestDigest(number), grade, false);
        VM.assertTrue(ancestry.hasLineage(_modelDigest(number), _manifestDigest(number), grade, false), "attested");
    }

    /// @dev Returns the gas of the gate when nothing was touched before.
    function _gasOfGate(uint256 number, bool includeStated) internal returns (uint256) {
        (bytes32 model, bytes32 manifest) = (_modelDigest(number), _manifestDigest(number));
        Cooler(address(VM)).cool(address(ancestry));
        Cooler(address(VM)).cool(address(registry));
        uint256 before = gasleft();
        ancestry.requireLineage(model, manifest, 2, includeStated);
        return before - gasleft();
    }

    function _shut(uint256 number, bool includeStated, uint8 grade, bytes memory reason) internal {
        VM.assertFalse(
            ancestry.hasLineage(_modelDigest(number), _manifestDigest(number), grade, includeStated), "open"
        );
        VM.expectRevert(reason);
        ancestry.requireLineage(_modelDigest(number), _manifestDigest(number), grade, includeStated);
    }

    /// @dev Returns the ids of releases 1 to `count`.
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
