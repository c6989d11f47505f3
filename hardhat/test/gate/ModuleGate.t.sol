// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {IERC7484} from "../../../contracts/gate/IERC7484.sol";
import {ModuleGate} from "../../../contracts/gate/ModuleGate.sol";
import {IProvenanceGate} from "../../../contracts/IProvenanceGate.sol";
import {Record} from "../../../contracts/Types.sol";
import {FromSource} from "../support/RegistryBehaviour.sol";
import {VM} from "../support/Vm.sol";
import {Worlds} from "../support/Worlds.sol";

/// @dev A module with an owner, as specified by ERC-173.
contract OwnedModule {
    address public owner;

    constructor(address owner_) {
        owner = owner_;
    }
}

/// @dev A module that states its model in its constructor, before it has code.
contract SelfMadeModule {
    constructor(ModuleGate gate, bytes32 model, bytes32 manifest) {
        gate.stateModule(address(this), model, manifest, 0);
    }
}

/// @dev A contract whose `owner()` returns the bytes that it was created with.
contract OddModule {
    bytes private _answer;

    constructor(bytes memory answer) {
        _answer = answer;
    }

    fallback(bytes calldata) external returns (bytes memory) {
        return _answer;
    }
}

contract ModuleGateTest is Worlds, FromSource {
    event ModuleStated(
        address indexed module, bytes32 indexed modelDigest, bytes32 indexed manifestDigest, uint248 moduleTypes
    );
    event ModuleBound(address indexed module, bytes32 indexed recordId, bytes32 indexed namespaceId);
    event ModuleEnded(address indexed module, address indexed by);
    event AttestersTrusted(address indexed account, uint8 threshold, address[] attesters);

    address private constant MODULE_OWNER = address(0x0D0);
    uint256 private constant EXECUTOR = 2;
    uint248 private constant EXECUTOR_AND_HOOK = 1 << 2 | 1 << 4;
    uint256 private constant SERVED = 2;

    ModuleGate private gate;
    address private module;
    address private publisher;
    bytes32 private namespaceId;
    bytes32 private release;

    function setUp() public override {
        super.setUp();
        gate = new ModuleGate(address(registry), 1);
        module = address(new OwnedModule(MODULE_OWNER));
        (namespaceId, release) = _publishNamed(SERVED);
        publisher = registry.namespaces().namespaceOf(namespaceId).owner;
    }

    function test_has_the_interface_of_the_standard() public view {
        // the signatures in the ERC's text
        bytes4 id = bytes4(keccak256("check(address)")) ^ bytes4(keccak256("check(address,uint256)"))
            ^ bytes4(keccak256("check(address,address[],uint256)"))
            ^ bytes4(keccak256("check(address,uint256,address[],uint256)"))
            ^ bytes4(keccak256("checkForAccount(address,address)"))
            ^ bytes4(keccak256("checkForAccount(address,address,uint256)"))
            ^ bytes4(keccak256("trustAttesters(uint8,address[])"));
        VM.assertEq(bytes32(type(IERC7484).interfaceId), bytes32(id), "id");
        VM.assertTrue(gate.supportsInterface(id), "ERC-7484");
        VM.assertTrue(gate.supportsInterface(0x01ffc9a7), "ERC-165");
        VM.assertFalse(gate.supportsInterface(0xffffffff), "nothing else");
    }

    // Binding

    function test_both_sides_bind_a_module() public {
        VM.expectEmit(address(gate));
        emit ModuleStated(module, _modelDigest(SERVED), _manifestDigest(SERVED), EXECUTOR_AND_HOOK);
        _state();
        _requireStatus(ModuleGate.Status.Stated);
        VM.expectEmit(address(gate));
        emit ModuleBound(module, _releaseId(SERVED), namespaceId);
        _confirm();
        _requireStatus(ModuleGate.Status.Bound);

        ModuleGate.Binding memory binding = gate.bindingOf(module);
        VM.assertEq(binding.modelDigest, _modelDigest(SERVED), "model");
        VM.assertEq(binding.manifestDigest, _manifestDigest(SERVED), "manifest");
        VM.assertEq(binding.namespaceId, namespaceId, "namespace");
        VM.assertEq(uint256(binding.moduleTypes), EXECUTOR_AND_HOOK, "types");
        gate.check(module, _attesters(3), 3);
    }

    function test_a_module_states_for_itself() public {
        address made = address(new SelfMadeModule(gate, _modelDigest(SERVED), _manifestDigest(SERVED)));
        VM.prank(publisher);
        gate.confirmModule(made, 0, namespaceId, release);
        gate.check(made, _attesters(3), 3);

        VM.prank(ANYBODY); // an account that is a module of its own
        gate.stateModule(ANYBODY, _modelDigest(SERVED), _manifestDigest(SERVED), 0);
    }

    function test_nobody_else_states_anything() public {
        address[4] memory others = [publisher, ANYBODY, OWNER, address(this)];
        for (uint256 i = 0; i < others.length; ++i) {
            VM.expectRevert(abi.encodeWithSelector(ModuleGate.NotModuleSide.selector, module, others[i]));
            VM.prank(others[i]);
            gate.stateModule(module, _modelDigest(SERVED), _manifestDigest(SERVED), 0);
        }
    }

    function test_an_odd_answer_names_no_owner() public {
        bytes[5] memory answers = [
            abi.encodePacked(MODULE_OWNER),
            abi.encode(MODULE_OWNER, MODULE_OWNER),
            abi.encode(uint256(uint160(MODULE_OWNER)) | 1 << 160),
            abi.encode(address(0)),
            bytes("")
        ];
        for (uint256 i = 0; i < answers.length; ++i) {
            _requireNotOwned(address(new OddModule(answers[i])));
        }
        _requireNotOwned(ANYBODY); // no code
        _requireNotOwned(address(registry.lineage())); // no such function
        address plain = address(new OddModule(abi.encode(MODULE_OWNER)));
        VM.prank(MODULE_OWNER);
        gate.stateModule(plain, 0, 0, 0);
    }

    function test_a_statement_can_be_replaced_until_it_is_confirmed() public {
        VM.prank(MODULE_OWNER);
        gate.stateModule(module, _modelDigest(GOOD), _manifestDigest(GOOD), 0);
        _state();
        _confirm();
        _refuseStatement(ModuleGate.Status.Bound);
        VM.prank(MODULE_OWNER);
        gate.endModule(module);
        _refuseStatement(ModuleGate.Status.Ended);
    }

    function test_only_the_publisher_confirms() public {
        _state();
        address[3] memory others = [MODULE_OWNER, ANYBODY, OWNER];
        for (uint256 i = 0; i < others.length; ++i) {
            VM.expectRevert(abi.encodeWithSelector(ModuleGate.NotPublisher.selector, namespaceId, others[i]));
            VM.prank(others[i]);
            gate.confirmModule(module, EXECUTOR_AND_HOOK, namespaceId, release);
        }
        // A namespace that nobody has claimed has no owner, not even 0.
        bytes32 unclaimed = keccak256("unclaimed");
        VM.expectRevert(abi.encodeWithSelector(ModuleGate.NotPublisher.selector, unclaimed, ANYBODY));
        VM.prank(ANYBODY);
        gate.confirmModule(module, EXECUTOR_AND_HOOK, unclaimed, release);
    }

    function test_a_publisher_confirms_his_own_models_only() public {
        bytes32 theirs = keccak256("theirs");
        _claim("theirs", PUBLISHER_KEY + 2, 1, new bytes32[](0));
        _state();
        _refuseConfirmation(_account(PUBLISHER_KEY + 2), EXECUTOR_AND_HOOK, theirs, release);
    }

    function test_a_publisher_confirms_what_he_saw() public {
        _state();
        _refuseConfirmation(publisher, 0, namespaceId, release);
        _refuseConfirmation(publisher, EXECUTOR_AND_HOOK, namespaceId, keccak256("model@none"));
    }

    function test_only_a_statement_is_confirmed() public {
        _refuseSecond(ModuleGate.Status.Unknown);
        _state();
        _confirm();
        _refuseSecond(ModuleGate.Status.Bound);
        VM.prank(publisher);
        gate.endModule(module);
        _refuseSecond(ModuleGate.Status.Ended);
    }

    function test_either_side_ends_a_binding() public {
        address[3] memory sides = [module, MODULE_OWNER, publisher];
        for (uint256 i = 0; i < sides.length; ++i) {
            uint256 before = VM.snapshotState();
            _state();
            _confirm();
            VM.expectEmit(address(gate));
            emit ModuleEnded(module, sides[i]);
            VM.prank(sides[i]);
            gate.endModule(module);
            VM.expectRevert(
                abi.encodeWithSelector(ModuleGate.ModuleNotBound.selector, module, ModuleGate.Status.Ended)
            );
            gate.check(module, _attesters(3), 3);
            VM.revertToState(before);
        }
    }

    function test_nobody_else_ends_a_binding() public {
        VM.expectRevert(
            abi.encodeWithSelector(ModuleGate.ModuleBindingFixed.selector, module, ModuleGate.Status.Unknown)
        );
        gate.endModule(module);
        _state();
        _confirm();
        VM.expectRevert(abi.encodeWithSelector(ModuleGate.NotModuleSide.selector, module, ANYBODY));
        VM.prank(ANYBODY);
        gate.endModule(module);
    }

    // Trust

    function test_an_account_says_whom_it_trusts() public {
        address[] memory attesters = _attesters(4);
        VM.expectEmit(address(gate));
        emit AttestersTrusted(ANYBODY, 3, attesters);
        VM.prank(ANYBODY);
        gate.trustAttesters(3, attesters);
        (uint8 threshold, address[] memory kept) = gate.attestersOf(ANYBODY);
        VM.assertEq(uint256(threshold), 3, "threshold");
        VM.assertEq(abi.encode(kept), abi.encode(attesters), "attesters");

        VM.prank(ANYBODY);
        gate.trustAttesters(1, _attesters(1));
        (, kept) = gate.attestersOf(ANYBODY);
        VM.assertEq(kept.length, 1, "replaced");
    }

    function test_every_check_of_an_account() public {
        _state();
        _confirm();
        VM.startPrank(ANYBODY);
        gate.trustAttesters(3, _attesters(5));
        gate.check(module);
        gate.check(module, EXECUTOR);
        VM.stopPrank();
        gate.checkForAccount(ANYBODY, module);
        gate.checkForAccount(ANYBODY, module, EXECUTOR);
        gate.check(module, EXECUTOR, _attesters(5), 3);
    }

    function test_an_account_that_trusts_nobody_is_refused() public {
        _state();
        _confirm();
        bytes memory reason = abi.encodeWithSelector(ModuleGate.NoAttesters.selector, address(this));
        VM.expectRevert(reason);
        gate.check(module);
        VM.expectRevert(reason);
        gate.check(module, EXECUTOR);
        VM.expectRevert(reason);
        gate.checkForAccount(address(this), module);
        VM.expectRevert(reason);
        gate.checkForAccount(address(this), module, EXECUTOR);
    }

    function test_types() public {
        _state();
        _confirm();
        address[] memory attesters = _attesters(3);
        gate.trustAttesters(3, attesters);
        gate.check(module, 4);
        uint256[4] memory others = [uint256(0), 1, 255, type(uint256).max];
        for (uint256 i = 0; i < others.length; ++i) {
            bytes memory reason = abi.encodeWithSelector(ModuleGate.WrongModuleType.selector, module, others[i]);
            VM.expectRevert(reason);
            gate.check(module, others[i]);
            VM.expectRevert(reason);
            gate.checkForAccount(address(this), module, others[i]);
            VM.expectRevert(reason);
            gate.check(module, others[i], attesters, 3);
        }
    }

    function test_a_threshold_that_asks_nothing_or_too_much_is_refused() public {
        address[] memory attesters = _attesters(3);
        _refuseList(attesters, 0, abi.encodeWithSelector(ModuleGate.ThresholdInvalid.selector, 0, 3));
        _refuseList(attesters, 4, abi.encodeWithSelector(ModuleGate.ThresholdInvalid.selector, 4, 3));
        _refuseList(new address[](0), 0, abi.encodeWithSelector(ModuleGate.ThresholdInvalid.selector, 0, 0));
    }

    function test_attesters_are_ascending_and_not_0() public {
        address[] memory attesters = _attesters(3);
        (attesters[1], attesters[2]) = (attesters[2], attesters[1]);
        _refuseList(attesters, 1, abi.encodeWithSelector(IProvenanceGate.NotAscending.selector, 2));
        attesters[2] = attesters[1];
        _refuseList(attesters, 1, abi.encodeWithSelector(IProvenanceGate.NotAscending.selector, 2));
        attesters[0] = address(0);
        _refuseList(attesters, 1, abi.encodeWithSelector(IProvenanceGate.NotAscending.selector, 0));
    }

    function test_attesters_are_few() public {
        address[] memory attesters = new address[](33);
        for (uint256 i = 0; i < attesters.length; ++i) {
            attesters[i] = address(uint160(i + 1));
        }
        _refuseList(attesters, 1, abi.encodeWithSelector(IProvenanceGate.TooMany.selector, 33, 32));
        assembly ("memory-safe") {
            mstore(attesters, 32)
        }
        gate.trustAttesters(32, attesters);
    }

    // Checks

    function test_a_module_that_is_not_bound_is_refused() public {
        bytes4 selector = ModuleGate.ModuleNotBound.selector;
        VM.expectRevert(abi.encodeWithSelector(selector, module, ModuleGate.Status.Unknown));
        gate.check(module, _attesters(3), 3);
        _state();
        VM.expectRevert(abi.encodeWithSelector(selector, module, ModuleGate.Status.Stated));
        gate.check(module, _attesters(3), 3);
    }

    function test_only_signers_count() public {
        _state();
        _confirm();
        // Oracles 3 and 4 did not sign.
        VM.expectRevert(abi.encodeWithSelector(ModuleGate.TooFewAttesters.selector, module, 3, 4));
        gate.check(module, _attesters(5), 4);
        address[] memory strangers = new address[](1);
        strangers[0] = ANYBODY;
        VM.expectRevert(abi.encodeWithSelector(ModuleGate.TooFewAttesters.selector, module, 0, 1));
        gate.check(module, strangers, 1);
    }

    function test_a_key_that_was_revoked_counts_no_more() public {
        _state();
        _confirm();
        gate.trustAttesters(3, _attesters(3));
        _revokeKey(0);
        VM.expectRevert(abi.encodeWithSelector(ModuleGate.TooFewAttesters.selector, module, 2, 3));
        gate.check(module);
    }

    function test_a_record_that_is_revoked_closes_its_modules() public {
        _state();
        _confirm();
        _revoke(SERVED);
        VM.expectRevert(
            abi.encodeWithSelector(IProvenanceGate.RecordIsRevoked.selector, _releaseId(SERVED), block.timestamp)
        );
        gate.check(module, _attesters(3), 3);
    }

    function test_the_grade_is_that_of_the_gate() public {
        gate = new ModuleGate(address(registry), 2);
        _state();
        _confirm();
        gate.check(module, _attesters(3), 3);
        Record memory worse = _revision(SERVED, 1);
        (worse.release, worse.grade) = (_releaseName(SERVED), 1);
        _publish(worse);
        VM.expectRevert(abi.encodeWithSelector(IProvenanceGate.GradeTooLow.selector, _releaseId(SERVED), 1, 2));
        gate.check(module, _attesters(3), 3);
    }

    /// @dev For any caller and any order of calls: both sides made a binding that is in force, and it never changes.
    function testFuzz_a_binding_never_changes(address caller, bytes32 model, bytes32 manifest, uint248 types) public {
        _state();
        _confirm();
        bytes32 bound = keccak256(abi.encode(gate.bindingOf(module)));
        VM.startPrank(caller);
        (bool stated,) = address(gate).call(abi.encodeCall(gate.stateModule, (module, model, manifest, types)));
        bytes memory confirmation = abi.encodeCall(gate.confirmModule, (module, types, namespaceId, release));
        (bool confirmed,) = address(gate).call(confirmation);
        VM.stopPrank();
        VM.assertFalse(stated || confirmed, "refused");
        VM.assertEq(keccak256(abi.encode(gate.bindingOf(module))), bound, "as it was");
    }

    function _state() private {
        VM.prank(MODULE_OWNER);
        gate.stateModule(module, _modelDigest(SERVED), _manifestDigest(SERVED), EXECUTOR_AND_HOOK);
    }

    function _confirm() private {
        VM.prank(publisher);
        gate.confirmModule(module, EXECUTOR_AND_HOOK, namespaceId, release);
    }

    function _requireStatus(ModuleGate.Status status) private view {
        VM.assertTrue(gate.bindingOf(module).status == status, "status");
    }

    function _requireNotOwned(address odd) private {
        VM.expectRevert(abi.encodeWithSelector(ModuleGate.NotModuleSide.selector, odd, MODULE_OWNER));
        VM.prank(MODULE_OWNER);
        gate.stateModule(odd, 0, 0, 0);
    }

    function _refuseStatement(ModuleGate.Status status) private {
        VM.expectRevert(abi.encodeWithSelector(ModuleGate.ModuleBindingFixed.selector, module, status));
        VM.prank(MODULE_OWNER);
        gate.stateModule(module, _modelDigest(GOOD), _manifestDigest(GOOD), 0);
    }

    function _refuseSecond(ModuleGate.Status status) private {
        VM.expectRevert(abi.encodeWithSelector(ModuleGate.ModuleBindingFixed.selector, module, status));
        _confirm();
    }

    function _refuseConfirmation(address caller, uint248 types, bytes32 where, bytes32 name) private {
        VM.expectRevert(
            abi.encodeWithSelector(
                ModuleGate.StatedOtherwise.selector, module, _releaseId(SERVED), EXECUTOR_AND_HOOK
            )
        );
        VM.prank(caller);
        gate.confirmModule(module, types, where, name);
    }

    /// @dev Expects the refusal from every function that takes a list.
    function _refuseList(address[] memory attesters, uint8 threshold, bytes memory reason) private {
        VM.expectRevert(reason);
        gate.trustAttesters(threshold, attesters);
        VM.expectRevert(reason);
        gate.check(module, attesters, threshold);
        VM.expectRevert(reason);
        gate.check(module, EXECUTOR, attesters, threshold);
    }

    /// @dev Returns the first oracles of the registry, in ascending order.
    function _attesters(uint256 count) private pure returns (address[] memory attesters) {
        attesters = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            address attester = _account(_firstKey(1) + i);
            uint256 place = i;
            for (; place > 0 && attesters[place - 1] > attester; --place) {
                attesters[place] = attesters[place - 1];
            }
            attesters[place] = attester;
        }
    }
}
