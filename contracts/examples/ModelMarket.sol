// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {ProvenanceGate} from "../gate/ProvenanceGate.sol";
import {PullPayments} from "./PullPayments.sol";

/**
 * @title A market that sells licences of recorded models
 * @notice The owner of a claimed namespace offers a release under its name; anyone buys a licence. The gate is asked
 * when a model is offered and again when it is sold, for its record may be revoked in between; and so is who owns the
 * namespace. An example of a gate by name, made to be copied.
 */
contract ModelMarket is ProvenanceGate, PullPayments {
    /**
     * @notice A release for sale.
     * @param seller Who gets the money.
     * @param price In wei; 0 if it is not for sale.
     * @param namespaceId The namespace that the seller owns and the release is in.
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

    /// @notice Emitted when a release is offered, or offered otherwise.
    event Offered(bytes32 indexed recordId, address indexed seller, uint96 price, bytes32 termsDigest);

    /// @notice Emitted when a release is for sale no more.
    event OfferEnded(bytes32 indexed recordId);

    /// @notice Emitted when a licence is sold.
    event Sold(
        bytes32 indexed recordId, address indexed buyer, address indexed seller, uint256 price, bytes32 termsDigest
    );

    /// @notice Thrown when an account does not own the namespace, or no longer.
    error NotPublisher(bytes32 namespaceId, address account);

    /// @notice Thrown when a release is not for sale.
    error NotOffered(bytes32 recordId);

    /// @notice Thrown when a release would be given away: 0 is no price.
    error PriceIsZero();

    /// @notice Thrown when what was paid is not the price of this moment.
    error WrongPayment(uint256 paid, uint256 price);

    /// @notice Thrown when the terms of this moment are not those that the buyer agreed to.
    error WrongTerms(bytes32 agreed, bytes32 offered);

    /// @notice Thrown when the buyer has a licence under these very terms.
    error LicensedAlready(address buyer, uint40 since);

    /// @param registry A {IProvenanceRegistry}.
    /// @param grade The grade that a model needs to be sold here, 0 to 2.
    constructor(address registry, uint8 grade) ProvenanceGate(registry, grade) {}

    /**
     * @notice Offers a release, or changes its offer.
     * @param namespaceId keccak256 of the namespace.
     * @param releaseDigest keccak256 of `model@version`.
     * @return recordId What it is sold by: the release, whatever its name may lead to later.
     *
     * Requirements: the name leads to a record in good standing; the caller owns the namespace; a price above 0.
     * May emit {Offered}.
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
     * @notice Takes an offer back. Licences that were sold stay.
     *
     * Requirements: the caller made the offer, or owns the namespace.
     * May emit {OfferEnded}.
     */
    function endOffer(bytes32 recordId) external {
        Offer memory offered = _requireOffer(recordId);
        if (msg.sender != offered.seller) _requirePublisher(offered.namespaceId, msg.sender);
        delete _offers[recordId];
        emit OfferEnded(recordId);
    }

    /**
     * @notice Buys a licence for the caller. Pay the price exactly: if it was raised a moment ago, nothing is bought.
     * @param termsDigest The terms that the buyer agrees to.
     *
     * Requirements: the record is in good standing, still; who offers it owns the namespace, still; price and terms are
     * those of the offer; the caller has no licence under these terms.
     * May emit {Sold}.
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

    /// @notice The offer of a release; all 0 if it is not for sale.
    function offerOf(bytes32 recordId) external view returns (Offer memory) {
        return _offers[recordId];
    }

    /// @notice Since when an account has a licence of a release under these terms; 0 if it has none. Whether the
    /// release is in good standing today is another question, for the registry.
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
