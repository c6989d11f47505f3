// What a release was made from: a drawing, and a list with the same content.

import type { App } from "../app.js";
import type { Manifest } from "../data/documents.js";
import type { Entry, Lineage, Result } from "../data/types.js";
import { el, out, type Child } from "../dom.js";
import { lineageDrawing } from "../draw/lineage.js";
import { printable } from "../text.js";
import { idLink, later, note, section, table } from "../view.js";

export function lineageSection({ source }: App, entry: Entry, manifest: Promise<Manifest>): HTMLElement {
  return section(
    "What it was made from",
    later("the lineage", source.lineage(entry).then((lineage) => lineageOf(entry, lineage))),
    later("the manifest", manifest.then(dependencies, () => null)),
  );
}

function lineageOf(entry: Entry, lineage: Lineage): Child {
  const { ancestors, edges, descendants } = lineage;
  const made = descendants.length > 0 && [el("h3", {}, "Made from it"), el("ul", {}, ...descendants.map(descendant))];
  if (ancestors.length === 0) return [note("The record names no recorded release as a parent."), made];
  const known = new Map(ancestors.map((one) => [one.release_id, one]));
  const link = (id: string): Child => {
    const one = known.get(id);
    return id === entry.release_id ? `${entry.name} ${entry.version}` : idLink(id, one?.name ?? null, one?.version ?? null);
  };
  const rows = edges.map(({ parent, child, attested }) => {
    const gate = known.get(parent)?.open ? "open" : "shut";
    return [link(parent), link(child), attested ? "attested (solid)" : "stated (dashed)", gate];
  });
  return [
    lineageDrawing(entry, lineage),
    note("A solid line is attested: the confidential VM signed it. A dashed line is only stated by the owner of the namespace. A dotted frame means that the gate of this release is shut."),
    table("The same as a list", ["Release", "was used to make", "How it is known", "Its gate"], rows),
    made,
  ];
}

function descendant(one: Result): HTMLElement {
  return el("li", {}, idLink(one.record_id ?? "", one.name, one.version));
}

/** What the manifest names, recorded or not: code, data and images too. */
function dependencies({ dependencies: all }: Manifest): Child {
  if (all.length === 0) return null;
  const rows = all.map((one) => [
    // A link shows its address: a name could be that of another place.
    [one.name !== one.uri && printable(one.name), one.uri !== null && el("div", {}, out(one.uri))],
    one.role ?? "",
    one.digests.map(([algorithm, digest]) => el("div", {}, `${algorithm} `, el("code", {}, digest))),
  ]);
  return table("Sources that the manifest names", ["Source", "Role", "Digest"], rows);
}
