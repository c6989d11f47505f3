// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {SnpVerifier} from "../amd/SnpVerifier.sol";
import {IHardwareProofs} from "./IHardwareProofs.sol";

/**
 * @title Revoked intermediates of AMD
 * @notice Anybody submits a revocation list that an ARK signed, of any age. What AMD revoked stays revoked. A single
 * VCEK or VLEK cannot be revoked: all of them have serial number 0.
 */
abstract contract Revocations is IHardwareProofs {
    /// @notice The contract that judges AMD's evidence. It never changes.
    SnpVerifier public verifier;

    mapping(uint256 line => mapping(uint256 serial => bool)) private _revoked;
    mapping(uint256 line => uint256) private _currentUntil;

    constructor(SnpVerifier verifier_) {
        verifier = verifier_;
    }

    /// @inheritdoc IHardwareProofs
    function submitCrl(bytes calldata crl) external {
        (uint256 line, uint256 thisUpdate, uint256 nextUpdate, uint256[] memory serials) = verifier.verifyCrl(crl);
        if (thisUpdate > block.timestamp) revert NotInTime(block.timestamp, thisUpdate, nextUpdate);
        for (uint256 i = 0; i < serials.length; ++i) {
            if (_revoked[line][serials[i]]) continue;
            _revoked[line][serials[i]] = true;
            emit IntermediateRevoked(line, serials[i], thisUpdate);
        }
        if (nextUpdate > _currentUntil[line]) {
            _currentUntil[line] = nextUpdate;
            emit ListSubmitted(line, thisUpdate, nextUpdate);
        }
    }

    /// @inheritdoc IHardwareProofs
    function isRevoked(uint256 line, uint256 serial) public view returns (bool) {
        return _revoked[line][serial];
    }

    /// @inheritdoc IHardwareProofs
    function listsCurrentUntil(uint256 line) public view returns (uint256) {
        return _currentUntil[line];
    }

    function _requireNotRevoked(uint256 line, uint256 serial) internal view {
        if (isRevoked(line, serial)) revert IntermediateIsRevoked(line, serial);
    }
}
