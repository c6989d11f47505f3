// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {InferenceEscrow} from "../../../contracts/examples/InferenceEscrow.sol";
import {ModelMarket} from "../../../contracts/examples/ModelMarket.sol";
import {PullPayments} from "../../../contracts/examples/PullPayments.sol";
import {IProvenanceRegistry} from "../../../contracts/IProvenanceRegistry.sol";
import {FromSource} from "../support/RegistryBehaviour.sol";
import {VM} from "../support/Vm.sol";
import {Worlds} from "../support/Worlds.sol";

/// @dev Four people, with the amounts that each paid in and took out, in books of this contract's own.
abstract contract People {
    uint256 private constant PEOPLE = 4;

    uint256 public brought;
    uint256 public taken;

    function creditsIn(PullPayments place) external view returns (uint256 sum) {
        for (uint256 i = 0; i < PEOPLE; ++i) {
            sum += place.creditOf(_person(i));
        }
    }

    function _withdraw(PullPayments place, uint256 seed, uint256 to) internal {
        uint256 amount = place.creditOf(_person(seed));
        VM.prank(_person(seed));
        place.withdraw(payable(_person(to)));
        taken += amount;
    }

    function _bring(uint256 seed, uint256 amount) internal {
        VM.deal(_person(seed), _person(seed).balance + amount);
        brought += amount;
    }

    function _person(uint256 seed) internal pure returns (address) {
        return address(uint160(0xFEED00 + seed % PEOPLE));
    }
}

/// @dev Buys and sells two models, in any order, at the current price or another.
contract Traders is People {
    ModelMarket public immutable market;
    address private immutable _seller;
    bytes32 private immutable _namespaceId;
    bytes32[2] private _releases;
    bytes32[2] private _recordIds;

    uint256 public sold;

    constructor(
        ModelMarket market_,
        address seller,
        bytes32 namespaceId,
        bytes32[2] memory releases,
        bytes32[2] memory recordIds
    ) {
        market = market_;
        _seller = seller;
        _namespaceId = namespaceId;
        _releases = releases;
        _recordIds = recordIds;
    }

    function offer(uint8 model, uint96 price, bool otherTerms) external {
        VM.prank(_seller);
        market.offer(_namespaceId, _releases[model % 2], price, _terms(otherTerms));
    }

    /// @dev Acts rarely, since nothing is sold afterwards.
    function endOffer(uint8 model) external {
        if (model % 8 > 1) return;
        VM.prank(_seller);
        market.endOffer(_recordIds[model % 2]);
    }

    function buy(uint8 buyer, uint8 model, uint96 paid, bool exact, bool otherTerms) external {
        bytes32 recordId = _recordIds[model % 2];
        uint256 price = exact ? market.offerOf(recordId).price : paid;
        _bring(buyer, price);
        VM.prank(_person(buyer));
        market.buy{value: price}(recordId, _terms(otherTerms));
        ++sold;
    }

    function withdraw(uint8 to) external {
        uint256 amount = market.creditOf(_seller);
        VM.prank(_seller);
        market.withdraw(payable(_person(to)));
        taken += amount;
    }

    function _terms(bool other) private pure returns (bytes32) {
        return other ? bytes32("other terms") : bytes32("terms");
    }
}

