import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { knownNodeKey } from '../../src/writers/node-report.ts';
import { startEtcd } from '../support/etcd.ts';
import { frostbeat } from '../support/frostbeat.ts';
import { lostGap, nodeReport, tellEtcd, tellFile } from '../support/node-reports.ts';
import { until } from '../support/until.ts';

describe('frostbeat nodes, and what a trace says of them', () => {
  let directory: string;
  let path: string;
  let env: Record<string, string>;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'frostbeat-test-'));
    path = join(directory, 'records.ndjson');
    env = { WRITERS: 'file', FILE_PATH: path };
    await writeFile(path, line('t', 1_700_000_000));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));
  const run = (...args: string[]) => frostbeat(args, { env }).ended();
  const trace = (output: string) => run('trace', 't', '-o', output);

  it('lists them in a table, in which no escape sequence is left, and as JSON', async () => {
    await tellFile(path, nodeReport('n1', { gaps: [lostGap], gapsLeftOut: 2 }));
    await tellFile(path, nodeReport('n2\u001b[2J', { published: '2026-11-24T10:00:00Z', watermark: null }));
    const { code, stdout } = await frostbeat(['nodes', '-o', 'pretty'], { env }).ended();
    expect(code).toBe(0);
    expect(stdout.split('\n').map((row) => row.split(/ {2,}/))).toEqual([
      ['NODE', 'STATE', 'STORED UP TO', 'BEHIND', 'CONTAINERS', 'AGENT', 'RUNS SINCE', 'GAPS'],
      [
        'n1',
        'live',
        expect.stringMatching(/Z$/),
        expect.stringMatching(/s$/),
        '3',
        '1.0.0',
        '2026-11-24 10:00:00',
        '3',
      ],
      ['n2\\u001b[2J', 'silent', 'not known yet', '–', '3', '1.0.0', '2026-11-24 10:00:00', '–'],
      [''],
    ]);
    const json = await frostbeat(['nodes'], { env }).ended();
    expect(
      json.stdout
        .trim()
        .split('\n')
        .map((text) => (JSON.parse(text) as { live: boolean }).live),
    ).toEqual([true, false]);
  });

  it('forgets a node that is gone, and none that is heard', async () => {
    await using etcd = await startEtcd();
    const inEtcd = { WRITERS: 'etcd', ETCD_SERVERS: etcd.url };
    await tellEtcd(etcd, nodeReport('n1'));
    await tellEtcd(etcd, nodeReport('n2'), { live: false });
    const lease = etcd.client.lease(600, { autoKeepAlive: false });
    await lease
      .put(knownNodeKey('n2'))
      .value(JSON.stringify(nodeReport('n2')))
      .exec();
    const forget = (node: string) => frostbeat(['nodes', '--forget', node], { env: inEtcd }).ended();
    expect(await forget('n1')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('is heard') as string,
    });
    expect(await forget('n3')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no node') as string,
    });
    expect(await forget('n2')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('forgotten') as string,
    });
    // It expires with its records, as before.
    const { kvs } = await etcd.client.kv.range({ key: Buffer.from(knownNodeKey('n2')) });
    expect(kvs[0]?.lease).toBe(await lease.grant());
    lease.release();
    const table = await frostbeat(['nodes', '-o', 'pretty'], { env: inEtcd }).ended();
    expect(table.stdout).toMatch(/^n1 +live .*\nn2 +forgotten /m);
  });

  it('waits for no node that is forgotten, and says so with every trace that it may have held lines of', async () => {
    const dead = { published: '2023-11-14T22:13:20Z', watermark: '2023-11-14T22:13:19Z' };
    await writeFile(path, line('t', 1_700_000_000, 'n1') + line('t', 1_700_000_001, 'n2'));
    await tellFile(path, nodeReport('n1'));
    await tellFile(path, nodeReport('n2', dead));
    expect((await run('trace', 't', '--state')).code).toBe(4);
    for (const { code } of [await run('nodes', '--forget', 'n2'), await run('nodes', '--forget', 'n2')])
      expect(code).toBe(0);
    const after = await run('trace', 't', '--state');
    expect(after.code).toBe(0);
    expect(JSON.parse(after.stdout)).toMatchObject({ state: 'complete', nodes: [], forgotten: ['n2'] });
    expect((await trace('csv')).stderr).toMatch(
      /^── complete ── n1 has stored .*; what n2 lost or had not stored does not count: somebody said that it is gone\n$/,
    );
    // It comes back.
    await tellFile(path, nodeReport('n2', dead));
    expect((await run('trace', 't', '--state')).code).toBe(4);
    // What a later version said.
    await tellFile(path, nodeReport('n2', { version: 2 as 1 }));
    expect((await run('nodes', '--forget', 'n2')).code).toBe(0);
    expect((await run('trace', 't', '--state')).code).toBe(0);
  });

  it('says of a trace that it is incomplete, why, and what to do', async () => {
    await tellFile(path, nodeReport('n1', { gaps: [{ ...lostGap, start: null }] }));
    await tellFile(
      path,
      nodeReport('n2', { published: '2023-11-14T22:13:20Z', watermark: '2023-11-14T22:13:19Z' }),
    );
    const { code, stdout } = await trace('pretty');
    expect(code).toBe(0);
    expect(stdout).toMatch(/── incomplete ── n2 has been silent for .*; lines of its time are lost on n1\n/);
    expect(stdout).toMatch(
      /lost on n1: shop\/cart-1\/main, 0\.log bytes 0 to 4096, up to .*: removed_while_down\n/,
    );
    expect(stdout).toMatch(/frostbeat nodes --forget n2\n$/);
    const asked = await frostbeat(['trace', 't', '--state'], { env }).ended();
    expect(asked.code).toBe(4);
    expect(JSON.parse(asked.stdout)).toMatchObject({ state: 'incomplete', nodes: ['n2', 'n1'] });
  });

  it('says that it is unknown in every output', async () => {
    const reason =
      'no agent tells how far it is: the records are of other agents, or of a version before watermarks';
    const json = await trace('json');
    expect(json).toMatchObject({ code: 0, stdout: '{"n":1}\n' });
    expect(JSON.parse(json.stderr)).toMatchObject({ state: 'unknown', reason, watermark: null });
    expect((await trace('pretty')).stdout).toContain(`── complete? unknown ── ${reason}\n`);
    for (const output of ['raw', 'csv']) {
      expect((await trace(output)).stderr).toBe(`── complete? unknown ── ${reason}\n`);
    }
  });

  it('says that it is unknown while a node with lines in it tells nothing, however it is asked', async () => {
    await writeFile(path, line('t', 1_700_000_000, 'n1') + line('t', 1_700_000_001, 'n2'));
    await tellFile(path, nodeReport('n1'));
    const state = { state: 'unknown', nodes: ['n2'], doubts: [{ node: 'n2', why: 'untold' }] };
    expect(JSON.parse((await trace('json')).stderr)).toMatchObject(state);
    expect((await trace('pretty')).stdout).toMatch(
      /── complete\? unknown ── n2 has stored records and tells nothing of itself: /,
    );
    for (const part of ['--state', '--until-complete', '--since=2023-11-14T22:13:21Z']) {
      const asked = await frostbeat(['trace', 't', part, '-o', 'json'], { env }).ended();
      expect(`${asked.code} ${asked.stdout}${asked.stderr}`).toMatch(
        part.startsWith('--since') ? /^0 [\s\S]*"state":"unknown"/ : /^5 [\s\S]*"state":"unknown"/,
      );
    }
    expect((await frostbeat(['traces'], { env }).ended()).stdout).toMatch(
      /"nodes":\["n1","n2"\].*"state":"unknown"/,
    );
    await tellFile(path, nodeReport('n2', { stopped: true, containers: 0, watermark: null }));
    expect((await frostbeat(['trace', 't', '--state'], { env }).ended()).code).toBe(0);
  });

  it('keeps the state out of what programs read', async () => {
    await tellFile(path, nodeReport('n1'));
    const { stdout, stderr } = await trace('json');
    expect(stdout).toBe('{"n":1}\n');
    expect(JSON.parse(stderr)).toMatchObject({ state: 'complete', watermark: expect.any(String) as string });
    expect((await trace('raw')).stderr).toBe('');
  });

  it('follows a trace until it is complete, or will not be', async () => {
    await tellFile(path, nodeReport('n1', { watermark: null }));
    const following = frostbeat(['trace', 't', '--until-complete', '-o', 'pretty'], { env });
    await until(() => following.output.stdout.includes('── open ── n1 has just started'), {
      what: 'open',
      timeoutMs: 20_000,
    });
    await writeFile(path, line('t', 1_700_000_001), { flag: 'a' });
    await tellFile(path, nodeReport('n1'));
    const { code, stdout } = await following.ended();
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /22:13:21\.000[\s\S]*── complete ── n1 has stored everything up to 2023-11-14T22:13:26\.000Z\n$/,
    );
    await tellFile(path, nodeReport('n2', { published: '2023-11-14T22:13:20Z', watermark: null }));
    expect((await frostbeat(['trace', 't', '--until-complete'], { env }).ended()).code).toBe(4);
    await rm(`${path}.nodes`, { recursive: true });
    expect((await frostbeat(['trace', 't', '--until-complete'], { env }).ended()).code).toBe(5);
  });
});

function line(traceId: string, second: number, node?: string): string {
  const kubernetes = { namespace: 'shop', pod: 'cart-1', container: 'main', node };
  const log = JSON.stringify({ n: 1, ...(node !== undefined && { kubernetes }) });
  return `{"timestamp":${second}000000000,"traceId":"${traceId}","log":${log}}\n`;
}
