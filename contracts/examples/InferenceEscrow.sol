// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {ProvenanceGate} from "../gate/ProvenanceGate.sol";
import {PullPayments} from "./PullPayments.sol";

/**
 * @title Pays for inference by a recorded model
 * @notice A client pays in advance for an answer by a certain model. The provider gets the money when the client
 * confirms, or some time after he delivered, if the model's record is still in good standing then. Otherwise the client
 * gets it back, and also if nothing was delivered in time.
 *
 * During the challenge window anybody may bring forward what is wrong with the record: the registry's guardian revokes
 * it, or its keys are revoked and somebody has it recounted. What is judged is where the model comes from; nobody here
 * judges the answer, nor whether it was that model which gave it. An example of a gate that is asked twice, made to be
 * copied.
 */
contract InferenceEscrow is ProvenanceGate, PullPayments {
    uint40 private constant MIN_WINDOW = 1 hours;
    uint40 private constant MAX_WINDOW = 30 days;

    /// @notice Where a job stands.
    enum State {
        None,
        Open, // paid for
        Delivered, // the challenge window runs, or is over
        Closed // the money is somebody's
    }

    /**
     * @notice One job.
     * @param client Who paid.
     * @param deliverBy From when on it is too late to deliver, in seconds since 1970.
     * @param settleFrom End of the challenge window; 0 before the delivery.
     * @param state See {State}.
     * @param provider Who is to answer.
     * @param payment In wei.
     * @param modelDigest Of the model that was promised.
     * @param manifestDigest Of the model that was promised.
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

    /// @notice How long a delivery can be challenged, in seconds.
    uint40 public immutable challengeWindow;

    /// @notice How many jobs there were; their ids count from 1.
    uint256 public jobs;

    mapping(uint256 jobId => Job) private _jobs;

    /// @notice Emitted when a client paid for a job.
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

    /// @notice Emitted when the provider delivered.
    event JobDelivered(uint256 indexed jobId, bytes32 answerDigest, uint40 settleFrom);

    /// @notice Emitted when the money became somebody's, provider or client.
    event JobClosed(uint256 indexed jobId, address indexed paid, uint256 payment);

    /// @notice Thrown when a challenge window is shorter than an hour or longer than 30 days.
    error WindowInvalid(uint40 challengeWindow);

    /// @notice Thrown when a job has no provider, or no payment.
    error JobIncomplete();

    /// @notice Thrown when a job is not in a state for this.
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
     * @param deliverBy From when on it is too late to deliver; until then only the provider can give the money back.
     * @param requestDigest keccak256 of what is asked.
     *
     * Requirements: the model is recorded and in good standing; a provider, a payment, a deadline that has not passed.
     * May emit {JobOpened}.
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
     * @notice Says that the answer was given. The challenge window begins.
     * @param answerDigest keccak256 of the answer.
     *
     * Requirements: the caller is the provider; the job is open; the deadline has not passed.
     * May emit {JobDelivered}.
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
     * @notice Gives the money to the provider, at once and whatever the record says.
     *
     * Requirements: the caller is the client; the job is not closed.
     * May emit {JobClosed}.
     */
    function confirm(uint256 jobId) external {
        Job storage job = _jobs[jobId];
        if (msg.sender != job.client) revert NotYours(jobId, msg.sender);
        _close(jobId, job, job.provider);
    }

    /**
     * @notice Settles a job that was delivered and never confirmed: the money is the provider's if the model's record
     * is in good standing at this moment, and the client's if not. Anyone may.
     *
     * Requirements: the job was delivered; the challenge window is over.
     * May emit {JobClosed}.
     */
    function settle(uint256 jobId) external {
        Job storage job = _jobs[jobId];
        if (job.state != State.Delivered) revert WrongState(jobId, job.state);
        if (block.timestamp < job.settleFrom) revert TooEarly(jobId, job.settleFrom);
        bool good = provenanceRegistry.isModel(job.modelDigest, job.manifestDigest, minimumGrade);
        _close(jobId, job, good ? job.provider : job.client);
    }

    /**
     * @notice Gives the money back to the client: the provider at any time, anyone if nothing was delivered in time.
     *
     * Requirements: the job is not closed; the caller is the provider, or the job is open and its deadline has passed.
     * May emit {JobClosed}.
     */
    function refund(uint256 jobId) external {
        Job storage job = _jobs[jobId];
        if (msg.sender != job.provider) {
            if (job.state != State.Open) revert WrongState(jobId, job.state);
            if (block.timestamp < job.deliverBy) revert TooEarly(jobId, job.deliverBy);
        }
        _close(jobId, job, job.client);
    }

    /// @notice A job; all 0 if there is none.
    function jobOf(uint256 jobId) external view returns (Job memory) {
        return _jobs[jobId];
    }

    /// @dev The one place where a job's money becomes somebody's.
    function _close(uint256 jobId, Job storage job, address paid) private {
        if (job.state == State.Closed) revert WrongState(jobId, job.state);
        job.state = State.Closed;
        _credit(paid, job.payment);
        emit JobClosed(jobId, paid, job.payment);
    }
}
