// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {ILineage} from "../../../contracts/ILineage.sol";
import {IProvenanceGate} from "../../../contracts/IProvenanceGate.sol";
import {Record} from "../../../contracts/Types.sol";
import {FromShipped, FromSource} from "../support/RegistryBehaviour.sol";
import {VM} from "../support/Vm.sol";
import {LineageBehaviour} from "./LineageBehaviour.sol";

/// @dev A gate that looks at the nearest generations only. Others cannot shut it with what they state further away.
abstract contract NearAncestorsBehaviour is LineageBehaviour {
    bytes32 private constant THEIRS = keccak256("theirs");
    uint256 private constant THEIR_KEY = 2000;

    function test_looksAsDeepAsItIsTold() public {
        _chain(5);
        _revoke(_releaseId(2)); // three steps from release 5
        _passWithin(5, 1);
        _passWithin(5, 2);
        _shutWithin(5, 3, _isRevoked(2));
        _shutWithin(5, 16, _isRevoked(2));
    }

    function test_asksTheReleaseItself() public {
        _publishFrom(PUBLISHER, 1);
        _revoke(_releaseId(1));
        _shutWithin(1, 1, _isRevoked(1));
    }

    function test_asksEveryOneForTheGrade() public {
        Record memory poor = _recordFrom(PUBLISHER, 1);
        poor.grade = 1;
        _publish(poor);
        _child(2, _ids(1));
        _shutWithin(2, 1, abi.encodeWithSelector(IProvenanceGate.GradeTooLow.selector, _releaseId(1), 1, 2));
    }

    function test_theNumberOfGenerationsIsStated() public {
        _publishFrom(PUBLISHER, 1);
        _wrongGenerations(0);
        _wrongGenerations(17);
        _wrongGenerations(255);
        _passWithin(1, 16);
    }

    function test_whatLiesDeeperIsNotTooLarge() public {
        _chain(20);
        bytes memory tooLarge = abi.encodeWithSelector(ILineage.LineageTooLarge.selector, _releaseId(20));
        _shut(20, false, 2, tooLarge);
        _passWithin(20, 16);
    }

    /// @dev The owner of a parent's namespace states parents that never open. Only gates that go deeper shut.
    function test_theOwnerOfAParentShutsDeeperGatesOnly() public {
        _claim("theirs", THEIR_KEY, 1, _one(PUBLISHER));
        Record memory base = _recordFrom(PUBLISHER, 1);
        base.namespace = "theirs";
        _publish(base);
        _child(2, _ids(1));
        _publishFrom(MALLORY, 3); // held
        VM.prank(_account(THEIR_KEY));
        ancestry.stateParent(THEIRS, _nameOf(1), _releaseId(1), _releaseId(3));
        bytes memory held = abi.encodeWithSelector(IProvenanceGate.RecordIsClosed.selector, _releaseId(3), true, false);
        _shut(2, true, 2, held);
        _shutWithin(2, 2, held);
        _passWithin(2, 1);
        ancestry.requireLineageWithin(_modelDigest(2), _manifestDigest(2), 2, false, 16);
    }

    function test_eightParentsOfEachKindAreNeverTooMany() public {
        _publishMany(16);
        bytes32[] memory attested = new bytes32[](8);
        for (uint256 i = 0; i < 8; ++i) {
            attested[i] = _releaseId(i + 9);
        }
        _child(17, attested);
        for (uint256 i = 1; i <= 8; ++i) {
            _state(17, i);
        }
        _passWithin(17, 1);
        _revoke(_releaseId(8));
        _shutWithin(17, 1, _isRevoked(8));
        ancestry.requireLineageWithin(_modelDigest(17), _manifestDigest(17), 2, false, 1);
    }

    function test_tooManyNearOnes() public {
        _wideTree();
        _passWithin(200, 1);
        _shutWithin(200, 2, abi.encodeWithSelector(ILineage.LineageTooLarge.selector, _releaseId(200)));
    }

    /// @dev A stated shortcut counts, although attested edges lead to the same ancestor along a longer way.
    function test_theShortestWayCounts() public {
        _chain(4); // 4 <- 3 <- 2 <- 1
        _state(4, 2);
        _revoke(_releaseId(1)); // two steps by the shortcut, three by attested edges
        _passWithin(4, 1);
        _shutWithin(4, 2, _isRevoked(1));
        ancestry.requireLineageWithin(_modelDigest(4), _manifestDigest(4), 2, false, 2);
    }

    /// @dev For any graph: the gate is open if and only if all releases within so many steps are, found by brute force.
    function testFuzz_looksAtAllNearOnesAndNoOthers(uint256 seed, uint8 generations, bool includeStated) public {
        generations = generations % 4 + 1;
        uint256[9] memory edges; // of each release a bit for each parent
        for (uint256 i = 1; i <= 8; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 parent = i > 1 ? 1 + seed % (i - 1) : 0;
            if (i > 1) _child(i, _ids(parent));
            else _publishFrom(PUBLISHER, i);
            if (i > 1) edges[i] = 1 << parent;
        }
        for (uint256 i = 1; i <= 8; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 parent = 1 + seed % 8;
            if (parent == i || seed >> 8 & 1 == 0) continue;
            _state(i, parent);
            if (includeStated) edges[i] |= 1 << parent;
        }
        uint256 revoked = 1 + (seed >> 16) % 8;
        _revoke(_releaseId(revoked));
        for (uint256 i = 1; i <= 8; ++i) {
            bool open = _reached(edges, i, generations) >> revoked & 1 == 0;
            (bytes32 model, bytes32 manifest) = (_modelDigest(i), _manifestDigest(i));
            VM.assertEq(ancestry.hasLineageWithin(model, manifest, 2, includeStated, generations), open, "open");
            if (!open) VM.expectRevert(_isRevoked(revoked));
            ancestry.requireLineageWithin(model, manifest, 2, includeStated, generations);
        }
    }

    /// @dev Returns the set of releases within so many steps, the release itself included.
    function _reached(uint256[9] memory edges, uint256 start, uint256 steps) private pure returns (uint256 set) {
        set = 1 << start;
        for (uint256 step = 0; step < steps; ++step) {
            uint256 next = set;
            for (uint256 i = 1; i <= 8; ++i) {
                if (set >> i & 1 == 1) next |= edges[i];
            }
            set = next;
        }
    }

    /// @dev Publishes release 200 with 40 ancestors in two generations: five, and seven of each.
    function _wideTree() private {
        bytes32[] memory parents = new bytes32[](5);
        for (uint256 i = 0; i < 5; ++i) {
            bytes32[] memory seven = new bytes32[](7);
            for (uint256 j = 0; j < 7; ++j) {
                seven[j] = _publishFrom(PUBLISHER, 100 + 8 * i + j);
            }
            _child(100 + 8 * i + 7, seven);
            parents[i] = _releaseId(100 + 8 * i + 7);
        }
        _child(200, parents);
    }

    /// @dev Checks that the gate is open with stated edges and without.
    function _passWithin(uint256 number, uint8 generations) private view {
        (bytes32 model, bytes32 manifest) = (_modelDigest(number), _manifestDigest(number));
        ancestry.requireLineageWithin(model, manifest, 2, true, generations);
        ancestry.requireLineageWithin(model, manifest, 2, false, generations);
        VM.assertTrue(ancestry.hasLineageWithin(model, manifest, 2, true, generations), "with stated");
        VM.assertTrue(ancestry.hasLineageWithin(model, manifest, 2, false, generations), "attested");
    }

    /// @dev Checks that the gate is shut with stated edges.
    function _shutWithin(uint256 number, uint8 generations, bytes memory reason) private {
        (bytes32 model, bytes32 manifest) = (_modelDigest(number), _manifestDigest(number));
        VM.assertFalse(ancestry.hasLineageWithin(model, manifest, 2, true, generations), "open");
        VM.expectRevert(reason);
        ancestry.requireLineageWithin(model, manifest, 2, true, generations);
    }

    function _wrongGenerations(uint8 generations) private {
        bytes memory reason = abi.encodeWithSelector(ILineage.WrongGenerations.selector, generations, 16);
        (bytes32 model, bytes32 manifest) = (_modelDigest(1), _manifestDigest(1));
        VM.expectRevert(reason);
        ancestry.requireLineageWithin(model, manifest, 0, true, generations);
        VM.expectRevert(reason);
        ancestry.hasLineageWithin(model, manifest, 0, true, generations);
    }

    function _isRevoked(uint256 number) private view returns (bytes memory) {
        return abi.encodeWithSelector(
            IProvenanceGate.RecordIsRevoked.selector, _releaseId(number), uint40(block.timestamp)
        );
    }
}

contract NearAncestorsOfSource is NearAncestorsBehaviour, FromSource {}

contract NearAncestorsOfShipped is NearAncestorsBehaviour, FromShipped {}
