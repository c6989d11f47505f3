// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/**
 * @title Registry of judged model releases
 * @notice Says which AI models an authorised oracle found to come from a confidential VM, and how good the evidence
 * was. An oracle judges a release and publishes one record; a dApp asks by the digest of the model it is about to use.
 *
 * Words
 * - Model digest: `provenance-model-v1`, binds the name, size and bytes of every file of a model. What a dApp knows.
 * - Manifest digest: SHA-256 of the signed manifest that names model, version and sources. It identifies a record; one
 *   model may have several manifests, so several records.
 * - Grade: what the evidence satisfied. 0 nothing required, 1 `baseline`, 2 `strict`.
 * - Product line: 1 Milan, 2 Genoa, 3 Turin, later lines as they come; 255 simulated hardware, which proves nothing.
 *   A simulated record has grade 0, and no gate counts it unless it asks for simulated records by name.
 *
 * Rules
 * - A record is written once and never changes, except that it can be revoked, once and for ever.
 * - A revoked record stays readable. Nothing is ever deleted.
 * - The whole state can be rebuilt from {RecordPublished} and {RecordRevoked}.
 */
interface IProvenanceRegistry {
    /// @notice Where a record stands.
    enum Status {
        NotFound,
        Active,
        Revoked
    }

    /**
     * @notice What an oracle says about one release. Five storage slots.
     * @param modelDigest `provenance-model-v1` digest of the model's files.
     * @param verdictDigest SHA-256 of the published verdict, a SLSA verification summary in RFC 8785 form.
     * @param reportDigest SHA-256 of bytes 0 to 0x2A0 of the SEV-SNP attestation report, the part that is signed.
     * @param policyDigest SHA-256 of the appraisal policy's bytes.
     * @param judgedAt When the evidence was judged, in seconds since 1970: the time its certificates were checked for.
     * @param reportedTcb REPORTED_TCB of the report, the eight bytes read as a little-endian integer, as AMD defines it.
     * @param checks Bit n is set if check n passed; see `verifier.checks` for the numbers.
     * @param grade 0, 1 or 2.
     * @param productLine 1 to 254 hardware, 255 simulated.
     */
    struct Record {
        bytes32 modelDigest;
        bytes32 verdictDigest;
        bytes32 reportDigest;
        bytes32 policyDigest;
        uint64 judgedAt;
        uint64 reportedTcb;
        uint32 checks;
        uint8 grade;
        uint8 productLine;
    }

    /**
     * @notice A record as the registry keeps it. Seven storage slots.
     * @param record What the oracle said. Never changes.
     * @param releaseDigest keccak256(abi.encode(name, version)): proves the texts in the event without storing them.
     * @param oracle The account that published the record.
     * @param recordedAt Time of the block that holds the record, in seconds since 1970. Never 0.
     * @param revokedAt Time of the block that revoked it, 0 while it is active.
     */
    struct Entry {
        Record record;
        bytes32 releaseDigest;
        address oracle;
        uint48 recordedAt;
        uint48 revokedAt;
    }

    /**
     * @notice All that a gate asks of a model, in one storage slot.
     * @param records Number of records ever published for the model, revoked ones included.
     * @param simulated Active records on simulated hardware.
     * @param grade0 Active records of grade 0 on real hardware.
     * @param grade1 Active records of grade 1.
     * @param grade2 Active records of grade 2.
     */
    struct Standing {
        uint64 records;
        uint48 simulated;
        uint48 grade0;
        uint48 grade1;
        uint48 grade2;
    }

    /// @notice Emitted when a record is written. `nameDigest` is keccak256 of the name's UTF-8 bytes.
    event RecordPublished(
        bytes32 indexed manifestDigest,
        bytes32 indexed modelDigest,
        bytes32 indexed nameDigest,
        Entry entry,
        string name,
        string version
    );

    /// @notice Emitted when a record is revoked.
    event RecordRevoked(
        bytes32 indexed manifestDigest,
        bytes32 indexed modelDigest,
        address indexed guardian,
        uint48 revokedAt,
        string reason
    );

    /// @notice Thrown when no record is kept under a manifest or model digest.
    error RecordNotFound(bytes32 digest);

    /// @notice Thrown when every record kept under a manifest or model digest is revoked.
    error RecordIsRevoked(bytes32 digest);

    /// @notice Thrown by a gate when all active records of a model come from simulated hardware.
    error RecordIsSimulated(bytes32 modelDigest);

