// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {ILineage} from "../../../contracts/ILineage.sol";
import {Ancestor} from "../../../contracts/Types.sol";
import {FromShipped, FromSource} from "../support/RegistryBehaviour.sol";
import {VM} from "../support/Vm.sol";
import {LineageBehaviour} from "./LineageBehaviour.sol";

/// @dev Bounds on the number and depth of the ancestors that a gate visits.
abstract contract LineageBoundsBehaviour is LineageBehaviour {
    function test_sixteenGenerationsAndNoMore() public {
        _chain(DEEPEST + 2);
        _pass(DEEPEST + 1, 2);
        Ancestor[] memory found = ancestry.ancestorsOf(_releaseId(DEEPEST + 1), false);
        VM.assertEq(found.length, DEEPEST, "ancestors");
        VM.assertEq(found[DEEPEST - 1].depth, DEEPEST, "depth");
        _tooLarge(DEEPEST + 2, false);
    }

    function test_thirtyTwoAncestorsAndNoMore() public {
        _tree();
        VM.assertEq(_count(MOST + 1, true), MOST, "ancestors");
        _pass(MOST + 1, 2);
        _publishFrom(PUBLISHER, MOST + 2);
        _child(MOST + 3, _ids(MOST + 1, MOST + 2));
        _tooLarge(MOST + 3, false);
        _tooLarge(MOST + 3, true);
    }

    function test_oneStatedAncestorTooMany() public {
        _tree();
        _publishFrom(PUBLISHER, MOST + 2);
        _state(1, MOST + 2);
        VM.assertEq(_count(MOST + 1, false), MOST, "attested");
        _tooLarge(MOST + 1, true);
    }

    function _tooLarge(uint256 number, bool includeStated) private {
        bytes memory reason = abi.encodeWithSelector(ILineage.LineageTooLarge.selector, _releaseId(number));
        _shut(number, includeStated, 0, reason);
        VM.expectRevert(reason);
        ancestry.ancestorsOf(_releaseId(number), includeStated);
    }
}

contract LineageBoundsOfSource is LineageBoundsBehaviour, FromSource {}

contract LineageBoundsOfShipped is LineageBoundsBehaviour, FromShipped {}
