// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {Proof, Quorum} from "../../../contracts/Types.sol";
import {KeptProofs} from "./KeptProofs.sol";
import {SVM, VM} from "./Proofs.sol";

/**
 * @dev Effects of the functions that take a record or a leaf on any one id, recorded or not: they write only if there
 * is no record yet, and leave everything else as it is.
 * @custom:halmos --loop 3 --solver-timeout-branching 20ms
 */
contract KeptRecordsProofs is KeptProofs {
    function check_publish(address caller, bytes32 id, uint16 epoch) public {
        _checkPublication(caller, id, epoch, _anyJudgement(hex"0000", hex"01"));
    }

    function check_publishLaterJudgement(address caller, bytes32 id, uint16 epoch, uint16 revision) public {
        VM.assume(revision != 0);
        _checkPublication(caller, id, epoch, _anyJudgement(bytes.concat(bytes2(revision)), hex"01"));
    }

    function check_publishFailure(address caller, bytes32 id, uint16 epoch) public {
        _checkPublication(caller, id, epoch, _anyJudgement(hex"0000", hex"00"));
    }

    function check_revokeInBatch(
        address caller,
        bytes32 id,
        bytes32 model,
        bytes32 manifest,
        bytes32 content,
        bytes32[7] calldata siblings,
        uint40 from
    ) public {
        Kept memory kept = _anyKept(id);
        Proof memory proof = _anyProof(content, siblings);
        VM.prank(caller);
        try registry.revokeInBatch(model, manifest, proof, from, "reason") {
            bytes32 recordId = registry.recordIdOf(model, manifest);
            assert(registry.batchOf(_rootOf(recordId, proof)).count != 0);
            if (kept.content == 0 && id == recordId) assert(!registry.isOpen(id, 0));
            else _checkKept(kept);
        } catch {}
    }

    /// @dev For a record with at most one signer.
    function check_addSigners(address caller, bytes32 id, uint16 epoch) public {
        Kept memory kept = _anyKept(id);
        bytes memory record = _anyJudgement(hex"0000", hex"01");
        VM.assume(registry.standingById(registry.idOf(record)).signers <= 1);
        VM.prank(caller);
        try registry.addSigners(record, Quorum(epoch, 1, SVM.createBytes(64, "signature"))) {
            _checkKept(kept);
        } catch {}
    }

    function _checkPublication(address caller, bytes32 id, uint16 epoch, bytes memory record) private {
        Kept memory kept = _anyKept(id);
        Quorum memory quorum = Quorum(epoch, 1, SVM.createBytes(64, "signature"));
        VM.prank(caller);
        try registry.publish(record, quorum) returns (bool isNew) {
            if (isNew && id == registry.idOf(record)) assert(kept.content == 0);
            else _checkKept(kept);
        } catch {}
    }
}
