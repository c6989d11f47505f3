// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";
import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";
import {INamespaces} from "../../../contracts/INamespaces.sol";
import {Namespace} from "../../../contracts/Types.sol";
import {FromShipped, FromSource} from "../support/RegistryBehaviour.sol";
import {VM} from "../support/Vm.sol";
import {NamesBehaviour} from "./NamesBehaviour.sol";
import {ApprovingWallet, FixedAnswerWallet, ReenteringWallet} from "./Wallets.sol";

/// @dev Claims of namespaces, and the signatures that they need.
abstract contract ClaimsBehaviour is NamesBehaviour {
    uint256 private constant HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;
    uint256 private constant ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    struct Claim {
        string namespace;
        address owner;
        uint8 identityLimit;
        bytes32[] identities;
        uint256 nonce;
        uint40 deadline;
    }

    function test_aSignedClaimMakesItsSignerTheOwner() public {
        Claim memory claim = _claimOf(_account(1));
        claim.identities = _one(PUBLISHER);
        bytes memory signature = _sign(1, claim);
        VM.expectEmit(address(names));
        emit INamespaces.NamespaceClaimed(SPACE_ID, _account(1), SPACE, 3);
        VM.prank(ANYBODY);
        _submit(claim, signature);

        Namespace memory space = names.namespaceOf(SPACE_ID);
        VM.assertEq(space.owner, _account(1), "owner");
        VM.assertEq(space.claimedAt, block.timestamp, "claimedAt");
        VM.assertEq(space.identityLimit, 3, "identityLimit");
        VM.assertEq(space.firstUses, 1, "firstUses");
        VM.assertEq(space.trusted, 1, "trusted");
        VM.assertEq(names.trustedSince(SPACE_ID, PUBLISHER), block.timestamp, "trusted since");
        VM.assertEq(_nonceOf(_account(1)), 1, "nonce");
        VM.assertEq(address(names.registry()), address(registry), "registry");
    }

    function test_aNamespaceNobodyClaimedHasNoOwner() public view {
        Namespace memory space = names.namespaceOf(SPACE_ID);
        VM.assertEq(space.owner, address(0), "owner");
        VM.assertEq(space.claimedAt, 0, "claimedAt");
        VM.assertEq(names.headOf(SPACE_ID), 0, "history");
    }

    // --- signatures of accounts without code

    function test_noOtherAccountSigns() public {
        Claim memory claim = _claimOf(_account(1));
        _refuseClaim(claim, _sign(2, claim));
    }

    function test_everyFieldIsSigned() public {
        Claim memory claim = _claimOf(_account(1));
        bytes memory signature = _sign(1, claim);

        claim.namespace = "acme2";
        _refuseClaim(claim, signature);
        claim = _claimOf(_account(2));
        _refuseClaim(claim, signature);
        claim = _claimOf(_account(1));
        claim.identityLimit = 2;
        _refuseClaim(claim, signature);
        claim = _claimOf(_account(1));
        claim.identities = _one(MALLORY);
        _refuseClaim(claim, signature);
        claim = _claimOf(_account(1));
        claim.deadline += 1;
        _refuseClaim(claim, signature);
        _submit(_claimOf(_account(1)), signature);
    }

    function test_aSignatureIsForOneContract() public {
        Claim memory claim = _claimOf(_account(1));
        _refuseClaim(claim, _plain(1, _digest(claim, address(registry))));
        _refuseClaim(claim, _plain(1, _digest(claim, address(ancestry))));
    }

    function test_theDomainIsNotTheRegistrys() public {
        Claim memory claim = _claimOf(_account(1));
        string memory fields =
            "string namespace,address owner,uint8 identityLimit,bytes32[] identities,uint256 nonce,uint40 deadline";
        bytes32 typehash = keccak256(bytes(string.concat("Claim(", fields, ")")));
        bytes32 none = keccak256("");
        bytes32 structHash = keccak256(abi.encode(typehash, SPACE_ID, claim.owner, uint8(3), none, 0, claim.deadline));
        _refuseClaim(claim, _plain(1, _typed("ProvenanceRegistry", address(names), structHash)));
        _submit(claim, _plain(1, _typed("ProvenanceNamespaces", address(names), structHash)));
    }

    function test_aSignatureIsForOneChain() public {
        Claim memory claim = _claimOf(_account(1));
        bytes memory signature = _sign(1, claim);
        VM.chainId(block.chainid + 1); // also on a chain that forked off after the deployment
        _refuseClaim(claim, signature);
        _submit(claim, _sign(1, claim));
    }

    function test_aSignatureHas65BytesAndTheLowerS() public {
        Claim memory claim = _claimOf(_account(1));
        bytes32 digest = _digest(claim, address(names));
        (uint8 v, bytes32 r, bytes32 s) = VM.sign(_key(1), digest);
        VM.assertTrue(uint256(s) <= HALF_ORDER, "low");
        _refuseClaim(claim, "");
        _refuseClaim(claim, _compact(1, digest));
        _refuseClaim(claim, abi.encodePacked(r, s, v, uint8(0)));
        _refuseClaim(claim, abi.encodePacked(r, s, v - 27));
        _refuseClaim(claim, abi.encodePacked(r, ORDER - uint256(s), v == 27 ? 28 : 27));
    }

    function test_nobodyIsNoOwner() public {
        Claim memory claim = _claimOf(address(0));
        _refuseClaim(claim, abi.encodePacked(bytes32(uint256(1)), bytes32(uint256(1)), uint8(29)));
        _refuseClaim(claim, _sign(1, claim));
    }

    // --- signatures of wallets

    function test_aWalletClaims() public {
        ApprovingWallet wallet = new ApprovingWallet(0);
        Claim memory claim = _claimOf(address(wallet));
        wallet.approve(_digest(claim, address(names)));
        _submit(claim, "");
        VM.assertEq(names.namespaceOf(SPACE_ID).owner, address(wallet), "owner");
    }

    function test_aWalletThatSaysNoDoesNot() public {
        _refuseClaim(_claimOf(address(new ApprovingWallet(0))), "");
        _refuseClaim(_claimOf(address(new ApprovingWallet(0xffffffff))), "");
        _refuseClaim(_claimOf(address(new ApprovingWallet(0x1626ba7f))), "");
    }

    /// @dev An account with both a key and code, as EIP-7702 allows: either can sign.
    function test_anAccountsOwnKeyCountsWithCodeToo() public {
        Claim memory claim = _claimOf(_account(1));
        bytes memory signature = _sign(1, claim);
        VM.etch(_account(1), address(new ApprovingWallet(0)).code);
        _refuseClaim(claim, _sign(2, claim));
        _submit(claim, signature);
        claim.namespace = "acme2";
        claim.nonce = 1;
        ApprovingWallet(_account(1)).approve(_digest(claim, address(names)));
        _submit(claim, "");
    }

    function test_anAnswerIsTheMagicWordAndNothingElse() public {
        bytes4 magic = IERC1271.isValidSignature.selector;
        _refuseAnswer("", false);
        _refuseAnswer(abi.encodePacked(magic), false);
        _refuseAnswer(abi.encodePacked(magic, new bytes(27)), false);
        _refuseAnswer(abi.encodePacked(magic, new bytes(27), hex"01"), false);
        _refuseAnswer(abi.encode(magic, uint256(0)), false);
        _refuseAnswer(abi.encode(uint32(magic)), false);
        _refuseAnswer(abi.encode(magic), true);
        _submit(_claimOf(address(new FixedAnswerWallet(abi.encode(magic), false))), "");
    }

    /// @dev The wallet is asked by a static call, so a call that works from outside fails from within.
    function test_aWalletCannotReenterClaims() public {
        Claim memory inner = _claimOf(_account(1));
        inner.namespace = "inner";
        _checkReentry(address(names), _callOf(inner, _sign(1, inner)));
        VM.assertEq(names.namespaceOf(keccak256("inner")).owner, _account(1), "claimed from outside");
    }

    function test_aWalletCannotReenterPublications() public {
        bytes memory record = _bytes(_record(1));
        _checkReentry(address(registry), abi.encodeCall(registry.publish, (record, _signed(record))));
        VM.assertTrue(registry.contentOf(_releaseId(1)) != 0, "published from outside");
    }

    // --- nonce and deadline

    function test_aClaimIsUsedOnce() public {
        Claim memory claim = _claimOf(_account(1));
        _submit(claim, _sign(1, claim));
        claim.namespace = "acme2";
        bytes memory signature = _sign(1, claim);
        _refuseFor(claim, signature, abi.encodeWithSelector(Nonces.InvalidAccountNonce.selector, _account(1), 1));
        claim.nonce = 2;
        signature = _sign(1, claim);
        _refuseFor(claim, signature, abi.encodeWithSelector(Nonces.InvalidAccountNonce.selector, _account(1), 1));
        claim.nonce = 1;
        _refuseClaim(claim, signature);
        _submit(claim, _sign(1, claim));
        VM.assertEq(_nonceOf(_account(1)), 2, "nonce");
    }

    function test_aRefusedClaimCostsNoNonce() public {
        Claim memory claim = _claimOf(_account(1));
        _refuseClaim(claim, _sign(2, claim));
        VM.assertEq(_nonceOf(_account(1)), 0, "nonce");
    }

    function test_aClaimWaitsUntilItsDeadlineAndNoLonger() public {
        Claim memory claim = _claimOf(_account(1));
        claim.deadline = uint40(block.timestamp);
        bytes memory signature = _sign(1, claim);
        VM.warp(block.timestamp + 1);
        _refuseFor(claim, signature, abi.encodeWithSelector(INamespaces.DeadlinePassed.selector, claim.deadline));
        VM.warp(block.timestamp - 1);
        _submit(claim, signature);
    }

    // --- namespaces that can be claimed

    function test_aNamespaceIsClaimedOnce() public {
        Claim memory claim = _claimOf(_account(1));
        _submit(claim, _sign(1, claim));
        bytes memory taken = abi.encodeWithSelector(INamespaces.NamespaceTaken.selector, SPACE_ID, _account(1));
        claim.nonce = 1;
        _refuseFor(claim, _sign(1, claim), taken);
        claim = _claimOf(_account(2));
        _refuseFor(claim, _sign(2, claim), taken);
    }

    function test_aNamespaceIsASlug() public {
        Claim memory claim = _claimOf(_account(1));
        claim.namespace = "acme/model";
        _refuseFor(claim, _sign(1, claim), abi.encodeWithSelector(INamespaces.NamespaceInvalid.selector));
    }

    function test_sixteenIdentitiesAtMost() public {
        Claim memory claim = _claimOf(_account(1));
        claim.identityLimit = 17;
        _refuseFor(claim, _sign(1, claim), abi.encodeWithSelector(INamespaces.IdentityLimit.selector, 17, 16));
        claim.identityLimit = 16;
        claim.identities = _distinct(17);
        _refuseFor(claim, _sign(1, claim), abi.encodeWithSelector(INamespaces.IdentityLimit.selector, 17, 16));
        claim.identities = _distinct(16);
        _submit(claim, _sign(1, claim));
        VM.assertEq(names.namespaceOf(SPACE_ID).trusted, 16, "trusted");
    }

    function test_noMoreIdentitiesThanTheLimit() public {
        Claim memory claim = _claimOf(_account(1));
        claim.identities = _distinct(4);
        _refuseFor(claim, _sign(1, claim), abi.encodeWithSelector(INamespaces.IdentityLimit.selector, 4, 3));
    }

    function test_identitiesAreDistinctAndNotZero() public {
        Claim memory claim = _claimOf(_account(1));
        claim.identities = _distinct(2);
        claim.identities[1] = claim.identities[0];
        _refuseFor(
            claim, _sign(1, claim), abi.encodeWithSelector(INamespaces.IdentityKnown.selector, claim.identities[0])
        );
        claim.identities[1] = 0;
        _refuseFor(claim, _sign(1, claim), abi.encodeWithSelector(INamespaces.IdentityKnown.selector, bytes32(0)));
    }

    function test_nothingIsClaimedWhileWritesAreStopped() public {
        Claim memory claim = _claimOf(_account(1));
        _pause();
        _refuseFor(claim, _sign(1, claim), abi.encodeWithSelector(INamespaces.RegistryIsPaused.selector));
    }

    function test_onlyNamespacesTellOfAClaim() public {
        for (uint256 i = 0; i < 3; ++i) {
            address caller = [OWNER, GUARDIAN, address(ancestry)][i];
            VM.expectRevert(abi.encodeWithSelector(bytes4(keccak256("NotAllowed(address)")), caller));
            VM.prank(caller);
            registry.noteClaim(SPACE_ID);
        }
    }

    function test_theDomainCanBeRead() public view {
        (bytes1 fields, string memory name, string memory version, uint256 chainId, address verifier,,) =
            IERC5267(address(names)).eip712Domain();
        VM.assertEq(bytes32(fields), bytes32(hex"0f"), "fields");
        VM.assertEq(name, "ProvenanceNamespaces", "name");
        VM.assertEq(version, "1", "version");
        VM.assertEq(chainId, block.chainid, "chain");
        VM.assertEq(verifier, address(names), "contract");
    }

    function _claimOf(address owner) private view returns (Claim memory) {
        return Claim(SPACE, owner, 3, new bytes32[](0), 0, uint40(block.timestamp + 1 days));
    }

    function _digest(Claim memory claim, address verifier) private view returns (bytes32) {
        return _claimDigest(
            verifier, claim.namespace, claim.owner, claim.identityLimit, claim.identities, claim.nonce, claim.deadline
        );
    }

    function _sign(uint256 keyNumber, Claim memory claim) private view returns (bytes memory) {
        return _plain(keyNumber, _digest(claim, address(names)));
    }

    function _callOf(Claim memory claim, bytes memory signature) private view returns (bytes memory) {
        return abi.encodeCall(
            names.claimNamespace,
            (
                claim.namespace,
                claim.owner,
                claim.identityLimit,
                claim.identities,
                claim.nonce,
                claim.deadline,
                signature
            )
        );
    }

    function _submit(Claim memory claim, bytes memory signature) private {
        (bool done, bytes memory answer) = address(names).call(_callOf(claim, signature));
        if (done) return;
        assembly ("memory-safe") {
            revert(add(answer, 0x20), mload(answer))
        }
    }

    function _refuseClaim(Claim memory claim, bytes memory signature) private {
        _refuseFor(claim, signature, abi.encodeWithSelector(INamespaces.WrongClaimSigner.selector, claim.owner));
    }

    function _refuseFor(Claim memory claim, bytes memory signature, bytes memory reason) private {
        (bool done, bytes memory answer) = address(names).call(_callOf(claim, signature));
        VM.assertFalse(done, "refused");
        VM.assertEq(answer, reason, "reason");
    }

    function _refuseAnswer(bytes memory answer, bool reverts) private {
        _refuseClaim(_claimOf(address(new FixedAnswerWallet(answer, reverts))), "");
    }

    /// @dev Checks that the call fails when a wallet makes it from `isValidSignature`, and works otherwise.
    function _checkReentry(address target, bytes memory data) private {
        ReenteringWallet wallet = new ReenteringWallet();
        wallet.prepare(target, data);
        Claim memory claim = _claimOf(address(wallet));
        VM.assertEq(registry.contentOf(_releaseId(1)), 0, "nothing yet");
        _submit(claim, "");
        VM.assertEq(registry.contentOf(_releaseId(1)), 0, "nothing published");
        VM.assertEq(names.namespaceOf(keccak256("inner")).owner, address(0), "nothing claimed");
        VM.assertEq(bytes32(wallet.isValidSignature(0, "")), 0, "the call works otherwise");
    }

    function _distinct(uint256 count) private pure returns (bytes32[] memory identities) {
        identities = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            identities[i] = keccak256(abi.encode("identity", i));
        }
    }

    function _nonceOf(address account) private view returns (uint256) {
        return Nonces(address(names)).nonces(account);
    }
}

contract ClaimsOfSource is ClaimsBehaviour, FromSource {}

contract ClaimsOfShipped is ClaimsBehaviour, FromShipped {}
