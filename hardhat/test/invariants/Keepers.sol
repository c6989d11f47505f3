// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {IProvenanceRegistry} from "../../../contracts/IProvenanceRegistry.sol";
import {Proof, Record} from "../../../contracts/Types.sol";
import {VM} from "../support/Vm.sol";
import {Inspector} from "./Inspector.sol";

/// @dev Calls of the owner and the guardian, attempts of strangers at the same, and the passage of time.
abstract contract Keepers is Inspector {
    constructor(IProvenanceRegistry registry) {
        _registry = registry;
        _open(1);
    }

    function revoke(uint8 caller, uint8 release, int24 offset) external {
        release %= uint8(RELEASES);
        uint40 from = _near(offset);
        uint40 before = _revokedAt[release];
        bool known = _kept[_releaseId(release)].recordedAt != 0;
        bool isDue = _isSteward(caller) && known && (before == 0 || from < before);
        VM.recordLogs();
        VM.prank(_who(caller));
        try _registry.revoke(_releaseId(release), from, "reason") {
            _expect(Promise.RevocationIsFinal, isDue && _logs() == 1);
            _revokedAt[release] = from;
        } catch {
            _expect(Promise.RevocationIsFinal, !isDue && _logs() == 0);
        }
        _inspect(release, caller);
    }

    function revokeInBatch(uint8 caller, uint256 pick, bool second, int24 offset) external {
        if (_roots.length == 0) return;
        Planted storage batch = _planted[_roots[pick % _roots.length]];
        uint256 leaf = second ? 1 : 0;
        Record memory record = batch.records[leaf];
        uint256 release = batch.releases[leaf];
        Proof memory proof = batch.proofs[leaf];
        uint40 from = _near(offset);
        bool known = _kept[_releaseId(release)].recordedAt != 0;
        bool isDue = _isFirst(record) && _isSteward(caller) && (known || from <= block.timestamp);
        VM.prank(_who(caller));
        try _registry.revokeInBatch(record.modelDigest, record.manifestDigest, proof, from, "reason") {
            _expect(Promise.RevocationIsFinal, isDue);
            batch.written[leaf] = true;
            if (!known) _enter(release, record, _stampOf(batch));
            if (_revokedAt[release] == 0 || from < _revokedAt[release]) _revokedAt[release] = from;
        } catch {
            _expect(Promise.RevocationIsFinal, !isDue);
        }
        _inspect(release, caller);
    }

    /// @dev Seldom, since no release of a revoked model is ever open again.
    function revokeAllOf(uint8 caller, uint8 release, uint8 luck) external {
        release %= uint8(RELEASES);
        bool isDue = _isSteward(caller) && _modelRevokedAt[release] == 0;
        if (isDue && luck % 8 != 0) return;
        VM.recordLogs();
        VM.prank(_who(caller));
        try _registry.revokeAllOf(_modelDigest(release), "reason") {
            _expect(Promise.RevocationIsFinal, isDue && _logs() == 1);
            _modelRevokedAt[release] = uint40(block.timestamp);
        } catch {
            _expect(Promise.RevocationIsFinal, !isDue && _logs() == 0);
        }
        _inspect(release, caller);
    }

    function revokeKey(uint8 caller, uint16 epoch, uint8 index, int24 offset) external {
        epoch = epoch % _epoch + 1;
        index %= uint8(SIZE + 1);
        uint40 from = _near(offset);
        bool isDue = _isSteward(caller) && index < SIZE && from < _validUntil[epoch][index];
        VM.prank(_who(caller));
        try _registry.revokeKey(epoch, index, from, "reason") {
            _expect(Promise.EveryCallDoesWhatItShould, isDue);
            _validUntil[epoch][index] = from;
        } catch {
            _expect(Promise.EveryCallDoesWhatItShould, !isDue);
        }
        _inspect(index % RELEASES, caller);
    }

    function setPause(uint8 caller, uint8 wish) external {
        bool paused = wish % 8 == 3;
        bool isDue = paused ? _isSteward(caller) : _who(caller) == OWNER;
        bytes memory call = paused ? abi.encodeCall(_registry.pauseWrites, ()) : abi.encodeCall(_registry.resumeWrites, ());
        VM.prank(_who(caller));
        (bool success,) = address(_registry).call(call);
        _expect(Promise.EveryCallDoesWhatItShould, success == isDue);
        if (success) _paused = paused;
        _expect(Promise.PauseStopsWrites, _registry.writesPaused() == _paused);
        _inspect(caller % RELEASES, caller);
    }

    function rotate(uint8 caller) external {
        VM.prank(_who(caller));
        try _registry.scheduleOracles(_set(_epoch + 1), THRESHOLD) {
            _expect(Promise.OnlyAQuorumWrites, _who(caller) == OWNER);
            VM.warp(block.timestamp + DELAY);
            _registry.activateOracles(_set(_epoch + 1), THRESHOLD);
            _acceptedUntil[_epoch] = uint40(block.timestamp) + GRACE;
            _open(_epoch + 1);
        } catch {
            _expect(Promise.OnlyAQuorumWrites, _who(caller) != OWNER);
        }
        _inspect(caller % RELEASES, caller);
    }

    function wait(uint24 time) external {
        VM.warp(block.timestamp + time % 2 days);
        _inspect(time % RELEASES, uint8(time));
    }

    function _open(uint16 epoch) internal {
        _epoch = epoch;
        for (uint256 i = 0; i < SIZE; ++i) {
            _validUntil[epoch][i] = FOR_EVER;
        }
    }

    function _who(uint8 caller) internal pure returns (address) {
        if (caller % 4 == 0) return address(0xBAD);
        return caller % 4 == 1 ? GUARDIAN : OWNER;
    }

    function _isSteward(uint8 caller) internal pure returns (bool) {
        return caller % 4 != 0;
    }

    /// @dev Returns a time within ten days of now, either way.
    function _near(int24 offset) internal view returns (uint40) {
        return uint40(uint256(int256(block.timestamp) + offset % 10 days));
    }

    function _logs() internal returns (uint256) {
        return VM.getRecordedLogs().length;
    }
}
