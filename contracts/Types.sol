// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/**
 * @notice The oracles' findings about one release, decoded. A record travels as bytes, see {RecordCodec}: it is hashed
 * and signed in that form, and a reader that needs the fields decodes it.
 * @param modelDigest `provenance-model-v1`: binds the name, size and bytes of every file of the model.
 * @param manifestDigest SHA-256 of the signed manifest's payload. With `modelDigest` it identifies the release.
 * @param verdictDigest SHA-256 of the published verdict, a SLSA verification summary in RFC 8785 form.
 * @param reportDigest SHA-256 of bytes 0 to 0x2A0 of the SEV-SNP attestation report, the part that is signed; 0 if the
 * release has only a signature.
 * @param policyDigest SHA-256 of the appraisal policy's bytes.
 * @param publisherIdentity The publisher, as the oracles found out: a digest of kind and value. 0 if it is unknown.
 * @param reportedTcb REPORTED_TCB of the report, the eight bytes read as a little-endian integer, as AMD defines it.
 * @param checks Bit n is set if check n passed; `verifier.checks` lists the numbers.
 * @param passed False for a FAILED verdict, which is kept and never opens a gate.
 * @param judgedAt Time of the judgement, in seconds since 1970. The certificates were checked for this time.
 * @param policyId The registry's number for the policy, see {IProvenanceGate-policyIdOf}. As for the grade, the oracles
 * vouch that the number and `policyDigest` belong together.
 * @param revision 0 for the first judgement of a release, n + 1 for a judgement that supersedes judgement n.
 * @param grade 0 not graded, 1 `baseline`, 2 `strict`.
 * @param productLine 1 Milan, 2 Genoa, 3 Turin, further lines as they appear; 254 no confidential hardware, since the
 * release has only its publisher's signature; 255 simulated hardware, which proves nothing.
 * @param namespace The publisher that the release names, the part of its name before the slash.
 * @param release `model@version`, the rest of its name.
 * @param parents Ids of the releases it was made from, base models and data sets, as stated in its signed manifest.
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
 * @notice Signatures of several oracles over the same content.
 * @param epoch The oracle set of the signers.
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
 * @param weight Weight of its signature, at least 1.
 * @param validFrom Time from which its signatures count, in seconds since 1970.
 * @param validUntil Time at which they stop counting; signatures on anything recorded at that time or later do not
 * count.
 * @param roflApp Id of the Oasis ROFL app that can bind `key` itself; 0 for none.
 */
struct Oracle {
    address key;
    uint16 weight;
    uint40 validFrom;
    uint40 validUntil;
    bytes21 roflApp;
}

/**
 * @notice One epoch: a set of oracles and the weight that it needs.
 * @param threshold Sum of weights that every write in this epoch needs.
 * @param size Number of oracles, at most 32.
 * @param acceptedUntil Time at which new signatures of this set stop counting; far in the future for the current set.
 */
struct Epoch {
    uint16 threshold;
    uint8 size;
    uint40 acceptedUntil;
}

/**
 * @notice Requirements of a dApp for a record. No field is optional: say so explicitly if one does not matter.
 * @param minimumGrade 0 to 2.
 * @param maximumAge Seconds since the judgement; `type(uint40).max` if age does not matter.
 * @param minimumWeight Weight of the signers whose keys were not revoked for the time of the record.
 * @param anyPolicy True to accept every policy and ignore `policies`; false to accept only `policies`.
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
 * @notice Status that the registry keeps beside a record's content. One storage slot; see {Standings}.
 * @param recordedAt Time of the block that recorded it, in seconds since 1970. 0 if there is no such record.
 * @param revokedAt Time from which it is revoked; 0 if it is not.
 * @param judgedAt As in the record.
 * @param policyId The registry's number for the policy.
 * @param signers Oracles of `epoch` whose signatures count, one bit each.
 * @param weight Sum of their weights.
 * @param epoch The oracle set that signed.
 * @param revisions Number of later judgements that supersede the first.
 * @param grade As in the record.
 * @param productLine As in the record.
 * @param failed The verdict is FAILED.
 * @param held The namespace does not trust the publisher's identity.
 * @param doubtful Keys were revoked, and the remaining signatures weigh less than the epoch's threshold.
 * @param named The namespace was claimed, and its name led to this record when the record was taken in; {INamespaces}
 * has the record that the name leads to now.
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
 * @notice Status that the registry keeps of a batch. One storage slot.
 * @param recordedAt Time of the block that recorded it; 0 if there is no such batch.
 * @param signers As in {Standing}.
 * @param weight As in {Standing}.
 * @param epoch As in {Standing}.
 * @param count Number of records in it, at most 128.
 * @param doubtful As in {Standing}.
 * @param materialised Bit n is set once leaf n is closed: its record was written out, revoked, or found recorded
 * otherwise. From then on the record's own standing counts.
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
 * @notice A leaf of a batch's Merkle tree, and its path to the root.
 * @param contentDigest keccak256 of the record's bytes.
 * @param summary The facts that a gate needs, in one word; see {Leaves}.
 * @param siblings Hashes beside the path from the leaf up to the root, lowest first.
 */
struct Proof {
    bytes32 contentDigest;
    uint256 summary;
    bytes32[7] siblings;
}

/**
 * @notice A claimed namespace.
 * @param owner The account that claimed it, or took it over.
 * @param claimedAt Time of the claim, in seconds since 1970; 0 if it is not claimed.
 * @param identityLimit Number of identities trusted on first use; later ones need a change with public delay.
 * @param firstUses Number of identities trusted on first use so far.
 * @param trusted Number of identities trusted now.
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
 * @param depth 1 for a parent, 2 for a parent's parent, and so on, along the path by which it was found. Paths of
 * attested edges alone are tried first, so a stated edge can lead there in fewer steps.
 * @param attested True if every step to it is in a signed record; false if a publisher merely stated one of them.
 * @param open Whether its own gate is open, whatever its grade.
 */
struct Ancestor {
    bytes32 recordId;
    bytes32 child;
    uint8 depth;
    bool attested;
    bool open;
}
