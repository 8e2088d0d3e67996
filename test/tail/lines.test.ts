import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ContainerDir } from '../support/container-dir.ts';
import { containerDir, startPipeline } from '../support/one-container.ts';
import type { Pipeline, PipelineOptions } from '../support/pipeline.ts';
import { until } from '../support/until.ts';

let dir: ContainerDir;
beforeEach(() => {
  dir = containerDir();
});
const start = (options?: PipelineOptions): Pipeline => startPipeline(dir.path, options);

const cut = (text: string, at: number): [string, string] => [text.slice(0, at), text.slice(at)];
const latin1 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

describe('the end of a line', () => {
  it('is waited for', async () => {
    const [head, rest] = cut(dir.lines(), 60);
    dir.put('0.log', dir.lines() + head);
    const pipeline = start();
    await pipeline.until(1);
    await sleep(500);
    expect(pipeline.ledger().lines).toBe(1);
    dir.put('0.log', rest);
    await pipeline.until(2);
    expect(pipeline.ledger()).toMatchObject({ lines: 2, delivered: 2 });
  });

  it('is waited for in a rotated file too, when it comes late', async () => {
    const [head, rest] = cut(dir.lines(), 60);
    dir.put('0.log', dir.lines() + head);
    const pipeline = start();
    await pipeline.until(1);
    const rotated = dir.rename();
    dir.put('0.log', dir.lines());
    await sleep(250);
    dir.put(rotated, rest);
    await pipeline.until(3);
    expect(pipeline.read).toEqual(['t1', 't0', 't2']);
    expect(pipeline.ledger().skippedTotal).toBe(0);
  });

  it('may be missing when the container has ended', async () => {
    dir.put('0.log', dir.lines(2).trimEnd());
    const pipeline = start();
    await pipeline.until(1);
    await pipeline.drain();
    expect(pipeline.traceIds).toEqual(['t0', 't1']);
    expect(pipeline.ledger().bytes).toBe(readFileSync(dir.file('0.log')).length);
  });

  it('may be missing in a file whose only line it is, when the directory is gone', async () => {
    const pipeline = start();
    dir.put('0.log', dir.lines().trimEnd());
    await until(() => pipeline.tail.files.nascent > 0, { what: 'the file' });
    dir.removeAll();
    await pipeline.drain();
    expect(pipeline.traceIds).toEqual(['t0']);
  });
});

describe('partial lines', () => {
  it('takes a whole record in a final P that no F follows, and drops an empty F that comes late', async () => {
    dir.put('0.log', dir.cri(dir.record(), 'P'));
    const pipeline = start();
    await pipeline.until(1);
    dir.put('0.log', dir.cri('', 'F') + dir.lines());
    await pipeline.until(2);
    expect(pipeline.order).toHaveLength(2);
    expect(pipeline.ledger()).toMatchObject({ lines: 3, records: 2, delivered: 3, inFlight: 0 });
    const saved = await pipeline.stop();
    const [file] = Object.values(saved.containers['ns_pod_uid/app']!.files);
    expect(file!.offset).toBe(readFileSync(dir.file('0.log')).length);
  });

  it('does not take what is no whole record before the container has ended', async () => {
    const [head, rest] = cut(dir.record(), 20);
    dir.put('0.log', dir.cri(head, 'P'));
    const pipeline = start();
    await sleep(500);
    dir.put('0.log', dir.cri(rest));
    await pipeline.until(1);
    dir.put('0.log', dir.cri('{"traceId":"never', 'P'));
    await until(() => pipeline.ledger().lines === 3, { what: 'the last fragment' });
    expect(pipeline.ledger().inFlight).toBe(1);
    await pipeline.drain();
    expect(pipeline.ledger()).toMatchObject({ inFlight: 0, delivered: 2, skippedTotal: 1 });
  });

  it('joins per stream where stdout and stderr interleave', async () => {
    const out = dir.record({ on: 'stdout', text: 'ü'.repeat(20) });
    const err = dir.record({ on: 'stderr' });
    const [o1, o2] = cut(latin1(out), 61);
    const [e1, e2] = cut(err, 30);
    dir.put(
      '0.log',
      dir.cri(o1, 'P') +
        dir.cri(e1, 'P', 'stderr') +
        dir.cri(o2, 'P:tag') +
        dir.cri(e2, 'F', 'stderr') +
        dir.cri('', 'F'),
    );
    const pipeline = start();
    await pipeline.until(2);
    expect(pipeline.order.map((record) => record.toBytes().toString('utf8'))).toEqual([err, out]);
    expect(pipeline.ledger()).toMatchObject({ lines: 5, records: 2, delivered: 5 });
  });

  it('never joins around a piece that was too long to keep', async () => {
    dir.put('0.log', dir.lines());
    const pipeline = start({ maxRecordBytes: 2000 });
    await pipeline.until(1);
    dir.put(
      '0.log',
      dir.cri('{"traceId":"chimera","time":"2026-11-23T05:30:57Z","msg":"', 'P') +
        dir.cri('x'.repeat(200_000), 'P') +
        dir.cri('"}') +
        dir.lines(),
    );
    await pipeline.until(2);
    expect(pipeline.traceIds).toEqual(['t0', 't1']);
    expect(pipeline.ledger().skipped).toMatchObject({ too_long: 3 });
  });
});

