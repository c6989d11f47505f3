// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {ExactProvenanceGate, Terms} from "../../../contracts/gate/ExactProvenanceGate.sol";
import {IProvenanceGate} from "../../../contracts/IProvenanceGate.sol";
import {Proof, Record, Requirements} from "../../../contracts/Types.sol";
import {FromSource} from "../support/RegistryBehaviour.sol";
import {VM} from "../support/Vm.sol";
import {Worlds} from "../support/Worlds.sol";

/// @dev A dApp that requires more than a grade, and lets its deployer choose the accepted policies.
contract ExactDapp is ExactProvenanceGate {
    uint256 public entered;

    constructor(address registry, Terms memory terms) ExactProvenanceGate(registry, terms) {}

    function recorded(bytes32 model, bytes32 manifest) external onlyRecorded(model, manifest) {
        ++entered;
    }

    function proven(bytes32 model, bytes32 manifest, Proof calldata proof) external onlyProven(model, manifest, proof) {
        ++entered;
    }

    function accept(bool anyPolicy, bytes32[] memory policyDigests) external {
        _acceptPolicies(anyPolicy, policyDigests);
    }
}

contract ExactProvenanceGateTest is Worlds, FromSource {
    event PoliciesAccepted(uint32[] policyIds);

    bytes32 private constant SECOND_POLICY = keccak256("second policy");

    ExactDapp private dapp;

    function setUp() public override {
        super.setUp();
        registry.numberPolicy(SECOND_POLICY);
        dapp = new ExactDapp(address(registry), _terms());
    }

    function test_says_what_it_asks() public view {
        Requirements memory asked = dapp.provenanceRequirements();
        VM.assertEq(uint256(asked.minimumGrade), 1, "grade");
        VM.assertEq(uint256(asked.maximumAge), 1 days, "age");
        VM.assertEq(uint256(asked.minimumWeight), 2, "weight");
        VM.assertFalse(asked.anyPolicy, "any policy");
        VM.assertEq(asked.policies.length, 1, "policies");
        VM.assertEq(uint256(asked.policies[0]), 1, "policy");
    }

    function test_recorded() public {
        dapp.recorded(_modelDigest(GOOD), _manifestDigest(GOOD));
        VM.assertEq(dapp.entered(), 1, "entered");
    }

    function test_every_refusal_of_a_record_reaches_the_dapp() public {
        for (uint256 kind = 0; kind < SPOILINGS; ++kind) {
            bytes memory reason = _spoiled(2, kind);
            VM.expectRevert(reason);
            dapp.recorded(_modelDigest(2), _manifestDigest(2));
            setUp(); // another registry
        }
    }

    function test_age() public {
        VM.warp(START + 1 days);
        dapp.recorded(_modelDigest(GOOD), _manifestDigest(GOOD));
        VM.warp(START + 1 days + 1);
        VM.expectRevert(
            abi.encodeWithSelector(IProvenanceGate.RecordIsExpired.selector, _releaseId(GOOD), START, 1 days)
        );
        dapp.recorded(_modelDigest(GOOD), _manifestDigest(GOOD));
    }

    function test_policies() public {
        dapp.accept(false, _policies(SECOND_POLICY));
        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.WrongPolicy.selector, _releaseId(GOOD), 1));
        dapp.recorded(_modelDigest(GOOD), _manifestDigest(GOOD));

        uint32[] memory policyIds = new uint32[](2);
        (policyIds[0], policyIds[1]) = (2, 1);
        bytes32[] memory both = new bytes32[](2);
        (both[0], both[1]) = (SECOND_POLICY, POLICY);
        VM.expectEmit(address(dapp));
        emit PoliciesAccepted(policyIds);
        dapp.accept(false, both);
        dapp.recorded(_modelDigest(GOOD), _manifestDigest(GOOD));

        dapp.accept(true, new bytes32[](0));
        dapp.recorded(_modelDigest(GOOD), _manifestDigest(GOOD));
        VM.assertTrue(dapp.provenanceRequirements().anyPolicy, "any policy");
    }

    function test_a_policy_without_a_number_is_refused() public {
        bytes32 nobodys = keccak256("nobody's");
        bytes memory reason = abi.encodeWithSelector(ExactProvenanceGate.PolicyNotNumbered.selector, nobodys);
        VM.expectRevert(reason);
        dapp.accept(false, _policies(nobodys));
        Terms memory terms = _terms();
        terms.policyDigests = _policies(nobodys);
        VM.expectRevert(reason);
        new ExactDapp(address(registry), terms);

        registry.numberPolicy(nobodys);
        dapp.accept(false, _policies(nobodys));
        VM.assertEq(uint256(dapp.provenanceRequirements().policies[0]), 3, "numbered");
    }

    function test_policies_are_said_clearly() public {
        bytes memory reason = abi.encodeWithSelector(ExactProvenanceGate.PoliciesUnclear.selector);
        VM.expectRevert(reason);
        dapp.accept(false, new bytes32[](0));
        VM.expectRevert(reason);
        dapp.accept(true, _policies(POLICY));
        Terms memory forgotten;
        VM.expectRevert(reason);
        new ExactDapp(address(registry), forgotten);
    }

    function test_no_more_policies_than_the_registry_looks_at() public {
        bytes32[] memory many = new bytes32[](33);
        for (uint256 i = 0; i < many.length; ++i) {
            many[i] = POLICY;
        }
        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.TooMany.selector, 33, 32));
        dapp.accept(false, many);
        assembly ("memory-safe") {
            mstore(many, 32)
        }
        dapp.accept(false, many);
        dapp.recorded(_modelDigest(GOOD), _manifestDigest(GOOD));
    }

    function test_weight() public {
        Terms memory terms = _terms();
        terms.minimumWeight = 4;
        ExactDapp heavy = new ExactDapp(address(registry), terms);
        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.WeightTooLow.selector, _releaseId(GOOD), 3, 4));
        heavy.recorded(_modelDigest(GOOD), _manifestDigest(GOOD));
    }

    function test_a_revoked_key_counts_at_once() public {
        _revokeKey(0);
        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.RecordIsClosed.selector, _releaseId(GOOD), false, true));
        dapp.recorded(_modelDigest(GOOD), _manifestDigest(GOOD));
    }

    function test_a_proof_is_asked_for_the_same() public {
        Record[] memory records = new Record[](1);
        records[0] = _record(2);
        Grown memory tree = _grow(records);
        _recordBatch(tree);
        dapp.proven(_modelDigest(2), _manifestDigest(2), _proof(tree, 0));
        VM.assertEq(dapp.entered(), 1, "entered");

        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.RecordNotFound.selector, _releaseId(3)));
        dapp.proven(_modelDigest(3), _manifestDigest(3), _proof(tree, 0));
        dapp.accept(false, _policies(SECOND_POLICY));
        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.WrongPolicy.selector, _releaseId(2), 1));
        dapp.proven(_modelDigest(2), _manifestDigest(2), _proof(tree, 0));
        VM.warp(START + 1 days + 1);
        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.RecordIsExpired.selector, _releaseId(2), START, 1 days));
        dapp.proven(_modelDigest(2), _manifestDigest(2), _proof(tree, 0));
    }

    /// @dev For any terms, the dApp accepts exactly the records that meet them according to the registry.
    function testFuzz_asks_for_its_terms(uint8 grade, uint40 age, uint16 weight, bool anyPolicy, bool second) public {
        grade %= 3;
        VM.warp(START + 1 hours);
        bytes32[] memory policies = anyPolicy ? new bytes32[](0) : _policies(second ? SECOND_POLICY : POLICY);
        Terms memory terms = Terms(grade, age, weight, anyPolicy, policies);
        ExactDapp fuzzed = new ExactDapp(address(registry), terms);
        bool meets = age >= 1 hours && weight <= 3 && (anyPolicy || !second);
        if (!meets) VM.expectRevert();
        fuzzed.recorded(_modelDigest(GOOD), _manifestDigest(GOOD));
    }

    /// @dev Baseline or better, at most a day old, two signers, by the policy of the records in these tests.
    function _terms() private pure returns (Terms memory) {
        return Terms(1, 1 days, 2, false, _policies(POLICY));
    }

    function _policies(bytes32 one) private pure returns (bytes32[] memory list) {
        list = new bytes32[](1);
        list[0] = one;
    }
}
