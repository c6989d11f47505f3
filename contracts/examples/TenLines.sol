// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;
import {ProvenanceGate} from "../gate/ProvenanceGate.sol";
contract TenLines is ProvenanceGate {
    mapping(address agent => bytes32) public modelOf;
    constructor(address registry) ProvenanceGate(registry, 1) {} // grade 1: `baseline` or better, on real hardware
    function register(bytes32 model, bytes32 manifest) external onlyRecorded(model, manifest) {
        modelOf[msg.sender] = model; // not reached without a record in good standing
    }
}
