// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {IProvenanceGate} from "../IProvenanceGate.sol";
import {IERC7484} from "./IERC7484.sol";
import {ProvenanceGate} from "./ProvenanceGate.sol";

/**
 * @title Modules that serve recorded models, in the shape of ERC-7484
 * @notice A module is a contract that serves a model: an agent's module, an inference endpoint. A check passes if the
 * model that it is bound to is in good standing, with {minimumGrade}, and enough of the named attesters, which are
 * oracles, signed the record with keys that still count.
 *
 * Who binds a module to a model: both sides have to, once.
 * - The module itself, or the account that its `owner()` names (ERC-173), states what it serves. Nobody else can state
 *   anything of a module. Until it is confirmed, the statement can be replaced.
 * - The publisher confirms it: the owner of the claimed namespace in which the model has its name. So nobody passes his
 *   module off as serving a model of somebody else's.
 * - From then on the binding never changes. Either side can end it, for good; another model is another module.
 *
 * It says where the module's model comes from. It says nothing about the module's code, nor whether it serves that
 * model: both are the word of the two sides. An account asks this beside a registry of audits, not in its place.
 */
contract ModuleGate is IERC7484, IERC165, ProvenanceGate {
    uint256 private constant MAX_ATTESTERS = 32;

    /// @notice What became of a module's binding.
    enum Status {
        Unknown, // nobody stated anything
        Stated, // by the module's side; not in force
        Bound, // confirmed by the publisher
        Ended // by either side
    }

    /**
     * @notice What a module serves.
     * @param modelDigest Of the model's record.
     * @param manifestDigest Of the model's record.
     * @param namespaceId The namespace whose owner confirmed it; 0 before.
     * @param moduleTypes Bit n is set if it is a module of type n, as ERC-7579 numbers them; 0 if it is none.
     * @param status See {Status}.
     */
    struct Binding {
        bytes32 modelDigest;
        bytes32 manifestDigest;
        bytes32 namespaceId;
        uint248 moduleTypes;
        Status status;
    }

    struct Trust {
        uint8 threshold;
        address[] attesters;
    }

    mapping(address module => Binding) private _bindings;
    mapping(address account => Trust) private _trust;

    /// @notice Emitted when a module's side states what it serves.
    event ModuleStated(
        address indexed module, bytes32 indexed modelDigest, bytes32 indexed manifestDigest, uint248 moduleTypes
    );

    /// @notice Emitted when the model's publisher confirms it.
    event ModuleBound(address indexed module, bytes32 indexed recordId, bytes32 indexed namespaceId);

    /// @notice Emitted when either side ends a binding.
    event ModuleEnded(address indexed module, address indexed by);

    /// @notice Emitted when an account names the attesters that it trusts.
    event AttestersTrusted(address indexed account, uint8 threshold, address[] attesters);

    /// @notice Thrown when a module serves no model that both sides agreed on, or no longer.
    error ModuleNotBound(address module, Status status);

    /// @notice Thrown when a module's binding is past the point where this could be done.
    error ModuleBindingFixed(address module, Status status);

    /// @notice Thrown when the caller is not of the side that may do this.
    error NotModuleSide(address module, address caller);

    /// @notice Thrown when the caller does not own the namespace.
    error NotPublisher(bytes32 namespaceId, address caller);

    /// @notice Thrown when a publisher would confirm what the module's side did not state.
    error StatedOtherwise(address module, bytes32 recordId, uint248 moduleTypes);

    /// @notice Thrown when a module is not of this type.
    error WrongModuleType(address module, uint256 moduleType);

    /// @notice Thrown when an account trusts no attesters.
    error NoAttesters(address account);

    /// @notice Thrown when a threshold is 0, or more than there are attesters.
    error ThresholdInvalid(uint256 threshold, uint256 attesters);

    /// @notice Thrown when too few of the attesters signed the record of the module's model.
    error TooFewAttesters(address module, uint256 count, uint256 threshold);

    /// @param registry A {IProvenanceRegistry}.
    /// @param grade The grade that a model's record needs, 0 to 2.
    constructor(address registry, uint8 grade) ProvenanceGate(registry, grade) {}

    /**
     * @notice States which model a module serves. It counts once the publisher confirms it, see {confirmModule}.
     *
     * Requirements: the caller is the module or its owner; nothing is confirmed yet.
     * May emit {ModuleStated}.
     */
    function stateModule(address module, bytes32 modelDigest, bytes32 manifestDigest, uint248 moduleTypes) external {
        Binding storage binding = _bindings[module];
        if (!_isModuleSide(module, msg.sender)) revert NotModuleSide(module, msg.sender);
        if (binding.status > Status.Stated) revert ModuleBindingFixed(module, binding.status);
        _bindings[module] = Binding(modelDigest, manifestDigest, 0, moduleTypes, Status.Stated);
        emit ModuleStated(module, modelDigest, manifestDigest, moduleTypes);
    }

    /**
     * @notice Confirms what a module's side stated. From now on it is in force.
     * @param moduleTypes What was stated, so that it cannot be replaced on the way here.
     * @param releaseDigest keccak256 of `model@version`: the name of the model that the module serves.
     *
     * Requirements: the caller owns the namespace; the name leads to the record that was stated, with these types.
     * May emit {ModuleBound}.
     */
    function confirmModule(address module, uint248 moduleTypes, bytes32 namespaceId, bytes32 releaseDigest) external {
        Binding storage binding = _bindings[module];
        if (msg.sender != _namespaces.namespaceOf(namespaceId).owner) revert NotPublisher(namespaceId, msg.sender);
        if (binding.status != Status.Stated) revert ModuleBindingFixed(module, binding.status);
        bytes32 recordId = provenanceRegistry.recordIdOf(binding.modelDigest, binding.manifestDigest);
        bool same = recordId == _namespaces.recordOfName(namespaceId, releaseDigest);
        if (!same || moduleTypes != binding.moduleTypes) revert StatedOtherwise(module, recordId, binding.moduleTypes);
        binding.namespaceId = namespaceId;
        binding.status = Status.Bound;
        emit ModuleBound(module, recordId, namespaceId);
    }

    /**
     * @notice Ends a binding for good, at once.
     *
     * Requirements: it is in force; the caller is the module, its owner, or the owner of the namespace.
     * May emit {ModuleEnded}.
     */
    function endModule(address module) external {
        Binding storage binding = _bindings[module];
        if (binding.status != Status.Bound) revert ModuleBindingFixed(module, binding.status);
        bool isPublisher = msg.sender == _namespaces.namespaceOf(binding.namespaceId).owner;
        if (!isPublisher && !_isModuleSide(module, msg.sender)) revert NotModuleSide(module, msg.sender);
        binding.status = Status.Ended;
        emit ModuleEnded(module, msg.sender);
    }

    /**
     * @inheritdoc IERC7484
     * @dev Requirements: 1 to 32 attesters, strictly ascending, none of them 0; a threshold from 1 to their number.
     * May emit {AttestersTrusted}.
     */
    function trustAttesters(uint8 threshold, address[] calldata attesters) external {
        _requireSound(attesters, threshold);
        _trust[msg.sender] = Trust(threshold, attesters);
        emit AttestersTrusted(msg.sender, threshold, attesters);
    }

    /// @inheritdoc IERC7484
    function check(address module) external view {
        _checkFor(msg.sender, module);
    }

    /// @inheritdoc IERC7484
    function checkForAccount(address smartAccount, address module) external view {
        _checkFor(smartAccount, module);
    }

    /// @inheritdoc IERC7484
    function check(address module, uint256 moduleType) external view {
        _requireType(module, moduleType);
        _checkFor(msg.sender, module);
    }

    /// @inheritdoc IERC7484
    function checkForAccount(address smartAccount, address module, uint256 moduleType) external view {
        _requireType(module, moduleType);
        _checkFor(smartAccount, module);
    }

    /// @inheritdoc IERC7484
    function check(address module, address[] calldata attesters, uint256 threshold) external view {
        _requireSound(attesters, threshold);
        _check(module, attesters, threshold);
    }

    /// @inheritdoc IERC7484
    function check(address module, uint256 moduleType, address[] calldata attesters, uint256 threshold) external view {
        _requireSound(attesters, threshold);
        _requireType(module, moduleType);
        _check(module, attesters, threshold);
    }

    /// @notice What a module serves, and whether that is in force.
    function bindingOf(address module) external view returns (Binding memory) {
        return _bindings[module];
    }

    /// @notice Whom an account trusts; 0 and none if it never said.
    function attestersOf(address account) external view returns (uint8 threshold, address[] memory attesters) {
        return (_trust[account].threshold, _trust[account].attesters);
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return interfaceId == type(IERC7484).interfaceId || interfaceId == type(IERC165).interfaceId;
    }

    function _checkFor(address account, address module) private view {
        Trust memory trust = _trust[account];
        if (trust.threshold == 0) revert NoAttesters(account);
        _check(module, trust.attesters, trust.threshold);
    }

    function _check(address module, address[] memory attesters, uint256 threshold) private view {
        Binding memory binding = _bindings[module];
        if (binding.status != Status.Bound) revert ModuleNotBound(module, binding.status);
        _requireRecorded(binding.modelDigest, binding.manifestDigest);
        uint256 count = provenanceRegistry.countSigners(binding.modelDigest, binding.manifestDigest, attesters);
        if (count < threshold) revert TooFewAttesters(module, count, threshold);
    }

    function _requireType(address module, uint256 moduleType) private view {
        if (uint256(_bindings[module].moduleTypes) >> moduleType & 1 == 0) revert WrongModuleType(module, moduleType);
    }

    /// @dev Neither an empty list nor a threshold of 0 may ever mean that nothing is asked.
    function _requireSound(address[] calldata attesters, uint256 threshold) private pure {
        uint256 count = attesters.length;
        if (count > MAX_ATTESTERS) revert IProvenanceGate.TooMany(count, MAX_ATTESTERS);
        if (threshold == 0 || threshold > count) revert ThresholdInvalid(threshold, count);
        address previous = address(0);
        for (uint256 i = 0; i < count; ++i) {
            if (attesters[i] <= previous) revert IProvenanceGate.NotAscending(i);
            previous = attesters[i];
        }
    }

    /// @dev An account without code, or a contract whose `owner()` is not exactly an address, has no owner.
    function _isModuleSide(address module, address account) private view returns (bool) {
        if (account == module) return true;
        (bool success, bytes memory answer) = module.staticcall(abi.encodeWithSignature("owner()"));
        return success && answer.length == 32 && uint256(bytes32(answer)) == uint160(account);
    }
}