describe('a container that is let go while it writes', () => {
  it('is read to the end of a record', async () => {
    const [head, rest] = cut(dir.record(), 20);
    dir.put('0.log', dir.cri(head, 'P'));
    const pipeline = start();
    const drained = pipeline.drain();
    await sleep(700); // Longer than a drain waits where it cuts nothing.
    expect(pipeline.ended).toBe(false);
    dir.put('0.log', dir.cri(rest) + dir.cri('not of this tail', 'P'));
    await drained;
    await pipeline.until(1);
    expect(pipeline.traceIds).toEqual(dir.written);
  });

  it('is not waited for when the rest never comes', async () => {
    dir.put('0.log', dir.lines() + dir.cri('{"begun', 'P'));
    const pipeline = start();
    await pipeline.drain();
    expect(pipeline.ledger()).toMatchObject({ lines: 2, delivered: 1, skipped: { not_json: 1 } });
  });
});

describe('bytes', () => {
  it('are kept as written: invalid UTF-8, and what JSON allows around a record is not part of it', async () => {
    const json = dir.record({ msg: '@@' }).replace('@@', '\xff\xfe\x80');
    dir.put('0.log', dir.cri(`${json}\r`) + dir.cri(` ${json.replace('t0', 't9')} `));
    const pipeline = start();
    await pipeline.until(2);
    expect(pipeline.order.map(({ latin1: text }) => text)).toEqual([json, json.replace('t0', 't9')]);
    expect(pipeline.order[0]!.toBytes()).toEqual(Buffer.from(json, 'latin1'));
  });

  it('of NUL that a crashed node left do not hide the line that follows them', async () => {
    const [head] = cut(dir.cri('{"traceId":"torn"}'), 50);
    dir.put('0.log', dir.lines() + '\0'.repeat(500) + dir.lines() + head + '\0'.repeat(10_000) + dir.lines());
    const pipeline = start();
    await pipeline.until(3);
    expect(pipeline.traceIds).toEqual(['t0', 't1', 't2']);
    expect(pipeline.ledger().lines).toBe(3);
  });

  it('of the conmon sample: exactly its 47 records, equal to what the container printed', async () => {
    copyFileSync(join(import.meta.dirname, '../fixtures/conmon/0.log'), dir.file('0.log'));
    const pipeline = start();
    await pipeline.until(47);
    await pipeline.drain();
    expect(pipeline.order.map(({ latin1: text }) => text).sort()).toEqual(conmonRecords().sort());
    expect(pipeline.stored.size).toBe(47);
    expect(pipeline.ledger().bytes).toBe(readFileSync(dir.file('0.log')).length);
  });
});

