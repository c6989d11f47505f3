// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {INamespaces} from "../../../contracts/INamespaces.sol";
import {Record} from "../../../contracts/Types.sol";
import {FromShipped, FromSource} from "../support/RegistryBehaviour.sol";
import {VM, Vm} from "../support/Vm.sol";
import {NamesBehaviour} from "./NamesBehaviour.sol";

/// @dev A reader with all entries of a namespace can prove it; a reader with any others cannot.
abstract contract HistoryBehaviour is NamesBehaviour {
    struct Entry {
        uint48 number;
        INamespaces.Entry kind;
        bytes32 subject;
        uint40 time;
        uint256 head;
    }

    function test_everyKindOfEntryIsInTheHistory() public {
        bytes32[] memory contents = _live();
        Entry[] memory entries = _entries();
        bytes32[14] memory subjects = [
            _word(spaceOwner), PUBLISHER, contents[0], contents[1], OTHER, OTHER, contents[1], MALLORY, MALLORY,
            _word(OWNER), _word(address(0)), _word(ANYBODY), _word(ANYBODY), PUBLISHER
        ];
        INamespaces.Entry[14] memory kinds = [
            INamespaces.Entry.Claimed,
            INamespaces.Entry.IdentityTrusted,
            INamespaces.Entry.Recorded,
            INamespaces.Entry.Held,
            INamespaces.Entry.IdentityProposed,
            INamespaces.Entry.IdentityTrusted,
            INamespaces.Entry.Released,
            INamespaces.Entry.IdentityProposed,
            INamespaces.Entry.IdentityDropped,
            INamespaces.Entry.HandoverProposed,
            INamespaces.Entry.HandoverProposed,
            INamespaces.Entry.HandoverProposed,
            INamespaces.Entry.HandedOver,
            INamespaces.Entry.IdentityDropped
        ];
        VM.assertEq(entries.length, kinds.length, "entries");
        for (uint256 i = 0; i < kinds.length; ++i) {
            VM.assertEq(uint256(entries[i].kind), uint256(kinds[i]), "kind");
            VM.assertEq(entries[i].subject, subjects[i], "subject");
        }
    }

    function test_whoReplaysAllEntriesArrivesAtTheHead() public {
        _live();
        Entry[] memory entries = _entries();
        uint256 head = 0;
        for (uint256 i = 0; i < entries.length; ++i) {
            head = _next(head, entries[i]);
            VM.assertEq(entries[i].number, i + 1, "number");
            VM.assertEq(entries[i].head, head, "head");
        }
        VM.assertEq(names.headOf(SPACE_ID), head, "the head kept");
    }

    function testFuzz_aMissingEntryIsNoticed(uint256 which) public {
        _live();
        Entry[] memory entries = _entries();
        which %= entries.length;
        Entry[] memory fewer = new Entry[](entries.length - 1);
        for (uint256 i = 0; i < fewer.length; ++i) {
            fewer[i] = entries[i < which ? i : i + 1];
        }
        _checkNoticed(fewer);
    }

    function testFuzz_anExchangeIsNoticed(uint256 one, uint256 other) public {
        _live();
        Entry[] memory entries = _entries();
        one %= entries.length;
        other %= entries.length;
        VM.assume(one != other);
        (entries[one], entries[other]) = (entries[other], entries[one]);
        _checkNoticed(entries);
    }

    function testFuzz_anAlterationIsNoticed(uint256 which, uint8 kind, bytes32 subject, uint40 time) public {
        _live();
        Entry[] memory entries = _entries();
        Entry memory entry = entries[which % entries.length];
        INamespaces.Entry other = INamespaces.Entry(kind % (uint8(type(INamespaces.Entry).max) + 1));
        VM.assume(other != entry.kind);
        VM.assume(subject != entry.subject && time != entry.time);
        (INamespaces.Entry kindThen, bytes32 subjectThen) = (entry.kind, entry.subject);

        entry.kind = other;
        _checkNoticed(entries);
        (entry.kind, entry.subject) = (kindThen, subject);
        _checkNoticed(entries);
        (entry.subject, entry.time) = (subjectThen, time);
        _checkNoticed(entries);
    }

    function test_namespacesHaveHistoriesOfTheirOwn() public {
        _claimSpace(1, PUBLISHER);
        uint256 head = names.headOf(SPACE_ID);
        _claim("acme2", SPACE_OWNER_KEY + 1, 1, _one(PUBLISHER));
        Record memory record = _record(1);
        record.namespace = "acme2";
        _publish(record);
        VM.assertEq(names.headOf(SPACE_ID), head, "unmoved");
        VM.assertEq(names.headOf(keccak256("acme2")) >> 208, 3, "claimed, trusted, recorded");
    }

    /// @dev Runs through the life of a namespace and records its events. Returns the content digests of the records.
    function _live() private returns (bytes32[] memory contents) {
        VM.recordLogs();
        _claimSpace(1, PUBLISHER);
        bytes memory held = _bytes(_recordFrom(OTHER, 2));
        contents = new bytes32[](2);
        contents[0] = registry.contentOf(_publishFrom(PUBLISHER, 1));
        contents[1] = registry.contentOf(_publishFrom(OTHER, 2));
        _trust(OTHER);
        registry.releaseHeld(held);
        uint48 number = _lastNumber();
        names.changeIdentity(SPACE_ID, MALLORY, true, 2, number, _approved(MALLORY, true, 2, number));

        VM.startPrank(spaceOwner);
        names.dropIdentity(SPACE_ID, MALLORY);
        names.proposeHandover(SPACE_ID, OWNER);
        names.proposeHandover(SPACE_ID, address(0));
        names.proposeHandover(SPACE_ID, ANYBODY);
        VM.warp(block.timestamp + DELAY);
        VM.stopPrank();
        VM.startPrank(ANYBODY);
        names.acceptHandover(SPACE_ID);
        names.dropIdentity(SPACE_ID, PUBLISHER);
        VM.stopPrank();
    }

    function _entries() private returns (Entry[] memory entries) {
        Vm.Log[] memory logs = VM.getRecordedLogs();
        uint256 count = 0;
        entries = new Entry[](logs.length);
        for (uint256 i = 0; i < logs.length; ++i) {
            if (!_isEntry(logs[i])) continue;
            Entry memory entry = entries[count++];
            entry.number = uint48(uint256(logs[i].topics[2]));
            entry.kind = INamespaces.Entry(uint256(logs[i].topics[3]));
            (entry.subject, entry.time, entry.head) = abi.decode(logs[i].data, (bytes32, uint40, uint256));
        }
        assembly ("memory-safe") {
            mstore(entries, count)
        }
    }

    function _isEntry(Vm.Log memory log) private view returns (bool) {
        return log.emitter == address(names) && log.topics[0] == INamespaces.NamespaceEntry.selector
            && log.topics[1] == SPACE_ID;
    }

    /// @dev Computes head(n) from head(n - 1), as {INamespaces} specifies it.
    function _next(uint256 head, Entry memory entry) private pure returns (uint256) {
        uint256 number = (head >> 208) + 1;
        bytes32 hash = keccak256(abi.encode(head, uint8(entry.kind), entry.subject, entry.time));
        return number << 208 | uint256(hash) % (1 << 208);
    }

    function _checkNoticed(Entry[] memory entries) private view {
        uint256 head = 0;
        for (uint256 i = 0; i < entries.length; ++i) {
            head = _next(head, entries[i]);
        }
        VM.assertTrue(head != names.headOf(SPACE_ID), "noticed");
    }

    function _word(address account) private pure returns (bytes32) {
        return bytes32(uint256(uint160(account)));
    }
}

contract HistoryOfSource is HistoryBehaviour, FromSource {}

contract HistoryOfShipped is HistoryBehaviour, FromShipped {}
