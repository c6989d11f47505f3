// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;
import {ProvenanceGate} from "../gate/ProvenanceGate.sol";
contract TenSignedLines is ProvenanceGate {
    bytes32 public immutable publisher; // the digest of an identity that you trust, as `provenance identity` prints it
    mapping(address agent => bytes32) public modelOf;
    constructor(address registry, bytes32 identity) ProvenanceGate(registry, 0) { publisher = identity; }
    function register(bytes32 model, bytes32 manifest) external onlyFromPublisher(model, manifest, publisher) {
        modelOf[msg.sender] = model; // says who signed the model, not where it was made
    }
}
