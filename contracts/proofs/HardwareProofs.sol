// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {Multicall} from "@openzeppelin/contracts/utils/Multicall.sol";
import {SnpReports} from "../amd/SnpReports.sol";
import {SnpVerifier} from "../amd/SnpVerifier.sol";
import {IProvenanceRegistry} from "../IProvenanceRegistry.sol";
import {RecordCodec} from "../lib/RecordCodec.sol";
import {RecordIds} from "../lib/RecordIds.sol";
import {AddedIntermediate, Evidence, HardwareRules, IHardwareProofs} from "./IHardwareProofs.sol";
import {Intermediates} from "./Intermediates.sol";
import {Manifests} from "./Manifests.sol";
import {ManifestSignatures} from "./ManifestSignatures.sol";
import {ProofWords} from "./ProofWords.sol";
import {Revocations} from "./Revocations.sol";

/**
 * @title Releases that AMD's signature proves
 * @notice See {IHardwareProofs}. A reader compares the code of this contract, and that of its {verifier} and of the
 * contracts which that made.
 *
 * Several calls fit into one transaction ({Multicall}): a list, then an intermediate, then a proof that leads over it.
 */
contract HardwareProofs is Intermediates, Multicall, IERC165 {
    using ProofWords for uint256;
    using RecordCodec for bytes;
    using SnpReports for bytes;

    // Numbers of {RecordDiffers}
    uint8 private constant MODEL_DIGEST = 0;
    uint8 private constant MANIFEST_DIGEST = 1;
    uint8 private constant REPORT_DIGEST = 3;
    uint8 private constant PUBLISHER_IDENTITY = 5;
    uint8 private constant REPORTED_TCB = 6;
    uint8 private constant PRODUCT_LINE = 7;
    uint8 private constant PASSED = 8;
    // Numbers of {ProofNotEnough}
    uint8 private constant REQUIRED = 0;
    uint8 private constant FORBIDDEN = 1;
    uint8 private constant LINE = 2;
    uint8 private constant TCB = 3;
    uint8 private constant IDENTITY = 4;
    uint8 private constant AGE = 5;
    uint8 private constant NO_LIST = 6;
    uint8 private constant REVOKED = 7;
    uint256 private constant MEASUREMENT = 0x090;
    uint256 private constant HOST_DATA = 0x0c0;

    /// @dev What the evidence says. `publisher` is the identity that a record must have.
    struct Found {
        uint256 facts;
        uint256 word;
        bytes32 reportDigest;
        bytes32 identity;
        bytes32 manifestDigest;
        bytes32 publisher;
        bytes32 modelDigest;
    }

    /// @notice The registry whose records this contract confirms. It never changes.
    IProvenanceRegistry public registry;

    mapping(bytes32 endorsement => bool) private _endorsed;
    mapping(bytes32 releaseId => uint256) private _proofs;
    mapping(bytes32 releaseId => bytes32) private _identities;

    constructor(SnpVerifier verifier_, IProvenanceRegistry registry_) Revocations(verifier_) {
        registry = registry_;
    }

    /// @inheritdoc IHardwareProofs
    function prove(Evidence calldata evidence, bytes calldata record)
        external
        returns (bytes32 releaseId, uint256 word)
    {
        SnpVerifier judge = verifier;
        // (1) AMD's key, the chip's key, the report
        Found memory found = _requireGenuine(judge, evidence);
        // (2) the VM's key, the manifest, the files
        _readManifest(judge, evidence, found);
        // (3) the record, and the moment for which the certificate must be valid
        uint256 moment = record.length == 0 ? block.timestamp : _requireSame(evidence.report, record, found);
        _requireInTime(moment, uint40(found.facts >> 64), uint40(found.facts >> 104));
        _requireStanding(moment, found.word);
        releaseId = RecordIds.ofRelease(found.modelDigest, found.manifestDigest);
        word = found.word;
        _proofs[releaseId] = word;
        _identities[releaseId] = found.identity;
        emit ReleaseProven(found.modelDigest, found.manifestDigest, found.reportDigest, word, found.identity);
    }

    /// @inheritdoc IHardwareProofs
    function endorse(bytes calldata vek, bytes32 intermediate) external returns (bytes32 keyDigest) {
        uint256 facts;
        bytes32 chip;
        bytes32 provider;
        uint256 number = _numberOf(intermediate);
        if (number == 0) {
            (facts, chip, provider, keyDigest) = verifier.endorse(vek);
        } else {
            AddedIntermediate memory added = _addedAt(number);
            (facts, chip, provider, keyDigest) = verifier.endorseUnder(vek, added.key, KEY_AT);
            _requireAgreed(intermediate, added, facts);
        }
        _keep(keyDigest, facts, chip, provider, intermediate);
    }

    /// @inheritdoc IHardwareProofs
    function recheck(bytes32 releaseId) external {
        uint256 word = _proofs[releaseId];
        if (word == 0) revert NotProven(releaseId);
        (uint256 line, uint256 serial) = _revocableOf(word);
        if (!isRevoked(line, serial) || word & ProofWords.REVOKED != 0) revert NothingToRecheck(releaseId);
        word |= ProofWords.REVOKED;
        _proofs[releaseId] = word;
        emit ProofRevoked(releaseId, word);
    }

    /// @inheritdoc IHardwareProofs
    function proofOf(bytes32 releaseId) external view returns (uint256 word) {
        return _proofs[releaseId];
    }

    /// @inheritdoc IHardwareProofs
    function identityOf(bytes32 releaseId) external view returns (bytes32 identity) {
        return _identities[releaseId];
    }

    /// @inheritdoc IHardwareProofs
    function isEndorsed(bytes32 keyDigest, uint256 facts, bytes32 chip, bytes32 intermediate)
        external
        view
        returns (bool)
    {
        return _endorsed[_endorsement(keyDigest, facts, chip, intermediate)];
    }

    /// @inheritdoc IHardwareProofs
    function requireProven(bytes32 modelDigest, bytes32 manifestDigest, uint256 required, uint256 forbidden)
        external
        view
    {
        _requireProven(RecordIds.ofRelease(modelDigest, manifestDigest), required, forbidden);
    }

    /// @inheritdoc IHardwareProofs
    function requireProvenAs(bytes32 modelDigest, bytes32 manifestDigest, HardwareRules calldata rules)
        external
        view
    {
        bytes32 releaseId = RecordIds.ofRelease(modelDigest, manifestDigest);
        uint256 word = _requireProven(releaseId, rules.required, rules.forbidden);
        uint256 line = word.lineOf();
        if (rules.lines >> line & 1 == 0) revert ProofNotEnough(releaseId, LINE, word);
        if (!ProofWords.reaches(word.tcbOf(), _floorOf(rules, line))) revert ProofNotEnough(releaseId, TCB, word);
        if (rules.identity != 0 && rules.identity != _identities[releaseId]) {
            revert ProofNotEnough(releaseId, IDENTITY, word);
        }
        if (block.timestamp - word.timeOf() > rules.maximumAge) revert ProofNotEnough(releaseId, AGE, word);
        uint256 serial;
        (line, serial) = _revocableOf(word);
        if (rules.freshLists && listsCurrentUntil(line) < block.timestamp) {
            revert ProofNotEnough(releaseId, NO_LIST, word);
        }
        if (isRevoked(line, serial)) revert ProofNotEnough(releaseId, REVOKED, word);
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return interfaceId == type(IHardwareProofs).interfaceId || interfaceId == type(IERC165).interfaceId;
    }

    /// @dev Reverts unless AMD endorsed a key and that key signed the report. Keeps what AMD's certificate says.
    function _requireGenuine(SnpVerifier judge, Evidence calldata evidence) private returns (Found memory found) {
        uint256 number = _numberOf(evidence.intermediate);
        bytes32 keyDigest;
        if (evidence.vek.length == 0) {
            found.facts = evidence.vekFacts;
            keyDigest = keccak256(evidence.vekKey);
            bytes32 endorsement = _endorsement(keyDigest, found.facts, evidence.vekChip, evidence.intermediate);
            if (!_endorsed[endorsement]) revert KeyNotEndorsed(keyDigest);
            judge.verifyWith(evidence.report, evidence.vekKey, found.facts, evidence.vekChip);
        } else {
            (found.facts, keyDigest) = _requireSignedUnder(judge, evidence, number);
        }
        bool isSimulated = judge.isSimulated();
        found.word = ProofWords.pack(evidence.report, found.facts, number, isSimulated);
        found.reportDigest = sha256(evidence.report[:SnpReports.SIGNED_BYTES]);
        found.identity = Manifests.identityOf(evidence.report[MEASUREMENT:HOST_DATA], isSimulated);
        emit ReportProven(found.reportDigest, keyDigest, found.word, evidence.report);
    }

    /// @dev Reverts unless the intermediate signed the certificate, and its key the report. Keeps what it says.
    function _requireSignedUnder(SnpVerifier judge, Evidence calldata evidence, uint256 number)
        private
        returns (uint256 facts, bytes32 keyDigest)
    {
        bytes32 chip;
        bytes32 provider;
        if (number == 0) {
            (facts, chip, provider, keyDigest) = judge.verify(evidence.report, evidence.vek);
        } else {
            AddedIntermediate memory added = _addedAt(number);
            (facts, chip, provider, keyDigest) = judge.verifyUnder(evidence.report, evidence.vek, added.key, KEY_AT);
            _requireAgreed(evidence.intermediate, added, facts);
        }
        _keep(keyDigest, facts, chip, provider, evidence.intermediate);
    }

    /// @dev Reverts unless the report binds the VM's key, and that key signed a manifest that names the report.
    function _readManifest(SnpVerifier judge, Evidence calldata evidence, Found memory found) private view {
        bytes calldata payload = evidence.payload;
        found.manifestDigest = sha256(payload);
        found.publisher = Manifests.requireNames(payload, evidence.internalAt, found.reportDigest);
        if (found.publisher == 0) found.publisher = found.identity;
        ManifestSignatures.requireBound(judge, evidence.report, evidence.key);
        ManifestSignatures.requireSigned(judge, evidence.key, evidence.signature, payload);
        found.modelDigest = Manifests.modelDigest(payload, evidence.subjectsAt);
    }

    function _keep(bytes32 keyDigest, uint256 facts, bytes32 chip, bytes32 provider, bytes32 intermediate) private {
        bytes32 endorsement = _endorsement(keyDigest, facts, chip, intermediate);
        if (_endorsed[endorsement]) return;
        _endorsed[endorsement] = true;
        emit KeyEndorsed(keyDigest, facts, chip, provider, intermediate);
    }

    /// @dev Reverts unless the registry keeps the record and the evidence bears it out; returns when it was recorded.
    function _requireSame(bytes calldata report, bytes calldata record, Found memory found)
        private
        returns (uint256 recordedAt)
    {
        IProvenanceRegistry keeper = registry;
        bytes32 recordId = keeper.idOf(record);
        if (keeper.contentOf(recordId) != keccak256(record)) revert RecordUnknown(recordId);
        uint256 facts = record.factsOf();
        if (facts & RecordCodec.PASSED == 0) revert RecordDiffers(PASSED);
        if (record.modelDigestOf() != found.modelDigest) revert RecordDiffers(MODEL_DIGEST);
        if (record.manifestDigestOf() != found.manifestDigest) revert RecordDiffers(MANIFEST_DIGEST);
        if (record.reportDigestOf() != found.reportDigest) revert RecordDiffers(REPORT_DIGEST);
        if (record.publisherIdentityOf() != found.publisher) revert RecordDiffers(PUBLISHER_IDENTITY);
        if (uint64(facts) != report.u64(SnpReports.REPORTED_TCB)) revert RecordDiffers(REPORTED_TCB);
        if (facts >> 248 != found.word.lineOf()) revert RecordDiffers(PRODUCT_LINE);
        emit RecordConfirmed(recordId, address(keeper));
        return keeper.standingById(recordId).recordedAt;
    }

    /// @dev Returns the word of a proof. Reverts unless there is one with the right bits.
    function _requireProven(bytes32 releaseId, uint256 required, uint256 forbidden)
        private
        view
        returns (uint256 word)
    {
        word = _proofs[releaseId];
        if (word == 0) revert NotProven(releaseId);
        if (word & required != required) revert ProofNotEnough(releaseId, REQUIRED, word);
        if (word & forbidden != 0) revert ProofNotEnough(releaseId, FORBIDDEN, word);
        if (word & ProofWords.REVOKED != 0) revert ProofNotEnough(releaseId, REVOKED, word);
    }

    /// @dev Reverts if AMD revoked the intermediate that a proof leads over, or its certificate is not of the moment.
    function _requireStanding(uint256 moment, uint256 word) private view {
        (uint256 line, uint256 serial) = _revocableOf(word);
        _requireNotRevoked(line, serial);
        uint256 number = word.intermediateOf();
        if (number == 0) return;
        AddedIntermediate memory added = _addedAt(number);
        _requireInTime(moment, added.notBefore, added.notAfter);
    }

    /// @dev The verifier took the caller's word for the intermediate, and read line and kind in the certificate.
    function _requireAgreed(bytes32 intermediate, AddedIntermediate memory added, uint256 facts) private pure {
        bool isSame = added.line == uint8(facts >> 144) && added.kind == uint8(facts >> 152);
        if (!isSame) revert IntermediateDiffers(intermediate);
    }

    function _requireInTime(uint256 moment, uint256 notBefore, uint256 notAfter) private pure {
        if (moment < notBefore || moment > notAfter) revert NotInTime(moment, notBefore, notAfter);
    }

    function _endorsement(bytes32 keyDigest, uint256 facts, bytes32 chip, bytes32 intermediate)
        private
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(keyDigest, facts, chip, intermediate));
    }

    function _floorOf(HardwareRules calldata rules, uint256 line) private pure returns (uint64) {
        if (line == 1) return rules.milanFloor;
        if (line == 2) return rules.genoaFloor;
        return line == 3 ? rules.turinFloor : 0;
    }
}
