// Names that a release may use: file paths, model names and versions. It equals verifier/manifest/names.py.

import { utf8Of } from "./bytes.js";
import { someCharacters, unacceptableIn } from "./characters.js";
import { type Check, type CheckError, malformed } from "./checks.js";

export const PROVENANCE_FOLDER = "provenance";
const [PATH_BYTES_MAX, SEGMENT_BYTES_MAX, FOLDERS_MAX] = [4096, 255, 32];
const SLUG = "[A-Za-z0-9](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9])?";
const MODEL_NAME = new RegExp(`^${SLUG}/${SLUG}$`);
const VERSION = /^[A-Za-z0-9](?:[A-Za-z0-9._+-]{0,62}[A-Za-z0-9])?$/;

/** The text if it is a model name of the form `namespace/model`. */
export function parseModelName(text: string, where: string): string {
  if (!text.includes("..") && MODEL_NAME.test(text)) return text;
  throw malformed("manifest-format", "not a model name", where, text, "namespace/model in A-Z a-z 0-9 . _ -");
}

/** The text if it is a version of 1 to 64 characters. */
export function parseVersion(text: string, where: string): string {
  if (!text.includes("..") && VERSION.test(text)) return text;
  throw malformed("manifest-format", "not a version", where, text, "1 to 64 of A-Z a-z 0-9 . _ + -");
}

/** The text if it is an acceptable relative path of a model file; with `inProvenance`, also of one in `provenance/`. */
export function parsePath(text: string, check: Check, where: string, inProvenance = false): string {
  const segments = text.split("/");
  const [folder = ""] = segments;
  let problem = firstProblem(text, segments);
  if (!problem && folded(folder) === PROVENANCE_FOLDER && !(inProvenance && folder === PROVENANCE_FOLDER)) {
    problem = `lies in ${PROVENANCE_FOLDER}/`;
  }
  if (!problem) return text;
  throw malformed(check, `file name ${problem}`, where, text, "a relative path, NFC, printable, no dot segments");
}

function firstProblem(text: string, segments: readonly string[]): string {
  const unacceptable = unacceptableIn(text);
  if (unacceptable.length > 0) {
    return `has control, invisible or unknown characters: ${someCharacters(unacceptable)}`;
  }
  const bytesOf = (part: string): number => utf8Of(part).length;
  if (text.normalize("NFC") !== text) return "is not in Unicode form NFC";
  if (bytesOf(text) > PATH_BYTES_MAX) return `is longer than ${PATH_BYTES_MAX} bytes`;
  if (segments.some((segment) => ["", ".", ".."].includes(segment))) {
    return "is empty or absolute, or has empty or dot segments";
  }
  if (segments.some((segment) => bytesOf(segment) > SEGMENT_BYTES_MAX)) {
    return `has a segment longer than ${SEGMENT_BYTES_MAX} bytes`;
  }
  if (segments.length > FOLDERS_MAX + 1) return `lies in more than ${FOLDERS_MAX} folders`;
  return text.includes("\\") || /^[A-Za-z]:/.test(text) ? "has a backslash or a drive letter" : "";
}

interface Folder extends Map<string, readonly [spelling: string, inner: Folder | undefined]> {}

/** Throws if two paths are equal, differ by letter case alone, or use one name as file and as folder. */
export function refuseCollisions(paths: Iterable<string>, check: Check, where: string): void {
  const root: Folder = new Map();
  for (const path of paths) {
    const segments = path.split("/");
    const name = segments.pop() as string;
    let folder = root;
    segments.forEach((segment, position) => {
      const key = folded(segment);
      const [spelling, inner] = folder.get(key) ?? [segment, new Map() as Folder];
      if (spelling !== segment || !inner) throw collision(segments.slice(0, position + 1), spelling, check, where);
      folder.set(key, [spelling, inner]);
      folder = inner;
    });
    const taken = folder.get(folded(name));
    if (taken) throw collision([...segments, name], taken[0], check, where);
    folder.set(folded(name), [name, undefined]);
  }
}

function collision(segments: readonly string[], spelling: string, check: Check, where: string): CheckError {
  const other = [...segments.slice(0, -1), spelling].join("/");
  return malformed(check, "two file names collide", where, segments.join("/"), `none that collides with ${other}`);
}

/** A form that is the same for names that differ by letter case alone. JavaScript has no case folding of its own. */
export function folded(name: string): string {
  return Array.from(name.normalize("NFD"), foldedCharacter).join("").normalize("NFD");
}

/** In Unicode's case folding, unlike in upper case, the dotless i is a letter of its own. */
function foldedCharacter(character: string): string {
  return character === "\u0131" ? character : character.toLowerCase().toUpperCase().toLowerCase();
}
