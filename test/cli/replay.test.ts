import { appendFileSync, statSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toDeadLetterLine } from '../../src/deliver/dead-letter.ts';
import type { LogRecord } from '../../src/record/log-record.ts';
import { committedBytes, testNode, untilStored, writeRecords } from '../integration/node.ts';
import { startEtcd } from '../support/etcd.ts';
import { etcdForAll } from '../support/etcd-for-all.ts';
import { stored } from '../support/etcd-writer.ts';
import { frostbeat } from '../support/frostbeat.ts';
import { record } from '../support/records.ts';
import { until } from '../support/until.ts';

const etcd = etcdForAll();

let directory: string;
let file: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'frostbeat-replay-'));
  file = join(directory, 'dead-letters-000001.ndjson');
  await etcd().client.delete().prefix('logs/').exec();
});
afterEach(() => rm(directory, { recursive: true }));

const letter = (one: LogRecord, writer = 'etcd'): string =>
  toDeadLetterLine({ record: one, reason: 'too large' }, writer, new Date());
const numbered = (n: number, content: string | Buffer = `{"n":${n}}`): LogRecord =>
  record(content, { traceId: `t${n}`, id: `0123456789abcdef-${n.toString(16).padStart(12, '0')}` });
const replay = (args: string[], env: Record<string, string> = {}) =>
  frostbeat(['replay', ...args], { env: { ETCD_SERVERS: etcd().url, ...env } });

describe('a record that etcd does not take', () => {
  it('is a dead letter and settled, the others are stored; replayed to a server that takes it, it is stored too', async () => {
    const node = await testNode(etcd());
    const log = join(node.podLogDir, 'demo-system_web_uid/app/0.log');
    const huge = `{"time":"2026-01-01T00:00:00Z","traceId":"huge","pad":"${'x'.repeat(1_700_000)}"}`;
    writeRecords(log, 50);
    appendFileSync(log, `2026-01-01T00:00:00Z stdout F ${huge}\n`);
    writeRecords(log, 50);
    const settings = { POD_SOURCE: 'directory', MAX_RECORD_BYTES: '4MiB', KUBERNETES_METADATA: 'false' };
    const agent = await node.startAgent(settings);
    await untilStored(etcd(), 100, 40_000);
    await until(async () => (await agent.ledger())?.deadLettered === 1, { what: 'the dead letter' });
    expect(await agent.metric('dead_letters_total')).toBe(1);
    expect((await agent.stop()).code).toBe(0);
    expect(committedBytes(node)).toBe(statSync(log).size);

    // It is settled: after a restart nothing is read, and nothing is refused, again.
    writeRecords(log, 1);
    const again = await node.startAgent(settings);
    await untilStored(etcd(), 101, 40_000);
    expect(await again.ledger()).toMatchObject({ read: 1, deadLettered: 0 });
    expect((await again.stop()).code).toBe(0);

    const letters = join(node.stateDir, 'dead-letters/dead-letters-000001.ndjson');
    const before = await readFile(letters);
    expect(await replay([letters]).ended()).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(
        /etcd: sent 0\n {2}etcd: refused again 1: larger than etcd takes.*\n.*keep what was not sent/,
      ),
    });
    await using larger = await startEtcd({ flags: { 'max-request-bytes': 8 * 2 ** 20 } });
    for (const _ of ['first', 'again']) {
      const { code, stdout } = await replay([letters, '--etcd-servers', larger.url]).ended();
      expect({ code, stdout }).toEqual({
        code: 0,
        stdout: `1 dead letter in ${letters}\n  etcd: sent 1\nAll of it is stored. The file is as before, and may be deleted.\n`,
      });
      const { kvs } = await larger.client.getAll().prefix('logs/').exec();
      expect(kvs.map(({ key, value }) => [key.toString().split('/')[1], value.toString()])).toEqual([
        ['huge', huge],
      ]);
    }
    expect(await readFile(letters)).toEqual(before);
  });
});

