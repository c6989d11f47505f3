// Search, and the newest records.

import type { App } from "../app.js";
import type { Entry } from "../data/types.js";
import { el, to } from "../dom.js";
import { searchForm } from "../frame.js";
import { hrefOf } from "../router.js";
import { recordRows } from "./rows.js";
import { later, moreButton, note, section, type View } from "../view.js";

export async function homePage({ source }: App): Promise<View> {
  const read = async (cursor?: string) => {
    const { entries, next_cursor: next } = await source.recent(cursor);
    return [listOf(entries), next] as const;
  };
  const newest = read().then(([rows, next]) => [rows, moreButton(next, read)]);
  return {
    title: "Where did this model come from?",
    body: [
      el(
        "p",
        { class: "lead" },
        "Independent oracles judged these releases: the processor that ran the training, the key that signed the files, every byte of them. Look one up, and repeat the judgement in your own browser.",
      ),
      searchForm("Search all records", true),
      note("You can search for a name such as acme/model@1.0, a word, or any digest: of a model, manifest, verdict, report, policy or publisher. ", to(hrefOf("about"), {}, "What does a record mean?")),
      section("Newest records", later("the newest records", newest)),
    ],
  };
}

function listOf(entries: readonly Entry[]) {
  return entries.length > 0 ? recordRows(entries) : note("Nothing is recorded yet.");
}
