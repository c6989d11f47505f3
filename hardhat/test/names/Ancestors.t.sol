// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {ILineage} from "../../../contracts/ILineage.sol";
import {IProvenanceGate} from "../../../contracts/IProvenanceGate.sol";
import {Ancestor, Record} from "../../../contracts/Types.sol";
import {FromShipped, FromSource} from "../support/RegistryBehaviour.sol";
import {VM} from "../support/Vm.sol";
import {LineageBehaviour} from "./LineageBehaviour.sol";

/// @dev Makes an account and its storage cold again, as they are when a transaction begins.
interface Cooler {
    function cool(address account) external;
}

/// @dev Which ancestors a record has, and the gate for all of them.
abstract contract AncestorsBehaviour is LineageBehaviour {
    uint256 private constant DEEPEST = 16;
    uint256 private constant MOST = 32;

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
        _state(_bytesOf(3), 2);
        _state(_bytesOf(2), 1);
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
        _state(_bytesOf(3), 2);
        Ancestor[] memory found = ancestry.ancestorsOf(_releaseId(3), true);
        _check(found[1], Ancestor(_releaseId(1), _releaseId(2), 2, false, true));
    }

    function test_attestedAncestorsComeFirst() public {
        _publishMany(2);
        _state(_child(3, _ids(1)), 1);
        _state(_child(4, _ids(3)), 2);
        Ancestor[] memory found = ancestry.ancestorsOf(_releaseId(4), true);
        VM.assertEq(found.length, 3, "ancestors");
        _check(found[0], Ancestor(_releaseId(3), _releaseId(4), 1, true, true));
        _check(found[1], Ancestor(_releaseId(1), _releaseId(3), 2, true, true));
        _check(found[2], Ancestor(_releaseId(2), _releaseId(4), 1, false, true));
    }

    /// @dev Stated to be a parent, and far behind by attested edges: it and all before it are attested.
    function test_anAttestedWayCountsMoreThanAShorterStatedOne() public {
        _publishFrom(PUBLISHER, 1);
        for (uint256 i = 2; i <= 4; ++i) {
            _child(i, _ids(i - 1));
        }
        _state(_child(5, _ids(4)), 2);
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
        _state(_bytesOf(1), 3);
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
        registry.revokeOracle(1, 0, uint40(block.timestamp) - 1, "reason");
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
        _state(_bytesOf(2), 1);
        _pass(2, 2);
        _revoke(_releaseId(1));
        ancestry.requireLineage(_modelDigest(2), _manifestDigest(2), 2, false);
        VM.assertTrue(ancestry.hasLineage(_modelDigest(2), _manifestDigest(2), 2, false), "attested alone");
        _shut(2, true, 0, _revoked(1));
    }

    // --- bounds

    function test_sixteenGenerationsAndNoMore() public {
        _chain(DEEPEST + 2);
        _pass(DEEPEST + 1, 2);
        Ancestor[] memory found = ancestry.ancestorsOf(_releaseId(DEEPEST + 1), false);
        VM.assertEq(found.length, DEEPEST, "ancestors");
        VM.assertEq(found[DEEPEST - 1].depth, DEEPEST, "depth");
        _tooLarge(DEEPEST + 2, false);
    }

    function test_thirtyTwoAncestorsAndNoMore() public {
        _tree();
        VM.assertEq(_count(MOST + 1, true), MOST, "ancestors");
        _pass(MOST + 1, 2);
        _publishFrom(PUBLISHER, MOST + 2);
        _child(MOST + 3, _ids(MOST + 1, MOST + 2));
        _tooLarge(MOST + 3, false);
        _tooLarge(MOST + 3, true);
    }

    function test_oneStatedAncestorTooMany() public {
        _tree();
        _publishFrom(PUBLISHER, MOST + 2);
        _state(_bytesOf(1), MOST + 2);
        VM.assertEq(_count(MOST + 1, false), MOST, "attested");
        _tooLarge(MOST + 1, true);
    }

    /// @dev A chain costs some 10,000 for each ancestor.
    function test_theGasOfTheGateIsBounded() public {
        _chain(DEEPEST + 1);
        _checkGas(2, false, 27_000);
        _checkGas(5, false, 57_000);
        _checkGas(DEEPEST + 1, false, 190_000);
    }

    function test_theGasOfTheLargestLineageIsBounded() public {
        _tree();
        _checkGas(MOST + 1, false, 410_000);
    }

    /// @dev 32 ancestors with eight parents of each kind, of which all but one were found already.
    function test_theGasOfTheDensestLineageIsBounded() public {
        _lattice();
        VM.assertEq(_count(MOST + 1, true), MOST, "ancestors");
        _checkGas(MOST + 1, false, 1_450_000);
        _checkGas(MOST + 1, true, 3_500_000);
    }

    /// @dev Whatever the graph and the standing of its nodes, both flavours of the gate say the same.
    function testFuzz_bothFlavoursAgree(uint256 seed) public {
        bytes[] memory records = new bytes[](9);
        for (uint256 i = 1; i <= 8; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            Record memory record = _recordFrom(seed % 7 == 0 ? MALLORY : PUBLISHER, i);
            record.grade = uint8(seed >> 8) % 4 == 0 ? 1 : 2;
            if (i > 1) record.parents = _ids(1 + (seed >> 16) % (i - 1), 1 + (seed >> 80) % (i - 1));
            _publish(record);
            if (seed % 7 != 0) records[i] = _bytes(record);
        }
        for (uint256 i = 1; i <= 8; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 parent = 1 + seed % 8;
            if (parent != i && records[i].length != 0) _state(records[i], parent);
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

    /// @dev Releases 1 to `count`, each the child of the one before.
    function _chain(uint256 count) private {
        _publishFrom(PUBLISHER, 1);
        for (uint256 i = 2; i <= count; ++i) {
            _child(i, _ids(i - 1));
        }
    }

    /// @dev Release 33 with 32 ancestors: four parents, each with seven of its own.
    function _tree() private {
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

    /// @dev Four layers of eight, each release with the whole layer before it as parents, and stated ones besides.
    function _lattice() private {
        bytes[] memory records = new bytes[](MOST + 1);
        for (uint256 i = 0; i <= MOST; ++i) {
            Record memory record = _recordFrom(PUBLISHER, i + 1);
            record.parents = new bytes32[](i < 8 ? 0 : 8);
            for (uint256 j = 0; j < record.parents.length; ++j) {
                record.parents[j] = _releaseId((i / 8 - 1) * 8 + j + 1);
            }
            _publish(record);
            records[i] = _bytes(record);
        }
        for (uint256 i = 0; i <= MOST; ++i) {
            for (uint256 j = 1; j <= 8; ++j) {
                _state(records[i], i + 1 == j ? 9 : j);
            }
        }
    }

    function _childRevision(uint256 number, uint256 parent) private view returns (Record memory record) {
        record = _recordFrom(PUBLISHER, number);
        record.revision = 1;
        record.parents = _ids(parent);
    }

    function _count(uint256 number, bool includeStated) private view returns (uint256) {
        return ancestry.ancestorsOf(_releaseId(number), includeStated).length;
    }

    /// @dev That the gate is open with stated edges and without.
    function _pass(uint256 number, uint8 grade) private view {
        _passGrade(number, grade);
        ancestry.requireLineage(_modelDigest(number), _manifestDigest(number), grade, true);
        VM.assertTrue(ancestry.hasLineage(_modelDigest(number), _manifestDigest(number), grade, true), "with stated");
    }

    function _passGrade(uint256 number, uint8 grade) private view {
        ancestry.requireLineage(_modelDigest(number), _manifestDigest(number), grade, false);
        VM.assertTrue(ancestry.hasLineage(_modelDigest(number), _manifestDigest(number), grade, false), "attested");
    }

    function _shut(uint256 number, bool includeStated, uint8 grade, bytes memory reason) private {
        VM.assertFalse(
            ancestry.hasLineage(_modelDigest(number), _manifestDigest(number), grade, includeStated), "open"
        );
        VM.expectRevert(reason);
        ancestry.requireLineage(_modelDigest(number), _manifestDigest(number), grade, includeStated);
    }

    function _tooLarge(uint256 number, bool includeStated) private {
        bytes memory reason = abi.encodeWithSelector(ILineage.LineageTooLarge.selector, _releaseId(number));
        _shut(number, includeStated, 0, reason);
        VM.expectRevert(reason);
        ancestry.ancestorsOf(_releaseId(number), includeStated);
    }

    function _checkGas(uint256 number, bool includeStated, uint256 most) private {
        (bytes32 model, bytes32 manifest) = (_modelDigest(number), _manifestDigest(number));
        Cooler(address(VM)).cool(address(ancestry));
        Cooler(address(VM)).cool(address(registry));
        uint256 before = gasleft();
        ancestry.requireLineage(model, manifest, 2, includeStated);
        uint256 used = before - gasleft();
        VM.assertTrue(used < most, string.concat("gas: ", VM.toString(used)));
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
