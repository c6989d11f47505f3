// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {Oracle, Proof} from "../../../contracts/Types.sol";
import {Proofs, SVM, VM} from "./Proofs.sol";

/// @dev Restricted functions revert for every other caller, for any arguments.
contract RolesProofs is Proofs {
    function check_onlyStewardsRevokeRecords(address caller, bytes32 id, uint40 from, string calldata reason) public {
        _assumeNoSteward(caller);
        VM.prank(caller);
        try registry.revoke(id, from, reason) {
            assert(false);
        } catch {}
    }

    function check_onlyStewardsRevokeModels(address caller, bytes32 model, string calldata reason) public {
        _assumeNoSteward(caller);
        VM.prank(caller);
        try registry.revokeAllOf(model, reason) {
            assert(false);
        } catch {}
    }

    function check_onlyStewardsRevokeLeaves(
        address caller,
        bytes32 model,
        bytes32 manifest,
        Proof calldata proof,
        uint40 from,
        string calldata reason
    ) public {
        _assumeNoSteward(caller);
        VM.prank(caller);
        try registry.revokeInBatch(model, manifest, proof, from, reason) {
            assert(false);
        } catch {}
    }

    function check_onlyStewardsRevokeKeys(
        address caller,
        uint16 epoch,
        uint8 index,
        uint40 from,
        string calldata reason
    ) public {
        _assumeNoSteward(caller);
        VM.prank(caller);
        try registry.revokeKey(epoch, index, from, reason) {
            assert(false);
        } catch {}
    }

    function check_onlyStewardsStopWrites(address caller) public {
        _assumeNoSteward(caller);
        VM.prank(caller);
        try registry.pauseWrites() {
            assert(false);
        } catch {}
    }

    function check_onlyTheOwnerResumesWrites(address caller) public {
        VM.assume(caller != registry.owner());
        VM.prank(caller);
        try registry.resumeWrites() {
            assert(false);
        } catch {}
    }

    function check_onlyTheOwnerAppointsGuardians(address caller, address guardian) public {
        VM.assume(caller != registry.owner());
        VM.prank(caller);
        try registry.appointGuardian(guardian) {
            assert(false);
        } catch {}
    }

    function check_onlyTheOwnerAnnouncesOracles(address caller, Oracle[] calldata oracles, uint16 threshold) public {
        VM.assume(caller != registry.owner());
        VM.prank(caller);
        try registry.scheduleOracles(oracles, threshold) {
            assert(false);
        } catch {}
    }

    function check_onlyTheOwnerTakesAnnouncementsBack(address caller, bytes32 setDigest) public {
        VM.assume(caller != registry.owner());
        VM.prank(caller);
        try registry.cancelOracles(setDigest) {
            assert(false);
        } catch {}
    }

    function check_onlyTheOwnerHandsTheRegistryOver(address caller, address to) public {
        VM.assume(caller != registry.owner());
        VM.prank(caller);
        try registry.transferOwnership(to) {
            assert(false);
        } catch {}
    }

    function check_onlyTheChosenOwnerTakesTheRegistryOver(address caller) public {
        VM.assume(caller != registry.pendingOwner());
        VM.prank(caller);
        try registry.acceptOwnership() {
            assert(false);
        } catch {}
    }

    function check_nobodyGivesTheOwnershipUp(address caller) public {
        VM.prank(caller);
        try registry.renounceOwnership() {
            assert(false);
        } catch {}
    }

    function check_onlyNamespacesTellOfClaims(address caller, bytes32 namespaceId) public {
        VM.assume(caller != address(registry.namespaces()));
        VM.prank(caller);
        try registry.noteClaim(namespaceId) {
            assert(false);
        } catch {}
    }

    function check_onlyNamespacesTellOfNames(address caller, bytes32 id) public {
        VM.assume(caller != address(registry.namespaces()));
        VM.prank(caller);
        try registry.noteNamed(id) {
            assert(false);
        } catch {}
    }

    function check_onlyTheRegistryAdmits(address caller, bytes32 space, bytes32 who, bytes32 name, bytes32 id) public {
        VM.assume(caller != address(names.registry()));
        VM.prank(caller);
        try names.admit(space, who, name, id, id) {
            assert(false);
        } catch {}
    }

    function check_onlyTheRegistryReleases(address caller, bytes32 space, bytes32 who, bytes32 name, bytes32 id)
        public
    {
        VM.assume(caller != address(names.registry()));
        VM.prank(caller);
        try names.release(space, who, name, id, id) {
            assert(false);
        } catch {}
    }

    function check_onlyTheRegistryAddsParents(address caller, bytes32 id, bytes calldata parents) public {
        VM.assume(caller != address(ancestry.registry()));
        VM.prank(caller);
        try ancestry.addParents(id, parents) {
            assert(false);
        } catch {}
    }

    function _assumeNoSteward(address caller) private {
        VM.assume(caller != registry.owner() && caller != registry.guardian());
    }
}
