// Appends single lines to many files, in turn, at a steady rate: append.mjs <lines per second> <seconds> <block> <files…>
// `block` holds lines of 500 bytes, to take from. It says how many it wrote, and how far it fell behind at most.
import { openSync, readFileSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const LINE_BYTES = 500;
const [rate, seconds, block, ...files] = process.argv.slice(2);
const lines = readFileSync(block);
const fds = files.map((file) => openSync(file, 'a'));
const total = Number(rate) * Number(seconds);
const begin = performance.now();
let written = 0;
let behind = 0;
while (written < total) {
  const due = Math.min(total, Math.ceil(((performance.now() - begin) / 1_000) * Number(rate)));
  behind = Math.max(behind, due - written);
  for (; written < due; written++) {
    writeSync(fds[written % fds.length], lines, (written * LINE_BYTES) % lines.length, LINE_BYTES);
  }
  await sleep(5);
}
process.stdout.write(JSON.stringify({ written, behindMs: (behind / Number(rate)) * 1_000 }));
