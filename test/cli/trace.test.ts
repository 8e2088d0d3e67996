import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { traceCommand, type TraceRequest } from '../../src/cli/trace.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { FileWriter } from '../../src/writers/file-writer.ts';
import { startEtcd } from '../support/etcd.ts';
import { etcdWriter } from '../support/etcd-writer.ts';
import { record } from '../support/records.ts';
import { until } from '../support/until.ts';

const never = new AbortController().signal;
const kubernetes = { namespace: 'shop', pod: 'cart-7d4', container: 'main', node: 'n1' };
const trace = [
  record(JSON.stringify({ time: 'x', level: 'info', msg: 'second', traceId: 't', ms: 12, kubernetes }), {
    traceId: 't',
    unixNano: '1700000000123456789',
    id: 'f-2',
  }),
  record(JSON.stringify({ time: 'x', level: 50, message: 'first\n  at stack', traceId: 't', path: '/a b' }), {
    traceId: 't',
    unixNano: '1700000000000000001',
    id: 'f-1',
  }),
];

describe('frostbeat trace', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'frostbeat-test-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it('prints the bytes of the records as NDJSON in a pipe', async () => {
    await store();
    const { code, stdout } = await run({ traceId: 't' });
    expect(code).toBe(0);
    expect(stdout).toBe(`${trace[1]!.latin1}\n${trace[0]!.latin1}\n`);
  });

  it('prints a trace for people on a terminal', async () => {
    await store();
    const { code, stdout } = await run({ traceId: 't', terminal: true, env: { NO_COLOR: '1' } });
    expect(code).toBe(0);
    expect(stdout).toBe(
      [
        '── 2023-11-14 UTC ──',
        `22:13:20.000      +0 ms  ━${' '.repeat(19)}  ERROR  first  path="/a b"`,
        '      at stack',
        `22:13:20.123    +123 ms  ${'━'.repeat(20)}  cart-7d4/main  INFO   second  ms=12`,
        '── complete? unknown ── no agent tells how far it is: the records are of other agents, or of a version before watermarks',
        '',
      ].join('\n'),
    );
  });

  it('colours the level on a terminal, and nothing with NO_COLOR or in a pipe', async () => {
    await store();
    expect((await run({ traceId: 't', terminal: true })).stdout).toContain('\x1b[31mERROR\x1b[39m');
    expect((await run({ traceId: 't', terminal: true, env: { NO_COLOR: '1' } })).stdout).not.toContain(
      '\x1b',
    );
    expect((await run({ traceId: 't', output: 'pretty' })).stdout).not.toContain('\x1b');
  });

  it('lets no escape sequence of a record, or of the trace ID, reach the terminal', async () => {
    const evil = '\x1b]0;evil\x07\u009b2J\u202e';
    const json = JSON.stringify({ level: evil, msg: `${evil}\n${evil}`, [evil]: evil, o: { [evil]: 1 } });
    // Once as JSON, in which U+009B and U+202E stand raw, and once as text that is none.
    const broken = json.replaceAll('\\u001b', '\x1b');
    await store([record(json, { traceId: evil }), record(broken, { traceId: evil })]);
    for (const output of ['pretty', 'json'] as const) {
      const { code, stdout } = await run({ traceId: evil, output, terminal: true, env: { NO_COLOR: '1' } });
      expect(code).toBe(0);
      expect(stdout).toMatch(/\\u009b2J/);
      expect(stdout.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202e]/u);
    }
    const { stderr } = await run({ traceId: `${evil}!`, terminal: true });
    expect(stderr.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202e]/u);
  });

  it('prints stacks as stacks, and gives the pods colours of their own', async () => {
    const stack = 'TypeError: x\n    at a (b.js:1)\n    at c';
    const other = { ...kubernetes, pod: 'db-0' };
    await store([
      record(JSON.stringify({ level: 'error', msg: 'bad', err: { code: 7, stack }, kubernetes }), {
        traceId: 't',
      }),
      record(JSON.stringify({ msg: 'ok', kubernetes: other }), {
        traceId: 't',
        id: '0123456789abcdef-000000000001',
      }),
    ]);
    const { stdout } = await run({ traceId: 't', terminal: true });
    expect(stdout).toContain('\x1b[36mcart-7d4/main\x1b[39m');
    expect(stdout).toContain('\x1b[35mdb-0/main    \x1b[39m');
    const plain = (await run({ traceId: 't', output: 'pretty' })).stdout;
    expect(plain).toContain('bad  err={"code":7}\n    TypeError: x\n        at a (b.js:1)\n        at c\n');
    expect((await run({ traceId: 't', output: 'raw' })).stdout).toBe('bad\n' + stack + '\nok\n');
  });

  it('prints a table for spreadsheets, in which nothing is a formula', async () => {
    const json = JSON.stringify({ level: 'warn', msg: '=HYPERLINK(1)', a: 'x, y' });
    await store([record(json, { traceId: 't', unixNano: '1700000000000000001' })]);
    const [, line] = (await run({ traceId: 't', output: 'csv' })).stdout.split('\n');
    expect(line).toBe(
      '2023-11-14T22:13:20.000000001Z,1700000000000000001,0,,,,WARN,\'=HYPERLINK(1),,"{""a"":""x, y""}"',
    );
  });

  it.each([
    [{ since: '1700000000100000000' }, 'second\n'],
    [{ until: '1700000000100000000' }, 'first\n  at stack\n'],
    [{ filter: { level: 'WARN' } }, 'first\n  at stack\n'],
    [{ filter: { pod: 'cart' } }, 'second\n'],
    [{ filter: { matches: (text: string) => text.includes('"ms":12') } }, 'second\n'],
  ])('shows only what is asked for: %j', async (flags, text) => {
    await store();
    expect((await run({ traceId: 't', output: 'raw', ...flags })).stdout).toBe(text);
  });

  it('says that no line is what was asked for', async () => {
    await store();
    const { code, stderr } = await run({ traceId: 't', filter: { level: 'FATAL' } });
    expect(code).toBe(1);
    expect(stderr).toMatch(/none of the 2 records of the trace «t» in .* is what was asked for/);
  });

  it('follows a trace until it is asked to stop', async () => {
    await store();
    const stop = new AbortController();
    const out = new Collected(false);
    const running = run({ traceId: 't', follow: true, signal: stop.signal, output: 'raw', stdout: out });
    await until(() => out.text.includes('second'), { what: 'what is stored' });
    await store([record('{"msg":"third"}', { traceId: 't' }), record('{"msg":"other"}', { traceId: 'u' })]);
    await until(() => out.text.includes('third'), { what: 'the new line' });
    stop.abort();
    expect((await running).code).toBe(0);
    expect(out.text).toBe('first\n  at stack\nsecond\nthird\n');
  });

  it('says that it does not know a trace, with exit code 1', async () => {
    await store();
    const { code, stdout, stderr } = await run({ traceId: 'nobody' });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^frostbeat: no record of the trace «nobody» in .*records\.ndjson\n$/);
  });

  it('says that nothing can be read, with exit code 1', async () => {
    const file = await run({ traceId: 't' });
    expect(file.code).toBe(1);
    expect(file.stderr).toContain('there is no such file (yet)');
    const etcd = await run({ traceId: 't', env: { WRITERS: 'etcd', ETCD_SERVERS: '127.0.0.1:1' } });
    expect(etcd.code).toBe(1);
    expect(etcd.stderr).toBe(
      'frostbeat: Cannot read the trace from etcd (http://127.0.0.1:1): no connection (ECONNREFUSED)\n',
    );
  });

  it('asks where to read from when no writer can be read, with exit code 2', async () => {
    const { code, stderr } = await run({ traceId: 't', env: { WRITERS: 'stdout' } });
    expect(code).toBe(2);
    expect(stderr).toContain('say which with --from');
  });

  it('reads from etcd, and from another destination than the first where asked to', async () => {
    await using etcd = await startEtcd();
    await using writer = etcdWriter([etcd.url]);
    await writer.writeBatch(trace, never);
    const env = { WRITERS: 'stdout,etcd,file', ETCD_SERVERS: etcd.url };
    expect((await run({ traceId: 't', env })).stdout).toBe(`${trace[1]!.latin1}\n${trace[0]!.latin1}\n`);
    expect((await run({ traceId: 't', env, from: 'file' })).code).toBe(1);
  });

  it('ends quietly when it is asked to stop', async () => {
    await store();
    expect(await run({ traceId: 't', signal: AbortSignal.abort() })).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
  });

  async function store(batch = trace): Promise<void> {
    const writer = new FileWriter({
      path: join(directory, 'records.ndjson'),
      log: pino({ level: 'silent' }),
    });
    await writer.open();
    await writer.writeBatch(batch, never);
    await writer.close();
  }

  async function run(
    request: Partial<TraceRequest> & { traceId: string; terminal?: boolean },
  ): Promise<{ code: number; stdout: string; stderr: string }> {
    const { terminal = false, ...rest } = request;
    const env = {
      WRITERS: 'file',
      FILE_PATH: join(directory, 'records.ndjson'),
      STATE_DIR: directory,
      ...request.env,
    };
    const { config, mistakes } = loadConfig({
      env,
      flags: {},
      cwd: directory,
      checks: { node: false, stateDir: false },
    });
    if (config === undefined) throw new Error(mistakes.join());
    const [stdout, stderr] = [new Collected(terminal), new Collected(terminal)];
    const code = await traceCommand({ config, stdout, stderr, signal: never, ...rest, env });
    for (const output of [stdout, stderr]) await finished(output.end());
    return { code, stdout: stdout.text, stderr: stderr.text };
  }
});

/** An output that takes a little at a time, as a pipe does. */
class Collected extends Writable {
  readonly isTTY: boolean;
  readonly #chunks: Buffer[] = [];

  constructor(isTTY: boolean) {
    super({ highWaterMark: 16 });
    this.isTTY = isTTY;
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.#chunks.push(chunk);
    setImmediate(done);
  }
}
