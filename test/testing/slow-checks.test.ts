import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { conformance, type Subject } from '../../src/testing/conformance.ts';

const directory = mkdtempSync(join(tmpdir(), 'frostbeat-slow-'));
const writer = join(directory, 'post.mjs');

/** Right, unless FAULT says otherwise. */
writeFileSync(
  writer,
  `export default ({ URL_, FAULT }) => ({
     name: 'post',
     async writeBatch(records, signal) {
       const body = JSON.stringify(records.map(({ id, latin1 }) => FAULT === 'makes new names' ? [Math.random(), latin1] : [id, latin1]));
       const post = async (signal) => {
         const response = await fetch(URL_, { method: 'POST', body, signal });
         await response.arrayBuffer();
       };
       if (FAULT === 'waits for ever') return await post(signal);
       const own = AbortSignal.timeout(2_500);
       if (FAULT === 'takes a time-out for an end') return await post(AbortSignal.any([signal, own])).catch((error) => { if (!own.aborted) throw error; });
       if (FAULT === 'settles when it has sent') return void post().catch(() => {});
       if (FAULT === 'does not listen to its signal') return await post();
       if (FAULT === 'takes a stop for an end') return await post(signal).catch(() => {});
       if (FAULT === 'stops what is beside') {
         const all = (globalThis.stopAll ??= new AbortController());
         signal.addEventListener('abort', () => all.abort());
         return await post(all.signal);
       }
       await post(AbortSignal.any([signal, own]));
     },
   });`,
);

/** Keeps what is posted, by identity. */
const kept = new Map<string, string>();
const collector = createServer((request, response) => {
  void (async () => {
    const body = Buffer.concat((await request.toArray()) as Buffer[]).toString('utf8');
    for (const [id, text] of JSON.parse(body) as [string, string][]) kept.set(id, text);
    response.end();
  })();
});
beforeAll(async () => {
  collector.listen(0, '127.0.0.1');
  await new Promise((listening) => void collector.once('listening', listening));
});
afterAll(() => {
  collector.closeAllConnections();
  collector.close();
  rmSync(directory, { recursive: true });
});

/** What a writer with this fault is told, by the checks of a slow server. */
async function told(fault: string): Promise<string[]> {
  const address = `127.0.0.1:${(collector.address() as AddressInfo).port}`;
  const subject: Subject = {
    writer,
    options: { URL_: `http://${address}/`, FAULT: fault },
    slow: { server: address, options: (port) => ({ URL_: `http://127.0.0.1:${port}/` }), timeoutMs: 2_500 },
    stored: async () => kept.values(),
    repeats: 'once',
    patienceMs: fault === 'none' ? 30_000 : 3_000,
  };
  const texts: string[] = [];
  for (const { title, run } of conformance(subject)) {
    if (!title.includes('answers late')) continue;
    await run().catch((error: unknown) => texts.push(String(error)));
  }
  return texts;
}

it('a slow server shows nothing wrong with a writer that is right', async () => {
  expect(await told('none')).toEqual([]);
});

it.each([
  ['settles when it has sent', /a write is settled after \d+ ms: no answer can have come before that/],
  ['does not listen to its signal', /It has not ended after \d+ ms/],
  ['takes a stop for an end', /a write is settled, and no answer has come/],
  ['stops what is beside', /Cannot write the records in time/],
  ['waits for ever', /It has not ended after \d+ ms/],
  ['takes a time-out for an end', /a write is settled, and no answer has come/],
  ['makes new names', /is stored 2 times/],
])(
  'a slow server finds a writer that %s',
  async (fault, says) => {
    expect((await told(fault)).join('; ')).toMatch(says);
  },
  30_000,
);
