// What every page is given.

import type { Config } from "./config.js";
import type { Source } from "./data/source.js";

export interface App {
  readonly config: Config;
  readonly source: Source;
}
