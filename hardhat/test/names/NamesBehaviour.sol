// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {ILineage} from "../../../contracts/ILineage.sol";
import {INamespaces} from "../../../contracts/INamespaces.sol";
import {Quorum, Record} from "../../../contracts/Types.sol";
import {RegistryBehaviour} from "../support/RegistryBehaviour.sol";
import {VM} from "../support/Vm.sol";

/// @dev Common base for the tests of names and ancestors: one namespace, its owner, and publishers.
abstract contract NamesBehaviour is RegistryBehaviour {
    string internal constant SPACE = "acme"; // the namespace of the records of {Releases}
    bytes32 internal constant SPACE_ID = keccak256("acme");
    uint256 internal constant SPACE_OWNER_KEY = 1000;
    bytes32 internal constant OTHER = keccak256("another publisher");
    bytes32 internal constant MALLORY = keccak256("mallory");

    INamespaces internal names;
    ILineage internal ancestry;
    address internal spaceOwner;

    function setUp() public virtual override {
        super.setUp();
        names = registry.namespaces();
        ancestry = registry.lineage();
        spaceOwner = _account(SPACE_OWNER_KEY);
    }

    /// @dev Claims the namespace. `trusted` is a publisher from the start, unless it is 0.
    function _claimSpace(uint8 identityLimit, bytes32 trusted) internal {
        _claim(SPACE, SPACE_OWNER_KEY, identityLimit, trusted == 0 ? new bytes32[](0) : _one(trusted));
    }

    function _one(bytes32 value) internal pure returns (bytes32[] memory values) {
        values = new bytes32[](1);
        values[0] = value;
    }

    /// @dev Returns release `number` by this publisher, under a name of its own.
    function _recordFrom(bytes32 identity, uint256 number) internal view returns (Record memory record) {
        record = _record(number);
        record.publisherIdentity = identity;
        record.release = _releaseName(number);
    }

    function _publishFrom(bytes32 identity, uint256 number) internal returns (bytes32 recordId) {
        return _publish(_recordFrom(identity, number));
    }

    function _releaseName(uint256 number) internal pure returns (string memory) {
        return string.concat("model@", VM.toString(number));
    }

    function _nameOf(uint256 number) internal pure returns (bytes32 releaseDigest) {
        return keccak256(bytes(_releaseName(number)));
    }

    /// @dev Proposes an identity as the namespace's owner, and accepts it as soon as possible.
    function _trust(bytes32 identity) internal {
        VM.prank(spaceOwner);
        names.proposeIdentity(SPACE_ID, identity);
        VM.warp(block.timestamp + DELAY);
        names.acceptIdentity(SPACE_ID, identity);
    }

    /// @dev Returns a quorum by the first three oracles of the current epoch.
    function _approved(bytes32 identity, bool trust, uint8 approvals, uint48 number)
        internal
        view
        returns (Quorum memory)
    {
        uint16 epoch = registry.currentEpoch();
        bytes32 structHash = _changeHash(epoch, SPACE_ID, identity, trust, approvals, number);
        return _quorum(epoch, THREE, _typed("ProvenanceRegistry", address(registry), structHash));
    }

    function _changeHash(
        uint16 epoch,
        bytes32 namespaceId,
        bytes32 identity,
        bool trust,
        uint8 approvals,
        uint48 number
    ) internal pure returns (bytes32) {
        bytes32 typehash = keccak256(
            "IdentityChange(uint16 epoch,bytes32 namespaceId,bytes32 identity,bool trust,uint8 approvals,uint48 number)"
        );
        return keccak256(abi.encode(typehash, epoch, namespaceId, identity, trust, approvals, number));
    }

    /// @dev Returns the number of the namespace's last entry.
    function _lastNumber() internal view returns (uint48) {
        return uint48(names.headOf(SPACE_ID) >> 208);
    }

    function _isHeld(bytes32 recordId) internal view returns (bool) {
        return registry.standingById(recordId).held;
    }

    function _pause() internal {
        VM.prank(GUARDIAN);
        registry.pauseWrites();
    }
}
