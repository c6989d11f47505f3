// A publisher: the digest of a signing identity, where it is trusted, and what it signed.

import type { App } from "../app.js";
import { el, to } from "../dom.js";
import { hrefOf } from "../router.js";
import { short } from "../text.js";
import { banner, digestOf, facts, later, moreButton, note, section, type View } from "../view.js";
import { recordRows } from "./rows.js";

export async function identityPage({ source }: App, digest: string): Promise<View> {
  const { rest } = source;
  const title = "Publisher";
  const above = el("p", { class: "crumbs" }, short(digest));
  const meaning = note("A publisher is known by the digest of a signing identity: a key, a certificate, or an account of a sign-in provider. The digest of a line such as “key HEX” is what the registry keeps.");
  if (!rest) {
    const told = "The registry’s events cannot be searched by publisher. A node alone does not tell what else this publisher signed.";
    return { title, above, body: [facts(["Identity", digestOf(digest, "identity")]), meaning, banner("note", "Needs an index.", told)] };
  }
  const identity = await rest.identity(digest);
  const read = async (cursor?: string) => {
    const { entries, next_cursor: next } = await rest.identityRecords(digest, cursor);
    return [entries.length > 0 ? recordRows(entries) : note("No record names this publisher."), next] as const;
  };
  const namespaces = (identity.namespaces ?? []).map((name) => el("div", {}, to(hrefOf("n", name), {}, name)));
  return {
    title,
    above,
    body: [
      facts(
        ["Identity", digestOf(digest, "identity")],
        ["Trusted by", namespaces.length > 0 ? namespaces : "no claimed namespace"],
        ["Records", identity.records?.toLocaleString("en")],
      ),
      meaning,
      section("What it signed", later("the records", read().then(([rows, next]) => [rows, moreButton(next, read)]))),
    ],
  };
}
