// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {HardwareProofs} from "./HardwareProofs.sol";
import {Evidence} from "./IHardwareProofs.sol";

/**
 * @notice Evidence that a record's verdict cites by SHA-256, as the oracles keep it.
 * @param verdict The statement whose SHA-256 the record has.
 * @param report `snp/report.bin`.
 * @param reportAt Where the verdict cites it: the position of `{"digest":`.
 * @param vek `snp/vek.der`. It matters only for the last two reasons, and may be empty for the others.
 * @param vekAt Where the verdict cites it.
 * @param lineAt Where `"productLine":` stands in the verdict; it matters only for a wrong publisher.
 */
struct Cited {
    bytes verdict;
    bytes report;
    uint256 reportAt;
    bytes vek;
    uint256 vekAt;
    uint256 lineAt;
}

/**
 * @notice The demand for a proof of a record's release.
 * @param challenger Who made the deposit.
 * @param until The time up to which anybody can answer, in seconds since 1970; 0 for no challenge.
 * @param isUnanswered Nobody did.
 */
struct Challenge {
    address challenger;
    uint40 until;
    bool isUnanswered;
}

/**
 * @title Disputes about records
 * @notice A record holds the digest of the oracles' verdict, and the verdict lists the digest of every piece of
 * evidence. Whoever has these pieces can show the EVM that they do not bear the record out: {disprove}. Where they are
 * withheld, {challenge} demands a proof, which anybody can give; a record without an answer is flagged, and never
 * revoked, since not every release can be proven on chain.
 *
 * What this contract does not understand is no reason against anybody.
 *
 * By default the contract flags and no more. If the registry's owner makes it the guardian, {disprove} revokes the
 * release and the keys of all who signed, in the same transaction. The guardian's rights are then in the hands of
 * {keeper} too.
 */
interface IDisputes {
    /// @notice The record's own evidence is against it.
    /// @param reason 1 the report's digest, 2 its product line, 3 its REPORTED_TCB, 4 the measured workload is another
    /// than the record says, 5 the guest was open to a debugger and has a grade, 6 the host asked for the report, 7 the
    /// key that AMD endorsed did not sign the report, 8 the certificate that AMD signed is of another report.
    event RecordDisproved(
        bytes32 indexed recordId, bytes32 indexed releaseId, uint8 indexed reason, uint16 epoch, uint32 signers
    );

    event RecordChallenged(
        bytes32 indexed recordId, bytes32 indexed releaseId, address indexed challenger, uint40 until
    );

    /// @notice A proof is there. `by` has the deposit; the challenger has it if `by` is 0.
    event ChallengeAnswered(bytes32 indexed releaseId, address indexed by);

    event ChallengeUnanswered(bytes32 indexed releaseId);

    event KeeperAppointed(address keeper);

    /// @notice Thrown when the registry does not keep a record with this content.
    error RecordUnknown(bytes32 recordId);

    /// @notice Thrown for a FAILED record, or one of hardware whose keys the verifier does not know.
    error NotDisputable(bytes32 recordId);

    /// @notice Thrown when the record has the digest of another verdict.
    error NotTheVerdict(bytes32 recordId);

    /// @notice Thrown when the verdict does not cite a file where the caller says.
    error NotCited(uint256 offset);

    /// @notice Thrown when the evidence has nothing against the record, or nothing that this contract understands.
    error NotDisproved(bytes32 recordId);

    /// @notice Thrown when the gas ran out where the contract revokes: a record is not marked without that.
    error TooLittleGas();

    error NotKeeper(address account);
    error WrongDeposit(uint256 got, uint256 wanted);
    error AlreadyProven(bytes32 releaseId);
    error AlreadyChallenged(bytes32 releaseId);
    error NotChallenged(bytes32 releaseId);
    error NotYet(uint40 until);
    error NothingToWithdraw(address account);
    error NotSent(address account, uint256 amount);
    error IsDisproved(bytes32 releaseId, uint8 reason);
    error IsUnanswered(bytes32 releaseId);

    /// @notice Returns the contract that keeps proofs, which names verifier and registry.
    function proofs() external view returns (HardwareProofs);

    /// @notice Returns the account that has the guardian's rights while this contract is the guardian.
    function keeper() external view returns (address);

    /// @notice Returns the deposit of a challenge in wei: what an answer costs, at the price of the deployment.
    function deposit() external view returns (uint256);

    /// @notice Shows that a record's own evidence is against it. Returns the number of {RecordDisproved}.
    function disprove(bytes calldata record, Cited calldata cited) external returns (uint8 reason);

    /// @notice Demands a proof of a record's release within 7 days. Takes {deposit}.
    function challenge(bytes calldata record) external payable;

    /// @notice Proves the release of a challenge, as {IHardwareProofs-prove} does, and takes its deposit.
    function answer(bytes32 releaseId, Evidence calldata evidence, bytes calldata record) external;

    /// @notice Closes a challenge: answered if there is a proof, else flagged after its time. The deposit goes back.
    function close(bytes32 releaseId) external;

    /// @notice Sends the caller what is his.
    function withdraw() external;

    /// @notice Makes another account the keeper. For the registry's owner.
    function appointKeeper(address newKeeper) external;

    /// @notice As in {IProvenanceRegistry}. For the keeper, while this contract is the guardian.
    function pauseWrites() external;

    /// @notice As in {IProvenanceRegistry}. For the keeper, while this contract is the guardian.
    function revoke(bytes32 recordId, uint40 effectiveFrom, string calldata reason) external;

    /// @notice As in {IProvenanceRegistry}. For the keeper, while this contract is the guardian.
    function revokeAllOf(bytes32 modelDigest, string calldata reason) external;

    /// @notice As in {IOracleSets}. For the keeper, while this contract is the guardian.
    function revokeKey(uint16 epoch, uint8 index, uint40 effectiveFrom, string calldata reason) external;

    /// @notice Returns why a record of the release is disproved, 0 if none is.
    function reasonAgainst(bytes32 releaseId) external view returns (uint8);

    function challengeOf(bytes32 releaseId) external view returns (Challenge memory);

    function creditOf(address account) external view returns (uint256);

    /// @notice Reverts if a record of the release is disproved, or if nobody answered the demand for a proof
    /// in time and nobody has proven it since.
    function requireUndisputed(bytes32 modelDigest, bytes32 manifestDigest) external view;
}
