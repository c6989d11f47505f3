// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {Hashes} from "../../../contracts/lib/Hashes.sol";
import {Leaves} from "../../../contracts/lib/Leaves.sol";
import {RecordIds} from "../../../contracts/lib/RecordIds.sol";
import {Proof, Record} from "../../../contracts/Types.sol";
import {Tree} from "../support/Tree.sol";
import {VM} from "../support/Vm.sol";

contract Climber {
    function root(bytes32 leaf, uint256 index, bytes32[7] calldata siblings) external pure returns (bytes32) {
        return Hashes.root(leaf, index, siblings);
    }

    function rootOf(bytes32 recordId, Proof calldata proof) external pure returns (bytes32) {
        return Leaves.rootOf(recordId, proof);
    }
}

/// @dev Compares hashes written in assembly with the same in plain Solidity, and leaves with a whole tree.
contract LeavesTest is Tree {
    Climber private _climber;

    function setUp() public {
        _climber = new Climber();
    }

    function testFuzz_pairAndTriple(bytes32 first, bytes32 second, uint256 third) public pure {
        VM.assertEq(Hashes.pair(first, second), keccak256(abi.encode(first, second)), "pair");
        VM.assertEq(Hashes.triple(first, second, third), keccak256(abi.encode(first, second, third)), "triple");
    }

    function testFuzz_rootIsThatOfTheSlowWay(bytes32 leaf, uint256 index, bytes32[7] memory siblings) public view {
        bytes32 node = leaf;
        for (uint256 level = 0; level < 7; ++level) {
            bool isRight = index / 2 ** level % 2 == 1;
            node = isRight
                ? keccak256(bytes.concat(siblings[level], node))
                : keccak256(bytes.concat(node, siblings[level]));
        }
        VM.assertEq(_climber.root(leaf, index, siblings), node, "root");
    }

    function testFuzz_everyLeafLeadsToTheRoot(uint8 count, uint8 index) public view {
        count = count % 128 + 1;
        Record[] memory records = new Record[](count);
        for (uint256 i = 0; i < count; ++i) {
            records[i] = _record(i);
        }
        Grown memory tree = _grow(records);
        index %= count;
        VM.assertEq(_climber.rootOf(_releaseId(index), _proof(tree, index)), _root(tree), "root");
    }

    function testFuzz_summariesFitFactsOrNot(uint256 facts, uint8 index, bool named, uint256 change) public pure {
        uint256 summary = facts >> 152 << 152 | (named ? Leaves.NAMED : 0) | index % 128;
        VM.assertTrue(Leaves.fits(summary, facts), "fits");
        VM.assertEq(Leaves.indexOf(summary), index % 128, "index");
        change = change >> 9 << 9;
        VM.assertEq(Leaves.fits(summary ^ change, facts), change == 0, "changed");
    }

    function test_everyBitOfASummary() public pure {
        for (uint256 bit = 9; bit < 256; ++bit) {
            VM.assertFalse(Leaves.fits(1 << bit, 0), VM.toString(bit));
        }
    }

    function testFuzz_idsOfThreeKinds(bytes32 model, bytes32 manifest, bytes32 verdict, uint16 revision) public pure {
        bytes32 release = RecordIds.ofRelease(model, manifest);
        VM.assertEq(release, keccak256(bytes.concat(model, manifest)), "release");
        bytes32 later = revision == 0 ? release : keccak256(bytes.concat(release, bytes2(revision)));
        VM.assertEq(RecordIds.ofRevision(release, revision), later, "revision");
        bytes32 failure = keccak256(bytes.concat(model, manifest, verdict));
        VM.assertEq(RecordIds.ofFailure(model, manifest, verdict), failure, "failure");
    }
}
