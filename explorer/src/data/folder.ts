// A folder that the reader chose or dropped. It never leaves the browser.

/** Path below the folder, with slashes, and the file. */
export type ChosenFiles = ReadonlyMap<string, File>;

const FILES_MAX = 20_000;
const DEPTH_MAX = 32;

/** From `input type=file webkitdirectory`: every path begins with the folder's own name. */
export function chosenFiles(input: HTMLInputElement): ChosenFiles {
  const files = [...(input.files ?? [])];
  refuseTooMany(files.length);
  return new Map(files.map((file) => [file.webkitRelativePath.split("/").slice(1).join("/") || file.name, file]));
}

/** From a drop: one folder, or single files. */
export async function droppedFiles(transfer: DataTransfer): Promise<ChosenFiles> {
  // Entries are only there during the event, so all of them are taken before anything waits.
  const entries = [...transfer.items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  const found = new Map<string, File>();
  const [only] = entries;
  if (entries.length === 1 && only?.isDirectory) await walk(await children(only as FileSystemDirectoryEntry), "", 1, found);
  else await walk(entries, "", 0, found);
  return found;
}

async function walk(entries: readonly FileSystemEntry[], above: string, depth: number, found: Map<string, File>): Promise<void> {
  if (depth > DEPTH_MAX) throw new Error(`folders are nested more than ${DEPTH_MAX} deep`);
  for (const entry of entries) {
    const path = above + entry.name;
    if (entry.isDirectory) await walk(await children(entry as FileSystemDirectoryEntry), `${path}/`, depth + 1, found);
    else found.set(path, await fileOf(entry as FileSystemFileEntry));
    refuseTooMany(found.size);
  }
}

/** A reader gives at most 100 entries a time, and none when there are no more. */
async function children(folder: FileSystemDirectoryEntry): Promise<readonly FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return all;
    all.push(...some);
    refuseTooMany(all.length);
  }
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

function refuseTooMany(count: number): void {
  if (count > FILES_MAX) throw new Error(`more than ${FILES_MAX} files`);
}