describe('frostbeat replay', () => {
  it('sends every record of several files byte for byte, in batches', async () => {
    const odd = [
      numbered(1, Buffer.from([0x7b, 0xff, 0x0d, 0x00, 0x7d])),
      numbered(2, '{"separator":"\u2028\u0085"}'),
      numbered(3, '{"cr":"\r"}\r'),
    ];
    const many = Array.from({ length: 300 }, (_, n) => numbered(n + 10));
    const second = join(directory, 'second.ndjson');
    await writeFile(file, odd.map((one) => letter(one)).join(''));
    await writeFile(second, `\n${many.map((one) => letter(one)).join('')}\n`);
    const { code, stdout } = await replay([file, second]).ended();
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: /303 dead letters in 2 files\n {2}etcd: sent 303/,
    });
    const values = new Map([...(await stored(etcd()))].map(([key, { value }]) => [key.split('/')[1], value]));
    expect(values.size).toBe(303);
    for (const one of [...odd, ...many]) expect(values.get(one.traceId)).toEqual(one.toBytes());
  });

  it('tells the lines that are no dead letters, sends the others, and ends with 1', async () => {
    const lines = [
      letter(numbered(1)),
      'junk\n',
      '{}\n',
      letter(numbered(2)),
      letter(numbered(3)).slice(0, 50),
    ];
    await writeFile(file, lines.join(''));
    const { code, stdout } = await replay([file]).ended();
    expect(code).toBe(1);
    expect(stdout).toContain('etcd: sent 2\n');
    expect(stdout).toContain(`malformed 3: ${file}, lines 2–3, 5: it is no JSON\n`);
    expect((await stored(etcd())).size).toBe(2);
  });

  it('sends each record only to the writer that refused it, unless --writers says otherwise', async () => {
    await writeFile(file, letter(numbered(1)) + letter(numbered(2), 'file') + letter(numbered(3), 'gone'));
    const env = { STATE_DIR: directory, WRITERS: 'stdout' };
    const { code, stdout } = await replay([file], env).ended();
    expect(code).toBe(1);
    expect(stdout).toContain('etcd: sent 1\n');
    expect(stdout).toContain('file: sent 1\n');
    expect(stdout).toContain('not sent 1: they were refused by «gone», which WRITERS does not name');
    expect([...(await stored(etcd())).keys()].map((key) => key.split('/')[1])).toEqual(['t1']);
    const records = join(directory, 'records.ndjson');
    expect(await readFile(records, 'utf8')).toMatch(/^\{.*"traceId":"t2".*\}\n$/);

    await rm(records);
    expect(await replay([file, '--writers', 'file'], env).ended()).toMatchObject({ code: 0 });
    expect((await readFile(records, 'utf8')).match(/"t\d"/g)).toEqual(['"t1"', '"t2"', '"t3"']);
  });

  it('tries again until the store is back, while another writer is not held up', async () => {
    await using down = await startEtcd();
    await down.stop();
    const many = Array.from({ length: 1_000 }, (_, n) => letter(numbered(n)));
    await writeFile(file, many.join('') + letter(numbered(5_000), 'file'));
    const records = join(directory, 'records.ndjson');
    const run = replay([file], { ETCD_SERVERS: down.url, STATE_DIR: directory, BATCH_PERIOD: '50ms' });
    await until(() => run.output.stderr.includes('The writer etcd fails'), { what: 'the failure' });
    await until(async () => (await stat(records).catch(() => ({ size: 0 }))).size > 0, { what: 'the file' });
    await down.restart();
    expect(await run.ended()).toMatchObject({ code: 0, stdout: expect.stringContaining('etcd: sent 1000') });
    expect((await stored(down)).size).toBe(1_000);
  });

  it('can be interrupted: it says what was not sent, and ends with 1', async () => {
    await writeFile(file, letter(numbered(1)) + letter(numbered(2)));
    await using down = await startEtcd();
    await down.stop();
    const run = replay([file], { ETCD_SERVERS: down.url });
    await until(() => run.output.stderr.includes('The writer etcd fails'), { what: 'the failure' });
    run.child.kill('SIGTERM');
    expect(await run.ended()).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/etcd: not sent 2\nStopped\. The file is as before: replay again/),
    });
  });

  it('sends nothing where a file cannot be read, and names all that cannot', async () => {
    await writeFile(file, letter(numbered(1)));
    const { code, stderr } = await replay([join(directory, 'none'), file, directory]).ended();
    expect(code).toBe(2);
    expect(stderr.match(/^ {2}- .*$/gm)).toEqual([
      expect.stringMatching(/none» cannot be read: ENOENT/),
      expect.stringMatching(/cannot be read: it is no regular file/),
    ]);
    expect((await stored(etcd())).size).toBe(0);
  });

  it('asks for a file', async () => {
    expect(await replay([]).ended()).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("missing required argument 'file'"),
    });
  });
});
