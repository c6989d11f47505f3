// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {Ownable} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {IOracleSets} from "./IOracleSets.sol";
import {IProvenanceGate} from "./IProvenanceGate.sol";
import {IProvenanceRegistry} from "./IProvenanceRegistry.sol";
import {Lineage} from "./Lineage.sol";
import {Namespaces} from "./Namespaces.sol";
import {Gates} from "./registry/Gates.sol";
import {OracleSets} from "./registry/OracleSets.sol";
import {Oracle} from "./Types.sol";

/**
 * @title Registry of judged model releases
 * @notice See {IProvenanceRegistry} for the functions. The registry has no proxy: a new version is a new contract.
 * @dev Each part is a contract that inherits from the one before: Stewards (owner, guardian), OracleSets (signatures),
 * RevokedModels, Publishers, Records, Batches, Gates.
 */
contract ProvenanceRegistry is Gates, IERC165 {
    /// @param owner The account that announces oracle sets and appoints the guardian.
    /// @param firstGuardian The account that pauses writes and revokes.
    /// @param delay Seconds for which announcements wait in public, 1 hour to 90 days.
    /// @param grace Seconds for which an earlier oracle set's signatures still count, at most 90 days.
    /// @param oracles The first oracle set.
    /// @param threshold The weight that a record needs.
    constructor(
        address owner,
        address firstGuardian,
        uint40 delay,
        uint40 grace,
        Oracle[] memory oracles,
        uint16 threshold
    ) Ownable(owner) OracleSets(delay, grace, oracles, threshold) {
        _appoint(firstGuardian);
        namespaces = new Namespaces(this);
        lineage = new Lineage(this);
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return interfaceId == type(IProvenanceGate).interfaceId || interfaceId == type(IProvenanceRegistry).interfaceId
            || interfaceId == type(IOracleSets).interfaceId || interfaceId == type(IERC5267).interfaceId
            || interfaceId == type(IERC165).interfaceId;
    }
}
