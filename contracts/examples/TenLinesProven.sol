// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;
import {HardwareGate} from "../gate/HardwareGate.sol";
import {ProvenanceGate} from "../gate/ProvenanceGate.sol";
contract TenLinesProven is ProvenanceGate, HardwareGate {
    mapping(address agent => bytes32) public modelOf;
    constructor(address registry, address proofs) ProvenanceGate(registry, 1) HardwareGate(proofs) {}
    function register(bytes32 model, bytes32 manifest) external onlyRecorded(model, manifest) onlyProvenByHardware(model, manifest) {
        modelOf[msg.sender] = model; // not reached unless oracles recorded it and the EVM saw AMD's signature
    }
}
