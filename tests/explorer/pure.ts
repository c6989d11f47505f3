// Tests of the page's functions that need no browser. test_pure.py bundles and runs them.

import assert from "node:assert/strict";
import { test } from "node:test";

import { keccak256, nameDigest, wordOf, type Hex } from "../../contracts/npm/src/bytes.js";
import { comparing } from "../../explorer/src/data/compare.js";
import { contradictions } from "../../explorer/src/data/confirm.js";
import { replay, trusted } from "../../explorer/src/data/namespaces.js";
import { NodeReader } from "../../explorer/src/data/node.js";
import { fields, list, maybe, ShapeError, text, whole } from "../../explorer/src/data/shape.js";
import { signer, type Entry, type NamespaceEntry } from "../../explorer/src/data/types.js";
import { BOX, layOut } from "../../explorer/src/draw/lineage.js";
import { niceMaximum } from "../../explorer/src/draw/plots.js";
import { stateOf } from "../../explorer/src/draw/trust.js";
import { readConfig } from "../../explorer/src/config.js";
import { fileChanges } from "../../explorer/src/pages/compare.js";
import { judgedAsOf } from "../../explorer/src/pages/recheck.js";
import { coins, decimal } from "../../explorer/src/prove/offer.js";
import { hrefOf, parseRoute } from "../../explorer/src/router.js";
import { printable, short, sizeWords, visible } from "../../explorer/src/text.js";
import { checkName, closureOf, gradeWords, lineName, tcbWords } from "../../explorer/src/words.js";

const DIGEST = "ab".repeat(32);
const OTHER = "cd".repeat(32);

test("text shows what would hide, and is cut by characters", () => {
  assert.equal(visible("a\u202eb\u200b\u00a0\n\ud800"), "a\\u202eb\\u200b\\u00a0\\u000a\\ud800");
  assert.equal(visible("\u{e0041}"), "\\U000e0041");
  assert.equal(visible("ä 字 😀"), "ä 字 😀");
  assert.equal(printable("😀".repeat(9), 5), "😀😀😀😀…");
  assert.equal(printable("abc", 3), "abc");
  assert.equal(short(DIGEST), "abababab…ababab");
  assert.deepEqual([999, 1000, 1_234_567, 8e9].map(sizeWords), ["999 bytes", "1.0 kB", "1.2 MB", "8.0 GB"]);
});

test("amounts of a chain's coins have six digits that count", () => {
  assert.deepEqual([0n, 1n, 10n ** 18n, 1_234_567_890_123_456n].map(coins), ["0", "0.000000000000000001", "1", "0.00123456"]);
  assert.deepEqual([decimal(1_500_000_000n, 10n ** 9n), decimal(25n * 10n ** 9n, 10n ** 9n)], ["1.5", "25"]);
});

test("routes lead to their pages, and anything else nowhere", () => {
  for (const name of ["acme", "a/b", "<img>", "100%", "ä 字", "?rpc=x#/y"]) {
    assert.deepEqual(parseRoute(hrefOf("find", name)), { page: "find", text: name });
  }
  assert.deepEqual(parseRoute(`#/r/${DIGEST}/${OTHER}`), { page: "record", model: DIGEST, manifest: OTHER });
  assert.deepEqual(parseRoute(`/r/${DIGEST}/${OTHER}`), { page: "record", model: DIGEST, manifest: OTHER });
  assert.equal(parseRoute("").page, "home");
  for (const wrong of ["#/r/ab/cd", "#/id/xyz", "#/%ff", "#/zzz", "#/a/b/c/d/e", `#/policy/${DIGEST}0`]) {
    assert.equal(parseRoute(wrong).page, "nowhere", wrong);
  }
});

test("what the page's address chooses is noted, and only http counts", () => {
  const block = JSON.stringify({ rpcUrl: "http://127.0.0.1:1/", api: "/api/v1", evidence: "/api/v1/evidence" });
  const plain = readConfig(block, "");
  assert.deepEqual([plain.rpcUrl, plain.api, plain.chosenByLink], ["http://127.0.0.1:1/", "/api/v1", []]);
  assert.deepEqual(readConfig(block, "?rpc=https://node.example/").chosenByLink, ["node"]);
  assert.equal(readConfig(block, "?rpc=javascript:alert(1)").rpcUrl, "http://127.0.0.1:1/");
  const other = readConfig(block, `?registry=0x${"1".repeat(40)}`);
  assert.deepEqual([other.api, other.place?.registry, other.chosenByLink], [undefined, `0x${"1".repeat(40)}`, ["registry"]]);
});

test("JSON of another shape is refused with its place", () => {
  const parse = fields({ name: text, items: list(fields({ n: whole })), note: maybe(text) });
  assert.deepEqual(parse({ name: "a", items: [{ n: 1 }], more: 1 }, "x"), { name: "a", items: [{ n: 1 }], note: null });
  for (const wrong of [null, [], { name: 1, items: [] }, { name: "a", items: [{ n: -1 }] }, { name: "a", items: {} }]) {
    assert.throws(() => parse(wrong, "x"), ShapeError);
  }
  assert.throws(() => parse({ name: "a", items: [{ n: 0.5 }] }, "x"), /x\.items\[0\]\.n/);
});

