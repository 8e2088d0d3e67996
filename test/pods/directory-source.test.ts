import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMetrics } from '../../src/ops/metrics.ts';
import { DirectorySource } from '../../src/pods/directory-source.ts';
import { RecordingListener } from '../support/recording-listener.ts';
import { until } from '../support/until.ts';

let home: string;
let podLogDir: string;
let listener: RecordingListener;
let stop: AbortController;
let running: Promise<void>;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'directory-source-'));
  podLogDir = join(home, 'pods');
  listener = new RecordingListener();
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await running;
  await rm(home, { recursive: true });
});

function start(namespaces?: readonly string[]): DirectorySource {
  const log = pino({ level: 'silent' });
  const source = new DirectorySource({
    podLogDir,
    namespaces,
    log,
    metrics: createMetrics(),
    rescanMs: 60_000,
  });
  running = source.run(listener, stop.signal);
  return source;
}

const make = (name: string) => mkdir(join(podLogDir, name), { recursive: true });
const told = (...names: string[]) =>
  until(() => listener.names.join() === names.join(), { what: `the pods ${names.join()}`, timeoutMs: 1_000 });

describe('POD_SOURCE=directory', () => {
  it('tells the pods whose directories are there, come and go, in the namespaces asked for', async () => {
    await make('demo_a_1');
    await make('else_b_2');
    await make('no-pod');
    await writeFile(join(podLogDir, 'demo_file_3'), '');
    const source = start(['demo']);
    await told('a');
    expect([listener.syncs, source.notReady]).toEqual([1, undefined]);
    await make('demo_c_4');
    await told('a', 'c');
    await rm(join(podLogDir, 'demo_a_1'), { recursive: true });
    await told('c');
    expect(listener.events).toEqual(['added a', 'added c', 'removed a deleted']);
    expect(listener.syncs).toBe(1);
  });

  it('takes every namespace where none is named', async () => {
    await make('demo_a_1');
    await make('else_b_2');
    start();
    expect(await told('a', 'b')).toBe(true);
  });

  it('takes no pod for gone while directories cannot be listed for want of descriptors', async () => {
    const program = 'test/fixtures/pods/without-descriptors.ts';
    const limited = ['-c', `ulimit -n 64 && exec "$0" ${program}`, process.execPath];
    const { stdout } = await promisify(execFile)('sh', limited);
    expect(JSON.parse(stdout)).toEqual(['added a', 'added b']);
  });

  it('waits for POD_LOG_DIR, and tells that all pods are gone when it is removed', async () => {
    const source = start();
    await until(() => source.notReady?.includes('does not exist yet'), { what: 'a word of it' });
    expect(listener.syncs).toBe(0);
    await make('demo_a_1');
    await told('a');
    expect(source.notReady).toBeUndefined();
    await rm(podLogDir, { recursive: true });
    await told();
    await make('demo_b_2');
    await told('b');
  });
});
