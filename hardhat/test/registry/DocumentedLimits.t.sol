// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {INamespaces} from "../../../contracts/INamespaces.sol";
import {IProvenanceRegistry} from "../../../contracts/IProvenanceRegistry.sol";
import {Oracle, Proof, Quorum, Record, Requirements} from "../../../contracts/Types.sol";
import {FromShipped, FromSource} from "../support/RegistryBehaviour.sol";
import {VM} from "../support/Vm.sol";
import {NamesBehaviour} from "../names/NamesBehaviour.sol";

/// @dev Known limits, found by an audit and documented in the interfaces: the contracts do not defend against these
/// cases, for the reasons given there.
abstract contract DocumentedLimitsBehaviour is NamesBehaviour {
    /// @dev {IProvenanceGate-requireModelFromProof} reads only the batch: a revocation reaches it when the leaf is
    /// closed.
    function test_theCheapGateByProofWaitsForTheLeafToBeClosed() public {
        Proof memory proof = _sealed(_record(1));
        bytes32 recordId = _publish(_record(1));
        VM.prank(GUARDIAN);
        registry.revoke(recordId, uint40(START), "stolen");
        VM.assertTrue(registry.isModelFromProof(_modelDigest(1), _manifestDigest(1), proof, 2), "open");
        registry.closeLeaf(_modelDigest(1), _manifestDigest(1), proof);
        VM.assertFalse(registry.isModelFromProof(_modelDigest(1), _manifestDigest(1), proof, 0), "shut");
    }

    /// @dev The signers vouch for a leaf, see {Leaves}. The guardian can revoke it.
    function test_aLeafIsHeldAgainstTheRulesWhenItIsWrittenOut() public {
        Record memory record = _record(1);
        (record.grade, record.checks, record.judgedAt) = (200, 0, 1);
        Proof memory proof = _sealed(record);
        bytes memory encoded = _bytes(record);
        registry.requireModelFromProof(_modelDigest(1), _manifestDigest(1), proof, 200);
        VM.expectRevert(IProvenanceRegistry.NothingChecked.selector);
        registry.materialise(encoded, proof);
        VM.prank(GUARDIAN);
        registry.revokeInBatch(_modelDigest(1), _manifestDigest(1), proof, uint40(START), "no record");
        VM.assertFalse(registry.isModelFromProof(_modelDigest(1), _manifestDigest(1), proof, 0), "open");
        VM.assertFalse(registry.isModel(_modelDigest(1), _manifestDigest(1), 0), "open");
    }

    /// @dev The oracles vouch that a policy's number and digest belong together, see {Record}.
    function test_aPolicysNumberIsTheOraclesWord() public {
        Record memory record = _record(1);
        record.policyDigest = keccak256("a lax policy");
        _publish(record);
        Requirements memory wanted = Requirements(2, type(uint40).max, 3, false, new uint32[](1));
        wanted.policies[0] = registry.policyIdOf(POLICY);
        registry.requireMeets(_modelDigest(1), _manifestDigest(1), wanted);
    }

    /// @dev A change of publishers is approved for one state of the namespace, and any entry in between invalidates it.
    function test_anyEntryStallsAChangeOfPublishers() public {
        _claimSpace(1, PUBLISHER);
        uint48 number = _lastNumber();
        Quorum memory quorum = _approved(OTHER, true, 1, number);
        _publishFrom(MALLORY, 1);
        VM.expectRevert(abi.encodeWithSelector(INamespaces.WrongHistoryNumber.selector, number, number + 1));
        names.changeIdentity(SPACE_ID, OTHER, true, 1, number, quorum);
    }

    /// @dev An announced set has to be announced anew, see {IOracleSets-revokeKey}.
    function test_anAnnouncedSetKeepsALostKey() public {
        Oracle[] memory oracles = _oracles(1, SIZE);
        VM.prank(OWNER);
        registry.scheduleOracles(oracles, THRESHOLD);
        VM.prank(GUARDIAN);
        registry.revokeKey(1, 0, uint40(START), "stolen");
        VM.warp(START + DELAY);
        registry.activateOracles(oracles, THRESHOLD);
        VM.assertEq(registry.oracleAt(2, 0).validUntil, FOR_EVER, "valid until");
    }

    /// @dev Lost keys count against a record after a recount; the exact gate takes them into account at once.
    function test_theCheapGateWaitsForARecount() public {
        bytes32 recordId = _publish(_record(1));
        VM.prank(GUARDIAN);
        registry.revokeKey(1, 0, uint40(START), "stolen");
        Requirements memory any = Requirements(0, type(uint40).max, 0, true, new uint32[](0));
        VM.assertTrue(registry.isOpen(recordId, 2), "open");
        VM.assertFalse(registry.meets(_modelDigest(1), _manifestDigest(1), any), "meets");
        registry.recount(recordId);
        VM.assertFalse(registry.isOpen(recordId, 0), "open");
    }

    function _sealed(Record memory record) private returns (Proof memory) {
        Record[] memory records = new Record[](1);
        records[0] = record;
        Grown memory tree = _grow(records);
        _recordBatch(tree);
        return _proof(tree, 0);
    }
}

contract DocumentedLimitsOfSource is DocumentedLimitsBehaviour, FromSource {}

contract DocumentedLimitsOfShipped is DocumentedLimitsBehaviour, FromShipped {}
