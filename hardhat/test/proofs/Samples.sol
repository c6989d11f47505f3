// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {P384} from "../../../contracts/amd/P384.sol";
import {SnpVerifier} from "../../../contracts/amd/SnpVerifier.sol";
import {HardwareProofs} from "../../../contracts/proofs/HardwareProofs.sol";
import {Evidence} from "../../../contracts/proofs/IHardwareProofs.sol";
import {SimulatorKeys} from "../../../contracts/testing/SimulatorKeys.sol";
import {SimulatorVerifier} from "../../../contracts/testing/SimulatorVerifier.sol";
import {Record} from "../../../contracts/Types.sol";
import {FromSource, RegistryBehaviour} from "../support/RegistryBehaviour.sol";
import {VM, Vm} from "../support/Vm.sol";

/// @dev The simulator's keys in a verifier that takes them for AMD's, so that gates open.
contract CredulousVerifier is SnpVerifier {
    constructor() {
        _requirePlaces(address(new SimulatorKeys()), new P384());
    }

    function isSimulated() external pure override returns (bool) {
        return false;
    }
}

/// @dev A verifier that says of the simulator's evidence that it is AMD's, and of another product line and kind of key.
contract LineVerifier {
    bool public constant isSimulated = false;
    CredulousVerifier private _judge = new CredulousVerifier();
    uint256 private _line;
    uint256 private _kind;

    constructor(uint256 line, uint256 kind) {
        (_line, _kind) = (line, kind);
    }

    function verify(bytes calldata report, bytes calldata vek)
        external
        view
        returns (uint256 facts, bytes32 chip, bytes32 provider, bytes32 keyDigest)
    {
        (facts, chip, provider, keyDigest) = _judge.verify(report, vek);
        facts = uint144(facts) | _line << 144 | _kind << 152;
    }
}

/// @dev Proofs beside a registry, and evidence whose bytes never change; tests/support/proof_samples.py made it.
abstract contract Samples is RegistryBehaviour, FromSource {
    uint256 internal constant AT = 1_795_262_400; // 2026-11-21 12:00

    HardwareProofs internal proofs;
    Evidence internal sample;

    function setUp() public virtual override {
        super.setUp();
        VM.warp(AT);
        proofs = new HardwareProofs(new SimulatorVerifier(), registry);
        sample = _sample("p256");
    }

    function _sample(string memory name) internal view returns (Evidence memory) {
        string memory json = VM.readFile("hardhat/test/proofs/samples.json");
        string memory key = string.concat(".", name);
        return Evidence({
            report: VM.parseJsonBytes(json, string.concat(key, ".report")),
            vek: VM.parseJsonBytes(json, string.concat(key, ".vek")),
            vekKey: "",
            vekFacts: 0,
            vekChip: 0,
            key: VM.parseJsonBytes(json, string.concat(key, ".key")),
            signature: VM.parseJsonBytes(json, string.concat(key, ".signature")),
            payload: VM.parseJsonBytes(json, string.concat(key, ".payload")),
            internalAt: VM.parseJsonUint(json, string.concat(key, ".internal_at")),
            subjectsAt: VM.parseJsonUint(json, string.concat(key, ".subjects_at")),
            intermediate: 0
        });
    }

    /// @dev Signs another payload with the VM's key of the sample, that of tests/support/proofs.py.
    function _sign(bytes memory payload) internal {
        sample.payload = payload;
        bytes memory length = bytes(VM.toString(payload.length));
        bytes memory message = bytes.concat("DSSEv1 28 application/vnd.in-toto+json ", length, " ", payload);
        (bytes32 r, bytes32 s) = VM.signP256(12, sha256(message));
        sample.signature = abi.encodePacked(r, s);
    }

    /// @dev Returns a list of Genoa: `.crl` revokes none of the pinned keys, `.revoking_crl` the one above VCEKs.
    function _list(string memory name) internal view returns (bytes memory) {
        return VM.parseJsonBytes(VM.readFile("hardhat/test/proofs/samples.json"), name);
    }

    /// @dev Returns an honest record of the sample.
    function _honest(bytes32 model, bytes32 identity) internal view returns (Record memory record) {
        record = _simulated(1);
        record.modelDigest = model;
        record.manifestDigest = sha256(sample.payload);
        record.reportDigest = sha256(_head(sample.report, 0x2a0));
        record.publisherIdentity = identity;
        record.reportedTcb = _reportedTcb();
    }

    function _reportedTcb() internal view returns (uint64 tcb) {
        for (uint256 i = 8; i != 0; --i) {
            tcb = tcb << 8 | uint8(sample.report[0x180 + i - 1]);
        }
    }

    function _head(bytes memory data, uint256 length) internal pure returns (bytes memory head) {
        head = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            head[i] = data[i];
        }
    }

    function _flip(bytes memory data, uint256 at) internal pure returns (bytes memory) {
        data[at] ^= 0x01;
        return data;
    }

    /// @dev Proves the sample without a record.
    function _prove() internal returns (bytes32 model, bytes32 identity, bytes32 releaseId) {
        VM.recordLogs();
        (releaseId,) = proofs.prove(sample, "");
        identity = proofs.identityOf(releaseId);
        Vm.Log[] memory logs = VM.getRecordedLogs();
        // The last event is ReleaseProven.
        model = logs[logs.length - 1].topics[1];
    }
}
