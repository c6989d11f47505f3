// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {ProvenanceRegistry} from "../../../contracts/ProvenanceRegistry.sol";
import {Oracle, Quorum} from "../../../contracts/Types.sol";
import {Proofs, SVM, VM} from "./Proofs.sol";

/// @dev Nothing is written without enough signatures by the oracles over exactly this content.
contract QuorumProofs is Proofs {
    bytes32 private constant BATCH =
        keccak256("Batch(uint16 epoch,bytes32 root,uint8 count,uint40 sealedAt,string uri)");

    /// @custom:halmos --loop 3
    function check_aBatchTakesAQuorum(
        address caller,
        bytes32 root,
        uint8 count,
        uint40 sealedAt,
        string calldata uri,
        uint16 epoch
    ) public {
        Quorum memory quorum = Quorum(epoch, 1, SVM.createBytes(64, "signature"));
        VM.prank(caller);
        try registry.recordBatch(root, count, sealedAt, uri, quorum) returns (bool isNew) {
            bytes memory fields = abi.encode(BATCH, epoch, root, count, sealedAt, keccak256(bytes(uri)));
            if (isNew) _checkQuorum(keccak256(fields), quorum);
        } catch {}
    }
}

/// @dev The rule for a quorum, for a set of three oracles of weights 1, 2 and 3 and a threshold of 4.
contract QuorumRuleProofs is Proofs {
    bytes32 private constant DOMAIN =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");

    function setUp() public override {
        Oracle[] memory oracles = new Oracle[](3);
        for (uint16 i = 0; i < 3; ++i) {
            oracles[i] = Oracle(address(uint160(0x0AC1E + i)), i + 1, 1000, 2000, 0);
        }
        registry = new ProvenanceRegistry(address(0xA11CE), address(0x6A6D), 1 days, 1 days, oracles, 4);
    }

    /// @dev Every signer counts once, with the key of the set, within its validity window, over exactly this struct in
    /// this registry.
    /// @custom:halmos --loop 4 --array-lengths signatures={0,64,128,192}
    function check_aQuorumIsEnoughValidSignatures(
        bytes32 structHash,
        uint32 signers,
        bytes calldata signatures,
        uint256 time
    ) public {
        VM.warp(time);
        try registry.requireQuorum(structHash, Quorum(1, signers, signatures)) returns (uint16 weight) {
            uint256 sum = 0;
            uint256 position = 0;
            for (uint256 i = 0; i < 3; ++i) {
                if (signers >> i & 1 == 0) continue;
                _checkSigned(structHash, uint160(0x0AC1E + i), signatures[64 * position:64 * ++position]);
                sum += i + 1;
            }
            assert(weight == sum && sum >= 4 && signers < 8);
            assert(1000 <= time && time < 2000);
        } catch {}
    }

    /// @dev Only the current epoch exists.
    function check_noOtherEpochSigns(bytes32 structHash, uint16 epoch, uint32 signers) public {
        VM.assume(epoch != 1);
        try registry.requireQuorum(structHash, Quorum(epoch, signers, SVM.createBytes(64, "signatures"))) {
            assert(false);
        } catch {}
    }

    function _checkSigned(bytes32 structHash, uint160 key, bytes calldata signature) private view {
        bytes32 name = keccak256("ProvenanceRegistry");
        bytes32 domain = keccak256(abi.encode(DOMAIN, name, keccak256("1"), block.chainid, address(registry)));
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", domain, structHash));
        (bytes32 r, bytes32 vs) = (bytes32(signature[:32]), bytes32(signature[32:]));
        uint8 v = uint8((uint256(vs) >> 255) + 27);
        assert(ecrecover(digest, v, r, vs & bytes32(type(uint256).max >> 1)) == address(key));
    }
}
