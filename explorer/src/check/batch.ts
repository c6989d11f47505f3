// The proof that a record is in a batch: a leaf, and the seven hashes on its way to the root.
// The rules are those of verifier/record/batch.py and proof_file.py.

import { type Bytes, hexOf, isEqual, parseHex } from "./bytes.js";
import { type CheckError, forged } from "./checks.js";
import { Fields } from "./fields.js";
import { type Json, parseJson } from "./json.js";
import { bytesOf, keccakOf, parseRecord, type ParsedRecord } from "./record.js";

const CHECK = "registry-record";
const LEAVES_MAX = 128;
const DEPTH = 7;
const PROOF_BYTES_MAX = 64 << 10;
const RECORD_CHARS_MAX = 16_384;
const FACTS_BYTES = 13; // of a summary: the record's facts from bit 152 on

interface Proof {
  readonly contentDigest: Bytes;
  readonly summary: Bytes;
  /** Lowest first. */
  readonly siblings: readonly Bytes[];
}

/** A record that leads to the root of a batch. Nobody asked a registry yet whether it has the root. */
export interface ProvenRecord {
  readonly root: Bytes;
  readonly leaf: number;
  readonly record: ParsedRecord;
}

/** Parses the document that `provenance proof` prints, and verifies that its record leads to its root. */
export function verifyProofDocument(document: Bytes, where: string): ProvenRecord {
  const fields = new Fields(parseJson(document, { where, check: CHECK, maxBytes: PROOF_BYTES_MAX }), where, CHECK);
  if (fields.has("schema")) fields.constant("schema", "provenance-oracle/proof/v1");
  fields.passOver(["accepted"], "false".length);
  const root = fields.hexBytes("root", 32);
  const leaf = Number(fields.integer("leaf", 0n, BigInt(LEAVES_MAX - 1)));
  fields.integer("count", 1n, BigInt(LEAVES_MAX));
  const [model, manifest] = [fields.hexBytes("model_digest", 32), fields.hexBytes("manifest_digest", 32)];
  const data = parseRecordHex(fields);
  const proof = parseProof(fields.fields("proof"));
  fields.finish();
  const record = parseRecord(data, where);
  verifyProof(record, data, proof, root);
  const isStated =
    leaf === proof.summary[31] &&
    isEqual(model, bytesOf(record.fields.modelDigest)) &&
    isEqual(manifest, bytesOf(record.fields.manifestDigest));
  if (isStated) return { root, leaf, record };
  const wanted = `leaf ${proof.summary[31]} with manifest ${record.fields.manifestDigest}`;
  throw forgedProof("the document contradicts the record in it", where, "another leaf or digest", wanted);
}

/**
 * leaf(i) = keccak256(record id | keccak256 of the record's bytes | summary); node = keccak256(left | right).
 * The summary: bits 0 to 6 the leaf's number, bit 8 set if the namespace is claimed, from bit 152 the record's facts.
 */
function verifyProof({ facts, id }: ParsedRecord, data: Bytes, proof: Proof, root: Bytes): void {
  const { contentDigest, summary, siblings } = proof;
  const place = summary[31]!;
  const stated = new Uint8Array(32);
  stated.set(facts.subarray(0, FACTS_BYTES));
  stated[31] = place;
  stated[30] = summary[30]! & 1; // the namespace is claimed, or not
  let node = keccakOf(id, contentDigest, summary);
  siblings.forEach((sibling, depth) => {
    node = (place >> depth) & 1 ? keccakOf(sibling, node) : keccakOf(node, sibling);
  });
  const fits = isEqual(contentDigest, keccakOf(data)) && place < LEAVES_MAX && isEqual(summary, stated);
  if (fits && isEqual(node, root)) return;
  throw forgedProof("the record is not in this batch", `leaf ${place}`, "another leaf or root", hexOf(root));
}

function parseRecordHex(fields: Fields): Bytes {
  const data = parseHex(fields.text("record", RECORD_CHARS_MAX));
  if (!data?.length) throw fields.error("record", "the text is not hex", "another text", "lower-case hex digits");
  return data;
}

function parseProof(fields: Fields): Proof {
  const word = (key: string, value: Json): Bytes => {
    if (typeof value === "string" && /^0x[0-9a-f]{64}$/.test(value)) return bytesOf(value);
    throw fields.error(key, "not a word", "another value", "0x and 64 lower-case hex digits");
  };
  const contentDigest = word("contentDigest", fields.value("contentDigest"));
  const summary = word("summary", fields.value("summary"));
  const listed = fields.value("siblings");
  if (!Array.isArray(listed) || listed.length !== DEPTH) {
    throw fields.error("siblings", "not the way to a root", "something else", `${DEPTH} words`);
  }
  fields.finish();
  return { contentDigest, summary, siblings: listed.map((value: Json) => word("siblings", value)) };
}

function forgedProof(problem: string, where: string, got: string, wanted: string): CheckError {
  return forged(CHECK, problem, where, got, wanted);
}
