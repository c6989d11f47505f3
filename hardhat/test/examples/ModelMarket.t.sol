// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {Errors} from "@openzeppelin/contracts/utils/Errors.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";
import {ModelMarket} from "../../../contracts/examples/ModelMarket.sol";
import {PullPayments} from "../../../contracts/examples/PullPayments.sol";
import {IProvenanceGate} from "../../../contracts/IProvenanceGate.sol";
import {INamespaces} from "../../../contracts/INamespaces.sol";
import {FromSource} from "../support/RegistryBehaviour.sol";
import {VM} from "../support/Vm.sol";
import {Worlds} from "../support/Worlds.sol";
import {Payee, Unpayable} from "./Payees.sol";

contract ModelMarketTest is Worlds, FromSource {
    event Offered(bytes32 indexed recordId, address indexed seller, uint96 price, bytes32 termsDigest);
    event OfferEnded(bytes32 indexed recordId);
    event Sold(
        bytes32 indexed recordId, address indexed buyer, address indexed seller, uint256 price, bytes32 termsDigest
    );
    event Credited(address indexed account, uint256 amount);
    event Withdrawn(address indexed account, address indexed to, uint256 amount);

    uint256 private constant SOLD = 2;
    uint96 private constant PRICE = 1 ether;
    bytes32 private constant TERMS = keccak256("terms");
    address private constant BUYER = address(0xB0B);

    ModelMarket private market;
    address private seller;
    bytes32 private recordId;
    bytes32 private namespaceId;
    bytes32 private release;

    function setUp() public override {
        super.setUp();
        market = new ModelMarket(address(registry), 1);
        (namespaceId, release) = _publishNamed(SOLD);
        seller = registry.namespaces().namespaceOf(namespaceId).owner;
        recordId = _releaseId(SOLD);
        VM.deal(BUYER, 100 ether);
    }

    // Offers

    function test_a_publisher_offers_his_model() public {
        VM.expectEmit(address(market));
        emit Offered(recordId, seller, PRICE, TERMS);
        VM.assertEq(_offer(), recordId, "record");
        ModelMarket.Offer memory offered = market.offerOf(recordId);
        VM.assertEq(offered.seller, seller, "seller");
        VM.assertEq(uint256(offered.price), PRICE, "price");
        VM.assertEq(offered.namespaceId, namespaceId, "namespace");
        VM.assertEq(offered.termsDigest, TERMS, "terms");
    }

    function test_nobody_offers_the_model_of_somebody_else() public {
        VM.expectRevert(abi.encodeWithSelector(ModelMarket.NotPublisher.selector, namespaceId, ANYBODY));
        VM.prank(ANYBODY);
        market.offer(namespaceId, release, PRICE, TERMS);
    }

    function test_only_recorded_models_are_offered() public {
        VM.startPrank(seller);
        VM.expectRevert(
            abi.encodeWithSelector(INamespaces.NothingNamed.selector, namespaceId, keccak256("model@none"))
        );
        market.offer(namespaceId, keccak256("model@none"), PRICE, TERMS);
        VM.stopPrank();
        _revoke(SOLD);
        VM.expectRevert(_revoked(SOLD));
        VM.prank(seller);
        market.offer(namespaceId, release, PRICE, TERMS);
    }

    function test_nothing_is_given_away() public {
        VM.expectRevert(abi.encodeWithSelector(ModelMarket.PriceIsZero.selector));
        VM.prank(seller);
        market.offer(namespaceId, release, 0, TERMS);
    }

    function test_an_offer_is_taken_back() public {
        _offer();
        VM.expectRevert(abi.encodeWithSelector(ModelMarket.NotPublisher.selector, namespaceId, ANYBODY));
        VM.prank(ANYBODY);
        market.endOffer(recordId);

        VM.expectEmit(address(market));
        emit OfferEnded(recordId);
        VM.prank(seller);
        market.endOffer(recordId);
        bytes memory reason = abi.encodeWithSelector(ModelMarket.NotOffered.selector, recordId);
        VM.expectRevert(reason);
        _buy(PRICE);
        VM.expectRevert(reason);
        VM.prank(seller);
        market.endOffer(recordId);
    }

    // Purchases

    function test_a_licence_is_sold() public {
        _offer();
        VM.expectEmit(address(market));
        emit Credited(seller, PRICE);
        VM.expectEmit(address(market));
        emit Sold(recordId, BUYER, seller, PRICE, TERMS);
        _buy(PRICE);
        VM.assertEq(uint256(market.licensedSince(recordId, TERMS, BUYER)), START, "licence");
        VM.assertEq(uint256(market.licensedSince(recordId, "", BUYER)), 0, "under other terms");
        VM.assertEq(market.creditOf(seller), PRICE, "credit");
        VM.assertEq(address(market).balance, PRICE, "balance");
    }

    function test_the_gate_is_asked_again_at_the_purchase() public {
        _offer();
        _revoke(SOLD);
        VM.expectRevert(_revoked(SOLD));
        _buy(PRICE);
    }

    function test_who_lost_the_namespace_sells_nothing_more() public {
        _offer();
        _handOver(ANYBODY);
        VM.expectRevert(abi.encodeWithSelector(ModelMarket.NotPublisher.selector, namespaceId, seller));
        _buy(PRICE);
        VM.prank(ANYBODY); // the new owner
        market.endOffer(recordId);
    }

    function test_nobody_pays_another_price_than_he_saw() public {
        _offer();
        VM.prank(seller);
        market.offer(namespaceId, release, PRICE + 1, TERMS);
        VM.expectRevert(abi.encodeWithSelector(ModelMarket.WrongPayment.selector, PRICE, PRICE + 1));
        _buy(PRICE);
    }

    function test_nobody_agrees_to_other_terms_than_he_saw() public {
        _offer();
        bytes32 worse = keccak256("worse");
        VM.prank(seller);
        market.offer(namespaceId, release, PRICE, worse);
        VM.expectRevert(abi.encodeWithSelector(ModelMarket.WrongTerms.selector, TERMS, worse));
        _buy(PRICE);
    }

    function test_nobody_pays_twice() public {
        _offer();
        _buy(PRICE);
        VM.expectRevert(abi.encodeWithSelector(ModelMarket.LicensedAlready.selector, BUYER, START));
        _buy(PRICE);
    }

    function test_a_licence_outlives_offer_and_record() public {
        _offer();
        _buy(PRICE);
        VM.prank(seller);
        market.endOffer(recordId);
        _revoke(SOLD);
        VM.assertEq(uint256(market.licensedSince(recordId, TERMS, BUYER)), START, "licence");
    }

    /// @dev For any price and payment: the buyer gets a licence for exactly the price, or nothing happens.
    function testFuzz_a_purchase_is_exact(uint96 price, uint96 paid) public {
        VM.assume(price != 0);
        VM.deal(BUYER, paid);
        VM.prank(seller);
        market.offer(namespaceId, release, price, TERMS);
        if (paid != price) VM.expectRevert(abi.encodeWithSelector(ModelMarket.WrongPayment.selector, paid, price));
        _buy(paid);
        VM.assertEq(market.creditOf(seller), paid == price ? price : 0, "credit");
        VM.assertEq(address(market).balance, market.creditOf(seller), "balance");
        VM.assertEq(market.licensedSince(recordId, TERMS, BUYER) != 0, paid == price, "licence");
    }

    // Withdrawals

    function test_a_seller_fetches_his_money() public {
        _offer();
        _buy(PRICE);
        VM.expectEmit(address(market));
        emit Withdrawn(seller, seller, PRICE);
        VM.prank(seller);
        market.withdraw(payable(seller));
        VM.assertEq(seller.balance, PRICE, "paid");
        VM.assertEq(market.creditOf(seller), 0, "credit");
        VM.expectRevert(abi.encodeWithSelector(PullPayments.NothingToWithdraw.selector, seller));
        VM.prank(seller);
        market.withdraw(payable(seller));
    }

    function test_money_is_not_sent_to_nobody() public {
        _offer();
        _buy(PRICE);
        VM.expectRevert(abi.encodeWithSelector(PullPayments.NoRecipient.selector));
        VM.prank(seller);
        market.withdraw(payable(address(0)));
    }

    function test_who_cannot_take_money_has_it_sent_elsewhere() public {
        Unpayable unpayable = new Unpayable();
        _handOver(address(unpayable));
        VM.prank(address(unpayable));
        market.offer(namespaceId, release, PRICE, TERMS);
        _buy(PRICE);
        VM.expectRevert(abi.encodeWithSelector(Errors.FailedCall.selector));
        unpayable.withdraw(market, payable(address(unpayable)));
        VM.assertEq(market.creditOf(address(unpayable)), PRICE, "owed still");
        unpayable.withdraw(market, payable(ANYBODY));
        VM.assertEq(ANYBODY.balance, PRICE, "paid");
    }

    function test_nobody_is_paid_twice_by_coming_back() public {
        Payee attacker = _paidSeller();
        bytes memory withdrawal = abi.encodeCall(market.withdraw, (payable(address(attacker))));
        attacker.plan(address(market), withdrawal);
        VM.expectRevert(abi.encodeWithSelector(ReentrancyGuard.ReentrancyGuardReentrantCall.selector));
        attacker.act(address(market), 0, withdrawal);
        VM.assertEq(market.creditOf(address(attacker)), PRICE, "nothing happened");
    }

    /// @dev A payee can enter another function while it is paid. All books are up to date by then.
    function test_who_does_something_else_when_paid_changes_nothing() public {
        Payee payee = _paidSeller();
        payee.plan(address(market), abi.encodeCall(market.endOffer, (recordId)));
        payee.act(address(market), 0, abi.encodeCall(market.withdraw, (payable(address(payee)))));
        VM.assertTrue(payee.succeeded(), "entered");
        VM.assertEq(address(payee).balance, PRICE, "paid once");
        VM.assertEq(address(market).balance, 0, "nothing left");
    }

    function test_takes_no_money_that_is_nobodys() public {
        VM.prank(BUYER);
        (bool success,) = address(market).call{value: 1}("");
        VM.assertFalse(success, "refused");
    }

    /// @dev Returns a contract that owns the namespace and has sold one licence.
    function _paidSeller() private returns (Payee payee) {
        payee = new Payee();
        _handOver(address(payee));
        payee.act(address(market), 0, abi.encodeCall(market.offer, (namespaceId, release, PRICE, TERMS)));
        _buy(PRICE);
    }

    function _offer() private returns (bytes32) {
        VM.prank(seller);
        return market.offer(namespaceId, release, PRICE, TERMS);
    }

    function _buy(uint256 paid) private {
        VM.prank(BUYER);
        market.buy{value: paid}(recordId, TERMS);
    }

    function _handOver(address to) private {
        INamespaces names = registry.namespaces();
        VM.prank(seller);
        names.proposeHandover(namespaceId, to);
        VM.warp(START + DELAY);
        VM.prank(to);
        names.acceptHandover(namespaceId);
        VM.warp(START);
    }

    function _revoked(uint256 number) private view returns (bytes memory) {
        return abi.encodeWithSelector(IProvenanceGate.RecordIsRevoked.selector, _releaseId(number), block.timestamp);
    }
}
