// Calls the package as a test tells it to, and prints the results. Standard input is JSON: {"options": options of a
// reader or null, "calls": [[name, ...arguments], ...]}. Integers that JSON cannot hold are texts that end in n.
//
// Further options of its own: "through" is "a provider" or "silence" in place of the URL; with "aborted", the signal is
// aborted.

import { readFileSync } from "node:fs";
import { inspect } from "node:util";

import * as registry from "@provenance-oracle/registry";

const { options, calls } = JSON.parse(readFileSync(0, "utf8"), (_, value) =>
  /^-?\d+n$/.test(value) ? BigInt(value.slice(0, -1)) : value,
);
const { rpcUrl, through, aborted, ...rest } = options ?? {};
const providers = {
  "a provider": { request: (call) => post(rpcUrl, call) },
  silence: { request: () => new Promise(() => {}) },
};
const node = through ? { provider: providers[through] } : { rpcUrl };
const reader = options && new registry.RegistryReader({ ...rest, ...node, ...(aborted && { signal: AbortSignal.abort() }) });

async function post(url, call) {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, ...call });
  const headers = { "content-type": "application/json" };
  const answer = await (await fetch(url, { method: "POST", headers, body })).json();
  if (answer.error) throw Object.assign(new Error("outer"), { cause: Object.assign(new Error("inner"), answer.error) });
  return answer.result;
}

const functions = {
  ...registry,
  async digest(types, domain, deployment, message) {
    const { hashTypedData } = await import("viem"); // loading it takes a second
    const [primaryType] = Object.keys(registry[types]);
    return hashTypedData({ domain: registry[domain](deployment), types: registry[types], primaryType, message });
  },
  async publish(...values) {
    const { publish } = await import("./publish.ts");
    await publish(...values);
  },
  /** The name that viem finds for a refusal that a dApp passes on, with these errors in the dApp's ABI. */
  async errorName(errors, url, address, ...args) {
    const { createPublicClient, http, parseAbi } = await import("viem");
    const abi = [...parseAbi(["function requireModel(bytes32, bytes32, uint8) view"]), ...(registry[errors] ?? [])];
    const asked = createPublicClient({ transport: http(url) }).readContract({
      address,
      abi,
      functionName: "requireModel",
      args,
    });
    return asked.catch((error) => error.cause.data?.errorName);
  },
  makeReader(options) {
    new registry.RegistryReader(options);
  },
  async firstLine(name, ...values) {
    const error = await reader[name](...values).catch((thrown) => thrown);
    return inspect(error).split("\n")[0];
  },
};

const waiting = setInterval(() => {}, 1000); // a pending promise alone does not keep the program running
const results = [];
for (const [name, ...values] of calls) {
  try {
    const value = name in functions ? functions[name](...values) : reader[name](...values);
    results.push({ value: (await value) ?? null });
  } catch (error) {
    results.push({ error: error.name, message: error.message, refusal: error.refusal });
  }
}
clearInterval(waiting);
console.log(JSON.stringify(results, (_, value) => (typeof value === "bigint" ? `${value}n` : value)));
