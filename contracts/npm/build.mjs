// Builds the package: dist/index.js and dist/index.d.ts. One file each and few spaces, for the whole of it is to stay
// below 10 kB; src/ is for reading.
//
//     node build.mjs [FOLDER]

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

const { dirname: here } = import.meta;
const tools = createRequire(join(here, "../../hardhat/"));
const folder = process.argv[2] ?? join(here, "dist");
const declarations = mkdtempSync(join(tmpdir(), "declarations-"));
try {
  mkdirSync(folder, { recursive: true });
  const options = ["-p", here, "--emitDeclarationOnly", "--outDir", declarations];
  execFileSync(process.execPath, [tools.resolve("typescript/bin/tsc"), ...options], { stdio: "inherit" });
  const modules = ["bytes", "calls", "record", "node", "reader", "deployment"];
  const types = modules.map((name) => readFileSync(join(declarations, `${name}.d.ts`), "utf8"));
  const text = [abiTypes(), ...types].join("").replaceAll(/^(import .*|export \{\};|\/\/.*)\n/gm, "");
  writeFileSync(join(folder, "index.d.ts"), `${text}export {};\n`);
} finally {
  rmSync(declarations, { recursive: true });
}
tools("esbuild").buildSync({
  entryPoints: [join(here, "src/index.ts")],
  outfile: join(folder, "index.js"),
  bundle: true,
  minifyIdentifiers: true,
  minifyWhitespace: true, // and not the syntax: abiTypes() says `true` where that would say `!0`
  format: "esm",
  target: "es2022",
});

// What is `as const` is its own type, read as such. tsc would write it three times as long, and gzip would not find that
// it is in index.js already.
function abiTypes() {
  return readFileSync(join(here, "src/abi.ts"), "utf8")
    .replaceAll(/const (\w+) = (\[?)/g, (_, name, list) => `declare const ${name}: ${list && "readonly ["}`)
    .replaceAll(" as const", "")
    .replaceAll("...gateErrors", "...typeof gateErrors")
    .replaceAll(/(?<=[[,])\n *|,\n(?=\])/g, "");
}
