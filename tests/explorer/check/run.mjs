// Calls what the bundle exposes in Node.js: one JSON request a line on stdin, one JSON answer a line on stdout.
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

await import(pathToFileURL(process.argv[2]).href);
for await (const line of createInterface({ input: process.stdin })) {
  const { name, argument } = JSON.parse(line);
  process.stdout.write(`${JSON.stringify((await globalThis.exposed[name](argument)) ?? null)}\n`);
}
