import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startEtcd, type TestEtcd } from '../support/etcd.ts';
import { until } from '../support/until.ts';
import {
  allStored,
  committedBytes,
  ownText,
  testNode,
  type TestNode,
  untilStored,
  writeRecords,
} from './node.ts';

let etcd: TestEtcd;
beforeAll(async () => {
  etcd = await startEtcd();
});
afterEach(async () => {
  if (etcd.pid === undefined) await etcd.restart();
});
afterAll(() => etcd[Symbol.asyncDispose]());

/** The log file of a pod that is told to the API. */
function addPod({ api, podLogDir }: TestNode): string {
  const { uid } = api.addPod({
    namespace: 'demo-system',
    name: 'web-0',
    labels: { app: 'snowplow' },
  }).metadata;
  return join(podLogDir, `demo-system_web-0_${uid}`, 'app', '0.log');
}

/** The lines of a file; none while there is no such file. */
function linesOf(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n').slice(0, -1);
  } catch {
    return [];
  }
}

/** As a user writes it: no import of ours, a destination that fails at first and refuses what it does not like. */
const userModule = `
import { appendFile } from 'node:fs/promises';

export default (options, logger) => {
  const path = options.MY_WRITER_PATH;
  if (!path) throw new Error('MY_WRITER_PATH is not set');
  let failures = 2;
  return {
    name: 'mine',
    async open() {
      logger.info({ path }, 'My writer is open');
    },
    async writeBatch(records) {
      if (failures-- > 0) throw new Error('not yet');
      const refused = records.filter((record) => record.traceId === 'refused');
      if (refused.length > 0) {
        const error = new Error('some are refused');
        error.name = 'RejectedError';
        error.rejections = refused.map((record) => ({ record, reason: 'I do not like it' }));
        throw error;
      }
      const lines = records.map(({ id, traceId, unixNano, source, toBytes }, index) =>
        JSON.stringify({ id, traceId, unixNano, pod: source.pod, text: String(records[index].toBytes()) }) + '\\n');
      await appendFile(path, lines.join(''));
    },
    async close() {
      await appendFile(path, 'closed\\n');
    },
  };
};
`;

describe('a writer of the user', () => {
  it('gets every record once, is tried again when it fails, may refuse some, and is closed at the end', async () => {
    const node = await testNode(undefined);
    writeFileSync(join(node.directory, 'my-writer.mjs'), userModule);
    const output = join(node.directory, 'mine.ndjson');
    const log = addPod(node);
    const written = writeRecords(log, 200);
    writeRecords(log, 3, 'refused');
    written.push(...writeRecords(log, 100));
    const agent = await node.startAgent({ WRITERS: './my-writer.mjs', MY_WRITER_PATH: output });
    await until(() => linesOf(output).length >= written.length, { what: 'all records', timeoutMs: 15_000 });
    await until(async () => (await agent.ledger())?.inFlight === 0, { what: 'nothing in flight' });
    expect(await agent.ledger()).toEqual({
      read: 303,
      delivered: 300,
      skipped: 0,
      deadLettered: 3,
      inFlight: 0,
    });
    expect(await agent.metric('retries_total')).toBeGreaterThan(0);
    expect((await agent.stop()).code).toBe(0);

    const lines = linesOf(output);
    expect(lines.pop()).toBe('closed');
    const got = lines.map((line) => JSON.parse(line) as Record<string, string>);
    expect(got.map(({ text = '' }) => ownText(Buffer.from(text))).toSorted()).toEqual(written.toSorted());
    expect(new Set(got.map(({ id }) => id)).size).toBe(written.length);
    for (const { traceId, unixNano, pod } of got) {
      expect({ traceId, pod }).toEqual({ traceId: 'trace', pod: 'web-0' });
      expect(unixNano).toMatch(/^\d{19}$/);
    }
    const letters = join(node.stateDir, 'dead-letters');
    const kept = readdirSync(letters).flatMap((name) => linesOf(join(letters, name)));
    expect(kept.map((line) => JSON.parse(line) as object)).toEqual(
      Array.from({ length: 3 }, () =>
        expect.objectContaining({ writer: 'mine', reason: 'I do not like it', traceId: 'refused' }),
      ),
    );
    expect(agent.log).toContainEqual(expect.objectContaining({ msg: 'My writer is open', path: output }));
  });

  it('whose module is at fault ends the start with 2 and its reason', async () => {
    const node = await testNode(undefined);
    writeFileSync(join(node.directory, 'my-writer.mjs'), userModule);
    const agent = await node.startAgent({ WRITERS: 'etcd,./my-writer.mjs' });
    expect(await agent.exit()).toEqual({ code: 2, signal: null });
    expect(agent.text).toContain('names "./my-writer.mjs": its function failed: MY_WRITER_PATH is not set');
  });
});

describe('the file writer', () => {
  it('has every record once, in the documented form, over a restart', async () => {
    const node = await testNode(undefined);
    const log = addPod(node);
    const written = writeRecords(log, 200);
    const output = join(node.stateDir, 'records.ndjson');
    for (const _ of ['first', 'second']) {
      const agent = await node.startAgent({ WRITERS: 'file' });
      await until(() => linesOf(output).length >= written.length, { what: 'all records', timeoutMs: 15_000 });
      expect((await agent.stop()).code).toBe(0);
      expect(agent.complaints).toEqual([]);
      const form =
        /^\{"timestamp":(\d{19}),"traceId":"trace","log":(\{.*\}),"id":"[0-9a-f]{16}-[0-9a-f]{12}"\}$/;
      const got = linesOf(output).map((line) => form.exec(line) ?? [line, '', line]);
      expect(got.map(([, , record = '']) => ownText(Buffer.from(record)))).toEqual(written);
      for (const [, timestamp = '', record = ''] of got) {
        const { time } = JSON.parse(record) as { time: string };
        expect(timestamp).toBe(`${Date.parse(time)}000000`);
      }
      written.push(...writeRecords(log, 50));
    }
  });
});

describe('two writers', () => {
  it('of which one is down: offsets are held back, the other gets nothing twice', async () => {
    const node = await testNode(etcd);
    const log = addPod(node);
    const written = writeRecords(log, 100);
    await etcd.stop();
    const output = join(node.stateDir, 'records.ndjson');
    const agent = await node.startAgent({ WRITERS: 'etcd,file' });
    await until(() => linesOf(output).length >= written.length, { what: 'all records in the file' });
    await sleep(4_000);
    expect(linesOf(output).length).toBe(written.length);
    const { ok, text } = await agent.readiness();
    expect(ok).toBe(false);
    expect(text).toMatch(/^writer etcd: .*no connection/m);
    expect(text).not.toContain('writer file');
    expect(await agent.ledger()).toMatchObject({ delivered: 0, inFlight: 100 });
    expect(committedBytes(node)).toBe(0);

    await etcd.restart();
    await untilStored(etcd, written.length);
    await agent.ready();
    await until(async () => (await agent.ledger())?.delivered === 100, { what: 'all delivered' });
    await until(() => (committedBytes(node) ?? 0) > 0, { what: 'committed offsets' });
    expect((await agent.stop()).code).toBe(0);
    const fromEtcd = (await allStored(etcd)).map(({ value }) => ownText(value));
    const fromFile = linesOf(output).map((line) =>
      ownText(Buffer.from(line.slice(line.indexOf('"log":') + 6, line.lastIndexOf(',"id":"')))),
    );
    expect(fromEtcd.toSorted()).toEqual(written.toSorted());
    expect(fromFile.toSorted()).toEqual(written.toSorted());
  });
});
