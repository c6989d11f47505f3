// Writes the ABI and bytecode that Python ships, from what Hardhat built. Same sources, same bytes.

import { readFileSync, writeFileSync } from "node:fs";

const read = (path) => JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));

const artifact = read("../artifacts/contracts/ProvenanceRegistry.sol/ProvenanceRegistry.json");
const build = read(`../artifacts/build-info/${artifact.buildInfoId}.json`);
const exported = {
  contract: artifact.contractName,
  compiler: { version: build.solcLongVersion, settings: read("../compiler.json") },
  abi: artifact.abi,
  bytecode: artifact.bytecode,
  deployedBytecode: artifact.deployedBytecode,
};
const target = new URL("../../verifier/abi/ProvenanceRegistry.json", import.meta.url);
writeFileSync(process.argv[2] ?? target, JSON.stringify(exported, null, 1) + "\n");
