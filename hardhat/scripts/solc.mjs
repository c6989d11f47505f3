#!/usr/bin/env node
// Makes npm's compilers behave like the native `solc` program, as far as forge, slither, halmos and compare.py need it:
//
//     solc.mjs --version
//     solc.mjs --standard-json [FILE]          without FILE from standard input
//
// SOLC_PACKAGE selects another compiler of package.json, such as solc-current. The JSON has to contain every source, so
// the options for search paths have no effect. Any other option exits with 2.

import { readFileSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";

const WHERE_TO_LOOK = ["base-path", "include-path", "allow-paths"];

const { values, positionals } = readOptions();
const name = process.env.SOLC_PACKAGE ?? "solc";
const solc = createRequire(import.meta.url)(name);

if (values.version) {
  // Tools parse the platform from this text, and know only that of native compilers.
  const version = solc.version().replace("Emscripten.clang", "Linux.g++");
  write(`solc, the solidity compiler commandline interface\nVersion: ${version}\n`);
} else if (values["standard-json"]) {
  write(compile(positionals[0] ? readFileSync(positionals[0], "utf8") : await text(process.stdin)));
} else {
  stop("--version or --standard-json is wanted");
}

/**
 * As solc.compile, which copies the input to the stack, four bytes a character: more than some 1.2 million of them
 * overflow it. So the input goes to the heap here.
 */
function compile(input) {
  const program = createRequire(import.meta.url)(`${name}/soljson.js`);
  const length = program.lengthBytesUTF8(input) + 1;
  const place = program._solidity_alloc(length);
  program.stringToUTF8(input, place, length);
  return program.cwrap("solidity_compile", "string", ["number", "number", "number"])(place, 0, 0);
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

/**
 * Writes all of the output. process.stdout would lose the part that it has not passed to a pipe when the program ends.
 */
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
