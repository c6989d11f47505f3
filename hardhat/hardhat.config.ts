import { createRequire } from "node:module";

import type { HardhatUserConfig } from "hardhat/config";

import settings from "./compiler.json" with { type: "json" };

// The compiler comes from npm with everything else, so building needs no download host.
const soljson = createRequire(import.meta.url).resolve("solc/soljson.js");

const effort = Number(process.env.FUZZ ?? 1);

const config: HardhatUserConfig = {
  solidity: {
    compilers: [{ version: "0.8.24", path: soljson, settings }],
  },
  test: {
    // A fixed seed: the same calls in every run. Set FUZZ to multiply them.
    solidity: {
      fuzz: { seed: "0x20261121", runs: 500 * effort },
      invariant: { runs: 24 * effort, depth: 100 },
    },
  },
};

export default config;
