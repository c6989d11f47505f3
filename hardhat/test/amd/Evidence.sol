// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {SimulatorVerifier} from "../../../contracts/testing/SimulatorVerifier.sol";
import {VM} from "../support/Vm.sol";

/// @dev Simulated evidence from evidence.json, which tests/contracts/amd/test_evidence_file.py writes and compares.
abstract contract Evidence {
    string[3] internal lines = ["Milan", "Genoa", "Turin"];
    string[2] internal kinds = ["VCEK", "VLEK"];
    SimulatorVerifier internal verifier;
    string private _json;

    function setUp() public virtual {
        verifier = new SimulatorVerifier();
        _json = VM.readFile("hardhat/test/amd/evidence.json");
    }

    function _read(string memory name) internal view returns (bytes memory) {
        return VM.parseJsonBytes(_json, string.concat(".", name));
    }

    function _report(uint256 line, uint256 kind) internal view returns (bytes memory) {
        return _read(string.concat(lines[line], "-", kinds[kind], "-report"));
    }

    function _vek(uint256 line, uint256 kind) internal view returns (bytes memory) {
        return _read(string.concat(lines[line], "-", kinds[kind], "-vek"));
    }

    function _crl(uint256 line) internal view returns (bytes memory) {
        return _read(string.concat(lines[line], "-crl"));
    }

    /// @dev Returns the bytes with one of them changed.
    function _changed(bytes memory data, uint256 offset, uint8 value) internal pure returns (bytes memory copy) {
        copy = abi.encodePacked(data);
        copy[offset] = bytes1(value);
    }

    /// @dev Returns the bytes with others in the place of some.
    function _patched(bytes memory data, uint256 offset, bytes memory patch) internal pure returns (bytes memory copy) {
        copy = abi.encodePacked(data);
        for (uint256 i = 0; i < patch.length; ++i) {
            copy[offset + i] = patch[i];
        }
    }
}
