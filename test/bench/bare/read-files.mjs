// The bare loop: latin1 split2 + JSON.parse, and with BENCH_OUT a write of each record to a file. No offsets, no
// identities, no batches, no rotation, no sync. Arguments: the log files.
import { createReadStream, createWriteStream } from 'node:fs';
import { once } from 'node:events';
import split2 from 'split2';

const path = process.env['BENCH_OUT'];
const out = path === undefined ? undefined : createWriteStream(path);
let piece = '';
let records = 0;

const takeLine = (line) => {
  const json = line.slice(line.indexOf(' F ') + 3);
  const { traceId, time } = JSON.parse(json);
  if (typeof traceId !== 'string' || typeof time !== 'string') return;
  records++;
  if (out !== undefined) piece += json + '\n';
};

for (const file of process.argv.slice(2)) {
  const splitter = split2('\n', takeLine, { decodeStrings: false });
  for await (const text of createReadStream(file, { encoding: 'latin1' })) {
    splitter.write(text);
    if (piece !== '') {
      if (!out.write(piece, 'latin1')) await once(out, 'drain');
      piece = '';
    }
  }
}
if (out !== undefined) await once(out.end(), 'finish');
process.stdout.write(`${records} records\n`);
