// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {IProvenanceRegistry} from "../../../contracts/IProvenanceRegistry.sol";
import {ProvenanceRegistry} from "../../../contracts/ProvenanceRegistry.sol";

/// @dev The cheat codes used here.
interface Vm {
    function assume(bool condition) external;
    function prank(address sender) external;
}

/// @dev halmos proves these for every argument there is: `npm run halmos --prefix hardhat`.
contract RegistryProofs {
    Vm private constant VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    address private constant ADMIN = address(0xA11CE);
    address private constant ORACLE = address(0x0AC1E);
    address private constant GUARDIAN = address(0x6A6D);

    ProvenanceRegistry private _registry;

    function setUp() public {
        _registry = new ProvenanceRegistry(1 days, ADMIN, ORACLE, GUARDIAN);
    }

    function check_onlyTheOraclePublishes(address caller, bytes32 manifest, IProvenanceRegistry.Record memory record)
        public
    {
        VM.assume(caller != ORACLE);
        VM.prank(caller);
        try _registry.publish(manifest, record, "a/model", "1") {
            assert(false);
        } catch {}
    }

    function check_onlyTheGuardianRevokes(address caller, bytes32 manifest) public {
        VM.assume(caller != GUARDIAN);
        VM.prank(caller);
        try _registry.revoke(manifest, "reason") {
            assert(false);
        } catch {}
    }
}
