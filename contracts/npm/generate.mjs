// Writes src/abi.ts: from verifier/abi the parts that dApps query and publishers submit, from the contracts the structs
// that are signed (EIP-712).
//
//     node generate.mjs [--check]

import { readdirSync, readFileSync, writeFileSync } from "node:fs";

// Errors of a shut gate. The satellite contracts pass them through, so they are in every list.
const GATE_ERRORS = `RecordNotFound RecordIsRevoked RecordIsExpired RecordIsSimulated RecordIsSignedOnly SignedByAnother
  RecordIsClosed GradeTooLow WrongPolicy WeightTooLow LineageTooLarge NothingNamed TooMany NotAscending
  NotProven ProofNotEnough`;

// All other functions are for stewards and owners of namespaces, or for calls between the contracts: see verifier/abi.
const KEPT = {
  registryAbi: `requireModel isModel isSimulatedModel requireOpen isOpen requireModelFromProof isModelFromProof
    requireSignedBy isSignedBy requireMeets meets requireMeetsFromProof meetsFromProof countSigners recordIdOf policyIdOf standingOf
    idOf contentOf latestIdOf standingById batchOf namespaces lineage
    currentEpoch epochOf oracleAt
    publish recordBatch addSigners addBatchSigners materialise recount recountBatch closeLeaf numberPolicy releaseHeld
    notePublisher
    RecordPublished BatchRecorded LeafClosed LeafRevoked RecordRevoked Recounted PolicyNumbered
    RecordExists RecordMalformed PolicyNotNumbered WrongRevision ZeroDigest UnknownGrade UnknownProductLine
    GradeNotEarned HardwareClaimed NothingChecked OutOfTime TextLength WritesArePaused NotHeld RevisionRenamed NameTaken TooManyParents
    ParentIsSelf IdentityNotTrusted
    BatchExists BatchNotFound BatchCount WrongLeaf
    StaleEpoch UnknownOracle SignaturesLength WrongSigner HighS OracleNotValid QuorumTooSmall`,
  namespacesAbi: `claimNamespace acceptIdentity nonces namespaceOf headOf recordOfName requireNamed trustedSince
    acceptableFrom NamespaceEntry NamespaceClaimed
    NamespaceInvalid NamespaceTaken DeadlinePassed WrongClaimSigner IdentityLimit IdentityKnown InvalidAccountNonce
    NotYet RegistryIsPaused`,
  proofsAbi: "requireProven requireProvenAs proofOf identityOf ReleaseProven",
  lineageAbi: "requireLineage hasLineage ancestorsOf parentsOf ParentStated",
};
const SIGNED = { reportTypes: "Report", batchTypes: "Batch", claimTypes: "Claim" };

const CONTRACTS = new URL("../", import.meta.url);
const TARGET = new URL("src/abi.ts", import.meta.url);
const abi = ["ProvenanceRegistry", "Namespaces", "Lineage", "HardwareProofs"].flatMap((contract) => {
  return JSON.parse(readFileSync(new URL(`../verifier/abi/${contract}.json`, CONTRACTS), "utf8")).abi;
});
const solidity = readdirSync(CONTRACTS, { recursive: true })
  .filter((name) => name.endsWith(".sol"))
  .map((name) => readFileSync(new URL(name, CONTRACTS), "utf8"))
  .join("");

function found(thing, name) {
  if (!thing) throw new Error(`generate.mjs: no ${name}`);
  return thing;
}

function print(value) {
  const keys = ["name", "inputs", "type", "stateMutability", "outputs", "indexed", "components"];
  return JSON.stringify(value, keys).replaceAll(/"(\w+)":/g, "$1:").replaceAll(",indexed:false", "");
}

function printAbi(name, names, first = "") {
  const items = names.split(/\s+/).map((one) => `  ${print(found(abi.find((item) => item.name === one), one))},\n`);
  return `export const ${name} = [\n${first}${items.join("")}] as const;\n`;
}

function printTypes(name, struct) {
  const [, members] = found(new RegExp(`"${struct}\\(([^")]*)\\)"`).exec(solidity), struct);
  const fields = members.split(",").map((member) => member.split(" ")).map(([type, field]) => ({ name: field, type }));
  return `export const ${name} = {${struct}:${print(fields)}} as const;\n`;
}

const text = [
  "// Written by generate.mjs. Do not edit.\n",
  printAbi("gateErrors", GATE_ERRORS),
  ...Object.entries(KEPT).map(([name, names]) => printAbi(name, names, "  ...gateErrors,\n")),
  ...Object.entries(SIGNED).map(([name, struct]) => printTypes(name, struct)),
].join("\n");

if (process.argv[2] !== "--check") writeFileSync(TARGET, text);
else if (readFileSync(TARGET, "utf8") !== text) {
  console.error("generate.mjs: src/abi.ts is not what the contracts say; run: node contracts/npm/generate.mjs");
  process.exitCode = 1;
}
