// Reads a container's directory while this process has no descriptor left, then when it has some again.
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pipeline } from './pipeline.ts';

const [directory] = process.argv.slice(2);
const taken = [];
let exhausted = false;
try {
  for (;;) taken.push(openSync('/dev/null'));
} catch (error) {
  exhausted = error.code === 'EMFILE';
}
// Not all are given back at once: first none, then two (to list and to open one), then the rest.
const pipeline = new Pipeline(directory);
await sleep(300);
const waited = pipeline.read.length === 0 && pipeline.tail.failure !== undefined;
for (const fd of taken.splice(0, 2)) closeSync(fd);
await sleep(1500);
for (const fd of taken) closeSync(fd);
await pipeline.until(1200);
await pipeline.drain();
console.log(JSON.stringify({ exhausted, waited, read: pipeline.read }));
