// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {ILineage} from "../../../contracts/ILineage.sol";
import {IProvenanceGate} from "../../../contracts/IProvenanceGate.sol";
import {RecordCodec} from "../../../contracts/lib/RecordCodec.sol";
import {Ancestor, Record} from "../../../contracts/Types.sol";
import {FromShipped, FromSource} from "../support/RegistryBehaviour.sol";
import {VM} from "../support/Vm.sol";
import {LineageBehaviour} from "./LineageBehaviour.sol";

/// @dev Attacks on the ancestry of a release: ancestors removed, downgraded to stated ones, or too many to check.
abstract contract LineageAttacksBehaviour is LineageBehaviour {
    function test_aLaterJudgementGetsRidOfNoAncestor() public {
        bytes32 bad = _publishFrom(PUBLISHER, 1);
        _publishFrom(PUBLISHER, 2);
        _child(3, _ids(1));
        _revoke(bad);
        bytes memory reason = abi.encodeWithSelector(IProvenanceGate.RecordIsRevoked.selector, bad, START);
        _shut(3, false, 0, reason);
        Record memory later = _recordFrom(PUBLISHER, 3);
        later.revision = 1;
        _publish(later);
        _shut(3, false, 0, reason);
        (later.revision, later.parents) = (2, _ids(2));
        _publish(later);
        _shut(3, false, 0, reason);
        (bytes32[] memory attested,) = ancestry.parentsOf(_releaseId(3));
        VM.assertEq(abi.encode(attested), abi.encode(_ids(1, 2)), "parents of all judgements");
    }

    function test_judgementsTogetherNameEightParents() public {
        _publishMany(9);
        Record memory record = _recordFrom(PUBLISHER, 10);
        record.parents = _range(7);
        _publish(record);
        (record.revision, record.parents) = (1, _ids(8, 9));
        _refuse(record, abi.encodeWithSelector(ILineage.TooManyParents.selector, 9));
        record.parents = _ids(1, 8);
        _publish(record);
        (bytes32[] memory attested,) = ancestry.parentsOf(_releaseId(10));
        VM.assertEq(abi.encode(attested), abi.encode(_range(8)), "parents");
    }

    function test_aFailureBringsNoParents() public {
        _publishFrom(PUBLISHER, 1);
        Record memory failure = _failure(2);
        failure.parents = _ids(1);
        bytes memory encoded = _bytes(failure);
        _refuseBytes(encoded, abi.encodeWithSelector(RecordCodec.RecordMalformed.selector, encoded.length));
    }

    /// @dev 5 was made from 4, 4 from 3, and so on to 1. The owner of 5 also states 2.
    function test_aShortcutMakesNoAncestorMerelyStated() public {
        _chain(4);
        _child(5, _ids(4));
        _state(5, 2);
        Ancestor[] memory found = ancestry.ancestorsOf(_releaseId(5), true);
        VM.assertEq(found.length, 4, "ancestors");
        for (uint256 i = 0; i < 4; ++i) {
            VM.assertEq(found[i].recordId, _releaseId(4 - i), "nearest first");
            VM.assertEq(found[i].depth, i + 1, "depth");
            VM.assertTrue(found[i].attested, "attested");
        }
    }

    /// @dev Attested ancestors are visited first, so stated ones cannot crowd them out.
    function test_statementsHideNoAttestedAncestor() public {
        _tree();
        _publishFrom(PUBLISHER, MOST + 2);
        for (uint256 i = 1; i <= 7; ++i) {
            _state(i, MOST + 2);
        }
        _pass32Attested();
        bytes memory tooLarge = abi.encodeWithSelector(ILineage.LineageTooLarge.selector, _releaseId(MOST + 1));
        _shut(MOST + 1, true, 2, tooLarge);
        _revoke(_releaseId(1));
        bytes memory revoked = abi.encodeWithSelector(IProvenanceGate.RecordIsRevoked.selector, _releaseId(1), START);
        _shut(MOST + 1, false, 0, revoked);
        _shut(MOST + 1, true, 0, revoked);
    }

    /// @dev A batched parent that is written out only to be revoked shuts the gates of its descendants.
    function test_aParentRevokedInItsBatch() public {
        Record[] memory records = new Record[](1);
        records[0] = _recordFrom(PUBLISHER, 1);
        Grown memory tree = _grow(records);
        _recordBatch(tree);
        VM.prank(GUARDIAN);
        registry.revokeInBatch(_modelDigest(1), _manifestDigest(1), _proof(tree, 0), uint40(START), "stolen");
        _child(2, _ids(1));
        bytes memory revoked = abi.encodeWithSelector(IProvenanceGate.RecordIsRevoked.selector, _releaseId(1), START);
        _shut(2, false, 0, revoked);
    }

    /// @dev Later judgements can name parents in a circle.
    function test_aCircleEnds() public {
        _chain(3);
        Record memory record = _recordFrom(PUBLISHER, 1);
        (record.revision, record.parents) = (1, _ids(3));
        _publish(record);
        VM.assertEq(_count(1, false), 2, "ancestors of the first");
        VM.assertEq(_count(3, true), 2, "ancestors of the last");
        _pass(1, 2);
        _revoke(_releaseId(2));
        bytes memory revoked = abi.encodeWithSelector(IProvenanceGate.RecordIsRevoked.selector, _releaseId(2), START);
        _shut(1, false, 0, revoked);
        _shut(3, false, 0, revoked);
    }

    function _pass32Attested() private view {
        _passGrade(MOST + 1, 2);
        Ancestor[] memory found = ancestry.ancestorsOf(_releaseId(MOST + 1), false);
        VM.assertEq(found.length, MOST, "ancestors");
        for (uint256 i = 0; i < MOST; ++i) {
            VM.assertTrue(found[i].attested && found[i].open, "attested and open");
        }
    }
}

