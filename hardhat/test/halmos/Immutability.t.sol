// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {Proof, Quorum} from "../../../contracts/Types.sol";
import {KeptProofs} from "./KeptProofs.sol";
import {SVM, VM} from "./Proofs.sol";

/**
 * @dev A record never changes, for any caller and any call: no function changes the content of any id, nor the
 * judgement in its standing, and a revocation is final. Only an account with the right to do so can change the owner,
 * the guardian or the pause of writes.
 * @custom:halmos --loop 5 --solver-timeout-branching 20ms --default-bytes-lengths 0,65 --default-array-lengths 0,1
 */
contract ImmutabilityProofs is KeptProofs {
    /// @dev Covers every function except those named here, which have checks of their own, here or in
    /// KeptRecords.t.sol. Two functions are not proven: `materialise`, which writes as `publish` does, and
    /// `releaseHeld`. halmos does not get to the end of their paths within minutes, so the invariants cover them
    /// instead.
    function check_everyOtherCall(address caller, bytes32 id, bytes32 model) public {
        Kept memory kept = _anyKept(id);
        uint40 modelRevokedAt = registry.revokedModelTime(model);
        VM.assume(caller != registry.pendingOwner());
        bytes memory data = SVM.createCalldata("ProvenanceRegistry");
        bytes4 selector = bytes4(data);
        VM.assume(selector != registry.publish.selector && selector != registry.materialise.selector);
        VM.assume(selector != registry.revokeInBatch.selector && selector != registry.releaseHeld.selector);
        VM.assume(selector != registry.recordBatch.selector && selector != registry.addSigners.selector);
        VM.assume(selector != registry.addBatchSigners.selector && selector != registry.closeLeaf.selector);
        VM.assume(selector != registry.recount.selector && selector != registry.recountBatch.selector);
        VM.assume(selector != registry.revokeKey.selector && selector != registry.applyRevocations.selector);

        (address owner, address guardian) = (registry.owner(), registry.guardian());
        bool paused = registry.writesPaused();
        VM.prank(caller);
        (bool done,) = address(registry).call(data);
        if (!done) return;
        _checkKept(kept);
        assert(modelRevokedAt == 0 || registry.revokedModelTime(model) == modelRevokedAt);
        assert(registry.owner() == owner);
        if (caller == owner) return;
        assert(registry.guardian() == guardian);
        if (caller == guardian) return;
        assert(registry.writesPaused() == paused);
        assert(registry.standingById(id).revokedAt == kept.standing.revokedAt);
        assert(registry.revokedModelTime(model) == modelRevokedAt);
    }

    /// @dev Anyone applies the revocation of a model, to its releases only and with its time.
    function check_applyRevocations(address caller, bytes32 id, bytes32 model, bytes32[] calldata manifests) public {
        Kept memory kept = _anyKept(id);
        uint40 modelRevokedAt = registry.revokedModelTime(model);
        VM.prank(caller);
        try registry.applyRevocations(model, manifests) {
            _checkKept(kept);
            uint40 revokedAt = registry.standingById(id).revokedAt;
            if (revokedAt == kept.standing.revokedAt) return;
            assert(revokedAt == modelRevokedAt && modelRevokedAt != 0);
            assert(manifests.length != 0 && id == registry.recordIdOf(model, manifests[0]));
        } catch {}
    }

    function check_recordBatch(
        address caller,
        bytes32 id,
        bytes32 root,
        uint8 count,
        uint40 sealedAt,
        uint16 epoch
    ) public {
        Kept memory kept = _anyKept(id);
        Quorum memory quorum = Quorum(epoch, 1, SVM.createBytes(64, "signature"));
        VM.prank(caller);
        try registry.recordBatch(root, count, sealedAt, "", quorum) {
            _checkKept(kept);
        } catch {}
    }

    function check_closeLeaf(
        address caller,
        bytes32 id,
        bytes32 model,
        bytes32 manifest,
        bytes32 content,
        bytes32[7] calldata siblings
    ) public {
        Kept memory kept = _anyKept(id);
        Proof memory proof = _anyProof(content, siblings);
        VM.assume(registry.revokedModelTime(model) <= block.timestamp); // nothing writes a later time
        VM.prank(caller);
        try registry.closeLeaf(model, manifest, proof) {
            bytes32 recordId = registry.recordIdOf(model, manifest);
            bool isNew = kept.content == 0 && id == recordId;
            if (isNew) assert(registry.revokedModelTime(model) != 0 && !registry.isOpen(id, 0));
            else _checkKept(kept);
            assert(registry.contentOf(recordId) != 0 || content == 0);
        } catch {}
    }

    /// @dev For a batch with at most one signer.
    function check_addBatchSigners(address caller, bytes32 id, bytes32 root, uint40 sealedAt, uint16 epoch) public {
        Kept memory kept = _anyKept(id);
        VM.assume(registry.batchOf(root).signers <= 1);
        Quorum memory quorum = Quorum(epoch, 1, SVM.createBytes(64, "signature"));
        VM.prank(caller);
        try registry.addBatchSigners(root, sealedAt, "", quorum) {
            _checkKept(kept);
        } catch {}
    }

    /// @dev For a record that was judged once, with at most two signers.
    function check_recount(address caller, bytes32 id, bytes32 recounted) public {
        Kept memory kept = _anyKept(id);
        VM.assume(registry.standingById(recounted).signers <= 3 && registry.standingById(recounted).revisions == 0);
        VM.prank(caller);
        try registry.recount(recounted) {
            _checkKept(kept);
        } catch {}
    }

    /// @dev For a batch with at most two signers.
    function check_recountBatch(address caller, bytes32 id, bytes32 root) public {
        Kept memory kept = _anyKept(id);
        VM.assume(registry.batchOf(root).signers <= 3);
        VM.prank(caller);
        try registry.recountBatch(root) {
            _checkKept(kept);
        } catch {}
    }

    /// @dev For a current set and a set before it of at most one oracle each.
    function check_revokeKey(address caller, bytes32 id, uint16 epoch, uint8 index, uint40 from) public {
        Kept memory kept = _anyKept(id);
        uint16 current = registry.currentEpoch();
        VM.assume(current != 0 && registry.epochOf(current).size <= 1 && registry.epochOf(current - 1).size <= 1);
        VM.prank(caller);
        try registry.revokeKey(epoch, index, from, "reason") {
            _checkKept(kept);
        } catch {}
    }
}
