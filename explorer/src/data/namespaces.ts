// A namespace's history, and the proof that it is complete: entry n carries head(n) = n << 208 | the low 208 bits of
// keccak256(head(n - 1), kind, subject, time). Whoever replays the entries and arrives at the contract's head has seen
// all of them (contracts/INamespaces.sol).

import { joinHex, keccak256, nameDigest, wordOf, type Hex } from "../../../contracts/npm/src/bytes.js";
import { addressOf, bigOf, smallOf, wordsIn, type Log, type NodeReader } from "./node.js";
import { bare, hexed, timeOf } from "./records.js";
import { EVENTS, FUNCTIONS } from "./registry.js";
import type { Namespace, NamespaceEntry } from "./types.js";

const HASH_BITS = 208n;

/** Replays a history. Gives the head that it leads to, or the number of the first entry that does not follow. */
export function replay(entries: readonly NamespaceEntry[]): { readonly head: bigint; readonly wrongAt: number | null } {
  let head = 0n;
  for (const [i, { number, kind, subject, seconds, head: told }] of entries.entries()) {
    head = nextHead(head, kind, hexed(subject), seconds);
    if (number !== i + 1 || head !== BigInt(`0x${told}`)) return { head, wrongAt: i + 1 };
  }
  return { head, wrongAt: null };
}

function nextHead(head: bigint, kind: number, subject: Hex, seconds: number): bigint {
  const hash = BigInt(keccak256(joinHex([wordOf(head), wordOf(BigInt(kind)), subject, wordOf(BigInt(seconds))])));
  return (((head >> HASH_BITS) + 1n) << HASH_BITS) | (hash & ((1n << HASH_BITS) - 1n));
}

export async function readHead(node: NodeReader, namespaces: Hex, name: string): Promise<bigint> {
  return bigOf(await node.callOne(namespaces, FUNCTIONS.headOf, nameDigest(name)));
}

/** Null if nobody claimed it. */
export async function readNamespace(node: NodeReader, namespaces: Hex, name: string): Promise<Namespace | null> {
  const [owner, claimedAt, limit, firstUses] = await node.call(namespaces, FUNCTIONS.namespaceOf, nameDigest(name));
  if (bigOf(owner) === 0n) return null;
  return {
    name,
    owner: addressOf(owner),
    claimed_at: timeOf(smallOf(claimedAt)),
    identity_limit: smallOf(limit),
    first_uses: smallOf(firstUses),
    identities: null,
    history_entries: null,
  };
}

export async function readEntries(
  node: NodeReader,
  namespaces: Hex,
  name: string,
  first: number,
): Promise<readonly NamespaceEntry[]> {
  const logs = await node.logs(namespaces, EVENTS.NamespaceEntry, [nameDigest(name)], first);
  return logs.map(parseEntry);
}

/** The publishers that a namespace trusts now, longest trusted first. */
export function trusted(entries: readonly NamespaceEntry[]): readonly string[] {
  const identities = new Set<string>();
  for (const { kind, subject } of entries) {
    if (kind === 4) identities.add(subject);
    if (kind === 6) identities.delete(subject);
  }
  return [...identities];
}

/** The account that claimed a namespace, or to which it was handed over last. */
export function ownerOf(entries: readonly NamespaceEntry[]): string | undefined {
  const last = entries.findLast(({ kind }) => kind === 0 || kind === 8);
  return last && `0x${last.subject.slice(24)}`;
}

function parseEntry(log: Log): NamespaceEntry {
  const [subject, seconds, head] = wordsIn(log.data);
  return {
    number: smallOf(log.topics[2]),
    kind: smallOf(log.topics[3]),
    subject: bare(subject ?? wordOf(0n)),
    seconds: smallOf(seconds),
    head: bare(head ?? wordOf(0n)),
    block: log.block,
  };
}
