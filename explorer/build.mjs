// Builds the page into oracle/web/page: six files that any web server can serve, and that a browser can open from disk.
// The output is committed, so that a wheel needs no Node.
//
//     node build.mjs [--check]

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const { dirname: here } = import.meta;
const { buildSync } = tool("esbuild");
const target = join(here, "../oracle/web/page");

// Classic scripts: a browser loads no module from file://. src/ is for reading.
const options = { absWorkingDir: here, bundle: true, format: "iife", target: "es2022", minify: true, lineLimit: 120 };
const bundled = (file, more) => buildSync({ ...options, ...more, entryPoints: [file], write: false }).outputFiles[0].text;
const built = {
  "index.html": readFileSync(join(here, "index.html"), "utf8"),
  "app.js": bundled("src/main.ts"),
  "check.js": bundled("src/judge.ts", { globalName: "provenanceCheck" }),
  "prove.js": bundled("src/prove.ts", { globalName: "provenanceProve" }),
  "worker.js": bundled("src/check/worker.ts"),
  "style.css": bundled("style.css"),
};

if (process.argv[2] === "--check") check();
else {
  mkdirSync(target, { recursive: true });
  for (const [name, text] of Object.entries(built)) writeFileSync(join(target, name), text);
}

function check() {
  const stale = Object.entries(built).filter(([name, text]) => readFileSync(join(target, name), "utf8") !== text);
  if (stale.length === 0) return;
  const names = stale.map(([name]) => name).join(", ");
  console.error(`build.mjs: oracle/web/page has another ${names}; run: node explorer/build.mjs`);
  process.exitCode = 1;
}

function tool(name) {
  try {
    return createRequire(join(here, "../hardhat/"))(name);
  } catch {
    console.error(`build.mjs: no ${name}; in the repository's root, run: python tools/npm.py ci --prefix hardhat`);
    process.exit(1);
  }
}
