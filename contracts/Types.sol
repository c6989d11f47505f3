// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/**
 * @notice What the oracles say about one release, taken apart. On its way it is bytes, see {RecordCodec}: they are
 * hashed and signed as they are, and whoever wants the fields decodes them.
 * @param modelDigest `provenance-model-v1`: binds the name, size and bytes of every file of the model.
 * @param manifestDigest SHA-256 of the signed manifest's payload. With `modelDigest` it identifies the release.
 * @param verdictDigest SHA-256 of the published verdict, a SLSA verification summary in RFC 8785 form.
 * @param reportDigest SHA-256 of bytes 0 to 0x2A0 of the SEV-SNP attestation report, the part that is signed.
 * @param policyDigest SHA-256 of the appraisal policy's bytes.
 * @param publisherIdentity Who published it, as the oracles found out: a digest of kind and value. 0 if nobody knows.
 * @param reportedTcb REPORTED_TCB of the report, the eight bytes read as a little-endian integer, as AMD defines it.
 * @param checks Bit n is set if check n passed; see `verifier.checks` for the numbers.
 * @param passed False for a FAILED verdict, which is kept and never opens a gate.
 * @param judgedAt When the evidence was judged, in seconds since 1970: the time its certificates were checked for.
 * @param policyId The registry's number for the policy, see {IProvenanceGate-policyIdOf}. That both go together is the
 * oracles' word, like the grade.
 * @param revision 0 for the first judgement of a release, n + 1 for one that supersedes judgement n.
 * @param grade 0 nothing required, 1 `baseline`, 2 `strict`.
 * @param productLine 1 Milan, 2 Genoa, 3 Turin, later lines as they come; 255 simulated hardware, which proves nothing.
 * @param namespace Who the release says it is by, the part of its name before the slash.
 * @param release `model@version`, the rest of its name.
 * @param parents Ids of the releases it was made from, base models and data sets, as its signed manifest says.
 */
struct Record {
    bytes32 modelDigest;
    bytes32 manifestDigest;
    bytes32 verdictDigest;
    bytes32 reportDigest;
    bytes32 policyDigest;
    bytes32 publisherIdentity;
    uint64 reportedTcb;
    uint32 checks;
    bool passed;
    uint40 judgedAt;
    uint32 policyId;
    uint16 revision;
    uint8 grade;
    uint8 productLine;
    string namespace;
    string release;
    bytes32[] parents;
}

/**
 * @notice Signatures of several oracles over one thing.
 * @param epoch The oracle set that they belong to.
 * @param signers Bit n is set if oracle n of that set signed.
 * @param signatures One compact signature (ERC-2098, 64 bytes) for each set bit, lowest bit first, and nothing else.
 */
struct Quorum {
    uint16 epoch;
    uint32 signers;
    bytes signatures;
}

/**
 * @notice One oracle of a set.
 * @param key The account whose signature counts; 0 only for a ROFL app that has not bound its key yet.
 * @param weight How much its signature counts, at least 1.
 * @param validFrom When its signatures begin to count, in seconds since 1970.
 * @param validUntil When they cease to; signatures on what was recorded then or later do not count.
 * @param roflApp Id of the Oasis ROFL app that may bind `key` itself; 0 for none.
 */
struct Oracle {
    address key;
    uint16 weight;
    uint40 validFrom;
    uint40 validUntil;
    bytes21 roflApp;
}

/**
 * @notice One epoch: a set of oracles and how much of their weight is needed.
 * @param threshold Sum of weights that a thing recorded in this epoch needs.
 * @param size Number of oracles, at most 32.
 * @param acceptedUntil When new signatures by this set cease to count; far in the future for the current one.
 */
struct Epoch {
    uint16 threshold;
    uint8 size;
    uint40 acceptedUntil;
}

