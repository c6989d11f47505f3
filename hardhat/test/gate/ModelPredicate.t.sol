// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {AccessRequirement, IAccessPredicate, RequirementLogic} from "../../../contracts/gate/IAccessPredicate.sol";
import {IRecordedModel, ModelPredicate} from "../../../contracts/gate/ModelPredicate.sol";
import {Proof, Record} from "../../../contracts/Types.sol";
import {FromSource} from "../support/RegistryBehaviour.sol";
import {VM} from "../support/Vm.sol";
import {Worlds} from "../support/Worlds.sol";

contract ModelPredicateTest is Worlds, FromSource {
    uint256 private constant TOOL = 7;

    ModelPredicate private predicate;

    function setUp() public override {
        super.setUp();
        predicate = _predicateFor(GOOD);
    }

    function test_has_the_interface_of_the_standard() public view {
        // as the ERC specifies
        VM.assertEq(bytes32(type(IAccessPredicate).interfaceId), bytes32(bytes4(0xbdf9dc18)), "id");
        VM.assertEq(bytes32(IAccessPredicate.hasAccess.selector), bytes32(bytes4(0xa7e3775b)), "selector");
        VM.assertTrue(predicate.supportsInterface(0xbdf9dc18), "predicate");
        VM.assertTrue(predicate.supportsInterface(0x01ffc9a7), "ERC-165");
        VM.assertFalse(predicate.supportsInterface(0xffffffff), "nothing else");
        VM.assertEq(predicate.name(), "ModelPredicate", "name");
    }

    function test_a_tool_is_open_to_all_while_its_model_stands() public {
        VM.assertTrue(predicate.hasAccess(TOOL, ANYBODY, ""), "open");
        VM.assertTrue(predicate.hasAccess(0, address(0), ""), "to all");
        _revoke(GOOD);
        VM.assertFalse(predicate.hasAccess(TOOL, ANYBODY, ""), "closed");
    }

    function test_whatever_closes_a_gate_closes_the_tool() public {
        for (uint256 kind = 0; kind < SPOILINGS; ++kind) {
            _spoiled(2, kind);
            VM.assertFalse(_predicateFor(2).hasAccess(TOOL, ANYBODY, ""), VM.toString(kind));
            setUp(); // another registry
        }
        VM.assertFalse(_predicateFor(UNKNOWN).hasAccess(TOOL, ANYBODY, ""), "unknown");
    }

    function test_a_revoked_key_counts_at_once() public {
        _revokeKey(0);
        VM.assertTrue(registry.isModel(_modelDigest(GOOD), _manifestDigest(GOOD), 1), "nobody had it recounted");
        VM.assertFalse(predicate.hasAccess(TOOL, ANYBODY, ""), "closed");
    }

    function test_a_record_in_a_batch_is_shown_by_its_proof() public {
        ModelPredicate late = _predicateFor(2);
        Record[] memory records = new Record[](2);
        (records[0], records[1]) = (_record(2), _record(3));
        Grown memory tree = _grow(records);
        _recordBatch(tree);
        VM.assertFalse(late.hasAccess(TOOL, ANYBODY, ""), "without the proof");
        VM.assertTrue(late.hasAccess(TOOL, ANYBODY, abi.encode(_proof(tree, 0))), "with the proof");
        VM.assertFalse(late.hasAccess(TOOL, ANYBODY, abi.encode(_proof(tree, 1))), "of another release");

        registry.materialise(tree.leaves[0].record, _proof(tree, 0));
        VM.assertTrue(late.hasAccess(TOOL, ANYBODY, ""), "written out");
        _revoke(2);
        VM.assertFalse(late.hasAccess(TOOL, ANYBODY, abi.encode(_proof(tree, 0))), "revoked");
    }

    /// @dev The predicate returns false for data that it cannot read, and never reverts: a registry of tools would
    /// consider it broken.
    function testFuzz_data_that_it_cannot_read_is_a_no(bytes calldata data) public {
        VM.assertFalse(_predicateFor(UNKNOWN).hasAccess(TOOL, ANYBODY, data), "nothing is shown");
        bool closed = data.length != 0 && data.length != 9 * 32;
        if (closed) VM.assertFalse(predicate.hasAccess(TOOL, ANYBODY, data), "even of a good model");
    }

    function testFuzz_a_made_up_proof_is_a_no(Proof calldata proof) public {
        ModelPredicate unknown = _predicateFor(UNKNOWN);
        VM.assertFalse(unknown.hasAccess(TOOL, ANYBODY, abi.encode(proof)), "made up");
        VM.assertFalse(predicate.hasAccess(TOOL, ANYBODY, bytes.concat(abi.encode(proof), hex"00")), "too long");
    }

    function test_says_for_machines_what_it_takes() public view {
        (AccessRequirement[] memory requirements, RequirementLogic logic) = predicate.getRequirements(TOOL);
        VM.assertEq(requirements.length, 1, "one");
        VM.assertTrue(logic == RequirementLogic.AND, "all of them");
        VM.assertEq(bytes32(requirements[0].kind), bytes32(bytes4(0x2eb82756)), "kind");
        VM.assertEq(bytes32(requirements[0].kind), bytes32(IRecordedModel.recordedModel.selector), "marker");
        bytes memory data = abi.encode(address(registry), _modelDigest(GOOD), _manifestDigest(GOOD), uint8(1));
        VM.assertEq(requirements[0].data, data, "data");
        VM.assertTrue(bytes(requirements[0].label).length <= 256, "label");
    }

    function _predicateFor(uint256 number) private returns (ModelPredicate) {
        return new ModelPredicate(address(registry), 1, _modelDigest(number), _manifestDigest(number));
    }
}
