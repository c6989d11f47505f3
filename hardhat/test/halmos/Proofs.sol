// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {Lineage} from "../../../contracts/Lineage.sol";
import {Namespaces} from "../../../contracts/Namespaces.sol";
import {ProvenanceRegistry} from "../../../contracts/ProvenanceRegistry.sol";
import {Oracle, Quorum} from "../../../contracts/Types.sol";

/// @dev The cheat codes used here, of forge and of halmos.
interface Vm {
    function assume(bool condition) external;
    function prank(address sender) external;
    function warp(uint256 time) external;
}

interface Svm {
    function createBytes(uint256 size, string calldata name) external returns (bytes memory);
    function createCalldata(string calldata contractName) external returns (bytes memory);
    function enableSymbolicStorage(address account) external;
    function snapshotStorage(address account) external returns (bytes32);
}

Vm constant VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
Svm constant SVM = Svm(address(uint160(uint256(keccak256("svm cheat code")))));

/**
 * @dev Common base for proofs by halmos. A proof holds for every argument, caller and path, and from every state: for
 * any storage of the three contracts, as long as they know each other.
 *
 * Bounds, since halmos needs to know where bytes begin and end: a record has a namespace of 4 bytes and a release of 7;
 * a quorum has up to three signers; the options set the lengths of other texts and lists. The answer of `ecrecover` is
 * left open, but the same query always gets the same answer.
 */
abstract contract Proofs {
    bytes32 private constant REPORT = keccak256("Report(uint16 epoch,bytes record)");

    ProvenanceRegistry internal registry;
    Namespaces internal names;
    Lineage internal ancestry;

    function setUp() public virtual {
        Oracle[] memory oracles = new Oracle[](1);
        oracles[0] = Oracle(address(0x0AC1E), 1, 0, type(uint40).max, 0);
        registry = new ProvenanceRegistry(address(0xA11CE), address(0x6A6D), 1 days, 1 days, oracles, 1);
        names = Namespaces(address(registry.namespaces()));
        ancestry = Lineage(address(registry.lineage()));
        SVM.enableSymbolicStorage(address(registry));
        SVM.enableSymbolicStorage(address(names));
        SVM.enableSymbolicStorage(address(ancestry));
    }

    /// @dev Assumes that the three contracts know each other. This is the only assumption about the state.
    function _assumeTheyKnowEachOther() internal {
        VM.assume(address(registry.namespaces()) == address(names));
        VM.assume(address(registry.lineage()) == address(ancestry));
        VM.assume(address(names.registry()) == address(registry));
        VM.assume(address(ancestry.registry()) == address(registry));
    }

    /// @dev Checks that the signatures of this quorum over this struct hold and are enough.
    function _checkQuorum(bytes32 structHash, Quorum memory quorum) internal view {
        try registry.requireQuorum(structHash, quorum) {}
        catch {
            assert(false);
        }
    }

    /// @dev Returns any record with texts of these lengths, and `parents` parents.
    function _anyRecord(uint256 parents) internal returns (bytes memory) {
        return bytes.concat(
            SVM.createBytes(224, "digests and facts"),
            hex"04",
            SVM.createBytes(4, "namespace"),
            hex"07",
            SVM.createBytes(7, "release"),
            parents == 0 ? bytes("") : SVM.createBytes(32 * parents, "parents")
        );
    }

    /// @dev Returns the struct hash that an oracle signs to publish a record.
    function _reportHash(uint16 epoch, bytes memory record) internal pure returns (bytes32) {
        return keccak256(abi.encode(REPORT, epoch, keccak256(record)));
    }
}
