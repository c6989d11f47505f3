// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {AmdKeys} from "./AmdKeys.sol";
import {P384} from "./P384.sol";
import {SnpVerifier} from "./SnpVerifier.sol";

/**
 * @title AMD SEV-SNP evidence, judged by AMD's own keys
 * @notice See {SnpVerifier}. Needs no argument, so anybody can deploy it on any chain.
 */
contract AmdVerifier is SnpVerifier {
    /// @inheritdoc SnpVerifier
    bool public constant override isSimulated = false;

    constructor() {
        _requirePlaces(address(new AmdKeys()), new P384());
    }
}
