// What stands around every page: the way home, search, the theme, and where the facts come from.

import type { App } from "./app.js";
import { el, fill, on, svg, to } from "./dom.js";
import { hrefOf } from "./router.js";
import { timeWords } from "./text.js";

export interface Frame {
  readonly main: HTMLElement;
  readonly notices: HTMLElement;
}

const THEMES = ["auto", "light", "dark"] as const;
type Theme = (typeof THEMES)[number];

export function frame(): Frame {
  const main = el("main", { id: "main", tabindex: "-1" });
  const notices = el("div", { class: "notices", role: "status" });
  const skip = el("a", { class: "skip" }, "Skip to the content");
  skip.href = "#main"; // no route: a reader’s program knows such a link by its target
  on(skip, "click", (event) => {
    event.preventDefault();
    main.focus();
  });
  const links = el(
    "nav",
    { "aria-label": "Pages" },
    to(hrefOf("plots"), {}, "Figures"),
    to(hrefOf("about"), {}, "About"),
    themeButton(),
  );
  const header = el("header", {}, el("div", { class: "wide bar" }, brand(), searchForm("Search"), links));
  const footer = el("footer", {}, el("div", { class: "wide", id: "status" }, "Reading where these facts come from …"));
  const live = el("div", { id: "live", class: "hidden", "aria-live": "polite", role: "status" });
  fill(document.body, skip, header, el("div", { class: "wide" }, notices, main), footer, live);
  return { main, notices };
}

/** `label` is what a screen reader says, since a page may have two searches. */
export function searchForm(label: string, isLarge = false): HTMLElement {
  const input = el("input", {
    type: "search",
    name: "q",
    "aria-label": label,
    placeholder: isLarge ? "A model’s name, a word of it, or any digest" : "Name or digest",
    autocomplete: "off",
    spellcheck: "false",
  });
  const form = el("form", { role: "search", "aria-label": label, class: isLarge ? "search large" : "search" }, input, el("button", { type: "submit" }, "Search"));
  return on(form, "submit", (event) => {
    event.preventDefault();
    const text = input.value.trim();
    if (text) location.hash = hrefOf("find", text);
  });
}

function brand(): HTMLElement {
  const mark = svg(
    "svg",
    { viewBox: "0 0 32 32", class: "mark", "aria-hidden": "true" },
    svg("rect", { x: 4, y: 10, width: 14, height: 12, rx: 6 }),
    svg("rect", { x: 14, y: 10, width: 14, height: 12, rx: 6 }),
  );
  return to("#/", { class: "brand" }, mark, el("span", {}, "provenance"));
}

function themeButton(): HTMLElement {
  const button = el("button", { type: "button", class: "plain" });
  const set = (theme: Theme): void => {
    document.documentElement.dataset["theme"] = theme;
    fill(button, `Theme: ${theme}`);
  };
  set(storedTheme());
  return on(button, "click", () => {
    const next = THEMES[(THEMES.indexOf(storedTheme()) + 1) % THEMES.length]!;
    store(next);
    set(next);
  });
}

let chosen: Theme = "auto";

/** Storage is forbidden in some private windows, and at file://. */
function storedTheme(): Theme {
  try {
    const told = localStorage.getItem("theme");
    return THEMES.find((theme) => theme === told) ?? chosen;
  } catch {
    return chosen;
  }
}

function store(theme: Theme): void {
  chosen = theme;
  try {
    localStorage.setItem("theme", theme);
  } catch {
    // the choice then lasts as long as the page
  }
}

export async function showStatus({ config, source }: App): Promise<void> {
  const place = document.getElementById("status");
  if (!place || !source.isConfigured) return;
  const [index, chain] = await Promise.all([
    source.rest?.status().catch(() => null),
    source.chain?.status().catch(() => null),
  ]);
  const chainId = chain?.chainId ?? index?.chain_id;
  const words = [
    el("p", {}, "Registry ", el("code", {}, config.place?.registry ?? index?.registry ?? "unknown"), chainId ? ` on chain ${chainId}` : ""),
    index && el("p", {}, `Index: read up to block ${index.indexed_until ?? "?"}, ${index.lag_blocks ?? "?"} blocks behind the chain.`),
    index === null && el("p", {}, "Index: no answer."),
    chain && el("p", {}, `Node: ${config.rpcUrl}, block ${chain.block} of ${timeWords(chain.at)}`, config.secondUrl ? `; compared with ${config.secondUrl}` : ""),
    chain === null && el("p", {}, `Node: ${config.rpcUrl} does not answer. Nodes have to allow this page’s origin (CORS).`),
    el("p", {}, "This page asks nobody else. Nothing that you check leaves your browser."),
  ];
  fill(place, ...words);
}
