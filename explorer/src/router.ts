// Addresses behind the #, so that any static host, and a file on disk, can serve the page.

export type Route =
  | { readonly page: "home" }
  | { readonly page: "find"; readonly text: string }
  | { readonly page: "record"; readonly model: string; readonly manifest: string }
  | { readonly page: "id"; readonly recordId: string }
  | { readonly page: "namespace"; readonly name: string }
  | { readonly page: "identity"; readonly digest: string }
  | { readonly page: "policy"; readonly digest: string }
  | { readonly page: "compare"; readonly before: string; readonly after: string }
  | { readonly page: "files"; readonly model: string; readonly manifest: string }
  | { readonly page: "plots" }
  | { readonly page: "about" }
  | { readonly page: "nowhere"; readonly text: string };

const DIGEST = /^[0-9a-f]{64}$/;
const PARTS_MAX = 4;
const PART_LENGTH_MAX = 1000;

/** `hash` is that of the address, or the path of a record's own address, `/r/MODEL/MANIFEST`. */
export function parseRoute(hash: string): Route {
  const parts = hash.replace(/^#?\/?/, "").split("/");
  const text = hash.slice(0, 200);
  const words = parts.slice(0, PARTS_MAX).map(decoded);
  if (parts.length > PARTS_MAX || words.some((word) => word === undefined)) return { page: "nowhere", text };
  const [kind = "", one = "", two = ""] = words as string[];
  const both = DIGEST.test(one) && DIGEST.test(two);
  switch (kind) {
    case "":
      return { page: "home" };
    case "find":
      return one ? { page: "find", text: one } : { page: "home" };
    case "r":
      return both ? { page: "record", model: one, manifest: two } : { page: "nowhere", text };
    case "files":
      return both ? { page: "files", model: one, manifest: two } : { page: "nowhere", text };
    case "compare":
      return both ? { page: "compare", before: one, after: two } : { page: "nowhere", text };
    case "id":
      return DIGEST.test(one) ? { page: "id", recordId: one } : { page: "nowhere", text };
    case "n":
      return one ? { page: "namespace", name: one } : { page: "nowhere", text };
    case "p":
      return DIGEST.test(one) ? { page: "identity", digest: one } : { page: "nowhere", text };
    case "policy":
      return DIGEST.test(one) ? { page: "policy", digest: one } : { page: "nowhere", text };
    case "plots":
    case "about":
      return { page: kind };
    default:
      return { page: "nowhere", text };
  }
}

/** The address of a page, such as `hrefOf("n", "acme")`. */
export function hrefOf(...parts: readonly string[]): string {
  return `#/${parts.map((part) => encodeURIComponent(wellFormed(part))).join("/")}`;
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part.slice(0, PART_LENGTH_MAX));
  } catch {
    return undefined;
  }
}

/** encodeURIComponent throws at half a character. */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, "\ufffd");
}
