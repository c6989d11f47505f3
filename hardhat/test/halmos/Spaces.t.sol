// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {Namespace, Quorum} from "../../../contracts/Types.sol";
import {Proofs, SVM, VM} from "./Proofs.sol";

/// @dev Accounts that can change a namespace.
contract NamespaceProofs is Proofs {
    /// @dev Covers all calls except those that need no owner, which the checks below cover.
    function check_noStrangerChangesANamespace(address caller, bytes32 space, bytes32 identity, bytes32 name) public {
        _assumeTheyKnowEachOther();
        (address to,) = names.handoverOf(space);
        VM.assume(caller != names.namespaceOf(space).owner && caller != to && caller != address(registry));
        bytes memory data = SVM.createCalldata("Namespaces");
        bytes4 selector = bytes4(data);
        VM.assume(selector != names.claimNamespace.selector && selector != names.changeIdentity.selector);
        VM.assume(selector != names.acceptIdentity.selector && selector != names.adoptRelease.selector);

        uint256 head = names.headOf(space);
        uint40 since = names.trustedSince(space, identity);
        uint40 from = names.acceptableFrom(space, identity);
        bytes32 recordId = names.recordOfName(space, name);
        address owner = names.namespaceOf(space).owner;
        VM.prank(caller);
        (bool done,) = address(names).call(data);
        done;
        assert(names.headOf(space) == head && names.namespaceOf(space).owner == owner);
        assert(names.trustedSince(space, identity) == since && names.acceptableFrom(space, identity) == from);
        assert(names.recordOfName(space, name) == recordId);
    }

    function check_onlyTheOwnerAdopts(address caller) public {
        _assumeTheyKnowEachOther();
        bytes memory namespace = SVM.createBytes(4, "namespace");
        bytes memory record = bytes.concat(
            SVM.createBytes(224, "digests and facts"), hex"04", namespace, hex"07", SVM.createBytes(7, "release")
        );
        VM.assume(caller != names.namespaceOf(keccak256(namespace)).owner);
        VM.prank(caller);
        try names.adoptRelease(record) {
            assert(false);
        } catch {}
    }

    function check_aPublisherWaitsForItsTime(address caller, bytes32 space, bytes32 identity) public {
        uint40 from = names.acceptableFrom(space, identity);
        VM.prank(caller);
        try names.acceptIdentity(space, identity) {
            assert(from != 0 && from <= block.timestamp);
        } catch {}
    }

    function check_aHandoverWaitsForItsTime(address caller, bytes32 space) public {
        (address to, uint40 from) = names.handoverOf(space);
        VM.prank(caller);
        try names.acceptHandover(space) {
            assert(caller == to && from <= block.timestamp);
        } catch {}
    }

    /// @custom:halmos --array-lengths namespace={2},identities={0,1},signature={65}
    function check_noClaimedNamespaceIsClaimed(
        bytes32 space,
        string calldata namespace,
        address owner,
        bytes32[] calldata identities,
        bytes calldata signature
    ) public {
        _assumeTheyKnowEachOther();
        address before = names.namespaceOf(space).owner;
        VM.assume(before != address(0));
        try names.claimNamespace(namespace, owner, 2, identities, 0, type(uint40).max, signature) {} catch {}
        assert(names.namespaceOf(space).owner == before);
    }

    /// @custom:halmos --loop 3
    function check_aChangeOfPublishersTakesAQuorum(
        address caller,
        bytes32 space,
        bytes32 identity,
        bool trust,
        uint8 approvals,
        uint48 number,
        uint16 epoch,
        uint8 signers
    ) public {
        _assumeTheyKnowEachOther();
        Namespace memory before = names.namespaceOf(space);
        Quorum memory quorum = Quorum(epoch, signers & 3, SVM.createBytes(128, "signatures"));
        VM.prank(caller);
        try names.changeIdentity(space, identity, trust, approvals, number, quorum) {
            _checkQuorum(_changeHash(epoch, space, identity, trust, approvals, number), quorum);
            assert(uint256(approvals) * 2 > before.trusted && approvals <= before.trusted);
        } catch {}
    }

    function _changeHash(
        uint16 epoch,
        bytes32 space,
        bytes32 identity,
        bool trust,
        uint8 approvals,
        uint48 number
    ) private pure returns (bytes32) {
        bytes32 typehash = keccak256(
            "IdentityChange(uint16 epoch,bytes32 namespaceId,bytes32 identity,bool trust,uint8 approvals,uint48 number)"
        );
        return keccak256(abi.encode(typehash, epoch, space, identity, trust, approvals, number));
    }
}