contract LineageAttacksOnSource is LineageAttacksBehaviour, FromSource {}

contract LineageAttacksOnShipped is LineageAttacksBehaviour, FromShipped {}

/// @dev The most expensive lineage: 32 ancestors, each with a later judgement, all found as early as possible. The
/// eight parents of each kind of every ancestor are those that were found last.
contract LineageGasAttack is LineageBehaviour, FromShipped {
    function test_theGateStaysWithinTheGasThatItsInterfaceStates() public {
        for (uint256 i = 0; i <= MOST; ++i) {
            _child(i, new bytes32[](0));
        }
        for (uint256 i = 0; i <= MOST; ++i) {
            Record memory later = _recordFrom(PUBLISHER, i);
            (later.revision, later.parents) = (1, _parents(i, i > 3 ? 25 : 8 * i + 1));
            _publish(later);
            bytes32[] memory stated = _parents(i, 25);
            for (uint256 j = 0; j < 8; ++j) {
                VM.prank(spaceOwner);
                ancestry.stateParent(SPACE_ID, _nameOf(i), _releaseId(i), stated[j]);
            }
        }
        VM.assertEq(_count(0, false), MOST, "attested");
        VM.assertEq(_count(0, true), MOST, "all");
        _checkGas(false, 2_200_000);
        _checkGas(true, 4_200_000);
    }

    /// @dev Returns the ids of the eight releases from `first` on. If `number` is among them, the release before
    /// `first` replaces it.
    function _parents(uint256 number, uint256 first) private pure returns (bytes32[] memory parents) {
        parents = new bytes32[](8);
        for (uint256 i = 0; i < 8; ++i) {
            parents[i] = _releaseId(first + i == number ? first - 1 : first + i);
        }
    }

    function _checkGas(bool includeStated, uint256 most) private {
        uint256 used = _gasOfGate(0, includeStated);
        VM.assertTrue(used < most, string.concat("gas: ", VM.toString(used)));
        VM.assertTrue(used > most / 10 * 9, string.concat("not the costliest: ", VM.toString(used)));
    }
}