    /// @notice Thrown by a gate when the best active record of a model is below the grade asked for.
    error GradeTooLow(bytes32 modelDigest, uint8 grade, uint8 minimumGrade);

    /// @notice Thrown when a manifest is published again with other content.
    error RecordExists(bytes32 manifestDigest);

    /// @notice Thrown when the digest named by `field` is zero.
    error ZeroDigest(string field);

    /// @notice Thrown when a grade is above 2.
    error UnknownGrade(uint8 grade);

    /// @notice Thrown when a product line is 0.
    error UnknownProductLine(uint8 productLine);

    /// @notice Thrown when a simulated record claims a grade above 0.
    error SimulatedGrade(uint8 grade);

    /// @notice Thrown when a record says that no check passed.
    error NothingChecked();

    /// @notice Thrown when a record was judged later than the block's time plus a tolerance.
    error JudgedInFuture(uint64 judgedAt, uint256 blockTime);

    /// @notice Thrown when the text named by `field` is empty or longer than 256 bytes.
    error TextLength(string field, uint256 lengthBytes);

    /// @notice Thrown when a model has no record at `index`.
    error IndexOutOfBounds(bytes32 modelDigest, uint256 index, uint256 count);

    /**
     * @notice Writes the record of a manifest, unless the identical one is there already.
     * @dev Repeating a publication, by any oracle, changes nothing and emits nothing, so a sender that lost an answer
     * may send again. That holds for a revoked record too: it stays revoked.
     *
     * Requirements:
     * - the caller has `ORACLE_ROLE`;
     * - no digest is zero, some check passed, `grade` is at most 2, `productLine` is not 0, a simulated record
     *   has grade 0, `judgedAt` is at most 5 minutes ahead of the block's time;
     * - `name` and `version` have 1 to 256 bytes each;
     * - the manifest has no record, or the same one with the same name and version.
     *
     * May emit {RecordPublished}.
     * @return isNew Whether a record was written by this call.
     */
    function publish(
        bytes32 manifestDigest,
        Record calldata record,
        string calldata name,
        string calldata version
    ) external returns (bool isNew);

    /**
     * @notice Revokes a record for ever. The record stays readable, and no gate counts it any more.
     *
     * Requirements:
     * - the caller has `GUARDIAN_ROLE`;
     * - the record exists and is not revoked;
     * - `reason` has 1 to 256 bytes.
     *
     * Emits {RecordRevoked}.
     */
    function revoke(bytes32 manifestDigest, string calldata reason) external;

    /// @notice The gate: reverts unless the model has an active record of at least this grade, never a simulated one.
    /// @dev Reads one slot. Reverts with {RecordNotFound}, {RecordIsRevoked}, {RecordIsSimulated} or {GradeTooLow}.
    function requireRecorded(bytes32 modelDigest, uint8 minimumGrade) external view;

    /// @notice Whether the model has an active record of at least this grade. Never counts simulated ones. One slot.
    function isRecorded(bytes32 modelDigest, uint8 minimumGrade) external view returns (bool);

    /// @notice Whether the model has an active record on simulated hardware. For demonstrations and tests only.
    function isRecordedSimulated(bytes32 modelDigest) external view returns (bool);

    /// @notice How many records a model has, and how many of them are active, by grade. All zero for an unknown model.
    function standingOf(bytes32 modelDigest) external view returns (Standing memory);

    /// @notice The record of a manifest and what the registry adds to it, revoked or not. Reverts with {RecordNotFound}.
    function entryOf(bytes32 manifestDigest) external view returns (Entry memory);

    /// @notice Whether the record of a manifest is missing, active or revoked.
    function statusOf(bytes32 manifestDigest) external view returns (Status);

    /// @notice Number of records of a model, revoked ones included.
    function recordCountOf(bytes32 modelDigest) external view returns (uint256);

    /// @notice Manifest digest of a model's record number `index`, oldest first. Reverts with {IndexOutOfBounds}.
    function manifestOf(bytes32 modelDigest, uint256 index) external view returns (bytes32);

    /// @notice Manifest digest of a model's newest record, revoked or not. Reverts with {RecordNotFound}.
    function latestManifestOf(bytes32 modelDigest) external view returns (bytes32);

    /// @notice The first manifest recorded with an attestation report, 0 if the report was never used.
    /// @dev An oracle asks before it publishes, so that one report does not vouch for two releases.
    function manifestByReport(bytes32 reportDigest) external view returns (bytes32);
}
