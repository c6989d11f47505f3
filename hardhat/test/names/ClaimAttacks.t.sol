// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {INamespaces} from "../../../contracts/INamespaces.sol";
import {IProvenanceGate} from "../../../contracts/IProvenanceGate.sol";
import {Record, Standing} from "../../../contracts/Types.sol";
import {FromShipped, FromSource} from "../support/RegistryBehaviour.sol";
import {VM} from "../support/Vm.sol";
import {NamesBehaviour} from "./NamesBehaviour.sol";
import {FixedAnswerWallet} from "./Wallets.sol";

/// @dev Attacks by claiming a namespace late, by coming back as a dropped publisher, and by squatting on names.
abstract contract ClaimAttacksBehaviour is NamesBehaviour {
    // --- claims do not reach back

    function test_aLateClaimShutsNoBatchedRelease() public {
        Grown memory tree = _sealed(_recordFrom(PUBLISHER, 1));
        VM.warp(START + 30 days);
        _claimSpace(0, 0); // by a stranger
        registry.materialise(tree.leaves[0].record, _proof(tree, 0));
        Standing memory standing = registry.standingOf(_modelDigest(1), _manifestDigest(1));
        VM.assertFalse(standing.held || standing.named, "held or named");
        VM.assertEq(standing.recordedAt, START, "recorded at");
        registry.requireModel(_modelDigest(1), _manifestDigest(1), 2);
        registry.requireModelFromProof(_modelDigest(1), _manifestDigest(1), _proof(tree, 0), 2);
        VM.assertEq(names.recordOfName(SPACE_ID, _nameOf(1)), 0, "name");
        VM.assertEq(_lastNumber(), 1, "entries");
    }

    function test_aLateClaimShutsNoLaterJudgement() public {
        _publish(_record(1));
        VM.warp(START + 1);
        _claimSpace(0, 0);
        _publish(_revision(1, 1));
        registry.requireModel(_modelDigest(1), _manifestDigest(1), 2);
        VM.assertEq(_lastNumber(), 1, "entries");
    }

    /// @dev For a batch, nobody can tell whether it or a claim in the same block came first, so the claim counts.
    function test_aClaimCountsForTheBatchesOfItsOwnBlock() public {
        Grown memory tree = _sealed(_recordFrom(PUBLISHER, 1));
        _claimSpace(0, 0);
        registry.materialise(tree.leaves[0].record, _proof(tree, 0));
        VM.assertTrue(_isHeld(_releaseId(1)), "held");
        VM.assertFalse(registry.isModelFromProof(_modelDigest(1), _manifestDigest(1), _proof(tree, 0), 0), "open");
    }

    function test_aClaimDoesNotCountForTheRecordsBeforeItInItsBlock() public {
        bytes32 recordId = _publishFrom(PUBLISHER, 1);
        _claimSpace(0, 0);
        VM.assertTrue(registry.isOpen(recordId, 2), "open");
        VM.assertTrue(_isHeld(_publishFrom(PUBLISHER, 2)), "held");
    }

    // --- publishers

    function test_aDroppedPublisherDoesNotComeBackByPublishing() public {
        _claimSpace(2, PUBLISHER); // one use is left
        _publishFrom(PUBLISHER, 1);
        VM.prank(spaceOwner);
        names.dropIdentity(SPACE_ID, PUBLISHER);
        bytes32 recordId = _publishFrom(PUBLISHER, 2);
        VM.assertTrue(_isHeld(recordId), "held");
        VM.assertEq(names.trustedSince(SPACE_ID, PUBLISHER), 0, "trusted");
        VM.assertTrue(_isHeld(_publishFrom(MALLORY, 3)), "nor does any other on first use");
        VM.assertEq(names.namespaceOf(SPACE_ID).firstUses, 2, "first uses");
        bytes memory record = _bytes(_recordFrom(PUBLISHER, 2));
        VM.expectRevert(abi.encodeWithSelector(INamespaces.IdentityNotTrusted.selector, SPACE_ID, PUBLISHER));
        registry.releaseHeld(record);
        _trust(PUBLISHER);
        VM.assertFalse(_isHeld(_publishFrom(PUBLISHER, 4)), "proposed and accepted");
    }

    /// @dev Not even with a batch that was recorded while the publisher was trusted.
    function test_aDroppedPublisherDoesNotComeBackByABatch() public {
        _claimSpace(2, PUBLISHER);
        Grown memory tree = _sealed(_recordFrom(PUBLISHER, 1));
        VM.prank(spaceOwner);
        names.dropIdentity(SPACE_ID, PUBLISHER);
        registry.materialise(tree.leaves[0].record, _proof(tree, 0));
        VM.assertTrue(_isHeld(_releaseId(1)), "held");
    }

    function test_droppingByTheOraclesFreezesTheListToo() public {
        _claimSpace(2, PUBLISHER);
        uint48 number = _lastNumber();
        names.changeIdentity(SPACE_ID, PUBLISHER, false, 1, number, _approved(PUBLISHER, false, 1, number));
        VM.assertTrue(_isHeld(_publishFrom(PUBLISHER, 1)), "held");
    }

    /// @dev A publisher that was only proposed has not used the list.
    function test_takingAProposalBackFreezesNothing() public {
        _claimSpace(1, 0);
        VM.startPrank(spaceOwner);
        names.proposeIdentity(SPACE_ID, MALLORY);
        names.dropIdentity(SPACE_ID, MALLORY);
        VM.stopPrank();
        VM.assertFalse(_isHeld(_publishFrom(PUBLISHER, 1)), "trusted on first use");
    }

    /// @dev A later judgement of a named release needs no trust, uses up no first use, and shuts no gate.
    function test_aLaterJudgementByAStrangerShutsNothing() public {
        _claimSpace(2, PUBLISHER);
        bytes32 recordId = _publishFrom(PUBLISHER, 1);
        Record memory later = _recordFrom(MALLORY, 1);
        later.revision = 1;
        _publish(later);
        VM.assertEq(names.requireNamed(SPACE_ID, _nameOf(1), 2), recordId, "gate by name");
        VM.assertEq(names.trustedSince(SPACE_ID, MALLORY), 0, "trusted");
        VM.assertEq(names.namespaceOf(SPACE_ID).firstUses, 1, "first uses");
        VM.prank(spaceOwner);
        names.dropIdentity(SPACE_ID, PUBLISHER);
        later = _recordFrom(PUBLISHER, 1);
        later.revision = 2;
        _publish(later);
        VM.assertEq(names.requireNamed(SPACE_ID, _nameOf(1), 2), recordId, "gate by name");
    }

    // --- names

    function test_aSquattedNameIsFreeOnceTheSquatterIsRevoked() public {
        _claimSpace(1, 0);
        Record memory squat = _recordFrom(MALLORY, 1); // first use
        bytes32 squatId = _publish(squat);
        VM.prank(spaceOwner);
        names.dropIdentity(SPACE_ID, MALLORY);
        _trust(PUBLISHER);
        Record memory good = _recordFrom(PUBLISHER, 2);
        good.release = squat.release;
        _refuse(good, abi.encodeWithSelector(INamespaces.NameTaken.selector, SPACE_ID, _nameOf(1), squatId));
        uint40 since = uint40(block.timestamp);
        VM.prank(GUARDIAN);
        registry.revoke(squatId, since, "squatter");
        bytes32 goodId = _publish(good);
        VM.assertEq(names.requireNamed(SPACE_ID, _nameOf(1), 2), goodId, "gate by name");
        VM.assertTrue(registry.standingById(goodId).named, "named");
    }

    function test_theOldOwnerOfANameDoesNotGetItBack() public {
        _claimSpace(2, PUBLISHER);
        bytes32 first = _publishFrom(PUBLISHER, 1);
        VM.prank(GUARDIAN);
        registry.revoke(first, uint40(START), "stolen");
        Record memory second = _recordFrom(PUBLISHER, 2);
        second.release = _releaseName(1);
        bytes32 secondId = _publish(second);
        Record memory later = _recordFrom(PUBLISHER, 1);
        later.revision = 1;
        _refuse(later, abi.encodeWithSelector(IProvenanceGate.RecordIsRevoked.selector, first, START));
        VM.assertEq(names.requireNamed(SPACE_ID, _nameOf(1), 2), secondId, "gate by name");
    }

    // --- signatures over claims

    /// @dev An account can have both code and a key (EIP-7702), even if the code does not answer or answers no.
    function test_anAccountWithCodeClaimsByItsOwnKey() public {
        VM.etch(spaceOwner, hex"5f5ffd");
        _claimSpace(1, PUBLISHER);
        VM.assertEq(names.namespaceOf(SPACE_ID).owner, spaceOwner, "owner");
        address other = _account(SPACE_OWNER_KEY + 1);
        VM.etch(other, address(new FixedAnswerWallet("", false)).code);
        _claim("acme2", SPACE_OWNER_KEY + 1, 0, new bytes32[](0));
        VM.assertEq(names.namespaceOf(keccak256("acme2")).owner, other, "owner");
    }

    function test_nobodyClaimsForAnAccountWithCodeThatSaysNo() public {
        VM.etch(spaceOwner, hex"5f5ffd");
        bytes32[] memory none = new bytes32[](0);
        bytes32 digest = _claimDigest(address(names), SPACE, spaceOwner, 0, none, 0, FOR_EVER);
        bytes memory signature = _plain(SPACE_OWNER_KEY + 1, digest);
        VM.expectRevert(abi.encodeWithSelector(INamespaces.WrongClaimSigner.selector, spaceOwner));
        names.claimNamespace(SPACE, spaceOwner, 0, none, 0, FOR_EVER, signature);
    }

    function _sealed(Record memory record) private returns (Grown memory tree) {
        Record[] memory records = new Record[](1);
        records[0] = record;
        tree = _grow(records);
        _recordBatch(tree);
    }
}

contract ClaimAttacksOnSource is ClaimAttacksBehaviour, FromSource {}

contract ClaimAttacksOnShipped is ClaimAttacksBehaviour, FromShipped {}
