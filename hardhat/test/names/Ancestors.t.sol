// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {ILineage} from "../../../contracts/ILineage.sol";
import {IProvenanceGate} from "../../../contracts/IProvenanceGate.sol";
import {Ancestor, Record} from "../../../contracts/Types.sol";
import {FromShipped, FromSource} from "../support/RegistryBehaviour.sol";
import {VM} from "../support/Vm.sol";
import {LineageBehaviour} from "./LineageBehaviour.sol";

/// @dev Ancestors of a record, and the gate for all of them.
abstract contract AncestorsBehaviour is LineageBehaviour {
    // --- the ancestors

    function test_aRecordWithoutParentsHasNoAncestors() public {
        _publishFrom(PUBLISHER, 1);
        VM.assertEq(_count(1, true), 0, "ancestors");
        _pass(1, 2);
    }

    function test_ancestorsAreNamedNearestFirst() public {
        _publishFrom(PUBLISHER, 1);
        _child(2, _ids(1));
        _child(3, _ids(2));
        Ancestor[] memory found = ancestry.ancestorsOf(_releaseId(3), false);
        VM.assertEq(found.length, 2, "ancestors");
        _check(found[0], Ancestor(_releaseId(2), _releaseId(3), 1, true, true));
        _check(found[1], Ancestor(_releaseId(1), _releaseId(2), 2, true, true));
    }

    function test_anAncestorOnTwoWaysIsNamedOnce() public {
        _publishFrom(PUBLISHER, 1);
        _child(2, _ids(1));
        _child(3, _ids(1));
        _child(4, _ids(2, 3));
        Ancestor[] memory found = ancestry.ancestorsOf(_releaseId(4), false);
        VM.assertEq(found.length, 3, "ancestors");
        _check(found[2], Ancestor(_releaseId(1), _releaseId(2), 2, true, true));
    }

    function test_statedEdgesCountIfTheyAreAskedFor() public {
        _publishMany(3);
        _state(3, 2);
        _state(2, 1);
        VM.assertEq(_count(3, false), 0, "attested");
        Ancestor[] memory found = ancestry.ancestorsOf(_releaseId(3), true);
        VM.assertEq(found.length, 2, "stated");
        _check(found[0], Ancestor(_releaseId(2), _releaseId(3), 1, false, true));
        _check(found[1], Ancestor(_releaseId(1), _releaseId(2), 2, false, true));
    }

    function test_behindAStatedEdgeNothingIsAttested() public {
        _publishFrom(PUBLISHER, 1);
        _child(2, _ids(1));
        _publishFrom(PUBLISHER, 3);
        _state(3, 2);
        Ancestor[] memory found = ancestry.ancestorsOf(_releaseId(3), true);
        _check(found[1], Ancestor(_releaseId(1), _releaseId(2), 2, false, true));
    }

    function test_attestedAncestorsComeFirst() public {
        _publishMany(2);
        _child(3, _ids(1));
        _state(3, 1);
        _child(4, _ids(3));
        _state(4, 2);
        Ancestor[] memory found = ancestry.ancestorsOf(_releaseId(4), true);
        VM.assertEq(found.length, 3, "ancestors");
        _check(found[0], Ancestor(_releaseId(3), _releaseId(4), 1, true, true));
        _check(found[1], Ancestor(_releaseId(1), _releaseId(3), 2, true, true));
        _check(found[2], Ancestor(_releaseId(2), _releaseId(4), 1, false, true));
    }

    /// @dev Release 2 is a stated parent, and also an ancestor by a longer path of attested edges: it counts as
    /// attested, and so do all before it.
    function test_anAttestedWayCountsMoreThanAShorterStatedOne() public {
        _publishFrom(PUBLISHER, 1);
        for (uint256 i = 2; i <= 4; ++i) {
            _child(i, _ids(i - 1));
        }
        _child(5, _ids(4));
        _state(5, 2);
        Ancestor[] memory found = ancestry.ancestorsOf(_releaseId(5), true);
        VM.assertEq(found.length, 4, "ancestors");
        for (uint256 i = 0; i < 4; ++i) {
            _check(found[i], Ancestor(_releaseId(4 - i), _releaseId(5 - i), uint8(i + 1), true, true));
        }
    }

    function test_circlesComeToAnEnd() public {
        _publishFrom(PUBLISHER, 1);
        _child(2, _ids(1));
        _child(3, _ids(2));
        _state(1, 3);
        for (uint256 i = 1; i <= 3; ++i) {
            VM.assertEq(_count(i, true), 2, "ancestors");
            _pass(i, 2);
        }
    }

    function test_aLaterJudgementMayCloseACircle() public {
        _publishFrom(PUBLISHER, 1);
        _child(2, _ids(1));
        Record memory later = _recordFrom(PUBLISHER, 1);
        later.revision = 1;
        later.parents = _ids(2);
        _publish(later);
        VM.assertEq(_count(1, false), 1, "ancestors");
        VM.assertEq(_count(2, false), 1, "ancestors");
        _pass(1, 2);
    }

    function test_theParentsOfEveryJudgementCount() public {
        _publishMany(2);
        _child(3, _ids(1));
        Record memory later = _recordFrom(PUBLISHER, 3);
        later.revision = 1;
        later.parents = _ids(2);
        _publish(later);
        VM.assertEq(_count(3, false), 2, "ancestors");
        _pass(3, 2);
        _revoke(_releaseId(1));
        _shut(3, false, 0, _revoked(1));
    }

    function test_whatIsNotRecordedHasNoAncestors() public {
        VM.assertEq(_count(1, true), 0, "ancestors");
        _shut(1, true, 0, abi.encodeWithSelector(IProvenanceGate.RecordNotFound.selector, _releaseId(1)));
    }

    // --- the gate

    function test_theRecordItselfCounts() public {
        _publishFrom(PUBLISHER, 1);
        _child(2, _ids(1));
        _revoke(_releaseId(2));
        _shut(2, false, 0, _revoked(2));
    }

    function test_aRevokedAncestorShutsTheGate() public {
        _publishFrom(PUBLISHER, 1);
        _child(2, _ids(1));
        _child(3, _ids(2));
        _pass(3, 2);
        _revoke(_releaseId(1));
        _shut(3, false, 0, _revoked(1));
        VM.assertFalse(ancestry.ancestorsOf(_releaseId(3), false)[1].open, "shut itself");
        VM.assertTrue(ancestry.ancestorsOf(_releaseId(3), false)[0].open, "open itself");
    }

    function test_aHeldAncestorShutsTheGate() public {
        _publishFrom(MALLORY, 1);
        _child(2, _ids(1));
        bytes memory closed =
            abi.encodeWithSelector(IProvenanceGate.RecordIsClosed.selector, _releaseId(1), true, false);
        _shut(2, false, 0, closed);
    }

    function test_aDoubtfulAncestorShutsTheGate() public {
        _publishFrom(PUBLISHER, 1);
        _child(2, _ids(1));
        _publish(_childRevision(2, 1));
        VM.warp(block.timestamp + 1);
        VM.prank(GUARDIAN);
        registry.revokeKey(1, 0, uint40(block.timestamp) - 1, "reason");
        registry.recount(_releaseId(1));
        bytes memory closed =
            abi.encodeWithSelector(IProvenanceGate.RecordIsClosed.selector, _releaseId(1), false, true);
        _shut(2, false, 0, closed);
    }

    function test_anAncestorOfLowerGradeShutsTheGate() public {
        Record memory base = _recordFrom(PUBLISHER, 1);
        base.grade = 1;
        _publish(base);
        _child(2, _ids(1));
        _passGrade(2, 1);
        _shut(2, false, 2, abi.encodeWithSelector(IProvenanceGate.GradeTooLow.selector, _releaseId(1), 1, 2));
    }

    function test_aSimulatedAncestorShutsTheGate() public {
        Record memory base = _recordFrom(PUBLISHER, 1);
        base.productLine = 255;
        base.grade = 0;
        _publish(base);
        _child(2, _ids(1));
        _shut(2, false, 0, abi.encodeWithSelector(IProvenanceGate.RecordIsSimulated.selector, _releaseId(1)));
    }

    function test_aStatedAncestorShutsTheGateOfThoseWhoAsk() public {
        _publishMany(2);
        _state(2, 1);
        _pass(2, 2);
        _revoke(_releaseId(1));
        ancestry.requireLineage(_modelDigest(2), _manifestDigest(2), 2, false);
        VM.assertTrue(ancestry.hasLineage(_modelDigest(2), _manifestDigest(2), 2, false), "attested alone");
        _shut(2, true, 0, _revoked(1));
    }

    /// @dev Both forms of the gate agree, for any graph and any standing of its nodes.
    function testFuzz_bothFlavoursAgree(uint256 seed) public {
        bool[] memory named = new bool[](9);
        for (uint256 i = 1; i <= 8; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            Record memory record = _recordFrom(seed % 7 == 0 ? MALLORY : PUBLISHER, i);
            record.grade = uint8(seed >> 8) % 4 == 0 ? 1 : 2;
            if (i > 1) record.parents = _ids(1 + (seed >> 16) % (i - 1), 1 + (seed >> 80) % (i - 1));
            _publish(record);
            named[i] = seed % 7 != 0;
        }
        for (uint256 i = 1; i <= 8; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 parent = 1 + seed % 8;
            if (parent != i && named[i]) _state(i, parent);
        }
        if (seed >> 8 & 1 == 0) _revoke(_releaseId(1 + (seed >> 16) % 8));
        for (uint256 i = 1; i <= 8; ++i) {
            _checkAgreement(i, 1, true);
            _checkAgreement(i, 2, false);
        }
    }

    function _checkAgreement(uint256 number, uint8 grade, bool includeStated) private view {
        bool yes = ancestry.hasLineage(_modelDigest(number), _manifestDigest(number), grade, includeStated);
        bool all = registry.isOpen(_releaseId(number), grade);
        Ancestor[] memory found = ancestry.ancestorsOf(_releaseId(number), includeStated);
        for (uint256 i = 0; i < found.length; ++i) {
            all = all && registry.isOpen(found[i].recordId, grade);
        }
        VM.assertEq(yes, all, "all ancestors");
        try ancestry.requireLineage(_modelDigest(number), _manifestDigest(number), grade, includeStated) {
            VM.assertTrue(yes, "passes");
        } catch {
            VM.assertFalse(yes, "reverts");
        }
    }

    function _childRevision(uint256 number, uint256 parent) private view returns (Record memory record) {
        record = _recordFrom(PUBLISHER, number);
        record.revision = 1;
        record.parents = _ids(parent);
    }

    function _check(Ancestor memory got, Ancestor memory wanted) private pure {
        VM.assertEq(abi.encode(got), abi.encode(wanted), "ancestor");
    }

    function _revoked(uint256 number) private view returns (bytes memory) {
        return abi.encodeWithSelector(
            IProvenanceGate.RecordIsRevoked.selector, _releaseId(number), uint40(block.timestamp)
        );
    }
}

contract AncestorsOfSource is AncestorsBehaviour, FromSource {}

contract AncestorsOfShipped is AncestorsBehaviour, FromShipped {}
