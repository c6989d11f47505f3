// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {AmdForms} from "../amd/AmdForms.sol";
import {SnpReports} from "../amd/SnpReports.sol";
import {SnpVerifier} from "../amd/SnpVerifier.sol";
import {IProvenanceRegistry} from "../IProvenanceRegistry.sol";
import {RecordCodec} from "../lib/RecordCodec.sol";
import {RecordIds} from "../lib/RecordIds.sol";
import {Standing} from "../Types.sol";
import {HardwareProofs} from "./HardwareProofs.sol";
import {Challenge, Cited, IDisputes} from "./IDisputes.sol";
import {Evidence} from "./IHardwareProofs.sol";
import {Manifests} from "./Manifests.sol";
import {ProofWords} from "./ProofWords.sol";

/**
 * @title Records that their own evidence disproves
 * @notice See {IDisputes}.
 */
contract Disputes is IDisputes {
    using RecordCodec for bytes;
    using SnpReports for bytes;

    // Numbers of {RecordDisproved}
    uint8 private constant NONE = 0;
    uint8 private constant REPORT_DIGEST = 1;
    uint8 private constant PRODUCT_LINE = 2;
    uint8 private constant REPORTED_TCB = 3;
    uint8 private constant PUBLISHER_IDENTITY = 4;
    uint8 private constant DEBUG = 5;
    uint8 private constant HOST = 6;
    uint8 private constant REPORT_NOT_SIGNED = 7;
    uint8 private constant CERTIFICATE_MISMATCH = 8;
    // Numbers of {SnpVerifier-VekMismatch} that no later version of the verifier can see otherwise
    uint256 private constant KIND = 1;
    uint256 private constant TCB = 2;
    uint256 private constant CHIP = 3;

    uint256 private constant MEASUREMENT = 0x090;
    uint256 private constant HOST_DATA = 0x0c0;
    uint256 private constant HOST_VMPL = 0xffffffff;
    uint256 private constant POLICY_DEBUG = 1 << 19;
    uint256 private constant SIGNED_LINE = 254;
    uint256 private constant MAX_ORACLES = 32;
    uint256 private constant ANSWER_GAS = 7_000_000;
    uint40 private constant ANSWER_SECONDS = 7 days;

    /// @inheritdoc IDisputes
    HardwareProofs public proofs;
    /// @inheritdoc IDisputes
    address public keeper;
    /// @inheritdoc IDisputes
    uint256 public deposit;

    mapping(bytes32 releaseId => uint8) private _reasons;
    mapping(bytes32 releaseId => Challenge) private _challenges;
    mapping(address account => uint256) private _credits;

    modifier onlyKeeper() {
        if (msg.sender != keeper) revert NotKeeper(msg.sender);
        _;
    }

    /// @param answerPrice Wei for a unit of gas in the deposit of a challenge.
    constructor(HardwareProofs proofs_, address keeper_, uint256 answerPrice) {
        proofs = proofs_;
        keeper = keeper_;
        deposit = ANSWER_GAS * answerPrice;
    }

    /// @inheritdoc IDisputes
    function disprove(bytes calldata record, Cited calldata cited) external returns (uint8 reason) {
        IProvenanceRegistry registry = proofs.registry();
        bytes32 recordId = _requireKept(registry, record);
        if (sha256(cited.verdict) != record.verdictDigestOf()) revert NotTheVerdict(recordId);
        _requireCited(cited.verdict, cited.reportAt, cited.report, "provenance/snp/report.bin");
        reason = _reasonAgainst(proofs.verifier(), record, cited);
        if (reason == NONE) revert NotDisproved(recordId);
        bytes32 releaseId = RecordIds.ofRelease(record.modelDigestOf(), record.manifestDigestOf());
        _reasons[releaseId] = reason;
        Standing memory standing = registry.standingById(recordId);
        emit RecordDisproved(recordId, releaseId, reason, standing.epoch, standing.signers);
        _revoke(registry, releaseId, standing);
    }

    /// @inheritdoc IDisputes
    function challenge(bytes calldata record) external payable {
        bytes32 recordId = _requireKept(proofs.registry(), record);
        bytes32 releaseId = RecordIds.ofRelease(record.modelDigestOf(), record.manifestDigestOf());
        if (msg.value != deposit) revert WrongDeposit(msg.value, deposit);
        if (_isProven(releaseId)) revert AlreadyProven(releaseId);
        if (_challenges[releaseId].until != 0) revert AlreadyChallenged(releaseId);
        uint40 until = uint40(block.timestamp) + ANSWER_SECONDS;
        _challenges[releaseId] = Challenge(msg.sender, until, false);
        emit RecordChallenged(recordId, releaseId, msg.sender, until);
    }

    /// @inheritdoc IDisputes
    function answer(bytes32 releaseId, Evidence calldata evidence, bytes calldata record) external {
        // First, so that whoever comes second does not pay for a proof.
        _requireOpen(releaseId);
        // Before the call, so that nobody on its way takes the same deposit.
        delete _challenges[releaseId];
        _credits[msg.sender] += deposit;
        emit ChallengeAnswered(releaseId, msg.sender);
        (bytes32 proven,) = proofs.prove(evidence, record);
        if (proven != releaseId) revert NotChallenged(proven);
    }

    /// @inheritdoc IDisputes
    function close(bytes32 releaseId) external {
        Challenge memory open = _requireOpen(releaseId);
        bool isProven = _isProven(releaseId);
        if (!isProven && block.timestamp < open.until) revert NotYet(open.until);
        _credits[open.challenger] += deposit;
        if (isProven) {
            delete _challenges[releaseId];
            emit ChallengeAnswered(releaseId, address(0));
        } else {
            _challenges[releaseId].isUnanswered = true;
            emit ChallengeUnanswered(releaseId);
        }
    }

    /// @inheritdoc IDisputes
    function withdraw() external {
        uint256 amount = _credits[msg.sender];
        if (amount == 0) revert NothingToWithdraw(msg.sender);
        _credits[msg.sender] = 0;
        // The account's own code decides what to do with its money; the credit is gone before.
        // slither-disable-next-line low-level-calls
        (bool sent,) = msg.sender.call{value: amount}("");
        if (!sent) revert NotSent(msg.sender, amount);
    }

    // The guardian's rights, for a person

    /// @inheritdoc IDisputes
    function appointKeeper(address newKeeper) external {
        if (msg.sender != Ownable(address(proofs.registry())).owner()) revert NotKeeper(msg.sender);
        keeper = newKeeper;
        emit KeeperAppointed(newKeeper);
    }

    /// @inheritdoc IDisputes
    function pauseWrites() external onlyKeeper {
        proofs.registry().pauseWrites();
    }

    /// @inheritdoc IDisputes
    function revoke(bytes32 recordId, uint40 effectiveFrom, string calldata reason) external onlyKeeper {
        proofs.registry().revoke(recordId, effectiveFrom, reason);
    }

    /// @inheritdoc IDisputes
    function revokeAllOf(bytes32 modelDigest, string calldata reason) external onlyKeeper {
        proofs.registry().revokeAllOf(modelDigest, reason);
    }

    /// @inheritdoc IDisputes
    function revokeKey(uint16 epoch, uint8 index, uint40 effectiveFrom, string calldata reason) external onlyKeeper {
        proofs.registry().revokeKey(epoch, index, effectiveFrom, reason);
    }

    // Questions

    /// @inheritdoc IDisputes
    function reasonAgainst(bytes32 releaseId) external view returns (uint8) {
        return _reasons[releaseId];
    }

    /// @inheritdoc IDisputes
    function challengeOf(bytes32 releaseId) external view returns (Challenge memory) {
        return _challenges[releaseId];
    }

    /// @inheritdoc IDisputes
    function creditOf(address account) external view returns (uint256) {
        return _credits[account];
    }

    /// @inheritdoc IDisputes
    function requireUndisputed(bytes32 modelDigest, bytes32 manifestDigest) external view {
        bytes32 releaseId = RecordIds.ofRelease(modelDigest, manifestDigest);
        if (_reasons[releaseId] != NONE) revert IsDisproved(releaseId, _reasons[releaseId]);
        // An answer that comes late is one too.
        if (_challenges[releaseId].isUnanswered && !_isProven(releaseId)) revert IsUnanswered(releaseId);
    }

    /// @dev Ends what can be ended, if this contract may. What a person did before must not stand in the way: a
    /// revocation, or the end of a key. The registry says why it refuses; a call without an answer had too little gas.
    function _revoke(IProvenanceRegistry registry, bytes32 releaseId, Standing memory standing) private {
        try registry.revoke(releaseId, uint40(block.timestamp), "disproved by its own evidence") {}
        catch (bytes memory why) {
            _requireRefused(why);
        }
        for (uint8 index = 0; index < MAX_ORACLES; ++index) {
            if (standing.signers >> index & 1 == 0) continue;
            try registry.revokeKey(
                standing.epoch, index, standing.recordedAt, "signed a record that its own evidence disproves"
            ) {} catch (bytes memory why) {
                _requireRefused(why);
            }
        }
    }

    function _requireRefused(bytes memory why) private pure {
        if (why.length == 0) revert TooLittleGas();
    }

    /// @dev Returns the challenge of a release that nobody closed. Reverts if there is none.
    function _requireOpen(bytes32 releaseId) private view returns (Challenge memory open) {
        open = _challenges[releaseId];
        if (open.until == 0 || open.isUnanswered) revert NotChallenged(releaseId);
    }

    /// @dev Returns whether a release has a proof that AMD did not take back.
    function _isProven(bytes32 releaseId) private view returns (bool) {
        uint256 word = proofs.proofOf(releaseId);
        return word != 0 && word & ProofWords.REVOKED == 0;
    }

    /// @dev Reverts unless the registry keeps a record that says PASSED, of hardware whose keys the verifier knows.
    function _requireKept(IProvenanceRegistry registry, bytes calldata record) private view returns (bytes32 recordId) {
        recordId = registry.idOf(record);
        if (registry.contentOf(recordId) != keccak256(record)) revert RecordUnknown(recordId);
        uint256 facts = record.factsOf();
        uint256 line = facts >> 248;
        bool isOurs = proofs.verifier().isSimulated() ? line == ProofWords.SIMULATED_LINE : line < SIGNED_LINE;
        if (facts & RecordCodec.PASSED == 0 || !isOurs) revert NotDisputable(recordId);
    }

    /**
     * @dev Returns what the evidence has against a record; {NONE} for all that this contract does not understand: a
     * report of another length or version, an unknown processor, a certificate in another form or by another key. An
     * oracle of a later version may understand it.
     */
    function _reasonAgainst(SnpVerifier verifier, bytes calldata record, Cited calldata cited)
        private
        view
        returns (uint8)
    {
        bytes calldata report = cited.report;
        if (report.length != SnpReports.REPORT_BYTES) return NONE;
        uint256 version = report.u32(0);
        if (version < 2 || version > 5) return NONE;
        // (1) what the oracle wrote is not what the report says
        uint8 lie = _lieAbout(verifier.isSimulated(), version, record, cited);
        if (lie != NONE) return lie;
        // (2) what every oracle refuses
        uint256 facts = record.factsOf();
        if (uint8(facts >> 240) != 0 && report.u64(SnpReports.POLICY) & POLICY_DEBUG != 0) return DEBUG;
        if (report.u32(SnpReports.VMPL) == HOST_VMPL) return HOST;
        // (3) what is not genuine. Only this takes a certificate.
        _requireCited(cited.verdict, cited.vekAt, cited.vek, "provenance/snp/vek.der");
        return _forgery(verifier, report, cited.vek);
    }

    function _lieAbout(bool isSimulated, uint256 version, bytes calldata record, Cited calldata cited)
        private
        pure
        returns (uint8)
    {
        bytes calldata report = cited.report;
        uint256 facts = record.factsOf();
        uint256 line = facts >> 248;
        if (sha256(report[:SnpReports.SIGNED_BYTES]) != record.reportDigestOf()) return REPORT_DIGEST;
        uint256 processor = report.lineOf(version);
        bool isKnown = processor >= AmdForms.MILAN && processor <= AmdForms.TURIN;
        if (!isSimulated && isKnown && line != processor) return PRODUCT_LINE;
        if (uint64(facts) != report.u64(SnpReports.REPORTED_TCB)) return REPORTED_TCB;
        bytes32 identity = Manifests.identityOf(report[MEASUREMENT:HOST_DATA], isSimulated);
        bool isAnother = record.publisherIdentityOf() != identity;
        if (isAnother && _namesNoPublisher(record, cited)) return PUBLISHER_IDENTITY;
        return NONE;
    }

    /// @dev Returns whether the verdict shows, at the stated place, that the release has no other publisher than its
    /// workload: in a verdict with a signature, the publisher would stand between these two members.
    function _namesNoPublisher(bytes calldata record, Cited calldata cited) private pure returns (bool) {
        bytes memory member =
            abi.encodePacked('","reportDigest":"', Manifests.hexOf(record.reportDigestOf()), '","reportedTcb":"');
        bytes memory line = abi.encodePacked('"productLine":"', _label(record.factsOf() >> 248));
        return Manifests.has(cited.verdict, cited.lineAt, abi.encodePacked(line, member));
    }

    function _label(uint256 line) private pure returns (string memory) {
        if (line == AmdForms.MILAN) return "Milan";
        if (line == AmdForms.GENOA) return "Genoa";
        return line == AmdForms.TURIN ? "Turin" : "simulated";
    }

    /// @dev Returns whether AMD endorsed the key, and it did not sign the report, or the certificate is of another
    /// report.
    function _forgery(SnpVerifier verifier, bytes calldata report, bytes calldata vek) private view returns (uint8) {
        try verifier.verify(report, vek) {
            return NONE;
        } catch (bytes memory why) {
            if (bytes4(why) == SnpVerifier.ReportNotSigned.selector) return REPORT_NOT_SIGNED;
            if (bytes4(why) != SnpVerifier.VekMismatch.selector) return NONE;
            uint256 what;
            assembly ("memory-safe") {
                what := mload(add(why, 0x24))
            }
            if (what != KIND && what != TCB && what != CHIP) return NONE;
        }
        // {SnpVerifier-verify} compares before it looks at the certificate's signature.
        try verifier.endorse(vek) {
            return CERTIFICATE_MISMATCH;
        } catch {
            return NONE;
        }
    }

    function _requireCited(bytes calldata verdict, uint256 offset, bytes calldata file, string memory name) private pure {
        bytes memory wanted =
            abi.encodePacked('{"digest":{"sha256":"', Manifests.hexOf(sha256(file)), '"},"uri":"', name, '"}');
        if (!Manifests.has(verdict, offset, wanted)) revert NotCited(offset);
    }
}
