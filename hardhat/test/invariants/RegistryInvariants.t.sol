// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {IProvenanceRegistry} from "../../../contracts/IProvenanceRegistry.sol";
import {FromShipped} from "../support/RegistryBehaviour.sol";
import {VM} from "../support/Vm.sol";
import {Anybody} from "./Anybody.sol";
import {Books} from "./Books.sol";

/**
 * @dev Invariants of the shipped bytes, after any calls by any account in any order.
 * forge-config: default.invariant.fail-on-revert = true
 * forge-config: default.invariant.include-storage = false
 * forge-config: default.invariant.include-push-bytes = false
 */
contract RegistryInvariants is Books, FromShipped {
    Anybody private _anybody;

    function setUp() public {
        VM.warp(1_760_000_000);
        IProvenanceRegistry registry = _deploy(OWNER, GUARDIAN, DELAY, GRACE, _set(1), THRESHOLD);
        registry.numberPolicy(POLICY);
        _anybody = new Anybody(registry);
    }

    /// @dev Tells the fuzzer to call this contract only.
    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_anybody);
    }

    function invariant_onlyAQuorumWrites() public view {
        _holds(Promise.OnlyAQuorumWrites);
    }

    function invariant_contentNeverChanges() public view {
        _holds(Promise.ContentNeverChanges);
    }

    function invariant_theSameTwiceChangesNothingAndSaysNothing() public view {
        _holds(Promise.TheSameTwiceIsSilent);
    }

    function invariant_otherContentIsRefused() public view {
        _holds(Promise.OtherContentIsRefused);
    }

    function invariant_revocationIsFinalAndOnlyComesForward() public view {
        _holds(Promise.RevocationIsFinal);
    }

    function invariant_nothingIsEverDeleted() public view {
        _holds(Promise.NothingIsDeleted);
    }

    function invariant_pauseStopsWritesAndRewritesNothing() public view {
        _holds(Promise.PauseStopsWrites);
    }

    function invariant_bothFlavoursOfAGateAgree() public view {
        _holds(Promise.BothFlavoursAgree);
    }

    function invariant_gatesFollowTheBooks() public view {
        _holds(Promise.GatesFollowTheBooks);
    }

    function invariant_everyCallDoesWhatItShould() public view {
        _holds(Promise.EveryCallDoesWhatItShould);
    }

    function _holds(Promise promised) private view {
        VM.assertEq(_anybody.broken(promised), 0, "promises broken");
    }
}
