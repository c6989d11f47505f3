// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {IProvenanceRegistry} from "../../../contracts/IProvenanceRegistry.sol";
import {ProvenanceRegistry} from "../../../contracts/ProvenanceRegistry.sol";
import {INamespaces} from "../../../contracts/INamespaces.sol";
import {Oracle, Quorum, Record} from "../../../contracts/Types.sol";
import {Signing} from "./Signing.sol";
import {Tree} from "./Tree.sol";
import {VM, Vm} from "./Vm.sol";

/// @dev Functions and errors of a registry's ownership, which {IProvenanceRegistry} does not declare.
interface IOwnable2Step {
    error OwnableUnauthorizedAccount(address account);
    error OwnableInvalidOwner(address owner);

    function owner() external view returns (address);
    function pendingOwner() external view returns (address);
    function transferOwnership(address newOwner) external;
    function acceptOwnership() external;
    function renounceOwnership() external;
}

/// @dev Deploys the implementation under test.
abstract contract Implementation {
    function _deploy(
        address owner,
        address guardian,
        uint40 delay,
        uint40 grace,
        Oracle[] memory oracles,
        uint16 threshold
    ) internal virtual returns (IProvenanceRegistry);
}

/**
 * @dev Common base for the tests of any implementation of {IProvenanceRegistry}. A contract that derives from it tests
 * one subject. Two contracts below it select the registry: `FromSource` and `FromShipped`.
 *
 * The registry has five oracles of weight 1, three of which are enough, and knows one policy, number 1.
 */
abstract contract RegistryBehaviour is Implementation, Signing, Tree {
    uint256 internal constant START = 1_760_000_000;
    uint40 internal constant DELAY = 2 days;
    uint40 internal constant GRACE = 1 days;
    uint32 internal constant THREE = 7; // the first three oracles
    uint16 internal constant THRESHOLD = 3;
    uint256 internal constant SIZE = 5;
    address internal constant OWNER = address(0x0057E2);
    address internal constant GUARDIAN = address(0x6A6D);
    address internal constant ANYBODY = address(0xA11);

    IProvenanceRegistry internal registry;

    function setUp() public virtual {
        VM.warp(START);
        registry = _deploy(OWNER, GUARDIAN, DELAY, GRACE, _oracles(1, SIZE), THRESHOLD);
        registry.numberPolicy(POLICY);
    }

    /// @dev Returns a quorum by the first three oracles of the current epoch.
    function _signed(bytes memory record) internal view returns (Quorum memory) {
        return _signedBy(registry.currentEpoch(), THREE, record);
    }

    function _signedBy(uint16 epoch, uint32 signers, bytes memory record) internal view returns (Quorum memory) {
        return _quorum(epoch, signers, _reportDigest(address(registry), epoch, record));
    }

    function _publish(Record memory record) internal returns (bytes32 recordId) {
        return _publishBy(THREE, record);
    }

    function _publishBy(uint32 signers, Record memory record) internal returns (bytes32 recordId) {
        bytes memory encoded = _bytes(record);
        VM.assertTrue(registry.publish(encoded, _signedBy(registry.currentEpoch(), signers, encoded)), "written");
        return _idOf(record);
    }

    /// @dev Expects that the registry refuses a record although it is well signed.
    function _refuse(Record memory record, bytes memory reason) internal {
        _refuseBytes(_bytes(record), reason);
    }

    function _refuseBytes(bytes memory record, bytes memory reason) internal {
        Quorum memory quorum = _signed(record);
        VM.expectRevert(reason);
        registry.publish(record, quorum);
    }

    /// @dev Records a batch that is signed by the first three oracles of the current epoch and sealed now.
    function _recordBatch(Grown memory tree) internal {
        VM.assertTrue(_tryBatch(_root(tree), uint8(tree.leaves.length), uint40(block.timestamp), ""), "recorded");
    }

    function _tryBatch(bytes32 root, uint8 count, uint40 sealedAt, string memory uri) internal returns (bool) {
        uint16 epoch = registry.currentEpoch();
        bytes32 digest = _batchDigest(address(registry), epoch, root, count, sealedAt, uri);
        return registry.recordBatch(root, count, sealedAt, uri, _quorum(epoch, THREE, digest));
    }

    /// @dev Puts another set in force, as the owner and after the delay.
    function _rotate(Oracle[] memory oracles, uint16 threshold) internal {
        VM.prank(OWNER);
        registry.scheduleOracles(oracles, threshold);
        VM.warp(block.timestamp + DELAY);
        registry.activateOracles(oracles, threshold);
    }

    /// @dev Claims a namespace for the account with this key.
    function _claim(string memory namespace, uint256 keyNumber, uint8 identityLimit, bytes32[] memory identities)
        internal
    {
        INamespaces names = registry.namespaces();
        address owner = _account(keyNumber);
        bytes32 digest = _claimDigest(address(names), namespace, owner, identityLimit, identities, 0, FOR_EVER);
        bytes memory signature = _plain(keyNumber, digest);
        names.claimNamespace(namespace, owner, identityLimit, identities, 0, FOR_EVER, signature);
    }

    /// @dev Counts the events since `VM.recordLogs()`, without those of the tests themselves.
    function _countLogs() internal returns (uint256 count) {
        Vm.Log[] memory logs = VM.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].emitter != address(this)) ++count;
        }
    }
}

/// @dev Deploys the contract as these tests compile it.
abstract contract FromSource is Implementation {
    function _deploy(
        address owner,
        address guardian,
        uint40 delay,
        uint40 grace,
        Oracle[] memory oracles,
        uint16 threshold
    ) internal override returns (IProvenanceRegistry) {
        return new ProvenanceRegistry(owner, guardian, delay, grace, oracles, threshold);
    }
}

/// @dev Deploys the shipped bytes, which are compiled with other settings and kept in verifier/abi.
abstract contract FromShipped is Implementation {
    function _deploy(
        address owner,
        address guardian,
        uint40 delay,
        uint40 grace,
        Oracle[] memory oracles,
        uint16 threshold
    ) internal override returns (IProvenanceRegistry deployed) {
        bytes memory code = bytes.concat(
            VM.parseJsonBytes(VM.readFile("verifier/abi/ProvenanceRegistry.json"), ".bytecode"),
            abi.encode(owner, guardian, delay, grace, oracles, threshold)
        );
        assembly ("memory-safe") {
            deployed := create(0, add(code, 0x20), mload(code))
            if iszero(deployed) {
                returndatacopy(0, 0, returndatasize())
                revert(0, returndatasize())
            }
        }
    }
}
