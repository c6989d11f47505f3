// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {ProvenanceGate} from "../gate/ProvenanceGate.sol";
import {PullPayments} from "./PullPayments.sol";

/**
 * @title Escrow for inference by a recorded model
 * @notice A client pays in advance for an answer by a certain model. The provider gets the money when the client
 * confirms, or some time after the delivery if the model's record is still in good standing then. Otherwise the client
 * gets it back. The client also gets it back if nothing was delivered in time.
 *
 * During the challenge window anybody can act on a problem with the record: the registry's guardian revokes it, or its
 * keys are revoked and somebody has it recounted. The escrow judges only the origin of the model. It judges neither the
 * answer nor whether that model gave it. This example of a gate that is asked twice is meant to be copied.
 */
contract InferenceEscrow is ProvenanceGate, PullPayments {
    uint40 private constant MIN_WINDOW = 1 hours;
    uint40 private constant MAX_WINDOW = 30 days;

    /// @notice State of a job.
    enum State {
        None,
        Open, // paid for
        Delivered, // the challenge window runs, or is over
        Closed // the money is credited
    }

    /**
     * @notice One job.
     * @param client The account that paid.
     * @param deliverBy Time from which it is too late to deliver, in seconds since 1970.
     * @param settleFrom End of the challenge window; 0 before the delivery.
     * @param state See {State}.
     * @param provider The account that has to answer.
     * @param payment In wei.
     * @param modelDigest Of the promised model.
     * @param manifestDigest Of the promised model.
     */
    struct Job {
        address client;
        uint40 deliverBy;
        uint40 settleFrom;
        State state;
        address provider;
        uint256 payment;
        bytes32 modelDigest;
        bytes32 manifestDigest;
    }

    /// @notice Seconds for which a delivery can be challenged.
    uint40 public immutable challengeWindow;

    /// @notice Number of jobs so far. Their ids count from 1.
    uint256 public jobs;

    mapping(uint256 jobId => Job) private _jobs;

    /// @notice Emitted when a client pays for a job.
    event JobOpened(
        uint256 indexed jobId,
        address indexed client,
        address indexed provider,
        bytes32 modelDigest,
        bytes32 manifestDigest,
        bytes32 requestDigest,
        uint256 payment,
        uint40 deliverBy
    );

    /// @notice Emitted when the provider delivers.
    event JobDelivered(uint256 indexed jobId, bytes32 answerDigest, uint40 settleFrom);

    /// @notice Emitted when the money is credited to the provider or the client.
    event JobClosed(uint256 indexed jobId, address indexed paid, uint256 payment);

    /// @notice Thrown when a challenge window is shorter than an hour or longer than 30 days.
    error WindowInvalid(uint40 challengeWindow);

    /// @notice Thrown when a job has no provider or no payment.
    error JobIncomplete();

    /// @notice Thrown when a job's state does not allow this.
    error WrongState(uint256 jobId, State state);

    /// @notice Thrown when the caller may not do this to the job.
    error NotYours(uint256 jobId, address caller);

    /// @notice Thrown when it is too late for this.
    error TooLate(uint256 jobId, uint40 deadline);

    /// @notice Thrown when it is too early for this.
    error TooEarly(uint256 jobId, uint40 from);

    /// @param registry A {IProvenanceRegistry}.
    /// @param grade The grade that models need here, 0 to 2.
    /// @param challengeWindow_ See {challengeWindow}; 1 hour to 30 days.
    constructor(address registry, uint8 grade, uint40 challengeWindow_) ProvenanceGate(registry, grade) {
        if (challengeWindow_ < MIN_WINDOW || challengeWindow_ > MAX_WINDOW) revert WindowInvalid(challengeWindow_);
        challengeWindow = challengeWindow_;
    }

    /**
     * @notice Pays for a job.
     *
     * Requirements: the model is recorded and in good standing; the provider is not 0; the payment is not 0;
     * `deliverBy` has not passed.
     *
     * Emits a {JobOpened} event.
     * @param deliverBy Time from which it is too late to deliver. Until then only the provider can give the money back.
     * @param requestDigest keccak256 of the request.
     */
    function open(
        address provider,
        bytes32 modelDigest,
        bytes32 manifestDigest,
        uint40 deliverBy,
        bytes32 requestDigest
    ) external payable onlyRecorded(modelDigest, manifestDigest) returns (uint256 jobId) {
        jobId = ++jobs;
        if (provider == address(0) || msg.value == 0) revert JobIncomplete();
        if (block.timestamp >= deliverBy) revert TooLate(jobId, deliverBy);
        _jobs[jobId] = Job({
            client: msg.sender,
            deliverBy: deliverBy,
            settleFrom: 0,
            state: State.Open,
            provider: provider,
            payment: msg.value,
            modelDigest: modelDigest,
            manifestDigest: manifestDigest
        });
        emit JobOpened(jobId, msg.sender, provider, modelDigest, manifestDigest, requestDigest, msg.value, deliverBy);
    }

    /**
     * @notice States that the answer was given. The challenge window begins.
     *
     * Requirements: the caller is the provider; the job is open; the deadline has not passed.
     *
     * Emits a {JobDelivered} event.
     * @param answerDigest keccak256 of the answer.
     */
    function deliver(uint256 jobId, bytes32 answerDigest) external {
        Job storage job = _jobs[jobId];
        if (msg.sender != job.provider) revert NotYours(jobId, msg.sender);
        if (job.state != State.Open) revert WrongState(jobId, job.state);
        if (block.timestamp >= job.deliverBy) revert TooLate(jobId, job.deliverBy);
        job.state = State.Delivered;
        job.settleFrom = uint40(block.timestamp) + challengeWindow;
        emit JobDelivered(jobId, answerDigest, job.settleFrom);
    }

    /**
     * @notice Gives the money to the provider, at once and whatever the state of the record.
     *
     * Requirements: the caller is the client; the job is not closed.
     *
     * Emits a {JobClosed} event.
     */
    function confirm(uint256 jobId) external {
        Job storage job = _jobs[jobId];
        if (msg.sender != job.client) revert NotYours(jobId, msg.sender);
        _close(jobId, job, job.provider);
    }

    /**
     * @notice Settles a job that was delivered but never confirmed. The provider gets the money if the model's record
     * is in good standing at this moment, and the client otherwise. Anyone can call this function.
     *
     * Requirements: the job was delivered; the challenge window is over.
     *
     * Emits a {JobClosed} event.
     */
    function settle(uint256 jobId) external {
        Job storage job = _jobs[jobId];
        if (job.state != State.Delivered) revert WrongState(jobId, job.state);
        if (block.timestamp < job.settleFrom) revert TooEarly(jobId, job.settleFrom);
        bool good = provenanceRegistry.isModel(job.modelDigest, job.manifestDigest, minimumGrade);
        _close(jobId, job, good ? job.provider : job.client);
    }

    /**
     * @notice Gives the money back to the client. The provider can call this function at any time, anyone if nothing
     * was delivered in time.
     *
     * Requirements: the job is not closed; the caller is the provider, or the job is open and its deadline has passed.
     *
     * Emits a {JobClosed} event.
     */
    function refund(uint256 jobId) external {
        Job storage job = _jobs[jobId];
        if (msg.sender != job.provider) {
            if (job.state != State.Open) revert WrongState(jobId, job.state);
            if (block.timestamp < job.deliverBy) revert TooEarly(jobId, job.deliverBy);
        }
        _close(jobId, job, job.client);
    }

    /// @notice Returns a job, all 0 if there is none.
    function jobOf(uint256 jobId) external view returns (Job memory) {
        return _jobs[jobId];
    }

    /// @dev Closes a job and credits its money. No other function does.
    function _close(uint256 jobId, Job storage job, address paid) private {
        if (job.state == State.Closed) revert WrongState(jobId, job.state);
        job.state = State.Closed;
        _credit(paid, job.payment);
        emit JobClosed(jobId, paid, job.payment);
    }
}
