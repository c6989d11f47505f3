// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/**
 * @notice What a proof needs. All of it is in the release's folder `provenance/`.
 * @param report `snp/report.bin`, 1184 bytes.
 * @param vek The certificate of the key that signed the report, in DER. Empty if the key was endorsed before; then the
 * next three count.
 * @param vekKey x and y of that key, 96 bytes. Empty if `vek` is given.
 * @param vekFacts What AMD's certificate says of it, see {IHardwareProofs-KeyEndorsed}. 0 if `vek` is given.
 * @param vekChip As `vekFacts`.
 * @param key `cvm-key.pem` in DER: SubjectPublicKeyInfo of a key on P-256 or P-384, 91 or 120 bytes.
 * @param signature The envelope's signature as r | s, 64 or 96 bytes.
 * @param payload The envelope's payload.
 * @param internalAt Where `"internalParameters"` begins in the payload.
 * @param subjectsAt Where the last `"predicateType"` begins in the payload.
 * @param intermediate keccak256 of the certificate of the intermediate that signed `vek`, if somebody added it (see
 * {IHardwareProofs-addIntermediate}); 0 if its key is one of the six that the verifier holds.
 */
struct Evidence {
    bytes report;
    bytes vek;
    bytes vekKey;
    uint256 vekFacts;
    bytes32 vekChip;
    bytes key;
    bytes signature;
    bytes payload;
    uint256 internalAt;
    uint256 subjectsAt;
    bytes32 intermediate;
}

/**
 * @notice An intermediate of AMD that somebody added.
 * @param key A contract whose code is a zero, then the modulus.
 * @param notBefore In seconds since 1970, as `notAfter`.
 * @param line 1 Milan, 2 Genoa, 3 Turin.
 * @param kind The kind of keys that it signs: 0 VCEK, 1 VLEK.
 * @param serial The number with which a revocation list names it.
 */
struct AddedIntermediate {
    address key;
    uint40 notBefore;
    uint40 notAfter;
    uint8 line;
    uint8 kind;
    uint256 serial;
}

/**
 * @notice What a dApp wants of a proof. No field is optional: say so explicitly if one does not matter.
 * @param required Bits of the proof's word that must be set, see {ProofWords}.
 * @param forbidden Bits of the proof's word that must not be set.
 * @param lines Bit n is set if product line n is accepted: 1 Milan, 2 Genoa, 3 Turin, 255 simulated.
 * @param milanFloor Least TCB on Milan, byte by byte; its number is that of REPORTED_TCB. 0 for none.
 * @param genoaFloor As for Milan.
 * @param turinFloor As for Milan.
 * @param identity The measured workload, see {IHardwareProofs-ReleaseProven}; 0 for any.
 * @param maximumAge Seconds since the proof; `type(uint40).max` if age does not matter.
 * @param freshLists Whether this contract must know a revocation list of the product line that is not out of date.
 */
struct HardwareRules {
    uint256 required;
    uint256 forbidden;
    uint256 lines;
    uint64 milanFloor;
    uint64 genoaFloor;
    uint64 turinFloor;
    bytes32 identity;
    uint40 maximumAge;
    bool freshLists;
}

/**
 * @title Releases that AMD's signature proves, checked by the EVM
 * @notice A proof leads from AMD's pinned keys over a VCEK or VLEK certificate, the attestation report, the VM's key
 * and the manifest that it signed to the digest of every file. No oracle takes part. A proof says nothing about a
 * policy, a name, or what the files do; `docs/proofs.md` lists what it says.
 *
 * There is no owner. Anybody can call every function, and nobody can take a proof back except AMD, by a revocation
 * list.
 */
interface IHardwareProofs {
    /**
     * @notice AMD endorsed a key.
     * @param keyDigest keccak256 of its x and y.
     * @param facts What the certificate says, from the lowest bit: TCB 64 | notBefore 40 | notAfter 40 | product line
     * 8 | kind of key 8 (0 VCEK, 1 VLEK).
     * @param chip keccak256 of the CHIP_ID that reports must have.
     * @param provider keccak256 of a VLEK's cloud service provider, 0 for a VCEK.
     * @param intermediate As in {Evidence}.
     */
    event KeyEndorsed(bytes32 indexed keyDigest, uint256 facts, bytes32 chip, bytes32 provider, bytes32 intermediate);

    /// @notice A report is genuine. Its 1184 bytes stay public for all readers of the chain.
    /// @param reportDigest SHA-256 of the signed part.
    /// @param word See {ProofWords}.
    event ReportProven(bytes32 indexed reportDigest, bytes32 indexed keyDigest, uint256 word, bytes report);

    /// @notice A release is proven.
    /// @param identity SHA-256 of the lines `provenance-identity-v1` and `snp-measurement HEX` (simulated hardware:
    /// `simulated-snp-measurement HEX`): the workload that the chip measured.
    event ReleaseProven(
        bytes32 indexed modelDigest,
        bytes32 indexed manifestDigest,
        bytes32 indexed reportDigest,
        uint256 word,
        bytes32 identity
    );

    /// @notice A record of the registry says of the evidence what the evidence says.
    event RecordConfirmed(bytes32 indexed recordId, address indexed registry);

    /// @notice Somebody added an intermediate. Its certificate stays public for all readers of the chain.
    event IntermediateAdded(uint256 indexed number, uint256 indexed line, uint256 serial, bytes certificate);

    /// @notice AMD revoked the intermediate of a product line with this serial number.
    event IntermediateRevoked(uint256 indexed line, uint256 indexed serial, uint256 thisUpdate);

