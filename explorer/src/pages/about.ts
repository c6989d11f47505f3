// What a record means, and what it does not.

import { el, out } from "../dom.js";
import { section, table, type View } from "../view.js";
import { CHECKS } from "../words.js";

const SNP = "https://www.amd.com/en/developer/sev.html";
const IN_TOTO = "https://in-toto.io/";

export function aboutPage(): View {
  return {
    title: "What a record means",
    body: [
      el("p", { class: "lead" }, "A record says who confirmed what about a model’s files, and lets you confirm it again without trusting them. It does not say that a model is good, harmless or free of bugs."),
      section(
        "From a chip to a record",
        el(
          "ol",
          { class: "steps" },
          el("li", {}, el("strong", {}, "Chip. "), "An AMD processor has a key of its own, and AMD’s root key vouches for it. ", out(SNP, "SEV-SNP"), " keeps the memory of a virtual machine secret, even from the owner of the computer."),
          el("li", {}, el("strong", {}, "Confidential VM. "), "The chip signs a report: which software the VM was started with, which firmware the machine has, and one number that the VM chose."),
          el("li", {}, el("strong", {}, "Key. "), "That number is the digest of a key which the VM made. So a signature by the key comes from inside that VM."),
          el("li", {}, el("strong", {}, "Manifest. "), "The VM signs a list of every file, and of what they were made from, in the format of ", out(IN_TOTO, "in-toto"), "."),
          el("li", {}, el("strong", {}, "Model files. "), "Every byte of every file is as listed, and there is no other file."),
          el("li", {}, el("strong", {}, "Record. "), "Oracles repeat all of this and sign what they found. A contract keeps it once enough of them agree, and nobody can change it later."),
        ),
      ),
      section(
        "Words",
        table("States of a record", ["Word", "Meaning"], [
          ["Confirmed by", "These oracles repeated the checks and signed the outcome. You can repeat them too."],
          ["Simulated hardware", "The evidence comes from a simulator whose keys are public. It proves nothing."],
          ["Signed only", "A publisher signed the files. Nothing is known of the machine on which they were made."],
          ["Held", "The owner of the namespace has not accepted this publisher."],
          ["Doubtful", "Keys of oracles that signed the record were revoked, and too little weight is left."],
          ["Revoked", "A guardian of the registry withdrew the record. The reason is in its history."],
          ["Superseded", "The oracles judged the same release again later."],
          ["FAILED", "The oracles judged the release and refuse it."],
          ["No verdict", "A node or an index did not answer. That says nothing about the model."],
        ]),
      ),
      section("Checks", table("What each check says if it passed", ["Check", "Meaning", "Id"], CHECKS.map(({ id, title, meaning }) => [title, meaning, el("code", {}, id)]))),
      section(
        "What a lying server can do",
        el("p", {}, "A node or an index can hide a record, or the revocation of one. It cannot make evidence: your browser checks the signatures up to AMD’s root, whose digest is part of this page. To notice a liar, compare two nodes: add ?rpc2=ADDRESS to the address of this page."),
        el("p", {}, "The page itself comes from a server. You can save its six files and open index.html from your disk instead."),
      ),
    ],
  };
}
