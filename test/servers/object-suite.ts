import { expect, it } from 'vitest';
import { ObjectTraceReader } from '../../src/trace/object-trace-reader.ts';
import { ObjectNames } from '../../src/writers/object-names.ts';
import type { ObjectStore } from '../../src/writers/object-store.ts';
import { ObjectWriter } from '../../src/writers/object-writer.ts';
import { ownText } from '../integration/node.ts';
import { record } from '../support/records.ts';
import { frostbeat } from '../support/frostbeat.ts';
import type { TestServer } from '../support/servers/server-process.ts';
import { directoryNode, writeThroughFaults } from './agent-run.ts';

export interface ObjectsUnderTest {
  readonly server: TestServer;
  /** How the agent reaches the bucket. */
  readonly env: Readonly<Record<string, string>>;
  readonly store: ObjectStore;
}

/** What the agent and `frostbeat trace` do with a bucket. */
export function objectSuite(objects: () => ObjectsUnderTest): void {
  it('every record is read back once and in order by frostbeat trace, through faults of server and agent', async () => {
    const { server, env } = objects();
    const node = directoryNode({ ...env, BATCH_PERIOD: '200ms' });
    const written = await writeThroughFaults(node, server);
    const { code, stdout } = await frostbeat(['trace', 'trace', '--since', '1h'], {
      env,
    }).ended();
    expect(code).toBe(0);
    const read = stdout.split('\n').filter((line) => line !== '');
    expect(read.map((line) => ownText(Buffer.from(line)))).toEqual(written);
  }, 300_000);

  it('frostbeat trace says that it has to be told which hours', async () => {
    const { code, stderr } = await frostbeat(['trace', 'trace'], { env: objects().env }).ended();
    expect(code).toBe(1);
    expect(stderr).toMatch(/: say with --since \(and --until\) which hours to look through/);
  });

  it('a trace of more records than are kept is read in several passes, each record once', async () => {
    const { store } = objects();
    const { signal } = new AbortController();
    const prefix = 'passes/';
    const writer = new ObjectWriter({ name: 'x', store, prefix, objectBytes: 1, objectAgeMs: 1 });
    const many = Array.from({ length: 95 }, (_, n) =>
      record(`{"n":${n}}`, {
        traceId: n % 5 === 0 ? 'other' : 't',
        unixNano: String(1_700_000_000_000_000_000n + BigInt((n * 37) % 95) * 60_000_000_000n),
        id: `0123456789abcdef-${n.toString(16).padStart(12, '0')}`,
      }),
    );
    await writer.writeBatch(many.slice(0, 60), signal);
    // In another batch, as after a crash.
    await writer.writeBatch(many.slice(40), signal);
    const reader = new ObjectTraceReader(store, new ObjectNames(prefix), 10);
    const since = '1700000000000000000';
    const found = await Array.fromAsync(reader.read('t', signal, { since, until: '1700010000000000000' }));
    const wanted = many
      .filter(({ traceId }) => traceId === 't')
      .toSorted((a, b) => Number(BigInt(a.unixNano) - BigInt(b.unixNano)));
    expect(found.map(({ id }) => id)).toEqual(wanted.map(({ id }) => id));
    const part = { since: wanted[10]!.unixNano, until: wanted[20]!.unixNano };
    expect(await Array.fromAsync(reader.read('t', signal, part))).toHaveLength(10);
  });
}
