// What happened to a record, oldest first, with changed publishers flagged.

import type { App } from "../app.js";
import type { RecordHistory } from "../data/source.js";
import type { Entry, HistoryEvent, PublisherChange } from "../data/types.js";
import { el, to, type Child } from "../dom.js";
import { hrefOf } from "../router.js";
import { printable, short } from "../text.js";
import { banner, day, later, note, recordHref, recordLink, section, time } from "../view.js";

export function historySection({ source }: App, entry: Entry, others: readonly Entry[]): HTMLElement {
  const [namespace = ""] = entry.name.split("/");
  return section(
    "What happened since",
    later("the history", source.history(entry).then(historyOf)),
    others.length > 0 && el("div", {}, el("h3", {}, "Other judgements of this release"), el("ul", {}, ...others.map(judgement))),
    later("other releases", source.releases(entry.name).then((all) => otherReleases(entry, all))),
    el("p", {}, to(hrefOf("n", namespace), {}, `Every release and publisher of ${printable(namespace, 96)}`)),
  );
}

const RELEASES_MAX = 20;

/** Each with a way to see what changed from the older to the newer one. */
function otherReleases(entry: Entry, all: readonly Entry[]): Child {
  const others = all.filter((one) => one.release_id !== entry.release_id);
  if (others.length === 0) return null;
  const items = others.slice(0, RELEASES_MAX).map((one) => {
    const [old, fresh] = one.recorded_at < entry.recorded_at ? [one, entry] : [entry, one];
    const compare = to(hrefOf("compare", old.record_id, fresh.record_id), {}, `what changed from ${printable(old.version, 24)} to ${printable(fresh.version, 24)}`);
    return el("li", {}, recordLink(one), ", recorded ", day(one.recorded_at), one.closure && ` (${one.closure})`, ": ", compare);
  });
  return [el("h3", {}, "Other releases of this model"), el("ul", {}, ...items)];
}

function historyOf({ events, changes }: RecordHistory): Child {
  if (events.length === 0) return note("The registry shows no event.");
  return [changes.map(changed), el("ol", { class: "timeline" }, ...events.map(eventItem))];
}

/** The classic sign of a stolen account: a new version by somebody else. */
function changed(change: PublisherChange): HTMLElement {
  const link = (digest: string): Child => to(hrefOf("p", digest), {}, el("code", {}, short(digest)));
  return banner("warn", "The publisher changed.", `${change.name}: version ${change.from_version} by `, link(change.from_publisher), `, then ${change.to_version} by `, link(change.to_publisher), ".");
}

function eventItem(event: HistoryEvent): HTMLElement {
  const when = event.time ?? event.effective_from;
  const tone = ["revoked", "model_revoked", "revocation_applied"].includes(event.event) || event.passed === false ? "bad" : "note";
  return el(
    "li",
    { class: tone },
    when && el("p", { class: "quiet" }, time(when)),
    el("p", {}, words(event)),
    el("p", { class: "quiet" }, `block ${event.block.toLocaleString("en")}, transaction `, el("code", {}, short(event.transaction))),
  );
}

function words(event: HistoryEvent): string {
  const signers = (event.signers ?? []).join(", ") || "none";
  switch (event.event) {
    case "published":
    case "superseded": {
      const held = event.held ? " Held: its namespace does not trust the publisher." : "";
      const what = event.passed === false ? "A FAILED verdict was recorded" : event.revision === 0 ? "Recorded" : `Superseded by judgement ${(event.revision ?? 0) + 1}`;
      return `${what}, confirmed by oracles ${signers} of set ${event.epoch}, weight ${event.weight}.${held}`;
    }
    case "recounted":
      return `Signatures recounted: oracles ${signers} count, weight ${event.weight}, which is ${event.doubtful ? "too little" : "enough"}.`;
    case "released":
      return "Released: the namespace trusts the publisher now.";
    case "adopted":
      return "Adopted: the owner of the namespace took this older release in.";
    case "leaf_closed":
      return `Taken out of its batch (leaf ${event.index}): its own record counts from now on.`;
    case "revoked":
      return `REVOKED by ${event.guardian}: ${printable(event.reason ?? "")}`;
    case "model_revoked":
      return `Every release of these files REVOKED by ${event.guardian}: ${printable(event.reason ?? "")}`;
    case "revocation_applied":
      return "REVOKED with its model.";
    default:
      return `An event that is newer than this page: ${printable(event.event)}`;
  }
}

function judgement(one: Entry): HTMLElement {
  const what = one.passed ? `judgement ${one.revision + 1}` : "a FAILED verdict";
  return el("li", {}, to(recordHref(one), {}, what), ", recorded ", time(one.recorded_at));
}
