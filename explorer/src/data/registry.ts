// The contracts' functions and events that the page reads. A test compares them with the ABI in verifier/abi.

export const FUNCTIONS = {
  standingById: "standingById(bytes32)",
  contentOf: "contentOf(bytes32)",
  epochOf: "epochOf(uint16)",
  oracleAt: "oracleAt(uint16,uint8)",
  revokedModelTime: "revokedModelTime(bytes32)",
  isOpen: "isOpen(bytes32,uint8)",
  namespaces: "namespaces()",
  lineage: "lineage()",
  namespaceOf: "namespaceOf(bytes32)",
  headOf: "headOf(bytes32)",
  recordOfName: "recordOfName(bytes32,bytes32)",
  ancestorsOf: "ancestorsOf(bytes32,bool)",
  batchOf: "batchOf(bytes32)",
  policyIdOf: "policyIdOf(bytes32)",
  proofOf: "proofOf(bytes32)",
  identityOf: "identityOf(bytes32)",
  verifier: "verifier()",
  registry: "registry()",
} as const;

export const EVENTS = {
  RecordPublished: "RecordPublished(bytes32,bytes32,bytes32,uint256,bytes)",
  LeafClosed: "LeafClosed(bytes32,bytes32,uint8)",
  Recounted: "Recounted(bytes32,uint32,uint16,bool)",
  RecordRevoked: "RecordRevoked(bytes32,address,uint40,string)",
  ModelRevoked: "ModelRevoked(bytes32,address,uint40,string)",
  ModelRevocationApplied: "ModelRevocationApplied(bytes32,bytes32,uint40)",
  NamespaceEntry: "NamespaceEntry(bytes32,uint48,uint8,bytes32,uint40,uint256)",
  ReleaseProven: "ReleaseProven(bytes32,bytes32,bytes32,uint256,bytes32)",
} as const;
