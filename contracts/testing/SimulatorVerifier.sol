// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {P384} from "../amd/P384.sol";
import {SnpVerifier} from "../amd/SnpVerifier.sol";
import {SimulatorKeys} from "./SimulatorKeys.sol";

/**
 * @title Simulated SEV-SNP evidence, judged by the simulator's keys
 * @notice For tests and demonstrations. It proves nothing: anybody has the keys that sign such evidence.
 */
contract SimulatorVerifier is SnpVerifier {
    /// @inheritdoc SnpVerifier
    bool public constant override isSimulated = true;

    constructor() {
        _requirePlaces(address(new SimulatorKeys()), new P384());
    }
}