/**
 * @notice What a dApp asks of a record. Nothing is optional: what does not matter is said so.
 * @param minimumGrade 0 to 2.
 * @param maximumAge Seconds since the judgement; `type(uint40).max` if age does not matter.
 * @param minimumWeight Weight of the signers whose keys were not revoked for the time of the record.
 * @param anyPolicy Whether every policy will do, whatever `policies` says; if not, those are all that will.
 * @param policies Ids of policies, see {IProvenanceGate-policyIdOf}; at most 32.
 */
struct Requirements {
    uint8 minimumGrade;
    uint40 maximumAge;
    uint16 minimumWeight;
    bool anyPolicy;
    uint32[] policies;
}

/**
 * @notice What the registry keeps beside a record's content. One storage slot; see {Standings}.
 * @param recordedAt Time of the block that recorded it, in seconds since 1970. 0 if there is no such record.
 * @param revokedAt From when on it is revoked; 0 if it is not.
 * @param judgedAt As in the record.
 * @param policyId The registry's number for the policy.
 * @param signers Oracles of `epoch` whose signatures count, one bit each.
 * @param weight Sum of their weights.
 * @param epoch The oracle set that signed.
 * @param revisions How many later judgements supersede the first.
 * @param grade As in the record.
 * @param productLine As in the record.
 * @param failed The verdict is FAILED.
 * @param held The publisher's identity is not one that the namespace trusts.
 * @param doubtful Keys were revoked, and the signatures left are fewer than the epoch's threshold.
 * @param named The namespace was claimed, and its name led to this record when it was taken in; {INamespaces} tells
 * where it leads now.
 */
struct Standing {
    uint40 recordedAt;
    uint40 revokedAt;
    uint40 judgedAt;
    uint32 policyId;
    uint32 signers;
    uint16 weight;
    uint16 epoch;
    uint16 revisions;
    uint8 grade;
    uint8 productLine;
    bool failed;
    bool held;
    bool doubtful;
    bool named;
}

/**
 * @notice What the registry keeps of a batch. One storage slot.
 * @param recordedAt Time of the block that recorded it; 0 if there is no such batch.
 * @param signers As in {Standing}.
 * @param weight As in {Standing}.
 * @param epoch As in {Standing}.
 * @param count Number of records in it, at most 128.
 * @param doubtful As in {Standing}.
 * @param materialised Bit n is set if record n was written out: from then on its own standing counts.
 */
struct Batch {
    uint40 recordedAt;
    uint32 signers;
    uint16 weight;
    uint16 epoch;
    uint8 count;
    bool doubtful;
    uint128 materialised;
}

/**
 * @notice A leaf of a batch's Merkle tree, and the way up to the root.
 * @param contentDigest keccak256 of the record's bytes.
 * @param summary What a gate needs to know, in one word; see {Leaves}.
 * @param siblings Hashes beside the way from the leaf up to the root, lowest first.
 */
struct Proof {
    bytes32 contentDigest;
    uint256 summary;
    bytes32[7] siblings;
}

/**
 * @notice A namespace that somebody claimed.
 * @param owner The account that claimed it, or took it over.
 * @param claimedAt Time of the claim, in seconds since 1970; 0 if it is not claimed.
 * @param identityLimit How many identities are trusted on first use; later ones need a change with public delay.
 * @param firstUses How many were so far.
 * @param trusted How many identities are trusted now.
 */
struct Namespace {
    address owner;
    uint40 claimedAt;
    uint8 identityLimit;
    uint8 firstUses;
    uint8 trusted;
}

/**
 * @notice One ancestor of a record.
 * @param recordId Its id.
 * @param child The record that names it as parent.
 * @param depth 1 for a parent, 2 for a parent's parent, and so on, on the way by which it was found: ways of attested
 * edges alone come first, so a stated edge may lead there in fewer steps.
 * @param attested Whether every step to it is in a signed record; false if one was merely stated by a publisher.
 * @param open Whether its own gate is open, whatever its grade.
 */
struct Ancestor {
    bytes32 recordId;
    bytes32 child;
    uint8 depth;
    bool attested;
    bool open;
}
