// Starts the page: reads its configuration, draws the frame, and shows the page that the address names.

import type { Hex } from "../../contracts/npm/src/bytes.js";
import { readConfig, type Config } from "./config.js";
import { Rest } from "./data/rest.js";
import { Source } from "./data/source.js";
import { el, fill } from "./dom.js";
import { frame, showStatus } from "./frame.js";
import { show } from "./pages/show.js";
import { parseRoute, type Route } from "./router.js";
import { visible } from "./text.js";
import { announce, banner, failure } from "./view.js";
import type { App } from "./app.js";

async function start(): Promise<void> {
  const block = document.getElementById("config")?.textContent ?? "{}";
  const { main, notices } = frame();
  try {
    const config = await placed(readConfig(block, location.search));
    const noticed = new Set<string>();
    const notice = (key: string, element: HTMLElement): void => {
      if (noticed.has(key)) return;
      noticed.add(key);
      notices.append(element);
    };
    const source = new Source(config, {
      differs: ({ what, first, second }) => {
        const told = `The two nodes answer ${what} differently, so one of them is wrong. First: ${first} Second: ${second}`;
        notice(`differs ${what}`, banner("bad", "The nodes disagree.", told));
      },
      isSilent: (why) => notice("silent", banner("warn", "Not compared.", `The second node does not answer, or whoever serves this page allows no other node: ${why}`)),
      fellBack: (why) => notice("fell back", banner("note", "Read from the chain.", `The index does not answer: ${why}`)),
    });
    if (config.chosenByLink.length > 0) {
      const told = `The address of this page chose the ${config.chosenByLink.join(" and the ")}. Whoever sent you the link may have chosen one that lies.`;
      notice("chosen", banner("warn", "Chosen by the link.", told));
    }
    const app: App = { config, source };
    void showStatus(app);
    window.addEventListener("hashchange", () => void navigate(app, main));
    void navigate(app, main);
  } catch (error) {
    fill(main, el("h1", {}, "Not configured"), failure(error));
  }
}

let current = 0;

async function navigate(app: App, main: HTMLElement): Promise<void> {
  const turn = ++current;
  const isFirst = turn === 1;
  const route = routeOf(location);
  fill(main, el("p", { class: "quiet reading", role: "status" }, "Reading …"));
  const view = await show(app, route).catch((error: unknown) => ({ title: "Nothing to show", body: [failure(error)] }));
  if (turn !== current) return; // the reader went on meanwhile
  const heading = el("h1", { tabindex: "-1" }, view.title, "aside" in view && view.aside);
  fill(main, "above" in view && view.above, heading, ...view.body);
  document.title = `${visible(view.title)} – provenance`; // no element escapes this one
  announce(view.title);
  if (isFirst) return;
  heading.focus({ preventScroll: true });
  scrollTo(0, 0);
}

/** `provenance serve` answers /r/MODEL/MANIFEST with this page, so that other sites can show a picture of a record. */
function routeOf({ hash, pathname }: Location): Route {
  const [own] = /\/r\/[0-9a-f]{64}\/[0-9a-f]{64}$/.exec(pathname) ?? [];
  return parseRoute(hash === "" && own ? own : hash);
}

/** Where nobody configured the registry's place, the index tells it: it is from the same server as this page. */
async function placed(config: Config): Promise<Config> {
  if (config.place || !config.api || !config.rpcUrl) return config;
  const status = await new Rest(config.api).status().catch(() => null); // without it, the index is read alone
  if (!status?.registry) return config;
  const place = { registry: status.registry as Hex, chainId: status.chain_id ?? undefined, block: status.deployment?.block ?? 0 };
  return { ...config, place };
}

void start();
