// The three scripts that are loaded later: the judge, what proves on chain, and the worker that hashes files. A Trusted
// Types policy lets these through and nothing else.

const JUDGE = "check.js";
const PROVER = "prove.js";
const WORKER = "worker.js";

type Judge = typeof import("./judge.js");
type Prover = typeof import("./prove.js");

/** The part of Trusted Types that is used here; no compiler's library declares it yet. */
interface TrustedTypes {
  createPolicy(name: string, rules: Rules): Rules;
}
interface Rules {
  createScriptURL(url: string): string;
}

let policy: Rules | undefined;
const loaded = new Map<string, Promise<unknown>>();

export function loadJudge(): Promise<Judge> {
  return load(JUDGE, "provenanceCheck") as Promise<Judge>;
}

export function loadProver(): Promise<Prover> {
  return load(PROVER, "provenanceProve") as Promise<Prover>;
}

/** What a script puts into `globalThis` under a name. One that did not load is asked for anew. */
function load(file: string, name: string): Promise<unknown> {
  const known = loaded.get(file);
  if (known) return known;
  const loading = new Promise<unknown>((resolve, reject) => {
    const script = document.createElement("script");
    script.src = scriptUrl(file);
    script.onload = () => resolve((globalThis as { readonly [name: string]: unknown })[name]);
    script.onerror = () => {
      loaded.delete(file);
      reject(new Error(`${file} does not load`));
    };
    document.head.append(script);
  });
  loaded.set(file, loading);
  return loading;
}

/** Undefined at file://, where browsers start none: the page then hashes itself. */
export function startWorker(): Worker | undefined {
  return location.protocol === "file:" ? undefined : new Worker(scriptUrl(WORKER));
}

function scriptUrl(url: string): string {
  const rules: Rules = {
    createScriptURL(wanted) {
      if (![JUDGE, PROVER, WORKER].includes(wanted)) throw new TypeError(`another script: ${wanted}`);
      return wanted;
    },
  };
  const { trustedTypes } = globalThis as { readonly trustedTypes?: TrustedTypes };
  policy ??= trustedTypes?.createPolicy("worker", rules) ?? rules;
  return policy.createScriptURL(url);
}
