import { createRequire } from "node:module";

import type { HardhatUserConfig } from "hardhat/config";

import settings from "./compiler.json" with { type: "json" };

// The compiler comes from npm like everything else, so a build needs no download host.
const soljson = createRequire(import.meta.url).resolve("solc/soljson.js");

const config: HardhatUserConfig = {
  solidity: {
    compilers: [{ version: "0.8.24", path: soljson, settings }],
  },
};

export default config;
