// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {IProvenanceGate} from "../../../contracts/IProvenanceGate.sol";
import {Record} from "../../../contracts/Types.sol";
import {FromShipped, FromSource} from "../support/RegistryBehaviour.sol";
import {VM} from "../support/Vm.sol";
import {NamesBehaviour} from "../names/NamesBehaviour.sol";

/// @dev Attacks with records that a namespace holds.
abstract contract HeldAttacksBehaviour is NamesBehaviour {
    /// @dev Sixteen publishers were proposed and accepted, and first uses are left: the records of strangers are held.
    function test_aFullListHoldsStrangers() public {
        _claimSpace(16, 0);
        for (uint256 i = 0; i < 16; ++i) {
            VM.prank(spaceOwner);
            names.proposeIdentity(SPACE_ID, keccak256(abi.encode("publisher", i)));
        }
        VM.warp(block.timestamp + DELAY);
        for (uint256 i = 0; i < 16; ++i) {
            names.acceptIdentity(SPACE_ID, keccak256(abi.encode("publisher", i)));
        }
        VM.assertTrue(_isHeld(_publishFrom(MALLORY, 1)), "held");
        VM.assertEq(names.trustedSince(SPACE_ID, MALLORY), 0, "trusted");
        VM.prank(spaceOwner);
        names.dropIdentity(SPACE_ID, keccak256(abi.encode("publisher", 0)));
        VM.assertTrue(_isHeld(_publishFrom(MALLORY, 2)), "nor once there is room again");
    }

    /// @dev Stolen keys publish under a name before its owner does, with the identity of a publisher that the owner
    /// trusts later.
    function test_whatRevokedKeysSignedTakesNoName() public {
        _claimSpace(0, 0);
        bytes memory forged = _bytes(_recordFrom(PUBLISHER, 1));
        bytes32 forgedId = _publishFrom(PUBLISHER, 1);
        VM.prank(GUARDIAN);
        registry.revokeKey(1, 0, uint40(START), "stolen"); // two signers are left, but nobody has called recount
        _trust(PUBLISHER);
        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.RecordIsClosed.selector, forgedId, true, true));
        registry.releaseHeld(forged);

        _rotate(_oracles(2, SIZE), THRESHOLD);
        Record memory own = _recordFrom(PUBLISHER, 2);
        own.release = _releaseName(1);
        VM.assertEq(names.recordOfName(SPACE_ID, _nameOf(1)), 0, "still free");
        bytes32 ownId = _publish(own);
        VM.assertEq(names.requireNamed(SPACE_ID, _nameOf(1), 2), ownId, "the owner's");
    }
}

contract HeldAttacksOnSource is HeldAttacksBehaviour, FromSource {}

contract HeldAttacksOnShipped is HeldAttacksBehaviour, FromShipped {}
