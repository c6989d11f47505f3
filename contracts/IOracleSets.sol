// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {Epoch, Oracle, Quorum} from "./Types.sol";

/**
 * @title The oracles whose signatures count
 * @notice A set of up to 32 oracles with weights and validity windows is an epoch. The owner schedules the next set,
 * everybody can see it during the delay, and then anyone may put it in force. For a grace period signatures by the set
 * before it still count. A key that is revoked loses its weight in everything recorded since the stated time.
 */
interface IOracleSets {
    /// @notice Emitted when the owner announces a set; `oracles` and `threshold` are needed again to activate it.
    event OracleSetScheduled(bytes32 indexed setDigest, Oracle[] oracles, uint16 threshold, uint40 activeFrom);

    /// @notice Emitted when the owner takes an announcement back.
    event OracleSetCancelled(bytes32 indexed setDigest);

    /// @notice Emitted when a set takes over. Signatures by the one before it count until `previousUntil`.
    event EpochStarted(uint16 indexed epoch, Oracle[] oracles, uint16 threshold, uint40 previousUntil);

    /// @notice Emitted when an oracle's key was revoked for everything recorded at `effectiveFrom` or later.
    event OracleRevoked(uint16 indexed epoch, uint8 indexed index, address key, uint40 effectiveFrom, string reason);

    /// @notice Emitted when a ROFL app bound the key that signs for it.
    event RoflKeyBound(uint16 indexed epoch, uint8 indexed index, bytes21 roflApp, address key);

    /// @notice Thrown when a set is empty or has more than 32 oracles.
    error OracleCount(uint256 count);

    /// @notice Thrown when oracle `index` of a set has no weight, no key, an empty window, or the key of another one.
    error OracleInvalid(uint256 index);

    /// @notice Thrown when a threshold is 0 or more than all oracles together have, or their weights overflow.
    error ThresholdUnreachable(uint256 threshold, uint256 weight);

    /// @notice Thrown when the set was not announced, or the time has not come.
    error OracleSetNotReady(bytes32 setDigest, uint40 activeFrom);

    /// @notice Thrown when an epoch is not the current one, nor the one before it within its grace period.
    error StaleEpoch(uint16 epoch, uint16 current);

    /// @notice Thrown when an epoch has no oracle with this number.
    error UnknownOracle(uint16 epoch, uint256 index);

    /// @notice Thrown when a time of revocation would not take anything from a key.
    error NothingToRevoke(uint16 epoch, uint8 index, uint40 validUntil);

    /// @notice Thrown when there is not exactly one signature of 64 bytes for each signer.
    error SignaturesLength(uint256 lengthBytes, uint256 wantedBytes);

    /// @notice Thrown when a signature is not one by oracle `index` over this very content.
    error WrongSigner(uint256 index, address recovered, address wanted);

    /// @notice Thrown when a signature has the higher one of its two possible s.
    error HighS(uint256 index);

    /// @notice Thrown when an oracle's window does not hold the block's time.
    error OracleNotValid(uint256 index, uint40 validFrom, uint40 validUntil);

    /// @notice Thrown when the signers together weigh less than the threshold.
    error QuorumTooSmall(uint256 weight, uint256 threshold);

    /// @notice Thrown when oracle `index` is not a ROFL app, or the caller is a contract, not the app's own account.
    error NotRoflApp(uint256 index);

    /// @notice Thrown when the runtime does not confirm that the ROFL app sent the transaction.
    error RoflOriginNotAuthorized(bytes21 roflApp);

    /**
     * @notice Announces the next oracle set. Replaces an earlier announcement, whose time starts anew.
     *
     * Requirements: the caller is the owner; 1 to 32 oracles with distinct keys, or with a ROFL app and no key yet;
     * weights of at least 1; windows that are not empty; a threshold that they can reach.
     */
    function scheduleOracles(Oracle[] calldata oracles, uint16 threshold) external;

    /// @notice Takes an announcement back. Only the owner may.
    function cancelOracles(bytes32 setDigest) external;

    /// @notice Puts an announced set in force once its time has come. Anyone may.
    function activateOracles(Oracle[] calldata oracles, uint16 threshold) external;

    /**
     * @notice Ends an oracle's validity at a stated time, possibly in the past: a signature of its key counts for
     * nothing recorded then or later, in this set nor in the current one and the one before. (An announced set that has
     * the key should be announced anew.) Gates that read one slot notice it after {IProvenanceRegistry-recount}; gates
     * with {Requirements} at once.
     *
     * Requirements: the caller is the guardian or the owner; the new end is earlier than the present one; `reason` has
     * 1 to 256 bytes.
     */
    function revokeKey(uint16 epoch, uint8 index, uint40 effectiveFrom, string calldata reason) external;

    /**
     * @notice Binds the key that signs for a ROFL app of the current epoch, or another one in its place; it counts from
     * the next second on. No other oracle of the set may have it. Oasis Sapphire only: elsewhere nobody is such an app.
     * @dev The runtime vouches for the origin of the transaction, which holds inside any contract that the origin
     * calls. So the caller must be the origin itself.
     */
    function bindRoflKey(uint8 index, address key) external;

    /// @notice The epoch in force.
    function currentEpoch() external view returns (uint16);

    /// @notice An epoch's threshold, size, and the end of its acceptance; all 0 for one that never was.
    function epochOf(uint16 epoch) external view returns (Epoch memory);

    /// @notice Oracle `index` of an epoch. Reverts with {UnknownOracle}.
    function oracleAt(uint16 epoch, uint8 index) external view returns (Oracle memory);

    /// @notice Digest and time of the announced set; both 0 if there is none.
    function scheduledSet() external view returns (bytes32 setDigest, uint40 activeFrom);

    /// @notice Reverts unless enough oracles signed a struct with this EIP-712 hash, in this registry's domain.
    /// @return weight What the signers weigh together.
    function requireQuorum(bytes32 structHash, Quorum calldata quorum) external view returns (uint16 weight);

    /// @notice What an oracle signs to publish a record: the EIP-712 digest of `Report(uint16 epoch,bytes record)`.
    function reportDigest(uint16 epoch, bytes calldata record) external view returns (bytes32);

    /// @notice What an oracle signs to record a batch: the EIP-712 digest of
    /// `Batch(uint16 epoch,bytes32 root,uint8 count,uint40 sealedAt,string uri)`.
    function batchDigest(uint16 epoch, bytes32 root, uint8 count, uint40 sealedAt, string calldata uri)
        external
        view
        returns (bytes32);
}
