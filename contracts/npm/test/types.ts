// Compiled but never run: checks that the package's types are right, and that viem understands its ABIs and typed data.

import type { Deployment, ModelRecord, Proof, Provider, Refusal, Requirements, Standing } from "@provenance-oracle/registry";
import {
  batchTypes,
  claimTypes,
  decodeRecord,
  encodeRecord,
  gateErrors,
  lineageAbi,
  namespacesAbi,
  namespacesDomain,
  registryAbi,
  registryDomain,
  RegistryReader,
  reportTypes,
  unpackStanding,
} from "@provenance-oracle/registry";
import { createPublicClient, decodeErrorResult, http, parseAbi, parseEventLogs, type Hex, type WalletClient } from "viem";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_: Same<A, B>): void {}

declare const address: Hex;
declare const digest: Hex;
declare const deployment: Deployment;
declare const proof: Proof;
declare const requirements: Requirements;
declare const wallet: WalletClient;
const client = createPublicClient({ transport: http() });

export async function gates(): Promise<void> {
  const open = await client.readContract({ address, abi: registryAbi, functionName: "isModel", args: [digest, digest, 1] });
  same<typeof open, boolean>(true);
  const args = [digest, digest, requirements] as const;
  await client.readContract({ address, abi: registryAbi, functionName: "requireMeets", args });
  const proven = [digest, digest, proof, 1] as const;
  await client.readContract({ address, abi: registryAbi, functionName: "isModelFromProof", args: proven });
  const [named, tags] = [await recordOfName(), await standingOf()];
  same<typeof named, Hex>(true);
  const standing: Standing = tags;
  same<typeof standing.judgedAt, number>(true);
  same<typeof standing.held, boolean>(true);
  same<typeof proof.summary, bigint>(true);
  same<typeof requirements.policies, readonly number[]>(true);
  // @ts-expect-error: there is no such gate
  await client.readContract({ address, abi: registryAbi, functionName: "isSafe", args: [digest] });
  // @ts-expect-error: a grade is a number
  await client.readContract({ address, abi: registryAbi, functionName: "isModel", args: [digest, digest, "1"] });
}

function recordOfName(): Promise<Hex> {
  return client.readContract({ address, abi: namespacesAbi, functionName: "recordOfName", args: [digest, digest] });
}

function standingOf(): Promise<Standing> {
  return client.readContract({ address, abi: registryAbi, functionName: "standingOf", args: [digest, digest] });
}

export async function lineage(): Promise<void> {
  const args = [digest, true] as const;
  const ancestors = await client.readContract({ address, abi: lineageAbi, functionName: "ancestorsOf", args });
  same<(typeof ancestors)[number]["attested"], boolean>(true);
}

export async function events(): Promise<ModelRecord[]> {
  const logs = await client.getLogs({ address });
  const published = parseEventLogs({ abi: registryAbi, eventName: "RecordPublished", logs });
  published.map(({ args }) => unpackStanding(args.standing));
  return published.map(({ args }) => decodeRecord(args.record));
}

export async function signing(record: ModelRecord): Promise<void> {
  const account = address;
  const epoch = await client.readContract({ address, abi: registryAbi, functionName: "currentEpoch" });
  const set = await client.readContract({ address, abi: registryAbi, functionName: "epochOf", args: [epoch] });
  const oracle = await client.readContract({ address, abi: registryAbi, functionName: "oracleAt", args: [epoch, 0] });
  same<typeof set.threshold, number>(true);
  same<typeof oracle.key, Hex>(true);
  const domain = registryDomain(deployment);
  const report = { epoch, record: encodeRecord(record) };
  await wallet.signTypedData({ account, domain, types: reportTypes, primaryType: "Report", message: report });
  const batch = { epoch: 1, root: digest, count: 1, sealedAt: 1, uri: "" };
  await wallet.signTypedData({ account, domain, types: batchTypes, primaryType: "Batch", message: batch });
  const claim = { namespace: "a", owner: address, identityLimit: 1, identities: [digest], nonce: 0n, deadline: 1 };
  const claims = namespacesDomain(deployment);
  await wallet.signTypedData({ account, domain: claims, types: claimTypes, primaryType: "Claim", message: claim });
  // @ts-expect-error: an epoch is a number
  await wallet.signTypedData({ account, domain, types: reportTypes, primaryType: "Report", message: { epoch: "1" } });
}

export function refusals(refusal: Refusal, data: Hex): number | boolean | string {
  // Errors that the satellite contracts pass through are in their ABIs too.
  same<Extract<ReturnType<typeof shut>["errorName"], "RecordIsRevoked">, "RecordIsRevoked">(true);
  type Bought = ReturnType<typeof bought>["errorName"];
  same<Extract<Bought, "RecordIsRevoked" | "SoldOut">, "RecordIsRevoked" | "SoldOut">(true);
  switch (refusal.error) {
    case "RecordIsRevoked":
      return refusal.revokedAt;
    case "RecordIsClosed":
      return refusal.held || refusal.doubtful;
    default:
      // @ts-expect-error: only a revocation has it
      return refusal.revokedAt;
  }
  function shut() {
    return decodeErrorResult({ abi: namespacesAbi, data });
  }
  // A dApp has an ABI of its own.
  function bought() {
    return decodeErrorResult({ abi: [...parseAbi(["error SoldOut()"]), ...gateErrors], data });
  }
}

export async function ids(reader: RegistryReader): Promise<boolean> {
  const policy = await reader.policyIdOf(digest);
  same<typeof policy, number | undefined>(true);
  // @ts-expect-error: it may have no number
  requirements.policies.includes(policy);
  const signers: number = await reader.countSigners(digest, digest, [address]);
  await reader.requireOpen(await reader.requireNamed("a", "b@1", 1), 1);
  return signers > 1 && reader.isOpen(digest, 1);
}

export function readers(provider: Provider): RegistryReader[] {
  // @ts-expect-error: it must be told whom to ask
  new RegistryReader(deployment);
  return [
    new RegistryReader({ ...deployment, rpcUrl: "http://localhost:8545", at: "finalized", timeout: 1000 }),
    new RegistryReader({ ...deployment, provider: client, signal: AbortSignal.timeout(1) }),
    new RegistryReader({ chainId: 1, registry: address, provider }),
  ];
}
