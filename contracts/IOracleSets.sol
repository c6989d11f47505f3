// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {Epoch, Oracle, Quorum} from "./Types.sol";

/**
 * @title Oracle sets and signatures
 * @notice An epoch is a set of up to 32 oracles with weights and validity windows. The owner schedules the next set,
 * the set is public during the delay, and then anyone can put it in force. During a grace period, signatures of the
 * previous set still count. A revoked key loses its weight in everything recorded since the stated time.
 */
interface IOracleSets {
    /// @notice Emitted when the owner announces a set. Pass the same `oracles` and `threshold` again to activate it.
    event OracleSetScheduled(bytes32 indexed setDigest, Oracle[] oracles, uint16 threshold, uint40 activeFrom);

    /// @notice Emitted when the owner takes an announcement back.
    event OracleSetCancelled(bytes32 indexed setDigest);

    /// @notice Emitted when a set takes over. Signatures of the previous set count until `previousUntil`.
    event EpochStarted(uint16 indexed epoch, Oracle[] oracles, uint16 threshold, uint40 previousUntil);

    /// @notice Emitted when an oracle's key is revoked for everything recorded at `effectiveFrom` or later.
    event OracleRevoked(uint16 indexed epoch, uint8 indexed index, address key, uint40 effectiveFrom, string reason);

    /// @notice Emitted when a ROFL app binds the key that signs for it.
    event RoflKeyBound(uint16 indexed epoch, uint8 indexed index, bytes21 roflApp, address key);

    /// @notice Thrown when a set is empty or has more than 32 oracles.
    error OracleCount(uint256 count);

    /// @notice Thrown when oracle `index` of a set has no weight, no key, an empty window, or the key of another
    /// oracle.
    error OracleInvalid(uint256 index);

    /// @notice Thrown when a threshold is 0 or above the weight of all oracles together, or when the weights overflow
    /// 16 bits.
    error ThresholdUnreachable(uint256 threshold, uint256 weight);

    /// @notice Thrown when a set was not announced, or cannot be activated yet.
    error OracleSetNotReady(bytes32 setDigest, uint40 activeFrom);

    /// @notice Thrown when an epoch is neither the current one nor the previous one within its grace period.
    error StaleEpoch(uint16 epoch, uint16 current);

    /// @notice Thrown when an epoch has no oracle with this number.
    error UnknownOracle(uint16 epoch, uint256 index);

    /// @notice Thrown when a time of revocation would not shorten a key's validity.
    error NothingToRevoke(uint16 epoch, uint8 index, uint40 validUntil);

    /// @notice Thrown when there is not exactly one signature of 64 bytes for each signer.
    error SignaturesLength(uint256 lengthBytes, uint256 wantedBytes);

    /// @notice Thrown when a signature is not a signature of oracle `index` over exactly this content.
    error WrongSigner(uint256 index, address recovered, address wanted);

    /// @notice Thrown when a signature uses the higher of its two possible values of s.
    error HighS(uint256 index);

    /// @notice Thrown when the block's time is outside an oracle's validity window.
    error OracleNotValid(uint256 index, uint40 validFrom, uint40 validUntil);

    /// @notice Thrown when the weight of the signers together is below the threshold.
    error QuorumTooSmall(uint256 weight, uint256 threshold);

    /// @notice Thrown when oracle `index` is not a ROFL app, or when the caller is a contract and not the app's own
    /// account.
    error NotRoflApp(uint256 index);

    /// @notice Thrown when the runtime does not confirm that the ROFL app sent the transaction.
    error RoflOriginNotAuthorized(bytes21 roflApp);

    /**
     * @notice Announces the next oracle set. Replaces an earlier announcement; the delay starts anew.
     *
     * Requirements: the caller is the owner; the set has 1 to 32 oracles with distinct keys, or with a ROFL app and no
     * key yet; every weight is at least 1; no window is empty; the oracles can reach the threshold.
     */
    function scheduleOracles(Oracle[] calldata oracles, uint16 threshold) external;

    /// @notice Takes an announcement back. Only the owner can call this function.
    function cancelOracles(bytes32 setDigest) external;

    /// @notice Puts an announced set in force once its delay is over. Anyone can call this function.
    function activateOracles(Oracle[] calldata oracles, uint16 threshold) external;

    /**
     * @notice Ends an oracle's validity at a stated time, which can be in the past. A signature of its key counts for
     * nothing recorded at that time or later, in this set, in the current one and in the one before. (If an announced
     * set has the key, announce that set anew.) Gates that read one slot take the revocation into account after
     * {IProvenanceRegistry-recount}; gates with {Requirements} take it into account at once.
     *
     * Requirements: the caller is the guardian or the owner; the new end is earlier than the present one; `reason` has
     * 1 to 256 bytes.
     */
    function revokeKey(uint16 epoch, uint8 index, uint40 effectiveFrom, string calldata reason) external;

    /**
     * @notice Binds the key that signs for a ROFL app of the current epoch, or replaces it. The key counts from the
     * next second on. No other oracle of the set may have it. Works on Oasis Sapphire only, since on other chains no
     * account is a ROFL app.
     * @dev The runtime vouches for the origin of the transaction. That answer is the same inside any contract that the
     * origin calls, so the caller must be the origin itself.
     */
    function bindRoflKey(uint8 index, address key) external;

    /// @notice Returns the epoch in force.
    function currentEpoch() external view returns (uint16);

    /// @notice Returns an epoch's threshold, its size, and the end of its acceptance; all 0 for an epoch that never
    /// was.
    function epochOf(uint16 epoch) external view returns (Epoch memory);

    /// @notice Returns oracle `index` of an epoch. Reverts with {UnknownOracle}.
    function oracleAt(uint16 epoch, uint8 index) external view returns (Oracle memory);

    /// @notice Returns the digest of the announced set and the time from which it can be activated; both 0 if there is
    /// none.
    function scheduledSet() external view returns (bytes32 setDigest, uint40 activeFrom);

    /// @notice Reverts unless enough oracles signed a struct with this EIP-712 hash, in this registry's domain.
    /// @return weight Weight of the signers together.
    function requireQuorum(bytes32 structHash, Quorum calldata quorum) external view returns (uint16 weight);

    /// @notice Returns the digest that an oracle signs to publish a record: the EIP-712 digest of `Report(uint16
    /// epoch,bytes record)`.
    function reportDigest(uint16 epoch, bytes calldata record) external view returns (bytes32);

    /// @notice Returns the digest that an oracle signs to record a batch: the EIP-712 digest of `Batch(uint16
    /// epoch,bytes32 root,uint8 count,uint40 sealedAt,string uri)`.
    function batchDigest(uint16 epoch, bytes32 root, uint8 count, uint40 sealedAt, string calldata uri)
        external
        view
        returns (bytes32);
}
