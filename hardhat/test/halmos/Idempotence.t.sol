// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {Quorum} from "../../../contracts/Types.sol";
import {Proofs, SVM, VM} from "./Proofs.sol";

/// @dev A repeated call changes nothing, for any caller and any signatures.
contract IdempotenceProofs is Proofs {
    function check_theSameRecordAgain(address caller, uint16 epoch, uint32 signers, bytes calldata signatures) public {
        _assumeTheyKnowEachOther();
        bytes memory record = _anyRecord(1);
        VM.assume(registry.contentOf(registry.idOf(record)) == keccak256(record));
        bytes32 state = _state();
        VM.prank(caller);
        try registry.publish(record, Quorum(epoch, signers, signatures)) returns (bool isNew) {
            assert(!isNew && _state() == state);
        } catch {
            assert(false);
        }
    }

    function check_anotherRecordForTheSameId(address caller, uint16 epoch, uint32 signers) public {
        bytes memory record = _anyRecord(1);
        bytes32 kept = registry.contentOf(registry.idOf(record));
        VM.assume(kept != 0 && kept != keccak256(record));
        VM.prank(caller);
        try registry.publish(record, Quorum(epoch, signers, SVM.createBytes(64, "signatures"))) {
            assert(false);
        } catch {}
    }

    function check_theSameBatchAgain(
        address caller,
        bytes32 root,
        uint40 sealedAt,
        string calldata uri,
        uint16 epoch,
        uint32 signers
    ) public {
        VM.assume(registry.batchOf(root).recordedAt != 0);
        uint8 count = registry.batchOf(root).count;
        bytes32 state = _state();
        VM.prank(caller);
        try registry.recordBatch(root, count, sealedAt, uri, Quorum(epoch, signers, SVM.createBytes(64, "signatures")))
        returns (bool isNew) {
            assert(!isNew && _state() == state);
        } catch {
            assert(false);
        }
    }

    function check_theSamePolicyAgain(address caller, bytes32 policyDigest) public {
        uint32 policyId = registry.policyIdOf(policyDigest);
        VM.assume(policyDigest != 0 && policyId != 0);
        bytes32 state = _state();
        VM.prank(caller);
        assert(registry.numberPolicy(policyDigest) == policyId && _state() == state);
    }

    function _state() private returns (bytes32) {
        return keccak256(
            abi.encode(
                SVM.snapshotStorage(address(registry)),
                SVM.snapshotStorage(address(names)),
                SVM.snapshotStorage(address(ancestry))
            )
        );
    }
}
