// Identities of publishers: one line of text each, with the rules of verifier/identity/names.py.

import { hexOf, lengthOf, utf8Of } from "./bytes.js";
import { isAcceptable } from "./characters.js";
import { malformed } from "./checks.js";
import { digestOf } from "./key.js";

const LINE_MAX_CHARS = 1024;
const DOMAIN = "provenance-identity-v1";
const SPKI = "[0-9a-f]{64}";
const ISSUER = "https?://[^ ]+";
const NAME = "[^ ](?:.*[^ ])?";
const FORMS: { readonly [kind: string]: RegExp } = {
  key: form(SPKI),
  certificate: form(`${SPKI} (?:email|dns|uri|dn):${NAME}`),
  authority: form(SPKI),
  sigstore: form(`${ISSUER} (?:email|uri|other):${NAME}`),
  workflow: form(`${ISSUER} https://[^ @]+`),
  "snp-measurement": form("[0-9a-f]{96}"),
  "simulated-snp-measurement": form("[0-9a-f]{96}"),
};

function form(pattern: string): RegExp {
  return new RegExp(`^(?:${pattern})$`, "u");
}

/** The line of an identity. `where` names the field in messages. */
export function parseIdentity(line: string, where: string): string {
  if (isIdentity(line)) return line;
  const wanted = `a line that begins with ${Object.keys(FORMS).join(", ")}`;
  throw malformed("publisher-identity", "not the identity of a publisher", where, line, wanted);
}

/** Whether a text has one of the forms. */
export function isIdentity(line: string): boolean {
  const kind = kindOf(line);
  const pattern = Object.hasOwn(FORMS, kind) ? FORMS[kind] : undefined;
  return pattern !== undefined && isLine(line) && pattern.test(line.slice(kind.length + 1));
}

export function kindOf(line: string): string {
  return line.split(" ", 1)[0]!;
}

/** SHA-256 of the key that the line names, in hex; empty for kinds that name none. */
export function anchorOf(line: string): string {
  return ["key", "certificate", "authority"].includes(kindOf(line)) ? line.split(" ")[1]! : "";
}

/** The digest on chain, in hex. */
export async function identityDigest(line: string): Promise<string> {
  return hexOf(await digestOf("SHA-256", utf8Of(`${DOMAIN}\n${line}\n`)));
}

/** Whether a text may be a line, as far as its length and its characters go. */
export function isLine(text: string): boolean {
  return lengthOf(text) <= LINE_MAX_CHARS && isAcceptable(text) && text === text.normalize("NFC");
}
