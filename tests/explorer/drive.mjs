// Drives Chromium for the tests: one JSON request a line on stdin, one JSON answer a line on stdout.
// Arguments: the folder with playwright-core and axe-core, and the path of Chromium.
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [modules, executablePath] = process.argv.slice(2);
const { chromium } = await import(pathToFileURL(`${modules}/playwright-core/index.mjs`).href);
const axe = await readFile(`${modules}/axe-core/axe.min.js`, "utf8");
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"];
FLAGS.push("--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP page.example 127.0.0.1");
const AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const OPEN = { "Access-Control-Allow-Origin": "*" };
const ANSWER_MS = 15_000;
const PICTURE_MS = 60_000; // a page with hundreds of strings is long

const browser = await chromium.launch({ executablePath, args: FLAGS });
let context, page, faults;

const TAGS = `a abbr body br button caption circle code dd defs desc details div dl dt ellipse em fieldset figcaption figure
  footer form g h1 h2 h3 h4 head header html input label legend li line link main marker meta nav noscript ol option p path
  polygon polyline pre progress rect script section select small span strong summary svg table tbody td text th thead
  time title tr tspan ul use`.split(/\s+/);

/** Runs in the page. Returns what no page of ours has: it would come from a string. */
function aliens(tags) {
  const isOurs = (address) => /^(#|\/api\/v1\/|data:image\/svg\+xml,|(app|check|prove|worker)\.js$|style\.css$)/.test(address);
  const forbidden = ["style", "srcdoc", "action", "formaction", "srcset", "ping"];
  const wrong = (one) => {
    if (!tags.includes(one.localName)) return [one.localName];
    return [...one.attributes]
      .filter(({ name, value }) => {
        if (name.startsWith("on") || forbidden.includes(name)) return true;
        if (name === "src") return !isOurs(value);
        return name.endsWith("href") && !isOurs(value) && !value.startsWith("https://");
      })
      .map(({ name, value }) => `${one.localName} ${name}=${value}`);
  };
  const scripts = [...document.scripts].filter((one) => one.textContent !== "" && one.id !== "config");
  return [...[...document.querySelectorAll("*")].flatMap(wrong), ...scripts.map((one) => one.outerHTML)];
}

/** Notes everything that no page of ours may do: errors, refusals of the CSP, dialogs, requests to other places. */
function watch(origins) {
  faults = [];
  context.on("console", (line) => {
    if (["error", "warning"].includes(line.type())) faults.push(`console ${line.type()}: ${line.text()} ${line.location().url}`);
  });
  context.on("weberror", (error) => faults.push(`exception: ${error.error().stack}`));
  context.on("dialog", async (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    await dialog.dismiss();
  });
  context.on("request", (request) => {
    const url = new URL(request.url());
    const inside = ["data:", "blob:", "file:"].includes(url.protocol) || origins.includes(url.origin);
    if (!inside) faults.push(`request: ${request.url()}`);
  });
  context.on("page", (other) => other !== page && page && faults.push(`window: ${other.url()}`));
}

const operations = {
  async open({ origins, width, height, scheme, media, permissions, script }) {
    await context?.close();
    page = undefined;
    context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme, reducedMotion: "reduce" });
    context.setDefaultTimeout(ANSWER_MS);
    if (permissions) await context.grantPermissions(permissions);
    watch(origins);
    await context.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", (event) => {
        console.error(`CSP: ${event.violatedDirective} refused ${event.blockedURI} ${event.sample}`);
      });
    });
    if (script) await context.addInitScript(script);
    page = await context.newPage();
    if (media) await page.emulateMedia({ media });
  },
  async close() {
    await context.close();
    context = page = undefined;
    return faults;
  },
  answer: ({ pattern, status, type, body }) =>
    page.route(pattern, (route) =>
      route.fulfill({ status, contentType: type, headers: OPEN, body: Buffer.from(body, "base64") })),
  goto: ({ url }) => page.goto(url, { waitUntil: "load" }).then(() => null),
  url: () => page.url(),
  back: () => page.goBack().then(() => null),
  wait: ({ selector, state }) => page.locator(selector).first().waitFor({ state }),
  async settle() {
    await page.evaluate(() => new Promise((done) => setTimeout(done))); // a change of the fragment is noticed now
    await page.waitForFunction(() =>
      document.querySelector("main h1") && !document.querySelector("main > .reading, [aria-busy=true]"));
  },
  texts: ({ selector }) => page.locator(selector).allInnerTexts(),
  count: ({ selector }) => page.locator(selector).count(),
  attributes: ({ selector, name }) =>
    page.locator(selector).evaluateAll((found, key) => found.map((one) => one.getAttribute(key)), name),
  fill: ({ selector, text }) => page.locator(selector).first().fill(text),
  click: ({ selector }) => page.locator(selector).first().click(),
  press: ({ key }) => page.keyboard.press(key),
  type: ({ text }) => page.keyboard.type(text),
  choose: ({ selector, paths }) => page.locator(selector).first().setInputFiles(paths),
  evaluate: ({ script }) => page.evaluate(script),
  async look({ scheme, width }) {
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize({ ...page.viewportSize(), width });
  },
  aliens: () => page.evaluate(aliens, TAGS),
  async axe({ selector }) {
    await page.evaluate(axe);
    const found = await page.evaluate(
      ([scope, tags]) => window.axe.run(scope, { runOnly: tags, resultTypes: ["violations"] }), [selector, AXE_TAGS]);
    return found.violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 200)}`));
  },
  screenshot: ({ path, whole }) => page.screenshot({ path, fullPage: whole, timeout: PICTURE_MS }).then(() => null),
  pdf: ({ path }) => page.pdf({ path }).then(() => null),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { operation, ...given } = JSON.parse(line);
  let answer;
  try {
    answer = { value: (await operations[operation](given)) ?? null };
  } catch (error) {
    answer = { error: `${operation} ${JSON.stringify(given).slice(0, 300)}: ${error.message}` };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await browser.close();
