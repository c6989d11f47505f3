// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {INamespaces} from "../../../contracts/INamespaces.sol";
import {IProvenanceGate} from "../../../contracts/IProvenanceGate.sol";
import {IProvenanceRegistry} from "../../../contracts/IProvenanceRegistry.sol";
import {Proof, Quorum, Record, Requirements} from "../../../contracts/Types.sol";
import {FromShipped, FromSource, RegistryBehaviour} from "../support/RegistryBehaviour.sol";
import {VM} from "../support/Vm.sol";

/// @dev Releases that have only a signature, and the gate that asks for the publisher of any release.
abstract contract SignedReleasesBehaviour is RegistryBehaviour {
    bytes32 private _id;

    function setUp() public override {
        super.setUp();
        _id = _releaseId(1);
    }

    function test_opensForItsPublisherAtOnce() public {
        _publish(_signedOnly(1));
        VM.assertEq(registry.publisherOf(_id), PUBLISHER, "noted");
        _open(PUBLISHER);
        _shut(OTHER_PUBLISHER, _by(PUBLISHER));
        _shut(0, _by(PUBLISHER));
    }

    function test_everyOtherGateStaysShut() public {
        _publish(_signedOnly(1));
        (bytes32 model, bytes32 manifest) = (_modelDigest(1), _manifestDigest(1));
        bytes memory reason = abi.encodeWithSelector(IProvenanceGate.RecordIsSignedOnly.selector, _id);
        Requirements memory least = Requirements(0, type(uint40).max, 0, true, new uint32[](0));
        VM.assertFalse(registry.isModel(model, manifest, 0), "isModel");
        VM.assertFalse(registry.isOpen(_id, 0), "isOpen");
        VM.assertFalse(registry.isSimulatedModel(model, manifest), "isSimulatedModel");
        VM.assertFalse(registry.meets(model, manifest, least), "meets");
        VM.expectRevert(reason);
        registry.requireModel(model, manifest, 0);
        VM.expectRevert(reason);
        registry.requireOpen(_id, 0);
        VM.expectRevert(reason);
        registry.requireMeets(model, manifest, least);
    }

    function test_aProofOpensNothingUntilItIsWrittenOut() public {
        Record[] memory records = new Record[](1);
        records[0] = _signedOnly(1);
        Grown memory tree = _grow(records);
        _recordBatch(tree);
        Proof memory proof = _proof(tree, 0);
        VM.assertFalse(registry.isModelFromProof(_modelDigest(1), _manifestDigest(1), proof, 0), "from proof");
        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.RecordIsSignedOnly.selector, _id));
        registry.requireModelFromProof(_modelDigest(1), _manifestDigest(1), proof, 0);
        _shut(PUBLISHER, abi.encodeWithSelector(IProvenanceGate.RecordNotFound.selector, _id));
        registry.materialise(_bytes(records[0]), proof);
        _open(PUBLISHER);
    }

    function test_aRecordOfHardwareOpensOnceItsPublisherIsNoted() public {
        bytes memory record = _bytes(_record(1));
        _publish(_record(1));
        _shut(PUBLISHER, _by(0));
        VM.expectEmit(address(registry));
        emit IProvenanceRegistry.PublisherNoted(_id, PUBLISHER);
        VM.prank(ANYBODY);
        registry.notePublisher(record);
        _open(PUBLISHER);
        _shut(OTHER_PUBLISHER, _by(PUBLISHER));
        VM.recordLogs();
        registry.notePublisher(record);
        VM.assertEq(_countLogs(), 0, "noted twice");
        registry.requireModel(_modelDigest(1), _manifestDigest(1), 2);
    }

    function test_simulatedHardwareIsNoBetterForASignature() public {
        _publish(_simulated(1));
        registry.notePublisher(_bytes(_simulated(1)));
        VM.assertEq(registry.publisherOf(_id), PUBLISHER, "noted");
        _shut(PUBLISHER, abi.encodeWithSelector(IProvenanceGate.RecordIsSimulated.selector, _id));
    }

    function test_nothingIsSignedByNobody() public {
        Record memory record = _record(1);
        record.publisherIdentity = 0;
        _publish(record);
        VM.expectRevert(abi.encodeWithSelector(IProvenanceRegistry.ZeroDigest.selector, "publisherIdentity"));
        registry.notePublisher(_bytes(record));
        _shut(0, _by(0));
    }

    function test_onlyRecordedBytesAreNoted() public {
        _shut(PUBLISHER, abi.encodeWithSelector(IProvenanceGate.RecordNotFound.selector, _id));
        bytes memory reason = abi.encodeWithSelector(IProvenanceGate.RecordNotFound.selector, _id);
        VM.expectRevert(reason);
        registry.notePublisher(_bytes(_record(1)));
        _publish(_record(1));
        Record memory forged = _record(1);
        forged.publisherIdentity = OTHER_PUBLISHER;
        VM.expectRevert(reason);
        registry.notePublisher(_bytes(forged));
    }

    function test_nothingIsNotedInAPause() public {
        _publish(_record(1));
        VM.prank(GUARDIAN);
        registry.pauseWrites();
        VM.expectRevert(abi.encodeWithSelector(IProvenanceRegistry.WritesArePaused.selector));
        registry.notePublisher(_bytes(_record(1)));
    }

    function test_aFailureIsSignedByNobody() public {
        Record memory failure = _failure(1);
        _stripHardware(failure);
        _publish(failure);
        VM.assertEq(registry.publisherOf(_idOf(failure)), 0, "not noted");
        registry.notePublisher(_bytes(failure));
        _shut(PUBLISHER, abi.encodeWithSelector(IProvenanceGate.RecordNotFound.selector, _id));
    }

    function test_shutsAtTheTimeOfRevocationToTheSecond() public {
        _publish(_signedOnly(1));
        VM.prank(GUARDIAN);
        registry.revoke(_id, uint40(START + 1 days), "leaked");
        VM.warp(START + 1 days - 1);
        _open(PUBLISHER);
        VM.warp(START + 1 days);
        _shut(PUBLISHER, abi.encodeWithSelector(IProvenanceGate.RecordIsRevoked.selector, _id, START + 1 days));
    }

    function test_shutsWithItsModel() public {
        _publish(_signedOnly(1));
        VM.prank(GUARDIAN);
        registry.revokeAllOf(_modelDigest(1), "poisoned");
        bytes32[] memory manifests = new bytes32[](1);
        manifests[0] = _manifestDigest(1);
        registry.applyRevocations(_modelDigest(1), manifests);
        _shut(PUBLISHER, abi.encodeWithSelector(IProvenanceGate.RecordIsRevoked.selector, _id, START));
    }

    function test_isRevokedFromTheStartWithItsModel() public {
        VM.prank(GUARDIAN);
        registry.revokeAllOf(_modelDigest(1), "poisoned");
        _publish(_signedOnly(1));
        _shut(PUBLISHER, abi.encodeWithSelector(IProvenanceGate.RecordIsRevoked.selector, _id, START));
    }

    function test_shutsWhileDoubtfulAndOpensWithMoreSigners() public {
        bytes memory record = _bytes(_signedOnly(1));
        _publish(_signedOnly(1));
        VM.prank(GUARDIAN);
        registry.revokeKey(1, 0, uint40(START), "key lost");
        registry.recount(_id);
        _shut(PUBLISHER, abi.encodeWithSelector(IProvenanceGate.RecordIsClosed.selector, _id, false, true));
        registry.addSigners(record, _signedBy(1, 30, record));
        _open(PUBLISHER);
    }

    function test_staysShutWhileItsNamespaceHoldsIt() public {
        Record memory record = _inClaimedNamespace(0);
        bytes32 namespaceId = keccak256("acme");
        _shut(PUBLISHER, abi.encodeWithSelector(IProvenanceGate.RecordIsClosed.selector, _id, true, false));
        INamespaces names = registry.namespaces();
        VM.prank(_account(1));
        names.proposeIdentity(namespaceId, PUBLISHER);
        VM.warp(START + DELAY);
        names.acceptIdentity(namespaceId, PUBLISHER);
        registry.releaseHeld(_bytes(record));
        _open(PUBLISHER);
    }

    function test_aNamespaceTrustsItsPublisherOnFirstUse() public {
        _inClaimedNamespace(1);
        VM.assertTrue(registry.standingById(_id).named, "named");
        VM.assertTrue(registry.namespaces().trustedSince(keccak256("acme"), PUBLISHER) != 0, "trusted");
        _open(PUBLISHER);
    }

    function test_aNamespaceAdoptsWhatOnlyASignatureVouchesFor() public {
        Record memory record = _signedOnly(1);
        record.namespace = "acme";
        _publish(record);
        bytes32[] memory identities = new bytes32[](1);
        identities[0] = PUBLISHER;
        _claim("acme", 1, 1, identities);
        VM.startPrank(_account(1));
        registry.namespaces().adoptRelease(_bytes(record));
        VM.stopPrank();
        VM.assertTrue(registry.standingById(_id).named, "named");
        _open(PUBLISHER);
    }

    function test_thePublisherIsThatOfTheLatestJudgement() public {
        _publish(_signedOnly(1));
        Record memory second = _signedOnly(1);
        (second.revision, second.publisherIdentity) = (1, OTHER_PUBLISHER);
        second.verdictDigest = keccak256("second");
        _publish(second);
        _open(OTHER_PUBLISHER);
        _shut(PUBLISHER, _by(OTHER_PUBLISHER));

        _publish(_revision(1, 2));
        _shut(OTHER_PUBLISHER, _by(0));
        registry.notePublisher(_bytes(_revision(1, 2)));
        _open(PUBLISHER);
        registry.requireModel(_modelDigest(1), _manifestDigest(1), 2);
        VM.prank(GUARDIAN);
        registry.revoke(_id, uint40(START), "leaked");
        _shut(PUBLISHER, abi.encodeWithSelector(IProvenanceGate.RecordIsRevoked.selector, _id, START));
    }

    function test_aLaterJudgementByOthersLeavesOldCopiesShut() public {
        _publish(_record(1));
        registry.notePublisher(_bytes(_record(1)));
        Record memory second = _simulated(1);
        second.revision = 1;
        _publish(second);
        _shut(PUBLISHER, abi.encodeWithSelector(IProvenanceGate.RecordIsSimulated.selector, _id));
    }

    function test_hardwareThatASignatureCannotVouchFor() public {
        bytes memory reason = abi.encodeWithSelector(IProvenanceRegistry.HardwareClaimed.selector);
        Record memory record = _signedOnly(1);
        record.reportDigest = keccak256("report");
        _refuse(record, reason);
        record = _signedOnly(1);
        record.reportedTcb = 1;
        _refuse(record, reason);
        for (uint256 bit = 0; bit < 32; ++bit) {
            record = _signedOnly(1);
            record.checks |= uint32(1 << bit);
            if (bit < 19 || bit == 27) _refuse(record, reason);
        }
        record.checks = type(uint32).max ^ (1 << 19) - 1 ^ 1 << 27;
        _publish(record);
    }

    function test_whatASignedReleaseMustHave() public {
        Record memory record = _signedOnly(1);
        record.publisherIdentity = 0;
        _refuse(record, abi.encodeWithSelector(IProvenanceRegistry.ZeroDigest.selector, "publisherIdentity"));
        record = _signedOnly(1);
        record.checks = 0;
        _refuse(record, abi.encodeWithSelector(IProvenanceRegistry.NothingChecked.selector));
        for (uint8 grade = 1; grade < 3; ++grade) {
            record = _signedOnly(1);
            record.grade = grade;
            _refuse(record, abi.encodeWithSelector(IProvenanceRegistry.GradeNotEarned.selector, grade));
        }
    }

    /// @dev A report digest of 0 is none, so any number of releases has it.
    function test_manyReleasesHaveNoReport() public {
        for (uint256 number = 0; number < 3; ++number) {
            _publish(_signedOnly(number));
            VM.assertTrue(registry.isSignedBy(_modelDigest(number), _manifestDigest(number), PUBLISHER), "signed");
        }
    }

    function _inClaimedNamespace(uint8 identityLimit) private returns (Record memory record) {
        _claim("acme", 1, identityLimit, new bytes32[](0));
        record = _signedOnly(1);
        record.namespace = "acme";
        _publish(record);
    }

    function _by(bytes32 publisher) private view returns (bytes memory) {
        return abi.encodeWithSelector(IProvenanceGate.SignedByAnother.selector, _id, publisher);
    }

    function _open(bytes32 publisher) private view {
        VM.assertTrue(registry.isSignedBy(_modelDigest(1), _manifestDigest(1), publisher), "isSignedBy");
        registry.requireSignedBy(_modelDigest(1), _manifestDigest(1), publisher);
    }

    function _shut(bytes32 publisher, bytes memory reason) private {
        VM.assertFalse(registry.isSignedBy(_modelDigest(1), _manifestDigest(1), publisher), "isSignedBy");
        VM.expectRevert(reason);
        registry.requireSignedBy(_modelDigest(1), _manifestDigest(1), publisher);
    }
}

contract SignedReleasesOfSource is SignedReleasesBehaviour, FromSource {}

contract SignedReleasesOfShipped is SignedReleasesBehaviour, FromShipped {}
