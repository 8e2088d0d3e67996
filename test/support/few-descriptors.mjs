// Reads a container's directory while this process has no descriptor left, then when it has some again.
import { appendFileSync, closeSync, openSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pipeline } from './pipeline.ts';

const [directory, count] = process.argv.slice(2);
const live = join(directory, '0.log');
const taken = [];
let exhausted = false;
const exhaust = () => {
  try {
    for (;;) taken.push(openSync('/dev/null'));
  } catch (error) {
    exhausted = error.code === 'EMFILE';
  }
};
const give = (descriptors) => {
  for (const fd of taken.splice(0, descriptors)) closeSync(fd);
};
const line = (traceId) =>
  `2026-11-23T06:00:00.${String(Math.random()).slice(2, 11)}Z stdout F ` +
  `{"traceId":"${traceId}","time":"2026-11-23T06:00:00Z"}\n`;

// None, then two (to list and to open one), then as many as it wants.
exhaust();
const pipeline = new Pipeline(directory);
await sleep(300);
const waited = pipeline.read.length === 0 && pipeline.tail.failure !== undefined;
give(2);
await sleep(1500);
give(Infinity);
await pipeline.until(Number(count));

// What is open is read on while the directory cannot even be listed.
const writer = openSync(live, 'a');
exhaust();
renameSync(live, `${live}.20261124-000000`);
let failed = false;
for (let i = 0; i < 100 && !(failed && pipeline.read.includes('late')); i++) {
  // Files that are read let go of theirs: those too.
  exhaust();
  if (!failed && pipeline.tail.failure !== undefined) {
    failed = true;
    writeSync(writer, line('late'));
  }
  await sleep(20);
}
const readOn = failed && pipeline.read.includes('late');
give(Infinity);
appendFileSync(live, line('last'));
await pipeline.until(Number(count) + 2);
await pipeline.drain();
const expected = [...Array.from({ length: Number(count) }, (_, i) => `t${i}`), 'late', 'last'];
const inOrder = JSON.stringify(pipeline.read) === JSON.stringify(expected);
console.log(JSON.stringify({ exhausted, waited, readOn, inOrder }));
