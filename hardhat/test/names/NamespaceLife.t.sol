// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {INamespaces} from "../../../contracts/INamespaces.sol";
import {Namespace, Record, Standing} from "../../../contracts/Types.sol";
import {FromSource} from "../support/RegistryBehaviour.sol";
import {VM, Vm} from "../support/Vm.sol";
import {NamesBehaviour} from "./NamesBehaviour.sol";

/**
 * @dev Runs a namespace through random calls and keeps its own books, from the events only: its owner, the trusted
 * publishers, the held records and the record that each name leads to.
 */
contract NamespaceLife is NamesBehaviour, FromSource {
    uint256 public constant RELEASES = 6;
    uint256 public constant PUBLISHERS = 4;

    uint256 public head;
    address public owner;
    uint256 public trusted;
    mapping(bytes32 identity => bool) public isTrusted;
    mapping(bytes32 contentDigest => INamespaces.Entry) public lastEntryOf;
    /// True once an entry's number or head does not follow from the entries before it.
    bool public broken;

    bytes[] private _held;

    function setUp() public override {
        super.setUp();
        VM.recordLogs();
        _claimSpace(2, 0);
        _keepBooks();
    }

    function namespaces() external view returns (INamespaces) {
        return names;
    }

    function publish(uint256 who, uint256 number) external {
        Record memory record = _recordFrom(identityOf(who), 1 + number % RELEASES);
        record.revision = _judgements(record);
        _publish(record);
        if (_isHeld(_idOf(record))) _held.push(_bytes(record));
        _keepBooks();
    }

    function releaseHeld(uint256 which) external {
        if (_held.length == 0) return;
        registry.releaseHeld(_held[which % _held.length]);
        _keepBooks();
    }

    function propose(uint256 who) external {
        VM.prank(owner);
        names.proposeIdentity(SPACE_ID, identityOf(who));
        _keepBooks();
    }

    function accept(uint256 who) external {
        names.acceptIdentity(SPACE_ID, identityOf(who));
        _keepBooks();
    }

    function drop(uint256 who) external {
        VM.prank(owner);
        names.dropIdentity(SPACE_ID, identityOf(who));
        _keepBooks();
    }

    function change(uint256 who, bool trust, uint256 approvals) external {
        uint48 number = uint48(head >> 208);
        uint8 yes = uint8(approvals % (trusted + 1));
        bytes32 identity = identityOf(who);
        names.changeIdentity(SPACE_ID, identity, trust, yes, number, _approved(identity, trust, yes, number));
        _keepBooks();
    }

    function offer(uint256 to) external {
        VM.prank(owner);
        names.proposeHandover(SPACE_ID, to % 3 == 0 ? address(0) : address(uint160(1000 + to % 3)));
        _keepBooks();
    }

    function takeOver() external {
        (address to,) = names.handoverOf(SPACE_ID);
        VM.prank(to);
        names.acceptHandover(SPACE_ID);
        _keepBooks();
    }

    function wait(uint256 time) external {
        VM.warp(block.timestamp + time % (2 * DELAY));
    }

    /// @dev Returns the standing of a release, and the last entry about its first judgement, which decides on its name.
    function latestOf(uint256 number) external view returns (Standing memory standing, INamespaces.Entry entry) {
        standing = registry.standingOf(_modelDigest(number), _manifestDigest(number));
        return (standing, lastEntryOf[registry.contentOf(_releaseId(number))]);
    }

    function identityOf(uint256 who) public pure returns (bytes32) {
        return keccak256(abi.encode("publisher", who % PUBLISHERS));
    }

    /// @dev Returns how often a release was judged.
    function _judgements(Record memory record) private view returns (uint16) {
        bytes32 releaseId = _idOf(record);
        return registry.contentOf(releaseId) == 0 ? 0 : registry.standingById(releaseId).revisions + 1;
    }

    function _keepBooks() private {
        Vm.Log[] memory logs = VM.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] != INamespaces.NamespaceEntry.selector) continue;
            INamespaces.Entry kind = INamespaces.Entry(uint256(logs[i].topics[3]));
            (bytes32 subject, uint40 time, uint256 said) = abi.decode(logs[i].data, (bytes32, uint40, uint256));
            uint256 number = (head >> 208) + 1;
            head = number << 208 | uint208(uint256(keccak256(abi.encode(head, kind, subject, time))));
            if (said != head || uint256(logs[i].topics[2]) != number) broken = true;
            _book(kind, subject);
        }
    }

    function _book(INamespaces.Entry kind, bytes32 subject) private {
        if (kind == INamespaces.Entry.Claimed || kind == INamespaces.Entry.HandedOver) {
            owner = address(uint160(uint256(subject)));
        } else if (kind == INamespaces.Entry.IdentityTrusted) {
            if (isTrusted[subject]) broken = true;
            isTrusted[subject] = true;
            ++trusted;
        } else if (kind == INamespaces.Entry.IdentityDropped && isTrusted[subject]) {
            isTrusted[subject] = false;
            --trusted;
        } else if (kind <= INamespaces.Entry.Released) {
            lastEntryOf[subject] = kind;
        }
    }
}

/// @dev Invariants of a namespace, after any sequence of calls.
contract NamespaceInvariants {
    bytes32 private constant SPACE_ID = keccak256("acme");

    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    NamespaceLife private _life;
    INamespaces private _names;

    function setUp() public {
        _life = new NamespaceLife();
        _life.setUp();
        _names = _life.namespaces();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_life);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(_life), new bytes4[](9));
        targets[0].selectors[0] = _life.publish.selector;
        targets[0].selectors[1] = _life.releaseHeld.selector;
        targets[0].selectors[2] = _life.propose.selector;
        targets[0].selectors[3] = _life.accept.selector;
        targets[0].selectors[4] = _life.drop.selector;
        targets[0].selectors[5] = _life.change.selector;
        targets[0].selectors[6] = _life.offer.selector;
        targets[0].selectors[7] = _life.takeOver.selector;
        targets[0].selectors[8] = _life.wait.selector;
    }

    function invariant_theEventsTellAllOfANamespace() public view {
        VM.assertFalse(_life.broken(), "an entry that does not follow");
        VM.assertEq(_names.headOf(SPACE_ID), _life.head(), "head");
        Namespace memory space = _names.namespaceOf(SPACE_ID);
        VM.assertEq(space.owner, _life.owner(), "owner");
        VM.assertEq(space.trusted, _life.trusted(), "trusted");
        for (uint256 i = 0; i < _life.PUBLISHERS(); ++i) {
            bytes32 identity = _life.identityOf(i);
            VM.assertEq(_names.trustedSince(SPACE_ID, identity) != 0, _life.isTrusted(identity), "trusts");
        }
        for (uint256 i = 1; i <= _life.RELEASES(); ++i) {
            (Standing memory standing, INamespaces.Entry entry) = _life.latestOf(i);
            bool named = entry == INamespaces.Entry.Recorded || entry == INamespaces.Entry.Released;
            VM.assertEq(standing.named, named, "named");
            VM.assertEq(standing.held, standing.recordedAt != 0 && !named, "held");
        }
    }
}