function historyOf(subjects: readonly string[]): readonly NamespaceEntry[] {
  let head = 0n;
  return subjects.map((subject, i) => {
    const [kind, seconds] = [i === 0 ? 0 : 4, 1000 + i];
    const words = [wordOf(head), wordOf(BigInt(kind)), `0x${subject}`, wordOf(BigInt(seconds))].map((word) => word.slice(2));
    const hash = BigInt(keccak256(`0x${words.join("")}` as Hex));
    head = (((head >> 208n) + 1n) << 208n) | (hash & ((1n << 208n) - 1n));
    return { number: i + 1, kind, subject, seconds, head: wordOf(head).slice(2), block: i };
  });
}

test("a history is replayed, and a missing, changed or moved entry is found", () => {
  const whole = historyOf([DIGEST, OTHER, DIGEST, OTHER]);
  const { head, wrongAt } = replay(whole);
  assert.equal(wrongAt, null);
  assert.equal(wordOf(head).slice(2), whole[3]!.head);
  assert.equal(replay([...whole.slice(0, 1), ...whole.slice(2)]).wrongAt, 2);
  assert.equal(replay(whole.map((one, i) => (i === 2 ? { ...one, subject: OTHER } : one))).wrongAt, 3);
  assert.equal(replay(whole.map((one, i) => (i === 3 ? { ...one, seconds: 1 } : one))).wrongAt, 4);
  // Cut off at the end it stays consistent: only the contract's head shows that.
  assert.notEqual(replay(whole.slice(0, 3)).head, head);
  assert.deepEqual(trusted([...whole, { ...whole[1]!, kind: 6 }]), [DIGEST]);
});

