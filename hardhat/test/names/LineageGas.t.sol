// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {FromShipped} from "../support/RegistryBehaviour.sol";
import {VM} from "../support/Vm.sol";
import {LineageBehaviour} from "./LineageBehaviour.sol";

/// @dev Gas of the gate for a record and its ancestors, as deployed.
contract LineageGas is LineageBehaviour, FromShipped {
    /// @dev A chain costs some 10,000 gas for each ancestor.
    function test_theGasOfTheGateIsBounded() public {
        _chain(DEEPEST + 1);
        _checkGas(2, false, 30_000);
        _checkGas(5, false, 60_000);
        _checkGas(DEEPEST + 1, false, 200_000);
    }

    function test_theGasOfTheLargestLineageIsBounded() public {
        _tree();
        _checkGas(MOST + 1, false, 430_000);
    }

    /// @dev 32 ancestors with eight parents of each kind, all but one of which were found already.
    function test_theGasOfTheDensestLineageIsBounded() public {
        _lattice();
        VM.assertEq(_count(MOST + 1, true), MOST, "ancestors");
        _checkGas(MOST + 1, false, 1_500_000);
        _checkGas(MOST + 1, true, 3_600_000);
    }

    function _checkGas(uint256 number, bool includeStated, uint256 most) private {
        uint256 used = _gasOfGate(number, includeStated);
        VM.assertTrue(used < most, string.concat("gas: ", VM.toString(used)));
    }
}
