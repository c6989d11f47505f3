// Starts forge and exits with its status. The start script in the npm package (1.7.1) exits with 0 in any case.

import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";

const { platform, arch, argv } = process;
const architecture = arch === "x64" ? "amd64" : arch;
const file = platform === "win32" ? "forge.exe" : "forge";

const program = createRequire(import.meta.url).resolve(`@foundry-rs/forge-${platform}-${architecture}/bin/${file}`);
process.exitCode = spawnSync(program, argv.slice(2), { stdio: "inherit" }).status ?? 1;