    /// @notice A list of a product line is current for longer than those before. Times are in seconds since 1970.
    event ListSubmitted(uint256 indexed line, uint256 thisUpdate, uint256 nextUpdate);

    /// @notice A proof is shut, because AMD revoked the intermediate that its certificate leads to.
    event ProofRevoked(bytes32 indexed releaseId, uint256 word);

    /// @notice Thrown when AMD revoked the intermediate.
    error IntermediateIsRevoked(uint256 line, uint256 serial);

    /// @notice Thrown when nobody added an intermediate with this digest of its certificate, or this number.
    error IntermediateUnknown(bytes32 certificateDigest);

    /// @notice Thrown when the intermediate is of another product line, or signs another kind of keys, than the
    /// certificate says.
    error IntermediateDiffers(bytes32 certificateDigest);

    /// @notice Thrown when an intermediate cannot be added, because no submitted list of its product line is current.
    error NoCurrentList(uint256 line);

    /// @notice Thrown when there is no number left for an intermediate.
    error TooManyIntermediates();

    /// @notice Thrown when a proof needs no recheck: its intermediate is not revoked, or the proof is shut already.
    error NothingToRecheck(bytes32 releaseId);

    /// @notice Thrown when nobody endorsed the key before with these facts and this chip.
    error KeyNotEndorsed(bytes32 keyDigest);

    /// @notice Thrown when a certificate does not hold at the moment for which it is looked at. Times are in seconds
    /// since 1970.
    error NotInTime(uint256 moment, uint256 notBefore, uint256 notAfter);

    /// @notice Thrown when the registry does not keep a record with this content.
    error RecordUnknown(bytes32 recordId);

    /// @notice Thrown when the record says something else than the evidence: 0 model digest, 1 manifest digest, 3
    /// report digest, 5 publisher identity, 6 REPORTED_TCB, 7 product line, 8 not passed. Up to 6 it is the number of
    /// the field in {Record}.
    error RecordDiffers(uint8 field);

    /// @notice Thrown when there is no proof of the release.
    error NotProven(bytes32 releaseId);

    /// @notice Thrown when a proof does not satisfy what the caller wants: 0 a required bit, 1 a forbidden bit, 2
    /// product line, 3 TCB, 4 identity, 5 age, 6 no current revocation list, 7 AMD revoked the intermediate.
    error ProofNotEnough(bytes32 releaseId, uint8 what, uint256 word);

    /// @notice Proves a release in one transaction, or shows a later time at which it still is genuine. Costs some 3.3
    /// million gas; see `docs/proofs.md` for what depends on the size of the manifest.
    /// @param record The registry's record of the release, which is then compared with the evidence; or empty. With a
    /// record the certificate must have been valid when the registry recorded it, without one it must be valid now; so
    /// must that of an added intermediate.
    /// @return releaseId The id of the release, which is that of its first record.
    /// @return word See {ProofWords}.
    function prove(Evidence calldata evidence, bytes calldata record)
        external
        returns (bytes32 releaseId, uint256 word);

    /// @notice Keeps what AMD's certificate says of a key, so that reports which it signed cost less to prove.
    /// @param intermediate As in {Evidence}.
    function endorse(bytes calldata vek, bytes32 intermediate) external returns (bytes32 keyDigest);

    /// @notice Adds another intermediate of AMD: one whose certificate a pinned root signed, and which no submitted
    /// list revokes. A list of its product line must be current. Anybody may do that, once for each certificate; after
    /// that it returns the same number.
    /// @param certificate In DER, see {AmdIntermediates}.
    /// @return number From 1, as proofs have it in their words.
    function addIntermediate(bytes calldata certificate) external returns (uint256 number);

    /// @notice Takes in a revocation list that an ARK signed, in DER. A list out of date revokes too.
    function submitCrl(bytes calldata crl) external;

    /// @notice Shuts the proof of a release whose intermediate AMD revoked since. Anybody may do that.
    function recheck(bytes32 releaseId) external;

    /// @notice Returns the word of a release's proof, see {ProofWords}; 0 if there is none.
    function proofOf(bytes32 releaseId) external view returns (uint256 word);

    /// @notice Returns the workload that the chip measured, 0 if there is no proof.
    function identityOf(bytes32 releaseId) external view returns (bytes32 identity);

    /// @notice Returns whether AMD's certificate with these facts was seen for a key.
    /// @param intermediate As in {Evidence}.
    function isEndorsed(bytes32 keyDigest, uint256 facts, bytes32 chip, bytes32 intermediate)
        external
        view
        returns (bool);

    /// @notice Returns the number of an added intermediate by keccak256 of its certificate; 0 if nobody added it.
    function numberOf(bytes32 certificateDigest) external view returns (uint256);

    /// @notice Returns an added intermediate by its number.
    function intermediateAt(uint256 number) external view returns (AddedIntermediate memory);

    /// @notice Returns whether a submitted list revokes the intermediate of a product line with this serial number.
    function isRevoked(uint256 line, uint256 serial) external view returns (bool);

    /// @notice Returns the latest `nextUpdate` of the lists that were submitted for a product line, 0 for none.
    function listsCurrentUntil(uint256 line) external view returns (uint256);

    /// @notice Reverts unless the release is proven, with all bits of `required` and none of `forbidden` in its word;
    /// see {ProofWords}. Reads one storage slot.
    function requireProven(bytes32 modelDigest, bytes32 manifestDigest, uint256 required, uint256 forbidden)
        external
        view;

    /// @notice Reverts unless the release is proven and its proof satisfies the rules. Reads two to five slots.
    function requireProvenAs(bytes32 modelDigest, bytes32 manifestDigest, HardwareRules calldata rules) external view;
}
