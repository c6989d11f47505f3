// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {ProvenanceGate} from "../gate/ProvenanceGate.sol";
import {PullPayments} from "./PullPayments.sol";

/**
 * @title Market for licences of recorded models
 * @notice The owner of a claimed namespace offers a release under its name, and anyone buys a licence. The market asks
 * the gate when a model is offered and again when a licence is sold, since the record can be revoked in between. It
 * checks the owner of the namespace both times too. This example of a gate by name is meant to be copied.
 */
contract ModelMarket is ProvenanceGate, PullPayments {
    /**
     * @notice A release for sale.
     * @param seller The account that gets the money.
     * @param price In wei; 0 if it is not for sale.
     * @param namespaceId The namespace that the seller owns and that contains the release.
     * @param termsDigest keccak256 of the licence's text.
     */
    struct Offer {
        address seller;
        uint96 price;
        bytes32 namespaceId;
        bytes32 termsDigest;
    }

    mapping(bytes32 recordId => Offer) private _offers;
    mapping(bytes32 recordId => mapping(bytes32 termsDigest => mapping(address account => uint40))) private _licences;

    /// @notice Emitted when a release is offered, or its offer changes.
    event Offered(bytes32 indexed recordId, address indexed seller, uint96 price, bytes32 termsDigest);

    /// @notice Emitted when a release is no longer for sale.
    event OfferEnded(bytes32 indexed recordId);

    /// @notice Emitted when a licence is sold.
    event Sold(
        bytes32 indexed recordId, address indexed buyer, address indexed seller, uint256 price, bytes32 termsDigest
    );

    /// @notice Thrown when an account does not own the namespace, or no longer owns it.
    error NotPublisher(bytes32 namespaceId, address account);

    /// @notice Thrown when a release is not for sale.
    error NotOffered(bytes32 recordId);

    /// @notice Thrown when a price is 0, which would give the licence away.
    error PriceIsZero();

    /// @notice Thrown when the payment is not the current price.
    error WrongPayment(uint256 paid, uint256 price);

    /// @notice Thrown when the current terms are not those that the buyer agreed to.
    error WrongTerms(bytes32 agreed, bytes32 offered);

    /// @notice Thrown when the buyer already has a licence under these terms.
    error LicensedAlready(address buyer, uint40 since);

    /// @param registry A {IProvenanceRegistry}.
    /// @param grade The grade that a model needs to be sold here, 0 to 2.
    constructor(address registry, uint8 grade) ProvenanceGate(registry, grade) {}

    /**
     * @notice Offers a release, or changes its offer.
     *
     * Requirements: the name leads to a record in good standing; the caller owns the namespace; the price is above 0.
     *
     * Emits a {Offered} event.
     * @param namespaceId keccak256 of the namespace.
     * @param releaseDigest keccak256 of `model@version`.
     * @return recordId The id by which to buy it. It stays with this release, even if the name leads to another one
     * later.
     */
    function offer(bytes32 namespaceId, bytes32 releaseDigest, uint96 price, bytes32 termsDigest)
        external
        returns (bytes32 recordId)
    {
        recordId = _requireNamed(namespaceId, releaseDigest);
        _requirePublisher(namespaceId, msg.sender);
        if (price == 0) revert PriceIsZero();
        _offers[recordId] = Offer(msg.sender, price, namespaceId, termsDigest);
        emit Offered(recordId, msg.sender, price, termsDigest);
    }

    /**
     * @notice Takes an offer back. Licences that were sold stay valid.
     *
     * Requirements: the caller made the offer, or owns the namespace.
     *
     * Emits a {OfferEnded} event.
     */
    function endOffer(bytes32 recordId) external {
        Offer memory offered = _requireOffer(recordId);
        if (msg.sender != offered.seller) _requirePublisher(offered.namespaceId, msg.sender);
        delete _offers[recordId];
        emit OfferEnded(recordId);
    }

    /**
     * @notice Buys a licence for the caller. Pay the price exactly. If the seller raised it a moment ago, the call
     * reverts.
     *
     * Requirements: the record is still in good standing; the seller still owns the namespace; price and terms are
     * those of the offer; the caller has no licence under these terms.
     *
     * Emits a {Sold} event.
     * @param termsDigest The terms that the buyer agrees to.
     */
    function buy(bytes32 recordId, bytes32 termsDigest) external payable onlyOpen(recordId) {
        Offer memory offered = _requireOffer(recordId);
        _requirePublisher(offered.namespaceId, offered.seller);
        if (msg.value != offered.price) revert WrongPayment(msg.value, offered.price);
        if (termsDigest != offered.termsDigest) revert WrongTerms(termsDigest, offered.termsDigest);
        uint40 since = _licences[recordId][termsDigest][msg.sender];
        if (since != 0) revert LicensedAlready(msg.sender, since);
        _licences[recordId][termsDigest][msg.sender] = uint40(block.timestamp);
        _credit(offered.seller, msg.value);
        emit Sold(recordId, msg.sender, offered.seller, msg.value, termsDigest);
    }

    /// @notice Returns the offer of a release, all 0 if it is not for sale.
    function offerOf(bytes32 recordId) external view returns (Offer memory) {
        return _offers[recordId];
    }

    /// @notice Returns the time since which an account has a licence of a release under these terms, 0 if it has none.
    /// Ask the registry whether the release is in good standing today.
    function licensedSince(bytes32 recordId, bytes32 termsDigest, address account) external view returns (uint40) {
        return _licences[recordId][termsDigest][account];
    }

    function _requireOffer(bytes32 recordId) private view returns (Offer memory offered) {
        offered = _offers[recordId];
        if (offered.price == 0) revert NotOffered(recordId);
    }

    function _requirePublisher(bytes32 namespaceId, address account) private view {
        if (account != _namespaces.namespaceOf(namespaceId).owner) revert NotPublisher(namespaceId, account);
    }
}