test("a second node that answers otherwise is told, one that is silent only said", async () => {
  const [told, silent]: [string[], string[]] = [[], []];
  const asking = (answer: unknown) => async () => {
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const ask = async (one: unknown, two: unknown, method = "eth_call"): Promise<unknown> => {
    const both = comparing(asking(one), asking(two), ({ what }) => told.push(what), (why) => silent.push(why));
    return both({ method, params: [] }, AbortSignal.timeout(1000));
  };
  assert.equal(await ask("0x01", "0x01"), "0x01");
  assert.equal(await ask("0x0A", "0x0a"), "0x0A");
  assert.equal(await ask("0x15", "0x05", "eth_blockNumber"), "0x05");
  const log = { address: "0x1", topics: [], data: "0x", blockHash: "0x1", transactionHash: "0x2", logIndex: "0x0" };
  await ask([{ ...log, own: 1 }], [log], "eth_getLogs");
  assert.deepEqual([told, silent], [[], []]);
  await ask([log], [{ ...log, data: "0x01" }], "eth_getLogs");
  await ask([{ ...log, blockNumber: "0x1" }], [{ ...log, blockNumber: "0x2" }], "eth_getLogs");
  await ask([log], [], "eth_getLogs");
  await ask("0x01", "0x02");
  await ask("0x01", Object.assign(new Error("reverted"), { data: "0x12345678" }));
  assert.equal(await ask("0x16", "0x05", "eth_blockNumber"), "0x16");
  assert.equal(told.length, 6);
  await ask("0x01", new Error("down"));
  assert.deepEqual([told.length, silent], [6, ["down"]]);
});

test("events are asked for in smaller ranges where a node wants that", async () => {
  const ranges: [number, number][] = [];
  const reader = new NodeReader(
    async ({ params }) => {
      const [{ fromBlock, toBlock, topics }] = params as [{ fromBlock: string; toBlock: string; topics: string[] }];
      const [from, to] = [Number(fromBlock), Number(toBlock)];
      assert.equal(topics[0], nameDigest("E(uint256)"));
      if (to - from >= 2_000) throw new Error("too many blocks");
      ranges.push([from, to]);
      return [];
    },
    1,
    9_999,
  );
  assert.deepEqual(await reader.logs("0x00", "E(uint256)", [], 10), []);
  assert.equal(ranges[0]![0], 10);
  assert.equal(ranges.at(-1)![1], 9_999);
  for (const [i, [from]] of ranges.slice(1).entries()) assert.equal(from, ranges[i]![1] + 1);
});

test("a lineage is drawn once a release, in rows, with every edge", () => {
  const ids = [1, 2, 3].map((n) => `${n}`.repeat(64)) as [string, string, string];
  const ancestor = (release_id: string, child: string, depth: number) => ({ release_id, child, depth, attested: true, open: true, name: null, version: null });
  const ancestors = [ancestor(ids[0], DIGEST, 1), ancestor(ids[1], DIGEST, 1), ancestor(ids[2], ids[0], 2)];
  const edges = [...ancestors.map(({ release_id: parent, child }) => ({ parent, child, attested: true })), { parent: ids[2], child: ids[1], attested: false }];
  const { boxes, lines, width, height } = layOut({ release_id: DIGEST, name: "a/b", version: "1", gate_open: true }, { ancestors, edges });
  assert.equal(boxes.length, 4);
  assert.deepEqual(lines.map(({ isAttested }) => isAttested), [true, true, true, false]);
  for (const { from, to } of lines) assert.ok(from.y + BOX.height < to.y);
  for (const [i, one] of boxes.entries()) {
    assert.ok(one.x >= 0 && one.y >= 0 && one.x + BOX.width <= width && one.y + BOX.height <= height);
    for (const other of boxes.slice(i + 1)) assert.ok(one.y !== other.y || Math.abs(one.x - other.x) >= BOX.width);
  }
  const far = layOut({ release_id: DIGEST, name: "a/b", version: "1", gate_open: true }, { ancestors: [ancestor(ids[0], DIGEST, 2 ** 53 - 1)], edges: [] });
  assert.ok(far.height < height); // as tall as one row of ancestors
});

test("a link of the chain lights up only if every check of it ran and none failed", () => {
  const link = { checks: ["a", "b"] };
  const state = (...outcomes: [string, string][]) => stateOf(link, new Map(outcomes));
  assert.equal(state(), undefined);
  assert.equal(state(["a", "passed"]), undefined);
  assert.equal(state(["a", "passed"], ["b", "passed"]), "checked");
  assert.equal(state(["a", "passed"], ["b", "not-checked"]), undefined);
  assert.equal(state(["a", "not-checked"], ["b", "not-checked"]), undefined);
  assert.equal(state(["a", "passed"], ["b", "failed"]), "failed");
});

test("files of two releases are compared by a digest that both name", () => {
  const file = (path: string, size: number, ...digests: [string, string][]) => ({ path, size, digests });
  const old = [file("a", 1, ["x", "1"]), file("b", 1, ["x", "1"]), file("c", 1, ["x", "1"]), file("d", 1, ["x", "1"])];
  const fresh = [file("a", 1, ["x", "1"], ["y", "2"]), file("b", 1, ["x", "2"]), file("c", 1, ["y", "1"]), file("e", 1)];
  assert.deepEqual(fileChanges(old, fresh), [["a", "same"], ["b", "changed"], ["c", "changed"], ["d", "removed"], ["e", "added"]]);
});

test("what the index says otherwise than the chain is named, but for letters of an address", () => {
  const signed = (address: string) => signer({ index: 0, address: `0x${address.repeat(20)}`, weight: 2, counts: true }, "x");
  const entry = { name: "a/b", weight: 2, signers: [signed("AB")], gas_used: 7, product_line: "Simulated" } as unknown as Entry;
  const chain = { ...entry, signers: [signed("ab")], gas_used: null } as unknown as Entry;
  // No page knows this line, so no banner would say that it proves nothing.
  assert.deepEqual(contradictions(entry, { ...chain, product_line: "simulated" }).map(({ field }) => field), ["product_line"]);
  assert.deepEqual(contradictions(entry, chain), []);
  assert.deepEqual(contradictions(entry, { ...chain, weight: 1 }), [{ field: "weight", index: "2", chain: "1" }]);
});

test("codes that are newer than the page are numbers, never refusals", () => {
  assert.deepEqual([lineName(7), lineName(255), checkName(30), gradeWords(9)], ["line 7", "simulated", "check 30", "9 (newer than this page)"]);
  assert.equal(tcbWords("line 7", "0a0000000000"), "0a0000000000");
  for (const line of ["constructor", "__proto__"]) assert.equal(tcbWords(line, "0a00000000001c58"), "0a00000000001c58");
  assert.equal(tcbWords("Genoa", "0a00000000001c58"), "bootloader 10, tee 0, snp 28, microcode 88");
  const good = { passed: true, revoked_at: null, held: false, doubtful: false, revision: 0, revisions: 0 };
  assert.equal(closureOf(good), null);
  assert.equal(closureOf({ ...good, revisions: 1, held: true, doubtful: true }), "held");
  assert.equal(closureOf({ ...good, revisions: 1 }), "superseded");
});

test("the moment of judgement counts only near the block's own time", () => {
  const at = (judged_at: string) => judgedAsOf({ judged_at, recorded_at: "2026-11-20T00:00:00Z" }) - Date.parse("2026-11-20T00:00:00Z") / 1000;
  assert.equal(at("2026-11-13T00:00:00Z"), -7 * 86400);
  assert.equal(at("2026-11-12T23:59:59Z"), 0);
  assert.equal(at("2026-11-20T00:05:00Z"), 300);
  assert.equal(at("2026-11-20T00:05:01Z"), 0);
});

test("axes end at round numbers", () => {
  assert.deepEqual([0, 3, 11, 99, 120, 5e6].map(niceMaximum), [2, 5, 20, 100, 200, 5e6]);
});
