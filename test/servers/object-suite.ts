import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { ObjectTraceReader } from '../../src/trace/object-trace-reader.ts';
import type { ObjectStore } from '../../src/writers/object-store.ts';
import { encodeNodeReport, nodeObject } from '../../src/writers/node-report.ts';
import { decodeNodeObject } from '../../src/writers/object-node-reports.ts';
import { ObjectWriter } from '../../src/writers/object-writer.ts';
import { ownText } from '../integration/node.ts';
import { nodeReport } from '../support/node-reports.ts';
import { record } from '../support/records.ts';
import { frostbeat } from '../support/frostbeat.ts';
import { until } from '../support/until.ts';
import type { TestServer } from '../support/servers/server-process.ts';
import { directoryNode, writeThroughFaults } from './agent-run.ts';
import { delivers, tells, traceLines } from './suite.ts';

const { signal } = new AbortController();

export interface ObjectsUnderTest {
  readonly server: TestServer;
  /** How the agent reaches the bucket. */
  readonly env: Readonly<Record<string, string>>;
  readonly store: ObjectStore;
  /** The setting that names the bucket. */
  readonly bucketVariable: string;
  readonly makeBucket: (name: string) => Promise<void>;
}

/** What the agent and `frostbeat trace` do with a bucket. */
export function objectSuite(objects: () => ObjectsUnderTest): void {
  it('every record is read back once and in order by frostbeat trace, through faults of server and agent', async () => {
    const { server, env } = objects();
    const node = directoryNode({ ...env, BATCH_PERIOD: '200ms' });
    const written = await writeThroughFaults(node, server);
    const read = await traceLines(['trace', '--since', '1h'], env);
    expect(read.map((line) => ownText(Buffer.from(line)))).toEqual(written);
  }, 300_000);

  it('frostbeat trace looks through the last hour where nobody says which, and tells what it looked through', async () => {
    const { env } = objects();
    const node = directoryNode(env);
    const written = node.write(3, 'looked');
    await delivers(node, 3);
    const look = async (...more: string[]) => await frostbeat(['trace', 'looked', ...more], { env }).ended();
    const last = await look();
    expect(last).toMatchObject({ code: 0 });
    expect(
      last.stdout
        .split('\n')
        .slice(0, -1)
        .map((line) => ownText(Buffer.from(line))),
    ).toEqual(written);
    const looked = /looked through (\d+) of the (\d+) objects that \w+:\/\/logs has of \S+Z to \S+Z(.*)$/m;
    const [, read, listed, rest] = looked.exec(last.stderr) ?? [];
    expect(Number(read)).toBeGreaterThan(0);
    expect(rest).toBe('; --since says how far back to look, by default an hour');
    const earlier = await look('--since', '2h', '--until', '1h');
    expect(earlier.code).toBe(1);
    expect(looked.exec(earlier.stderr)?.[3]).toBe('');
    // A moment in which nothing was written, in an hour that has objects: none of them is read.
    const empty = await look('--since', '0s');
    expect(looked.exec(empty.stderr)?.[1]).toBe('0');
    expect(Number(listed)).toBeGreaterThanOrEqual(Number(read));
  }, 60_000);

  it('a bucket that is not there is told from the start, and nothing is lost until it is', async () => {
    const { env, bucketVariable, makeBucket } = objects();
    const late = { ...env, [bucketVariable]: 'late' };
    const node = directoryNode(late);
    const written = node.write(3, 'late');
    await tells(node, {}, new RegExp(`there is no such bucket; ${bucketVariable} .* is "late"`));
    await makeBucket('late');
    await delivers(node, 3);
    const lines = await traceLines(['late'], late);
    expect(lines.map((line) => ownText(Buffer.from(line)))).toEqual(written);
  }, 120_000);

  it('tells whether a trace is complete, of what it looked through, and how far the nodes are', async () => {
    const { env, store, bucketVariable } = objects();
    const own = {
      ...env,
      [bucketVariable.replace('BUCKET', 'PREFIX')]: 'told/',
      NODE_REPORT_PERIOD: '100ms',
      TRACE_GRACE: '0s',
    };
    const ask = async (...args: string[]) => await frostbeat(args, { env: own }).ended();
    const node = directoryNode(own);
    node.write(2, 'told');
    const agent = await node.startAgent();
    await until(async () => (await ask('trace', 'told', '--state')).code === 0, {
      timeoutMs: 60_000,
      what: 'a complete trace',
    });
    const { stdout, stderr } = await ask('trace', 'told', '--since', '10m');
    expect(stdout.split('\n')).toHaveLength(3);
    const [looked, state = ''] = stderr.split('\n');
    expect(looked).toContain('looked through 1 of the 1 objects');
    expect(JSON.parse(state)).toMatchObject({
      state: 'complete',
      reason: expect.stringMatching(
        /^node-1 has stored everything up to .*; of lines outside of what was looked through this tells nothing$/,
      ) as string,
    });
    expect((await ask('nodes')).stdout).toMatch(/^\{"node":"node-1",.*"writers":\["(s3|gcs)"\].*"live":true/);
    expect(await ask('nodes', '--forget', 'node-1')).toMatchObject({ code: 1, stdout: '' });

    // Another node has written, and tells nothing.
    const writer = { name: 'x', store, prefix: 'told/', objectBytes: 1, objectAgeMs: 1, gzipLevel: 1 };
    const source = { node: 'node-2', namespace: 'ns', pod: 'pod', container: 'main' };
    const other = record('{}', { traceId: 'other', unixNano: `${Date.now()}000000`, source });
    await new ObjectWriter(writer).writeBatch([other], signal);
    expect(await ask('trace', 'told', '--state')).toMatchObject({
      code: 5,
      stdout: expect.stringContaining('"nodes":["node-2"]') as string,
    });

    await agent.kill();
    node.write(1, 'told');
    const told = nodeObject('told/', 'node-1');
    const report = decodeNodeObject((await store.find(told, signal))!)!;
    const silent = { published: '2026-01-01T00:00:00Z', watermark: '2026-01-01T00:00:00Z' };
    await store.put(told, gzipSync(JSON.stringify({ ...report, ...silent })), signal);
    expect((await ask('nodes')).stdout).toContain('"live":false');
    expect((await ask('nodes', '--forget', 'node-1')).code).toBe(0);
    expect(decodeNodeObject((await store.find(told, signal))!)).toMatchObject({
      forgotten: expect.any(String) as string,
      ...silent,
    });
    expect((await ask('trace', 'told', '--state')).code).toBe(5);
    await store.put(nodeObject('told/', 'node-2'), gzipSync(encodeNodeReport(nodeReport('node-2'))), signal);
    expect(await ask('trace', 'told', '-o', 'csv')).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(
        /── complete ── node-2 has .*; what node-1 lost or had not stored does not count: .*; of lines outside of what was looked through this tells nothing\n$/,
      ) as string,
    });
  }, 120_000);

  it('is tried by frostbeat doctor, which writes no report and leaves the one that is there', async () => {
    const { env, store } = objects();
    const own = {
      ...env,
      S3_PREFIX: 'doctor/',
      GCS_PREFIX: 'doctor/',
      POD_SOURCE: 'directory',
      NODE_NAME: 'n1',
    };
    const told = nodeObject('doctor/', 'n1');
    const reports = async () => (await frostbeat(['doctor', '-o', 'json'], { env: own }).ended()).stdout;
    expect(await reports()).toMatch(/"status": "ok",\s+"what": "reports to (s3|gcs)"/);
    expect(await store.find(told, signal)).toBeUndefined();
    const bytes = gzipSync(encodeNodeReport(nodeReport('n1')));
    await store.put(told, bytes, signal);
    // It would be seen: the server is asked to write something else.
    expect(await store.mayPut(told, Buffer.from('other'), signal)).toBe(true);
    expect(await reports()).toMatch(/"status": "ok",\s+"what": "reports to (s3|gcs)"/);
    expect(await store.find(told, signal)).toEqual(bytes);
  }, 60_000);

  it.each([
    [['trace', 't', '--follow'], /Cannot follow the trace in \w+:\/\/logs: objects tell what is in them/],
    [['trace', 't', '--until-complete'], /Cannot follow the trace in/],
    [['traces'], /Cannot list the traces of \w+:\/\/logs: a bucket has no list of traces: «frostbeat trace/],
    [['nodes', '--forget', 'n1'], /Cannot forget n1: no node of that name has told of itself/],
  ])('says plainly that a bucket cannot do %j', async (args, says) => {
    const { code, stdout, stderr } = await frostbeat(args, { env: objects().env }).ended();
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(says);
  });

  it('a trace of more records than are kept is read in several passes, each record once', async () => {
    const { store } = objects();
    const prefix = 'passes/';
    const writer = new ObjectWriter({
      name: 'x',
      store,
      prefix,
      objectBytes: 1,
      objectAgeMs: 1,
      gzipLevel: 1,
    });
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
    const reader = new ObjectTraceReader(store, prefix, 10);
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