/// @dev Pays for jobs, does them or not, and lets time pass, in any order.
contract Workers is People {
    InferenceEscrow public immutable escrow;
    IProvenanceRegistry private immutable _registry;
    address private immutable _guardian;
    bytes32 private immutable _model;
    bytes32 private immutable _manifest;

    /// @dev Payments of jobs that are not closed.
    uint256 public waiting;

    constructor(InferenceEscrow escrow_, address guardian, bytes32 model, bytes32 manifest) {
        escrow = escrow_;
        _registry = escrow_.provenanceRegistry();
        _guardian = guardian;
        _model = model;
        _manifest = manifest;
    }

    function open(uint8 client, uint8 provider, uint96 payment, uint16 wait) external {
        _bring(client, payment);
        VM.prank(_person(client));
        escrow.open{value: payment}(_person(provider), _model, _manifest, uint40(block.timestamp) + 1 + wait, 0);
        waiting += payment;
    }

    function deliver(uint8 job) external {
        (uint256 jobId, InferenceEscrow.Job memory what) = _job(job);
        VM.prank(what.provider);
        escrow.deliver(jobId, 0);
    }

    function confirm(uint8 job) external {
        (uint256 jobId, InferenceEscrow.Job memory what) = _job(job);
        VM.prank(what.client);
        escrow.confirm(jobId);
        waiting -= what.payment;
    }

    /// @dev Makes sure that the job was delivered and the window is over.
    function settle(uint8 job) external {
        (uint256 jobId, InferenceEscrow.Job memory what) = _job(job);
        if (what.state == InferenceEscrow.State.Open) {
            VM.prank(what.provider);
            escrow.deliver(jobId, 0);
        }
        VM.warp(block.timestamp + 1 hours);
        escrow.settle(jobId);
        waiting -= what.payment;
    }

    function refund(uint8 job, bool asProvider) external {
        (uint256 jobId, InferenceEscrow.Job memory what) = _job(job);
        if (asProvider) VM.prank(what.provider);
        escrow.refund(jobId);
        waiting -= what.payment;
    }

    function withdraw(uint8 person, uint8 to) external {
        _withdraw(escrow, person, to);
    }

    function pass(uint16 time) external {
        VM.warp(block.timestamp + time);
    }

    /// @dev Acts late, since nothing is opened afterwards.
    function revoke() external {
        if (escrow.jobs() < 8) return;
        bytes32 recordId = _registry.recordIdOf(_model, _manifest);
        VM.prank(_guardian);
        _registry.revoke(recordId, uint40(block.timestamp), "leaked");
    }

    /// @dev Returns one of the last jobs, since most earlier ones are closed.
    function _job(uint8 seed) private view returns (uint256 jobId, InferenceEscrow.Job memory) {
        jobId = escrow.jobs() - seed % 3;
        return (jobId, escrow.jobOf(jobId));
    }
}

/// @dev Money is neither created nor lost: a contract holds exactly the money that it owes, after any calls of its
/// users.
contract MoneyTest is Worlds, FromSource {
    Traders private traders;
    Workers private workers;
    address private seller;

    function setUp() public override {
        super.setUp();
        bytes32[2] memory releases;
        bytes32 namespaceId;
        (namespaceId, releases[0]) = _publishNamed(2);
        (, releases[1]) = _publishNamed(3);
        seller = registry.namespaces().namespaceOf(namespaceId).owner;
        ModelMarket market = new ModelMarket(address(registry), 1);
        traders = new Traders(market, seller, namespaceId, releases, [_releaseId(2), _releaseId(3)]);
        InferenceEscrow escrow = new InferenceEscrow(address(registry), 1, 1 hours);
        workers = new Workers(escrow, GUARDIAN, _modelDigest(GOOD), _manifestDigest(GOOD));
    }

    /// @dev Tells forge the contracts to call.
    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](2);
        (targets[0], targets[1]) = (address(traders), address(workers));
    }

    function invariant_a_market_holds_what_it_owes() public view {
        ModelMarket market = traders.market();
        VM.assertEq(address(market).balance, market.creditOf(seller), "balance and credit");
        VM.assertEq(address(market).balance, traders.brought() - traders.taken(), "balance and books");
        VM.assertEq(traders.creditsIn(market), 0, "buyers are owed nothing");
    }

    function invariant_an_escrow_holds_what_it_owes() public view {
        InferenceEscrow escrow = workers.escrow();
        VM.assertEq(address(escrow).balance, workers.creditsIn(escrow) + workers.waiting(), "balance and credits");
        VM.assertEq(address(escrow).balance, workers.brought() - workers.taken(), "balance and books");
    }

    /// @dev Checks that the callers above get through, all the way to a withdrawal.
    function test_the_books_are_written() public {
        traders.offer(0, 5, false);
        traders.buy(1, 0, 0, true, false);
        traders.withdraw(2);
        VM.assertEq(traders.sold(), 1, "sold");
        VM.assertEq(traders.taken(), 5, "taken");
        workers.open(0, 1, 7, 0);
        workers.pass(30 minutes);
        VM.expectRevert();
        workers.deliver(0); // too late
        workers.refund(0, false);
        workers.withdraw(0, 1);
        workers.open(0, 1, 7, 0);
        workers.settle(0);
        workers.withdraw(1, 1);
        VM.assertEq(workers.taken(), 14, "taken");
        VM.assertEq(workers.waiting(), 0, "waiting");
    }
}