/** The records of the sample, by another way than the agent's: whole streams of bytes, then lines. */
function conmonRecords(): string[] {
  const streams: Record<string, string> = { stdout: '', stderr: '' };
  for (const line of readFileSync(dir.file('0.log'), 'latin1').split('\n')) {
    const parts = /^\S+ (stdout|stderr) ([PF]) (.*)$/s.exec(line);
    if (parts !== null) streams[parts[1]!] += parts[3]! + (parts[2] === 'F' ? '\n' : '');
  }
  return Object.values(streams)
    .flatMap((text) => text.split('\n'))
    .map((line) => line.replace(/\r$/, ''))
    .filter((line) => {
      try {
        const { traceId, time } = JSON.parse(line) as { traceId?: unknown; time?: unknown };
        return typeof traceId === 'string' && typeof time === 'string' && !Number.isNaN(Date.parse(time));
      } catch {
        return false; // No JSON: one of the sample's lines that are no record.
      }
    });
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** What is held, in bytes; when garbage is collected is chance. */
function memory(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Of the lines that are to take no memory; another size by the environment: FROSTBEAT_HUGE_MIB=1024. */
const hugeMib = Number(process.env['FROSTBEAT_HUGE_MIB'] ?? 256);

/** Sparse: the file system gives NUL bytes. */
function hugeLine(): void {
  truncateSync(dir.file('0.log'), hugeMib * 2 ** 20);
  dir.put('0.log', `\n${dir.lines()}`);
}

function hugePieces(): void {
  // One buffer for all of it: what the writing takes is measured too.
  const pieces = Buffer.from(dir.cri('x'.repeat(16_384), 'P').repeat(256), 'latin1');
  for (let i = 0; i < hugeMib / 4; i++) appendFileSync(dir.file('0.log'), pieces);
  dir.put('0.log', dir.cri('') + dir.lines());
}

describe('records longer than MAX_RECORD_BYTES', () => {
  it('are skipped as too long, in one line or in many pieces, and the file goes on', async () => {
    const limit = 20_000;
    dir.put('0.log', dir.cri(dir.record({ pad: 'x'.repeat(limit) })));
    const piece = 'y'.repeat(16_384);
    dir.put('0.log', dir.cri(piece, 'P') + dir.cri(piece, 'P') + dir.cri('z') + dir.lines());
    const exact = dir.record({ pad: '' });
    dir.put('0.log', dir.cri(exact.replace('"pad":""', `"pad":"${'x'.repeat(limit - exact.length)}"`)));
    const pipeline = start({ maxRecordBytes: limit });
    await pipeline.until(2);
    expect(pipeline.traceIds).toEqual(['t1', 't2']);
    expect(pipeline.ledger()).toMatchObject({ lines: 6, delivered: 2, skipped: { too_long: 4 } });
  });

  it.each([
    ['in one line without an end', (): void => hugeLine()],
    ['in pieces that never end', (): void => hugePieces()],
  ])(`take no memory: ${hugeMib} MiB %s`, { timeout: 30_000 + hugeMib * 200 }, async (name, write) => {
    dir.put('0.log', dir.lines());
    const pipeline = start({ maxRecordBytes: 100_000 });
    await pipeline.until(1);
    const before = memory();
    let peak = 0;
    const watch = setInterval(() => (peak = Math.max(peak, memory())), 50);
    write();
    await pipeline.until(2, 30_000 + hugeMib * 150);
    clearInterval(watch);
    if (hugeMib !== 256)
      process.stderr.write(`${hugeMib} MiB ${name}: ${Math.round((peak - before) / 2 ** 20)} MiB at most\n`);
    // The test's own writing and the garbage between two collections are in it; the line itself is not.
    expect((peak - before) / 2 ** 20).toBeLessThan(128);
    expect(pipeline.traceIds).toEqual(['t0', 't1']);
    expect(pipeline.ledger().skippedTotal).toBeGreaterThan(0);
    expect(pipeline.ledger().bytes).toBeGreaterThan((hugeMib - 6) * 2 ** 20);
  });
});

describe('Docker', () => {
  let docker: string;
  let log: string;
  beforeEach(() => {
    docker = join(dir.root, 'docker');
    log = join(docker, 'containers', 'abc', 'abc-json.log');
    mkdirSync(join(docker, 'containers', 'abc'), { recursive: true });
    writeFileSync(log, '');
    symlinkSync(log, dir.file('0.log'));
  });
  let nano = 0;
  const line = (text: string, stream = 'stdout'): string =>
    `${JSON.stringify({ log: text, stream, time: `2026-11-23T05:30:57.${String(++nano).padStart(9, '0')}Z` })}\n`;
  const put = (text: string): void => writeFileSync(log, text, { flag: 'a' });
  const rotate = (): void => {
    try {
      renameSync(`${log}.1`, `${log}.2`);
    } catch {
      // The first rotation has nothing to move on.
    }
    renameSync(log, `${log}.1`);
    writeFileSync(log, '');
  };

  it('reads json-file logs behind a symlink, with its partials, over its rotation', async () => {
    const long = dir.record({ text: 'grün 😀 \u0001 '.repeat(10) });
    put(line(long.slice(0, 33)) + line(long.slice(33, 80)) + line(`${long.slice(80)}\n`));
    const pipeline = start({ roots: [dir.path, docker] });
    await pipeline.until(1);
    expect(pipeline.order[0]!.toBytes().toString('utf8')).toBe(long);
    for (let i = 0; i < 3; i++) {
      put(line(`${dir.record()}\n`));
      const next = dir.record();
      put(line(next.slice(0, 20)));
      rotate();
      put(line(`${next.slice(20)}\n`));
      await pipeline.until(3 + i * 2);
    }
    expect(pipeline.read).toEqual(dir.written);
    expect(pipeline.ledger().skippedTotal).toBe(0);
  });

  it('sees a rotation of the target at once, not at the next full listing', async () => {
    put(line(`${dir.record()}\n`));
    const pipeline = start({ roots: [dir.path, docker], timing: { rescan: 60_000 } });
    await pipeline.until(1);
    rotate();
    put(line(`${dir.record()}\n`));
    await pipeline.until(2, 3000);
    expect(pipeline.read).toEqual(dir.written);
  });
});

describe('a pod that can write to its log directory cannot make the agent read', () => {
  let secret: string;
  beforeEach(() => {
    secret = join(dir.root, 'secret.log');
    writeFileSync(secret, dir.cri('{"traceId":"secret","time":"2026-11-23T05:30:57Z"}'));
  });

  it('what a symlink leads to outside of the roots', async () => {
    symlinkSync(secret, dir.file('0.log'));
    dir.put('1.log', dir.lines());
    const pipeline = start();
    await pipeline.until(1);
    expect(pipeline.read).toEqual(['t0']);
    expect(pipeline.refused).toEqual(['symlink_outside']);
  });

  it('what a symlink in place of a directory leads to', async () => {
    const outside = join(dir.root, 'outside', 'app');
    mkdirSync(outside, { recursive: true });
    copyFileSync(secret, join(outside, '0.log'));
    const pods = join(dir.root, 'pods', 'ns_pod_uid');
    mkdirSync(pods, { recursive: true });
    symlinkSync(outside, join(pods, 'app'));
    const pipeline = startPipeline(join(pods, 'app'), { roots: [join(dir.root, 'pods')] });
    await until(() => pipeline.refused.length > 0, { what: 'the refusal' });
    expect(pipeline.refused).toEqual(['unsafe']);
    expect(pipeline.read).toEqual([]);
  });

  it('what a symlink leads to that takes the place of a directory while that is read', async () => {
    const outside = join(dir.root, 'outside', 'app');
    mkdirSync(outside, { recursive: true });
    copyFileSync(secret, join(outside, '0.log'));
    copyFileSync(secret, join(outside, '0.log.20261123-053057'));
    const pods = join(dir.root, 'ns_pod_uid');
    dir.put('0.log', dir.lines(5));
    const pipeline = start({ roots: [pods] });
    await pipeline.until(5);
    const moved = join(dir.root, 'moved');
    renameSync(pods, moved);
    mkdirSync(pods);
    symlinkSync(outside, join(pods, 'app'));
    await until(() => pipeline.refused.length > 0, { what: 'the refusal' });
    // What is open is read on, wherever it is now.
    appendFileSync(join(moved, 'app', '0.log'), dir.lines(5));
    await pipeline.until(10);
    await sleep(200);
    expect(new Set(pipeline.refused)).toEqual(new Set(['unsafe']));
    expect(pipeline.read).toEqual(dir.written);
    expect(pipeline.gaps).toEqual([]);
    // And back: it goes on where it was.
    rmSync(pods, { recursive: true });
    renameSync(moved, pods);
    dir.put('0.log', dir.lines(5));
    await pipeline.until(15);
    expect(pipeline.read).toEqual(dir.written);
  });

  it('a FIFO, a directory or a device, and it does not wait for them', async () => {
    execFileSync('mkfifo', [dir.file('0.log')]);
    mkdirSync(dir.file('1.log'));
    dir.put('2.log', dir.lines());
    const pipeline = start();
    await pipeline.until(1);
    expect(pipeline.refused).toEqual(['unsafe', 'unsafe']);
  });

  it('and tells of a refused file once', async () => {
    symlinkSync('/etc/passwd', dir.file('0.log'));
    const pipeline = start();
    await until(() => pipeline.rescans > 2, { what: 'rescans' });
    expect(pipeline.refused).toEqual(['symlink_outside']);
  });
});
