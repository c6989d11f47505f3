// The worker that hashes the files dropped on the page. Its messages are HashRequest and HashAnswer.

import { hashFile, type HashAnswer, type HashRequest } from "./hash_file.js";

const answer = (message: HashAnswer): void => postMessage(message);
let last: Promise<void> = Promise.resolve();

addEventListener("message", ({ data }: MessageEvent<HashRequest>) => {
  last = last.then(() => work(data));
});

async function work(request: HashRequest): Promise<void> {
  const { id } = request;
  try {
    const digest = await hashFile(request, (count) => answer({ id, kind: "bytes", count }));
    answer({ id, kind: "digest", digest });
  } catch (error) {
    answer({ id, kind: "failed", why: error instanceof Error ? error.message : String(error) });
  }
}
