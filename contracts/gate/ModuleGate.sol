// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {IProvenanceGate} from "../IProvenanceGate.sol";
import {IERC7484} from "./IERC7484.sol";
import {ProvenanceGate} from "./ProvenanceGate.sol";

/**
 * @title Modules that serve recorded models, in the shape of ERC-7484
 * @notice A module is a contract that serves a model: an agent's module, an inference endpoint. A check passes if the
 * model that the module is bound to is in good standing, with {minimumGrade}, and enough of the named attesters, which
 * are oracles, signed the record with keys that still count.
 *
 * Both sides have to bind a module to a model, once:
 * - The module itself, or the account that its `owner()` names (ERC-173), states the model that it serves. No other
 *   account can make a statement about a module. Until the statement is confirmed, it can be replaced.
 * - The publisher confirms it: the owner of the claimed namespace in which the model has its name. So nobody can claim
 *   that their module serves another publisher's model.
 * - After that the binding never changes. Either side can end it permanently; another model needs another module.
 *
 * The binding tells the origin of the module's model. It does not cover the module's code, nor whether the module
 * serves that model: the two sides vouch for both. Use this registry beside a registry of audits, not instead of one.
 */
contract ModuleGate is IERC7484, IERC165, ProvenanceGate {
    uint256 private constant MAX_ATTESTERS = 32;

    /// @notice Status of a module's binding.
    enum Status {
        Unknown, // there is no statement
        Stated, // stated by the module's side; not in force
        Bound, // confirmed by the publisher
        Ended // ended by either side
    }

    /**
     * @notice The binding of a module to a model.
     * @param modelDigest Of the model's record.
     * @param manifestDigest Of the model's record.
     * @param namespaceId The namespace whose owner confirmed it; 0 before.
     * @param moduleTypes Bit n is set if it is a module of type n, as ERC-7579 numbers them; 0 if it has no type.
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

    /// @notice Emitted when a module's side states the model that the module serves.
    event ModuleStated(
        address indexed module, bytes32 indexed modelDigest, bytes32 indexed manifestDigest, uint248 moduleTypes
    );

    /// @notice Emitted when the model's publisher confirms a statement.
    event ModuleBound(address indexed module, bytes32 indexed recordId, bytes32 indexed namespaceId);

    /// @notice Emitted when either side ends a binding.
    event ModuleEnded(address indexed module, address indexed by);

    /// @notice Emitted when an account sets the attesters that it trusts.
    event AttestersTrusted(address indexed account, uint8 threshold, address[] attesters);

    /// @notice Thrown when a module is not bound to a model, or no longer.
    error ModuleNotBound(address module, Status status);

    /// @notice Thrown when the status of a module's binding no longer allows this, or does not allow it yet.
    error ModuleBindingFixed(address module, Status status);

    /// @notice Thrown when the caller is not on the side that may do this.
    error NotModuleSide(address module, address caller);

    /// @notice Thrown when the caller does not own the namespace.
    error NotPublisher(bytes32 namespaceId, address caller);

    /// @notice Thrown when a publisher's confirmation differs from the statement of the module's side.
    error StatedOtherwise(address module, bytes32 recordId, uint248 moduleTypes);

    /// @notice Thrown when a module is not of this type.
    error WrongModuleType(address module, uint256 moduleType);

    /// @notice Thrown when an account trusts no attesters.
    error NoAttesters(address account);

    /// @notice Thrown when a threshold is 0, or above the number of attesters.
    error ThresholdInvalid(uint256 threshold, uint256 attesters);

    /// @notice Thrown when too few of the attesters signed the record of the module's model.
    error TooFewAttesters(address module, uint256 count, uint256 threshold);

    /// @param registry A {IProvenanceRegistry}.
    /// @param grade The grade that a model's record needs, 0 to 2.
    constructor(address registry, uint8 grade) ProvenanceGate(registry, grade) {}

    /**
     * @notice States the model that a module serves. The statement counts once the publisher confirms it, see
     * {confirmModule}.
     *
     * Requirements: the caller is the module or its owner; nothing is confirmed yet.
     *
     * Emits a {ModuleStated} event.
     */
    function stateModule(address module, bytes32 modelDigest, bytes32 manifestDigest, uint248 moduleTypes) external {
        Binding storage binding = _bindings[module];
        if (!_isModuleSide(module, msg.sender)) revert NotModuleSide(module, msg.sender);
        if (binding.status > Status.Stated) revert ModuleBindingFixed(module, binding.status);
        _bindings[module] = Binding(modelDigest, manifestDigest, 0, moduleTypes, Status.Stated);
        emit ModuleStated(module, modelDigest, manifestDigest, moduleTypes);
    }

    /**
     * @notice Confirms the statement of a module's side. From now on the binding is in force.
     *
     * Requirements: the caller owns the namespace; the name leads to the stated record; the types are the stated ones.
     *
     * Emits a {ModuleBound} event.
     * @param moduleTypes The stated types, so that the statement cannot be replaced while this call is on its way.
     * @param releaseDigest keccak256 of `model@version`: the name of the model that the module serves.
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
     * @notice Ends a binding permanently, at once.
     *
     * Requirements: the binding is in force; the caller is the module, its owner, or the owner of the namespace.
     *
     * Emits a {ModuleEnded} event.
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
     *
     * Emits a {AttestersTrusted} event.
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

    /// @notice Returns the binding of a module, with its status.
    function bindingOf(address module) external view returns (Binding memory) {
        return _bindings[module];
    }

    /// @notice Returns the attesters that an account trusts and its threshold; an empty list and 0 if it never set
    /// them.
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

    /// @dev Neither an empty list nor a threshold of 0 may ever mean that no attester is required.
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

    /// @dev An account without code, or a contract whose `owner()` does not return exactly an address, has no owner.
    function _isModuleSide(address module, address account) private view returns (bool) {
        if (account == module) return true;
        (bool success, bytes memory answer) = module.staticcall(abi.encodeWithSignature("owner()"));
        return success && answer.length == 32 && uint256(bytes32(answer)) == uint160(account);
    }
}
