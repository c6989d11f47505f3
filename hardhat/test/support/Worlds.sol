// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {IProvenanceGate} from "../../../contracts/IProvenanceGate.sol";
import {Record} from "../../../contracts/Types.sol";
import {RegistryBehaviour} from "./RegistryBehaviour.sol";
import {VM} from "./Vm.sol";

/**
 * @dev Every reason for which a registry's gate can be shut, with its error, for dApps of grade 2 at most. Release 1 is
 * always good; each refusal has a release of its own.
 */
abstract contract Worlds is RegistryBehaviour {
    uint256 internal constant GOOD = 1;
    uint256 internal constant UNKNOWN = 99;
    uint256 internal constant PUBLISHER_KEY = 500;
    uint256 internal constant SPOILINGS = 7;

    function setUp() public virtual override {
        super.setUp();
        _publish(_record(GOOD));
    }

    /// @dev Publishes a release and spoils it in the way that `kind` selects. Returns the error of a gate of grade 1.
    function _spoiled(uint256 number, uint256 kind) internal returns (bytes memory) {
        Record memory record = kind == 0 ? _simulated(number) : _record(number);
        bytes32 recordId = _releaseId(number);
        if (kind == 0) {
            _publish(record);
            return abi.encodeWithSelector(IProvenanceGate.RecordIsSimulated.selector, recordId);
        }
        if (kind == 1) {
            record.grade = 0;
            _publish(record);
            return abi.encodeWithSelector(IProvenanceGate.GradeTooLow.selector, recordId, 0, 1);
        }
        if (kind == 2) {
            _publish(record);
            _revoke(number);
            return abi.encodeWithSelector(IProvenanceGate.RecordIsRevoked.selector, recordId, block.timestamp);
        }
        if (kind == 3) {
            _publishHeld(record);
            return abi.encodeWithSelector(IProvenanceGate.RecordIsClosed.selector, recordId, true, false);
        }
        if (kind == 4) {
            _publish(record);
            _revokeKey(0);
            registry.recount(recordId);
            return abi.encodeWithSelector(IProvenanceGate.RecordIsClosed.selector, recordId, false, true);
        }
        if (kind == 5) {
            _publish(_signedOnly(number));
            return abi.encodeWithSelector(IProvenanceGate.RecordIsSignedOnly.selector, recordId);
        }
        _publish(_failure(number));
        return abi.encodeWithSelector(IProvenanceGate.RecordNotFound.selector, recordId);
    }

    function _revoke(uint256 number) internal {
        VM.prank(GUARDIAN);
        registry.revoke(_releaseId(number), uint40(block.timestamp), "leaked");
    }

    /// @dev Revokes a key as if oracle `index` of epoch 1 had never had a valid one.
    function _revokeKey(uint8 index) internal {
        VM.prank(GUARDIAN);
        registry.revokeKey(1, index, 1, "stolen");
    }

    /// @dev Publishes in a claimed namespace that trusts no publisher.
    function _publishHeld(Record memory record) internal {
        record.namespace = "distrustful";
        _claim(record.namespace, PUBLISHER_KEY + 1, 0, new bytes32[](0));
        _publish(record);
    }

    /// @dev Claims "acme" and publishes release `number` there as `model@NUMBER`.
    function _publishNamed(uint256 number) internal returns (bytes32 namespaceId, bytes32 releaseDigest) {
        namespaceId = keccak256("acme");
        bool claimed = registry.namespaces().namespaceOf(namespaceId).claimedAt != 0;
        if (!claimed) _claim("acme", PUBLISHER_KEY, 1, new bytes32[](0));
        Record memory record = _record(number);
        record.release = _releaseName(number);
        _publish(record);
        return (namespaceId, keccak256(bytes(record.release)));
    }

    function _releaseName(uint256 number) internal pure returns (string memory) {
        return string.concat("model@", VM.toString(number));
    }
}
