// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {INamespaces} from "../../../contracts/INamespaces.sol";
import {IProvenanceRegistry} from "../../../contracts/IProvenanceRegistry.sol";
import {Record, Standing} from "../../../contracts/Types.sol";
import {FromShipped, FromSource, RegistryBehaviour} from "../support/RegistryBehaviour.sol";
import {VM} from "../support/Vm.sol";

/// @dev Records by publishers that their namespace does not trust yet: kept, shut, and opened later.
abstract contract HeldRecordsBehaviour is RegistryBehaviour {
    uint256 private constant CLAIMANT = 1;

    function setUp() public override {
        super.setUp();
        _claim("acme", CLAIMANT, 0, new bytes32[](0));
    }

    function test_opensOnceThePublisherIsTrusted() public {
        bytes32 recordId = _publish(_record(1));
        bytes memory encoded = _bytes(_record(1));
        Standing memory wanted = registry.standingById(recordId);
        VM.assertTrue(wanted.held && !wanted.named, "held");
        _trust();
        VM.assertFalse(registry.isOpen(recordId, 0), "nobody has released it");

        VM.prank(ANYBODY);
        registry.releaseHeld(encoded);
        (wanted.held, wanted.named) = (false, true);
        VM.assertEq(abi.encode(registry.standingById(recordId)), abi.encode(wanted), "standing");
        VM.assertTrue(registry.isOpen(recordId, 2), "open");
    }

    function test_staysHeldUntilThePublisherIsTrusted() public {
        _publish(_record(1));
        bytes memory encoded = _bytes(_record(1));
        bytes32 space = keccak256("acme");
        VM.expectRevert(abi.encodeWithSelector(IProvenanceRegistry.IdentityNotTrusted.selector, space, PUBLISHER));
        registry.releaseHeld(encoded);
    }

    /// @dev The namespace holds or takes in the first judgement only.
    function test_laterJudgementsAreHeldWithTheFirst() public {
        bytes32 releaseId = _publish(_record(1));
        bytes32 revision = _publish(_revision(1, 1));
        VM.assertTrue(registry.standingOf(_modelDigest(1), _manifestDigest(1)).held, "held");
        VM.assertFalse(registry.isOpen(releaseId, 0), "held");
        bytes memory first = _bytes(_record(1));
        bytes memory second = _bytes(_revision(1, 1));
        _trust();
        _notHeld(second, revision);
        registry.releaseHeld(first);
        VM.assertTrue(registry.isOpen(releaseId, 2), "open");
        VM.assertTrue(registry.standingOf(_modelDigest(1), _manifestDigest(1)).named, "named");
    }

    function test_laterJudgementsOpenNothingByAnotherName() public {
        bytes32 releaseId = _publish(_record(1));
        Record memory later = _revision(1, 1);
        later.namespace = "unclaimed";
        _publish(later);
        VM.assertFalse(registry.isOpen(releaseId, 0), "open");
        _notHeld(_bytes(later), _idOf(later));
    }

    function test_laterJudgementsOfANamedReleaseKeepItsName() public {
        _trust();
        bytes32 releaseId = _publish(_record(1));
        Record memory later = _revision(1, 1);
        later.release = "model@2";
        _refuse(later, abi.encodeWithSelector(IProvenanceRegistry.RevisionRenamed.selector, releaseId));
        later = _revision(1, 1);
        later.namespace = "unclaimed";
        _refuse(later, abi.encodeWithSelector(IProvenanceRegistry.RevisionRenamed.selector, releaseId));
        _publish(_revision(1, 1));
        VM.assertTrue(registry.isOpen(releaseId, 2), "open");
        VM.assertTrue(registry.standingOf(_modelDigest(1), _manifestDigest(1)).named, "named");
    }

    /// @dev A claim does not affect records from before it.
    function test_whatIsOlderThanTheClaimIsNeitherHeldNorNamed() public {
        Record memory record = _record(1);
        record.namespace = "later";
        bytes32 releaseId = _publish(record);
        Record[] memory records = new Record[](1);
        records[0] = _record(2);
        records[0].namespace = "later";
        Grown memory tree = _grow(records);
        _recordBatch(tree);
        VM.warp(START + 1);
        _claim("later", CLAIMANT + 1, 0, new bytes32[](0));

        Record memory revision = _revision(1, 1);
        revision.namespace = "later";
        _publish(revision);
        VM.assertTrue(registry.isOpen(releaseId, 2), "a later judgement of what was published before");
        registry.materialise(tree.leaves[0].record, _proof(tree, 0));
        VM.assertTrue(registry.isOpen(_releaseId(2), 2), "what was in a batch before");
        record = _record(3);
        record.namespace = "later";
        VM.assertTrue(registry.standingById(_publish(record)).held, "what came after");
    }

    function test_aNameIsTakenByOneRelease() public {
        _trust();
        bytes32 releaseId = _publish(_record(1));
        bytes memory reason = abi.encodeWithSelector(
            IProvenanceRegistry.NameTaken.selector, keccak256("acme"), keccak256("model@1"), releaseId
        );
        _refuse(_record(2), reason);
    }

    function test_aFailureIsNotHeld() public {
        bytes32 failure = _publish(_failure(1));
        VM.assertFalse(registry.standingById(failure).held, "held");
        _notHeld(_bytes(_failure(1)), failure);
    }

    function test_revokedStaysRevoked() public {
        bytes32 recordId = _publish(_record(1));
        bytes memory encoded = _bytes(_record(1));
        VM.prank(GUARDIAN);
        registry.revoke(recordId, uint40(START), "found wanting");
        _trust();
        registry.releaseHeld(encoded);
        VM.assertEq(registry.standingById(recordId).revokedAt, START, "revoked at");
        VM.assertFalse(registry.isOpen(recordId, 0), "open");
    }

    function test_nothingToRelease() public {
        _notHeld(_bytes(_record(1)), _releaseId(1));
        bytes32 recordId = _publish(_record(1));
        bytes memory encoded = _bytes(_record(1));
        bytes memory other = bytes.concat(encoded, POLICY);
        _notHeld(other, recordId);
        _trust();
        registry.releaseHeld(encoded);
        _notHeld(encoded, recordId);
    }

    function _notHeld(bytes memory record, bytes32 recordId) private {
        VM.expectRevert(abi.encodeWithSelector(IProvenanceRegistry.NotHeld.selector, recordId));
        registry.releaseHeld(record);
    }

    function _trust() private {
        INamespaces names = registry.namespaces();
        VM.prank(_account(CLAIMANT));
        names.proposeIdentity(keccak256("acme"), PUBLISHER);
        VM.warp(block.timestamp + DELAY);
        names.acceptIdentity(keccak256("acme"), PUBLISHER);
    }
}

contract HeldRecordsOfSource is HeldRecordsBehaviour, FromSource {}

contract HeldRecordsOfShipped is HeldRecordsBehaviour, FromShipped {}
