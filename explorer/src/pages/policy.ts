// A policy: its rules as a table, and the records that were judged by it.

import type { App } from "../app.js";
import { isDigestOf } from "../data/documents.js";
import type { Policy } from "../data/types.js";
import { el, type Child } from "../dom.js";
import { printable, short } from "../text.js";
import { banner, copyButton, digestOf, facts, later, moreButton, note, section, table, type View } from "../view.js";
import { lines } from "./raw.js";
import { recordRows } from "./rows.js";

export async function policyPage({ source }: App, digest: string): Promise<View> {
  const { rest, chain } = source;
  if (!rest) {
    const number = (await chain?.policyNumber(digest)) ?? null;
    const known = facts(["Digest", digestOf(digest, "policy digest")], ["Number in this registry", number ?? "none"]);
    return { title: "Policy", body: [known, note("The registry keeps only the digest. An index has the text of the policies that its oracle knows.")] };
  }
  const policy = await rest.policy(digest);
  const read = async (cursor?: string) => {
    const { entries, next_cursor: next } = await rest.policyRecords(digest, cursor);
    return [entries.length > 0 ? recordRows(entries) : note("No record was judged by it."), next] as const;
  };
  return {
    title: policy.name ? `Policy ${printable(policy.name, 60)}` : "Policy",
    above: el("p", { class: "crumbs" }, short(digest)),
    body: [
      facts(
        ["Digest", digestOf(digest, "policy digest")],
        ["Number in this registry", policy.number ?? "none"],
        ["Date", policy.date],
        ["Records judged by it", policy.records?.toLocaleString("en")],
      ),
      policy.text === null
        ? note("The text of this policy is not at hand here. Only its digest is on chain.")
        : later("the policy", rules(policy, policy.text)),
      section("Records judged by it", later("the records", read().then(([rows, next]) => [rows, moreButton(next, read)]))),
    ],
  };
}

/** A rule that is not checked is written `any`, so that a forgotten rule cannot pass for one. */
async function rules({ digest, rules: all }: Policy, text: string): Promise<Child> {
  const matches = await isDigestOf(new TextEncoder().encode(text), digest);
  const bound = {
    true: banner("good", "Its text.", "This browser hashed the text below: it is the one with this digest."),
    false: banner("bad", "Another text.", "The text below has another digest. Do not rely on it."),
    null: banner("note", "Not compared.", "This browser hashes nothing here, so the text was not compared with its digest."),
  }[`${matches}`];
  const rows = (all ?? []).map(({ rule, value }) => [el("code", {}, rule), valueOf(value)]);
  const whole = el("details", {}, el("summary", {}, "The policy as text"), copyButton(text, "policy"), el("pre", { tabindex: "0" }, lines(text)));
  return [
    note("The server made this table from the text below. In doubt the text counts: its digest is the policy’s."),
    table("Rules", ["Rule", "Wanted"], rows),
    bound,
    whole,
  ];
}

function valueOf(value: unknown): Child {
  if (value === "any") return el("span", { class: "quiet" }, "any: not checked");
  if (Array.isArray(value) && value.some((one) => typeof one === "object")) return el("ul", {}, ...value.map((one) => el("li", {}, wordsOf(one))));
  return wordsOf(value);
}

/** A value of YAML on one line. */
function wordsOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(wordsOf).join(", ");
  if (typeof value !== "object" || value === null) return String(value);
  return Object.entries(value).map(([name, one]) => `${name} ${typeof one === "object" ? `(${wordsOf(one)})` : wordsOf(one)}`).join(", ");
}
