// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {IProvenanceGate} from "../../../contracts/IProvenanceGate.sol";
import {IProvenanceRegistry} from "../../../contracts/IProvenanceRegistry.sol";
import {Record, Standing} from "../../../contracts/Types.sol";
import {FromShipped, FromSource, RegistryBehaviour} from "../support/RegistryBehaviour.sol";
import {VM} from "../support/Vm.sol";

/// @dev Later judgements of a release are kept beside the first, and the latest counts.
abstract contract RevisionsBehaviour is RegistryBehaviour {
    function test_theLatestJudgementCounts() public {
        bytes32 releaseId = _publish(_record(1));
        Record memory second = _revision(1, 1);
        second.grade = 1;
        bytes32 secondId = _publish(second);
        VM.assertEq(registry.latestIdOf(releaseId), secondId, "latest id");
        VM.assertTrue(registry.isModel(_modelDigest(1), _manifestDigest(1), 1), "grade 1");
        _closed(abi.encodeWithSelector(IProvenanceGate.GradeTooLow.selector, releaseId, 1, 2), 2);

        _publish(_revision(1, 2));
        VM.assertTrue(registry.isModel(_modelDigest(1), _manifestDigest(1), 2), "grade 2 again");
        VM.assertEq(registry.standingOf(_modelDigest(1), _manifestDigest(1)).revisions, 2, "revisions");
    }

    function test_aWorseJudgementShutsTheGate() public {
        bytes32 releaseId = _publish(_record(1));
        Record memory second = _simulated(1);
        second.revision = 1;
        _publish(second);
        _closed(abi.encodeWithSelector(IProvenanceGate.RecordIsSimulated.selector, releaseId), 0);
        VM.assertTrue(registry.isSimulatedModel(_modelDigest(1), _manifestDigest(1)), "simulated");
    }

    function test_earlierJudgementsStayAsTheyWere() public {
        bytes32 releaseId = _publish(_record(1));
        Standing memory before = registry.standingById(releaseId);
        VM.warp(START + 1 days);
        bytes32 secondId = _publish(_revision(1, 1));
        bytes memory second = abi.encode(registry.standingById(secondId));
        VM.warp(START + 2 days);
        _publish(_revision(1, 2));

        before.revisions = 2;
        VM.assertEq(abi.encode(registry.standingById(releaseId)), abi.encode(before), "the first but for its count");
        VM.assertEq(abi.encode(registry.standingById(secondId)), second, "the second");
        VM.assertEq(registry.contentOf(releaseId), keccak256(_bytes(_firstRecord())), "content of the first");
    }

    function test_theLatestStandingIsTheReleases() public {
        _publish(_record(1));
        VM.warp(START + 1 days);
        Record memory second = _revision(1, 1);
        second.policyId = 9;
        _publishBy(31, second);
        Standing memory standing = registry.standingOf(_modelDigest(1), _manifestDigest(1));
        VM.assertEq(standing.recordedAt, START + 1 days, "recorded");
        VM.assertEq(standing.judgedAt, START + 1 days, "judged");
        VM.assertEq(standing.policyId, 9, "policy");
        VM.assertEq(standing.signers, 31, "signers");
        VM.assertEq(standing.weight, 5, "weight");
    }

    function test_revisionsFollowOneAnother() public {
        bytes32 releaseId = _publish(_record(1));
        _refuse(_revision(1, 2), _wrong(releaseId, 2, 1));
        _publish(_revision(1, 1));
        _publish(_revision(1, 2));
        _refuse(_revision(1, 4), _wrong(releaseId, 4, 3));
        _refuse(_revision(1, type(uint16).max), _wrong(releaseId, type(uint16).max, 3));
    }

    function test_theSameRevisionTwice() public {
        _publish(_record(1));
        bytes32 secondId = _publish(_revision(1, 1));
        bytes memory encoded = _bytes(_revision(1, 1));
        VM.assertFalse(registry.publish(encoded, _signed(encoded)), "written again");
        Record memory other = _revision(1, 1);
        other.checks = 1;
        _refuse(other, abi.encodeWithSelector(IProvenanceRegistry.RecordExists.selector, secondId));
    }

    function test_noRevisionOfNothing() public {
        _refuse(_revision(1, 1), abi.encodeWithSelector(IProvenanceGate.RecordNotFound.selector, _releaseId(1)));
        _publish(_failure(1));
        _refuse(_revision(1, 1), abi.encodeWithSelector(IProvenanceGate.RecordNotFound.selector, _releaseId(1)));
    }

    function test_noRevisionOfWhatIsRevoked() public {
        bytes32 releaseId = _publish(_record(1));
        uint40 later = uint40(START + 30 days);
        VM.prank(GUARDIAN);
        registry.revoke(releaseId, later, "found wanting");
        VM.warp(later - 1);
        _publish(_revision(1, 1));
        VM.warp(later);
        _refuse(_revision(1, 2), abi.encodeWithSelector(IProvenanceGate.RecordIsRevoked.selector, releaseId, later));
    }

    function test_latestIdIsOfReleasesOnly() public {
        _publish(_record(1));
        bytes32 secondId = _publish(_revision(1, 1));
        bytes32 failureId = _publish(_failure(1));
        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.RecordNotFound.selector, secondId));
        registry.latestIdOf(secondId);
        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.RecordNotFound.selector, failureId));
        registry.latestIdOf(failureId);
        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.RecordNotFound.selector, POLICY));
        registry.latestIdOf(POLICY);
    }

    function _firstRecord() private view returns (Record memory record) {
        record = _record(1);
        record.judgedAt = uint40(START);
    }

    function _wrong(bytes32 releaseId, uint256 revision, uint256 wanted) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IProvenanceRegistry.WrongRevision.selector, releaseId, revision, wanted);
    }

    function _closed(bytes memory reason, uint8 grade) private {
        VM.assertFalse(registry.isModel(_modelDigest(1), _manifestDigest(1), grade), "open");
        VM.expectRevert(reason);
        registry.requireModel(_modelDigest(1), _manifestDigest(1), grade);
    }
}

contract RevisionsOfSource is RevisionsBehaviour, FromSource {}

contract RevisionsOfShipped is RevisionsBehaviour, FromShipped {}
