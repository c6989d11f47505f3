#!/usr/bin/env node
// npm's compilers behave here like the native `solc` program, as far as forge, slither, halmos and compare.py ask:
//
//     solc.mjs --version
//     solc.mjs --standard-json [FILE]          without FILE from standard input
//
// SOLC_PACKAGE names another compiler of package.json, such as solc-current. Every source has to be in the JSON, so
// the options that say where to look for others change nothing. Any other option ends the program with 2.

import { readFileSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";

const WHERE_TO_LOOK = ["base-path", "include-path", "allow-paths"];

const { values, positionals } = readOptions();
const solc = createRequire(import.meta.url)(process.env.SOLC_PACKAGE ?? "solc");

if (values.version) {
  // Tools read the platform out of this, and know that of native compilers only.
  const version = solc.version().replace("Emscripten.clang", "Linux.g++");
  write(`solc, the solidity compiler commandline interface\nVersion: ${version}\n`);
} else if (values["standard-json"]) {
  write(solc.compile(positionals[0] ? readFileSync(positionals[0], "utf8") : await text(process.stdin)));
} else {
  stop("--version or --standard-json is wanted");
}

function readOptions() {
  const flag = { type: "boolean" };
  const paths = Object.fromEntries(WHERE_TO_LOOK.map((name) => [name, { type: "string", multiple: true }]));
  try {
    return parseArgs({ options: { version: flag, "standard-json": flag, ...paths }, allowPositionals: true });
  } catch (error) {
    return stop(error.message);
  }
}

function stop(message) {
  process.stderr.write(`solc.mjs: ${message}\n`);
  process.exit(2);
}

/** All of it: what process.stdout has not yet passed to a pipe is lost when the program ends. */
function write(output) {
  let rest = Buffer.from(output);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
    }
  }
}
