// Builds the package: dist/index.js and dist/index.d.ts. Both are single files with few spaces, since the package has
// to stay below 12 kB; src/ is for reading.
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
const compiler = required("typescript/bin/tsc");
required("esbuild");
const declarations = mkdtempSync(join(tmpdir(), "declarations-"));
try {
  mkdirSync(folder, { recursive: true });
  const options = ["-p", here, "--emitDeclarationOnly", "--outDir", declarations];
  execFileSync(process.execPath, [compiler, ...options], { stdio: "inherit" });
  const modules = ["bytes", "calls", "record", "node", "proof", "reader", "deployment"];
  const types = modules.map((name) => readFileSync(join(declarations, `${name}.d.ts`), "utf8"));
  const text = [abiTypes(), ...types].join("").replaceAll(/^(import .*|export \{\};|\/\/.*)\n|^ +/gm, "");
  writeFileSync(join(folder, "index.d.ts"), `${text}export {};\n`);
} finally {
  rmSync(declarations, { recursive: true });
}
const [script] = tools("esbuild").buildSync({
  entryPoints: [join(here, "src/index.ts")],
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  write: false,
}).outputFiles;
// The ABI comes last: index.d.ts repeats it word for word, and gzip looks back no further than 32 kB.
const [, abi, code] = /^(var .*?\]\};)(.*)$/s.exec(script.text.replaceAll("indexed:!0", "indexed:true"));
writeFileSync(join(folder, "index.js"), code.trimEnd() + abi);

function required(tool) {
  try {
    return tools.resolve(tool);
  } catch {
    console.error(`build.mjs: no ${tool}; in the repository's root, run: python tools/npm.py ci --prefix hardhat`);
    process.exit(1);
  }
}

// A value `as const` is its own type and is read as such. tsc would write it at three times the length, and gzip would
// not find it in index.js.
function abiTypes() {
  return readFileSync(join(here, "src/abi.ts"), "utf8")
    .replaceAll(/const (\w+) = (\[?)/g, (_, name, list) => `declare const ${name}: ${list && "readonly ["}`)
    .replaceAll(" as const", "")
    .replaceAll("...gateErrors", "...typeof gateErrors")
    .replaceAll(/(?<=[[,])\n *|,\n(?=\])/g, "");
}
