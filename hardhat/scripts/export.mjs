// Writes the ABI and bytecode that Python ships, from Hardhat's build: one file for each contract of exported.json. The
// same sources give the same bytes.

import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const read = (path) => JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));

const folder = process.argv[2] ? pathToFileURL(`${process.argv[2]}/`) : new URL("../../verifier/abi/", import.meta.url);
for (const [contract, source] of Object.entries(read("../exported.json"))) {
  const artifact = read(`../artifacts/${source}/${contract}.json`);
  const build = read(`../artifacts/build-info/${artifact.buildInfoId}.json`);
  const exported = {
    contract,
    compiler: { version: build.solcLongVersion, settings: read("../compiler.json") },
    abi: artifact.abi,
    bytecode: artifact.bytecode,
    deployedBytecode: artifact.deployedBytecode,
  };
  writeFileSync(new URL(`${contract}.json`, folder), JSON.stringify(exported, null, 1) + "\n");
}
