// The pinned compiler as a native one behaves: standard JSON in, standard JSON out. (npm solc's own program reads
// standard input in a way that fails on a pipe that is not filled yet.)

import { text } from "node:stream/consumers";

import solc from "solc";

process.stdout.write(solc.compile(await text(process.stdin)));
