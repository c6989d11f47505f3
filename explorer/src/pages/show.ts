// The page for a route.

import type { App } from "../app.js";
import type { Route } from "../router.js";
import type { View } from "../view.js";
import { banner } from "../view.js";
import { aboutPage } from "./about.js";
import { comparePage } from "./compare.js";
import { filesPage } from "./files.js";
import { findPage } from "./find.js";
import { homePage } from "./home.js";
import { identityPage } from "./identity.js";
import { namespacePage } from "./namespace.js";
import { plotsPage } from "./plots.js";
import { policyPage } from "./policy.js";
import { recordPage, recordPageById } from "./record.js";

export async function show(app: App, route: Route): Promise<View> {
  if (route.page === "about") return aboutPage();
  if (!app.source.isConfigured) return unconfigured();
  switch (route.page) {
    case "home":
      return homePage(app);
    case "find":
      return findPage(app, route.text);
    case "record":
      return recordPage(app, route.model, route.manifest);
    case "id":
      return recordPageById(app, route.recordId);
    case "namespace":
      return namespacePage(app, route.name);
    case "identity":
      return identityPage(app, route.digest);
    case "policy":
      return policyPage(app, route.digest);
    case "files":
      return filesPage(app, route.model, route.manifest);
    case "compare":
      return comparePage(app, route.before, route.after);
    case "plots":
      return plotsPage(app);
    default:
      return nowhere();
  }
}

function nowhere(): View {
  const told = "No page has this address. Search for a digest or a name instead.";
  return { title: "No such page", body: [banner("note", "Nothing here.", told)] };
}

function unconfigured(): View {
  const told =
    "This copy of the page has no registry to read. Add ?rpc=NODE&registry=ADDRESS to its address, or fill in the data block in index.html.";
  return { title: "No registry", body: [banner("note", "Nothing to read.", told)] };
}
