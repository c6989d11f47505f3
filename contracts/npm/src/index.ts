export {
  batchTypes,
  claimTypes,
  gateErrors,
  lineageAbi,
  namespacesAbi,
  proofsAbi,
  registryAbi,
  reportTypes,
} from "./abi.js";
export { FormatError, keccak256, nameDigest, type Hex } from "./bytes.js";
export type { Proof, Refusal, Requirements, Standing } from "./calls.js";
export { namespacesDomain, parseDeployment, registryDomain, type Deployment, type Domain } from "./deployment.js";
export { NodeError, type Provider } from "./node.js";
export { GateError, RegistryReader, type ReaderOptions } from "./reader.js";
export { unpackProof, type ReleaseProof } from "./proof.js";
export { decodeRecord, encodeRecord, recordIdOf, unpackStanding, type ModelRecord } from "./record.js";
