// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {IProvenanceGate} from "../../../contracts/IProvenanceGate.sol";
import {Proof, Record, Requirements} from "../../../contracts/Types.sol";
import {FromShipped, FromSource, RegistryBehaviour} from "../support/RegistryBehaviour.sol";
import {VM} from "../support/Vm.sol";

/// @dev Refusals of the exact gate through a proof, with their errors. A recorded release is asked for its own
/// standing, whatever the proof shows.
abstract contract ExactGateAttacksBehaviour is RegistryBehaviour {
    Proof private _shown;

    function test_everyRefusalOfALeaf() public {
        Requirements memory wanted = _any();
        _refuses(wanted, abi.encodeWithSelector(IProvenanceGate.RecordNotFound.selector, _releaseId(1)));
        _seal(_record(1), true);
        _refuses(wanted, _closed(true, false));
        _seal(_simulated(1), false);
        _refuses(wanted, abi.encodeWithSelector(IProvenanceGate.RecordIsSimulated.selector, _releaseId(1)));
        _seal(_record(1), false);
        _takes(wanted);
        wanted.minimumWeight = 4;
        _refuses(wanted, abi.encodeWithSelector(IProvenanceGate.WeightTooLow.selector, _releaseId(1), 3, 4));
        wanted.anyPolicy = false;
        _refuses(wanted, abi.encodeWithSelector(IProvenanceGate.WrongPolicy.selector, _releaseId(1), 1));
        wanted.maximumAge = 1 days;
        VM.warp(START + 1 days + 1);
        _refuses(wanted, _expired(1 days));
        wanted.minimumGrade = 3;
        _refuses(wanted, abi.encodeWithSelector(IProvenanceGate.GradeTooLow.selector, _releaseId(1), 2, 3));
        VM.prank(GUARDIAN);
        registry.revokeKey(1, 1, uint40(START), "key lost");
        _refuses(wanted, _closed(false, true));
        VM.prank(GUARDIAN);
        registry.revokeInBatch(_modelDigest(1), _manifestDigest(1), _shown, uint40(START), "stolen");
        _refuses(wanted, abi.encodeWithSelector(IProvenanceGate.RecordIsRevoked.selector, _releaseId(1), START));
    }

    function test_tooManyPolicies() public {
        _seal(_record(1), false);
        Requirements memory wanted = _any();
        (wanted.anyPolicy, wanted.policies) = (false, new uint32[](33));
        bytes memory reason = abi.encodeWithSelector(IProvenanceGate.TooMany.selector, 33, 32);
        Proof memory proof = _shown;
        VM.expectRevert(reason);
        registry.requireMeetsFromProof(_modelDigest(1), _manifestDigest(1), proof, wanted);
        VM.expectRevert(reason);
        registry.meetsFromProof(_modelDigest(1), _manifestDigest(1), proof, wanted);
    }

    /// @dev A leaf with a better grade, a younger judgement and more signers than the record, and the reverse.
    function test_theRecordCountsAndNotTheLeaf() public {
        Record memory weak = _record(1);
        (weak.grade, weak.policyId) = (1, 9);
        _seal(_record(1), false);
        _publishBy(31, weak);
        Requirements memory wanted = _any();
        (wanted.minimumGrade, wanted.minimumWeight) = (1, 5);
        _takes(wanted);
        wanted.minimumGrade = 2;
        _refuses(wanted, abi.encodeWithSelector(IProvenanceGate.GradeTooLow.selector, _releaseId(1), 1, 2));
        (wanted.minimumGrade, wanted.anyPolicy, wanted.policies) = (1, false, new uint32[](1));
        wanted.policies[0] = 1;
        _refuses(wanted, abi.encodeWithSelector(IProvenanceGate.WrongPolicy.selector, _releaseId(1), 9));
    }

    /// @dev The gate does not even look at the proof.
    function test_aRecordedReleaseMeetsByAnyProof() public {
        _publish(_record(1));
        _takes(_any());
        VM.prank(GUARDIAN);
        registry.revoke(_releaseId(1), uint40(START), "stolen");
        _refuses(_any(), abi.encodeWithSelector(IProvenanceGate.RecordIsRevoked.selector, _releaseId(1), START));
    }

    /// @dev A FAILED verdict is no record of the release.
    function test_aFailureDoesNotStandInTheWayOfALeaf() public {
        _publish(_failure(1));
        _seal(_record(1), false);
        _takes(_any());
    }

    function _seal(Record memory record, bool named) private {
        Leaf[] memory leaves = new Leaf[](1);
        leaves[0] = _leaf(record, 0, named);
        Grown memory tree = _growLeaves(leaves);
        _recordBatch(tree);
        _shown = _proof(tree, 0);
    }

    function _any() private pure returns (Requirements memory) {
        return Requirements(0, type(uint40).max, 0, true, new uint32[](0));
    }

    function _closed(bool held, bool doubtful) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IProvenanceGate.RecordIsClosed.selector, _releaseId(1), held, doubtful);
    }

    function _expired(uint40 maximumAge) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IProvenanceGate.RecordIsExpired.selector, _releaseId(1), START, maximumAge);
    }

    function _takes(Requirements memory wanted) private view {
        VM.assertTrue(registry.meetsFromProof(_modelDigest(1), _manifestDigest(1), _shown, wanted), "meets");
        registry.requireMeetsFromProof(_modelDigest(1), _manifestDigest(1), _shown, wanted);
    }

    function _refuses(Requirements memory wanted, bytes memory reason) private {
        Proof memory proof = _shown;
        VM.assertFalse(registry.meetsFromProof(_modelDigest(1), _manifestDigest(1), proof, wanted), "meets");
        VM.expectRevert(reason);
        registry.requireMeetsFromProof(_modelDigest(1), _manifestDigest(1), proof, wanted);
    }
}

contract ExactGateAttacksOnSource is ExactGateAttacksBehaviour, FromSource {}

contract ExactGateAttacksOnShipped is ExactGateAttacksBehaviour, FromShipped {}
