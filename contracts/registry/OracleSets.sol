// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {IOracleSets} from "../IOracleSets.sol";
import {IProvenanceRegistry} from "../IProvenanceRegistry.sol";
import {Standings} from "../lib/Standings.sol";
import {TypedData} from "../lib/TypedData.sol";
import {Epoch, Oracle, Quorum} from "../Types.sol";
import {Stewards} from "./Stewards.sol";

/**
 * @title Oracle sets and their signatures
 * @notice See {IOracleSets}. Every write begins with {_requireQuorum}.
 */
abstract contract OracleSets is Stewards, TypedData {
    using Standings for uint256;

    uint256 private constant MAX_ORACLES = 32;
    uint256 private constant SIGNATURE_BYTES = 64;
    uint40 private constant MIN_DELAY = 1 hours;
    uint40 private constant MAX_DELAY = 90 days;
    uint40 private constant FOR_EVER = type(uint40).max;

    bytes32 private constant REPORT_TYPEHASH = keccak256("Report(uint16 epoch,bytes record)");
    bytes32 private constant BATCH_TYPEHASH =
        keccak256("Batch(uint16 epoch,bytes32 root,uint8 count,uint40 sealedAt,string uri)");

    /// @dev All state that a write reads before it looks at signatures, in one slot.
    struct State {
        uint16 epoch;
        uint16 threshold;
        uint8 size;
        bool paused;
        uint40 delay;
        uint40 grace;
    }

    struct Announcement {
        bytes32 setDigest;
        uint40 activeFrom;
    }

    State private _state;
    Announcement private _announcement;
    mapping(uint16 epoch => Epoch) private _epochs;
    mapping(uint16 epoch => mapping(uint256 index => Oracle)) private _oracles;

    /// @param delay Seconds between the announcement of an oracle set and its start, 1 hour to 90 days.
    /// @param grace Seconds for which signatures of the previous set still count, at most 90 days.
    constructor(uint40 delay, uint40 grace, Oracle[] memory oracles, uint16 threshold) {
        if (delay < MIN_DELAY || delay > MAX_DELAY || grace > MAX_DELAY) revert OutOfTime(delay, block.timestamp);
        _state.delay = delay;
        _state.grace = grace;
        _requireSound(oracles, threshold);
        _start(oracles, threshold);
    }

    /// @inheritdoc IOracleSets
    function scheduleOracles(Oracle[] calldata oracles, uint16 threshold) external onlyOwner {
        _requireSound(oracles, threshold);
        bytes32 setDigest = keccak256(abi.encode(oracles, threshold));
        uint40 activeFrom = uint40(block.timestamp) + _state.delay;
        _announcement = Announcement(setDigest, activeFrom);
        emit OracleSetScheduled(setDigest, oracles, threshold, activeFrom);
    }

    /// @inheritdoc IOracleSets
    function cancelOracles(bytes32 setDigest) external onlyOwner {
        if (setDigest == 0 || setDigest != _announcement.setDigest) revert OracleSetNotReady(setDigest, 0);
        delete _announcement;
        emit OracleSetCancelled(setDigest);
    }

    /// @inheritdoc IOracleSets
    function activateOracles(Oracle[] calldata oracles, uint16 threshold) external {
        bytes32 setDigest = keccak256(abi.encode(oracles, threshold));
        Announcement memory announced = _announcement;
        if (announced.setDigest != setDigest) revert OracleSetNotReady(setDigest, 0);
        if (block.timestamp < announced.activeFrom) revert OracleSetNotReady(setDigest, announced.activeFrom);
        delete _announcement;
        _start(oracles, threshold);
    }

    /// @inheritdoc IOracleSets
    function revokeKey(uint16 epoch, uint8 index, uint40 effectiveFrom, string calldata reason)
        external
        onlyStewards
    {
        _requireReason(reason);
        Oracle storage oracle = _oracle(epoch, index);
        if (effectiveFrom >= oracle.validUntil) revert NothingToRevoke(epoch, index, oracle.validUntil);
        oracle.validUntil = effectiveFrom;
        emit OracleRevoked(epoch, index, oracle.key, effectiveFrom, reason);
        // The same key must not go on signing for the set before or after.
        if (oracle.key == address(0)) return;
        uint16 current = _state.epoch;
        _endKey(current, oracle.key, effectiveFrom, reason);
        _endKey(current - 1, oracle.key, effectiveFrom, reason);
    }

    /// @inheritdoc IOracleSets
    function bindRoflKey(uint8 index, address key) external {
        uint16 epoch = _state.epoch;
        Oracle storage oracle = _oracle(epoch, index);
        bytes21 app = oracle.roflApp;
        // The runtime knows only the origin. Another contract that the origin happens to call must not act for it.
        // slither-disable-next-line tx-origin
        if (app == 0 || msg.sender != tx.origin) revert NotRoflApp(index);
        _requireRoflOrigin(app);
        _requireNewKey(epoch, key, index);
        oracle.key = key;
        // This key did not sign anything recorded until now.
        if (oracle.validFrom <= block.timestamp) oracle.validFrom = uint40(block.timestamp) + 1;
        emit RoflKeyBound(epoch, index, app, key);
    }

    /// @inheritdoc IProvenanceRegistry
    function pauseWrites() external onlyStewards {
        _state.paused = true;
        emit WritesPaused(true, msg.sender);
    }

    /// @inheritdoc IProvenanceRegistry
    function resumeWrites() external onlyOwner {
        _state.paused = false;
        emit WritesPaused(false, msg.sender);
    }

    /// @inheritdoc IProvenanceRegistry
    function writesPaused() external view returns (bool) {
        return _state.paused;
    }

    /// @inheritdoc IOracleSets
    function currentEpoch() external view returns (uint16) {
        return _state.epoch;
    }

    /// @inheritdoc IOracleSets
    function epochOf(uint16 epoch) external view returns (Epoch memory) {
        return _epochs[epoch];
    }

    /// @inheritdoc IOracleSets
    function oracleAt(uint16 epoch, uint8 index) external view returns (Oracle memory) {
        return _oracle(epoch, index);
    }

    /// @inheritdoc IOracleSets
    function scheduledSet() external view returns (bytes32 setDigest, uint40 activeFrom) {
        return (_announcement.setDigest, _announcement.activeFrom);
    }

    /// @inheritdoc IOracleSets
    function requireQuorum(bytes32 structHash, Quorum calldata quorum) external view returns (uint16 weight) {
        return _requireQuorum(structHash, quorum);
    }

    /// @inheritdoc IOracleSets
    function reportDigest(uint16 epoch, bytes calldata record) external view returns (bytes32) {
        return _typedDigest(_reportHash(epoch, keccak256(record)));
    }

    /// @inheritdoc IOracleSets
    function batchDigest(uint16 epoch, bytes32 root, uint8 count, uint40 sealedAt, string calldata uri)
        external
        view
        returns (bytes32)
    {
        return _typedDigest(_batchHash(epoch, root, count, sealedAt, uri));
    }

    function _reportHash(uint16 epoch, bytes32 contentDigest) internal pure returns (bytes32) {
        return keccak256(abi.encode(REPORT_TYPEHASH, epoch, contentDigest));
    }

    function _batchHash(uint16 epoch, bytes32 root, uint8 count, uint40 sealedAt, string calldata uri)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(BATCH_TYPEHASH, epoch, root, count, sealedAt, keccak256(bytes(uri))));
    }

    /// @inheritdoc IProvenanceRegistry
    function publicDelay() external view returns (uint40) {
        return _state.delay;
    }

    function _domainName() internal pure override returns (string memory) {
        return "ProvenanceRegistry";
    }

    function _requireWriting() internal view {
        if (_state.paused) revert WritesArePaused();
    }

    /// @dev Reverts unless enough oracles signed a struct with this hash. Returns their weight.
    function _requireQuorum(bytes32 structHash, Quorum calldata quorum) internal view returns (uint16) {
        // (1) The set can sign now.
        (uint256 threshold, uint256 size) = _acceptedEpoch(quorum.epoch);
        uint256 signers = quorum.signers;
        if (signers >> size != 0) revert UnknownOracle(quorum.epoch, size);
        // (2) There is one signature for each signer, by the signer's own key.
        bytes32 digest = _typedDigest(structHash);
        uint256 position = 0;
        uint256 weight = 0;
        for (uint256 index = 0; signers >> index != 0; ++index) {
            if (signers >> index & 1 == 0) continue;
            weight += _requireSigned(digest, quorum, index, position);
            position += SIGNATURE_BYTES;
        }
        if (position != quorum.signatures.length) revert SignaturesLength(quorum.signatures.length, position);
        // (3) Enough oracles signed. The weights of a set fit into 16 bits.
        if (weight < threshold) revert QuorumTooSmall(weight, threshold);
        return uint16(weight);
    }

    /// @dev Returns the signers of `word` (a standing or batch) whose keys were valid when it was recorded, and their
    /// weight today.
    function _countSigners(uint256 word) internal view returns (uint32 kept, uint16 weight) {
        uint16 epoch = word.epochOf();
        uint256 signers = word.signersOf();
        for (uint256 index = 0; signers >> index != 0; ++index) {
            if (signers >> index & 1 == 0) continue;
            Oracle storage oracle = _oracles[epoch][index];
            if (oracle.validUntil <= word.recordedAtOf()) continue;
            kept |= uint32(1 << index);
            weight += oracle.weight;
        }
    }

    /// @dev Returns the word without signatures of revoked keys, and doubtful if too few are left.
    function _recounted(uint256 word) internal view returns (uint256) {
        (uint32 kept, uint16 weight) = _countSigners(word);
        if (kept == word.signersOf()) return word;
        if (weight < _epochs[word.epochOf()].threshold) word |= Standings.DOUBTFUL;
        return word.withSigners(kept, weight);
    }

    /// @dev Returns how many of `oracles` (ascending) signed `word` with keys that still count.
    function _countSignersAmong(uint256 word, address[] calldata oracles) internal view returns (uint256 count) {
        if (oracles.length > MAX_ORACLES) revert TooMany(oracles.length, MAX_ORACLES);
        for (uint256 i = 1; i < oracles.length; ++i) {
            if (oracles[i] <= oracles[i - 1]) revert NotAscending(i);
        }
        (uint256 kept,) = _countSigners(word);
        for (uint256 index = 0; kept >> index != 0; ++index) {
            if (kept >> index & 1 == 0) continue;
            Oracle storage oracle = _oracles[word.epochOf()][index];
            if (oracle.validFrom > word.recordedAtOf()) continue;
            for (uint256 i = 0; i < oracles.length; ++i) {
                if (oracles[i] == oracle.key) ++count;
            }
        }
    }

    /// @dev Returns the word with the signers of `quorum` added. The caller has verified that they signed and are
    /// enough.
    function _withMoreSigners(uint256 word, Quorum calldata quorum) internal view returns (uint256) {
        if (quorum.epoch != word.epochOf()) revert StaleEpoch(quorum.epoch, word.epochOf());
        word = word.withSigners(word.signersOf() | quorum.signers, 0) & ~Standings.DOUBTFUL;
        (uint32 signers, uint16 weight) = _countSigners(word);
        return word.withSigners(signers, weight);
    }

    /// @dev Tells the signers of a record or batch that count now, by its id or root and its word.
    function _tellCount(bytes32 idOrRoot, uint256 word) internal {
        emit Recounted(idOrRoot, word.signersOf(), word.weightOf(), word & Standings.DOUBTFUL != 0);
    }

    function _endKey(uint16 epoch, address key, uint40 effectiveFrom, string calldata reason) private {
        uint256 size = _epochs[epoch].size;
        for (uint256 i = 0; i < size; ++i) {
            Oracle storage oracle = _oracles[epoch][i];
            if (oracle.key == key && effectiveFrom < oracle.validUntil) {
                oracle.validUntil = effectiveFrom;
                emit OracleRevoked(epoch, uint8(i), key, effectiveFrom, reason);
            }
        }
    }

    function _acceptedEpoch(uint16 epoch) private view returns (uint256 threshold, uint256 size) {
        State storage state = _state;
        if (epoch == state.epoch) return (state.threshold, state.size);
        Epoch storage earlier = _epochs[epoch];
        bool accepted = uint256(epoch) + 1 == state.epoch && block.timestamp < earlier.acceptedUntil;
        if (!accepted) revert StaleEpoch(epoch, state.epoch);
        return (earlier.threshold, earlier.size);
    }

    function _requireSigned(bytes32 digest, Quorum calldata quorum, uint256 index, uint256 position)
        private
        view
        returns (uint256)
    {
        bytes calldata signatures = quorum.signatures;
        if (signatures.length < position + SIGNATURE_BYTES) {
            revert SignaturesLength(signatures.length, position + SIGNATURE_BYTES);
        }
        bytes32 r = bytes32(signatures[position:position + 32]);
        bytes32 vs = bytes32(signatures[position + 32:position + SIGNATURE_BYTES]);
        (address recovered, ECDSA.RecoverError problem,) = ECDSA.tryRecover(digest, r, vs);
        if (problem == ECDSA.RecoverError.InvalidSignatureS) revert HighS(index);

        Oracle storage oracle = _oracles[quorum.epoch][index];
        address key = oracle.key;
        if (recovered == address(0) || recovered != key) revert WrongSigner(index, recovered, key);
        if (block.timestamp < oracle.validFrom || block.timestamp >= oracle.validUntil) {
            revert OracleNotValid(index, oracle.validFrom, oracle.validUntil);
        }
        return oracle.weight;
    }

    function _start(Oracle[] memory oracles, uint16 threshold) private {
        State storage state = _state;
        uint40 previousUntil = uint40(block.timestamp) + state.grace;
        if (state.epoch != 0) _epochs[state.epoch].acceptedUntil = previousUntil;
        uint16 epoch = ++state.epoch;
        state.threshold = threshold;
        state.size = uint8(oracles.length);
        _epochs[epoch] = Epoch(threshold, uint8(oracles.length), FOR_EVER);
        for (uint256 i = 0; i < oracles.length; ++i) {
            _oracles[epoch][i] = oracles[i];
        }
        emit EpochStarted(epoch, oracles, threshold, previousUntil);
    }

    function _requireSound(Oracle[] memory oracles, uint16 threshold) private pure {
        if (oracles.length == 0 || oracles.length > MAX_ORACLES) revert OracleCount(oracles.length);
        uint256 weight = 0;
        for (uint256 i = 0; i < oracles.length; ++i) {
            Oracle memory oracle = oracles[i];
            bool keyless = oracle.key == address(0);
            bool sound =
                oracle.weight != 0 && oracle.validFrom < oracle.validUntil && (!keyless || oracle.roflApp != 0);
            for (uint256 j = 0; j < i && sound; ++j) {
                sound = keyless || oracles[j].key != oracle.key;
            }
            if (!sound) revert OracleInvalid(i);
            weight += oracle.weight;
        }
        if (threshold == 0 || threshold > weight || weight > type(uint16).max) {
            revert ThresholdUnreachable(threshold, weight);
        }
    }

    function _requireNewKey(uint16 epoch, address key, uint256 index) private view {
        if (key == address(0)) revert OracleInvalid(index);
        uint256 size = _state.size;
        for (uint256 i = 0; i < size; ++i) {
            if (_oracles[epoch][i].key == key) revert OracleInvalid(index);
        }
    }

    /// @dev Does the same as `roflEnsureAuthorizedOrigin` of Oasis Sapphire: asks the runtime's subcall precompile
    /// whether the app endorses the origin's key. Any answer except (0, CBOR true) is a refusal, and so is the answer
    /// of an address without code.
    function _requireRoflOrigin(bytes21 app) private view {
        address subcall = 0x0100000000000000000000000000000000000103;
        (bool success, bytes memory answer) =
            subcall.staticcall(abi.encode("rofl.IsAuthorizedOrigin", abi.encodePacked(hex"55", app)));
        if (!success || keccak256(answer) != keccak256(abi.encode(uint64(0), hex"f5"))) {
            revert RoflOriginNotAuthorized(app);
        }
    }

    function _oracle(uint16 epoch, uint256 index) private view returns (Oracle storage) {
        if (index >= _epochs[epoch].size) revert UnknownOracle(epoch, index);
        return _oracles[epoch][index];
    }
}
