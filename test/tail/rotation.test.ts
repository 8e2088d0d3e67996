import { copyFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
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

/** Everything written was read in order, and stored once. */
function expectAll(pipeline: Pipeline): void {
  expect(pipeline.read).toEqual(dir.written);
  expect(pipeline.traceIds.sort()).toEqual([...dir.written].sort());
  expect(pipeline.order).toHaveLength(dir.written.length);
  expect(pipeline.gaps).toEqual([]);
  pipeline.ledger();
}

describe('rotation by the kubelet', () => {
  it('reads what the runtime writes late to the renamed file, before what is in the new one', async () => {
    dir.put('0.log', dir.lines(3));
    const pipeline = start();
    await pipeline.until(3);
    const rotated = dir.rename();
    dir.put(rotated, dir.lines());
    await pipeline.until(4);
    const late = dir.lines();
    dir.put('0.log', dir.lines());
    dir.put(rotated, late);
    await pipeline.until(6);
    expectAll(pipeline);
  });

  it('reads what is written to the renamed file long after reading went on in the new one', async () => {
    dir.put('0.log', dir.lines());
    const pipeline = start();
    await pipeline.until(1);
    const rotated = dir.rename();
    dir.put('0.log', dir.lines());
    await pipeline.until(2);
    dir.put(rotated, dir.lines());
    await pipeline.until(3);
    await until(() => pipeline.tail.files.ordered.filter(({ isOpen }) => isOpen).length === 1, {
      what: 'the rotated file closed',
    });
    dir.put(rotated, dir.lines());
    await pipeline.until(4);
    expectAll(pipeline);
  });

  it('waits without a live file for as long as there is none', async () => {
    dir.put('0.log', dir.lines());
    const pipeline = start();
    await pipeline.until(1);
    const rotated = dir.rename();
    await sleep(400);
    dir.put(rotated, dir.lines());
    await pipeline.until(2);
    dir.put('0.log', dir.lines());
    await pipeline.until(3);
    expectAll(pipeline);
  });

  it('goes on when reopening failed and the file is renamed back', async () => {
    dir.put('0.log', dir.lines());
    const pipeline = start();
    await pipeline.until(1);
    const rotated = dir.rename();
    dir.put(rotated, dir.lines());
    await pipeline.until(2);
    dir.move(rotated, '0.log');
    dir.put('0.log', dir.lines());
    await pipeline.until(3);
    dir.put(dir.rename(), dir.lines());
    dir.put('0.log', dir.lines());
    await pipeline.until(5);
    expectAll(pipeline);
  });

  it('reads several files that were rotated between two looks, oldest first', async () => {
    dir.put('0.log', dir.lines());
    const pipeline = start();
    await pipeline.until(1);
    for (let i = 0; i < 4; i++) {
      dir.put(dir.rename(), dir.lines(30));
      dir.put('0.log', dir.lines(30));
    }
    await pipeline.until(241);
    expectAll(pipeline);
  });

  it('reads what is there at the start oldest first, compressed and plain, and ignores *.tmp', async () => {
    for (let i = 0; i < 3; i++) {
      dir.put('0.log', dir.lines(50));
      const rotated = dir.rename();
      if (i < 2) dir.compress(rotated);
    }
    dir.put('0.log', dir.lines(50));
    dir.put('0.log.20261123-053050.tmp', 'not a log file yet');
    dir.put('0.log.tmp', 'nor this');
    const pipeline = start();
    await pipeline.until(200);
    expectAll(pipeline);
    expect(pipeline.ledger().lines).toBe(200);
  });

  it('joins a record that the rotation cut', async () => {
    dir.put('0.log', dir.lines());
    const pipeline = start();
    await pipeline.until(1);
    const json = dir.record({ msg: 'x'.repeat(50) });
    dir.put('0.log', dir.cri(json.slice(0, 40), 'P'));
    const rotated = dir.rename();
    dir.put('0.log', dir.cri(json.slice(40)));
    await pipeline.until(2);
    expect(pipeline.order[1]!.latin1).toBe(json);
    await until(() => pipeline.store.containers.values().next().value!.settled, { what: 'settled' });
    dir.compress(rotated);
    dir.put('0.log', dir.lines());
    await pipeline.until(3);
    expectAll(pipeline);
  });

  it('joins a record that was cut by the first of two rotations under one name', async () => {
    dir.put('0.log', dir.lines());
    const pipeline = start();
    await pipeline.until(1);
    const json = dir.record({ msg: 'x'.repeat(50) });
    dir.put('0.log', dir.cri(json.slice(0, 40), 'P'));
    const rotated = dir.rename();
    dir.put('0.log', dir.cri(json.slice(40)));
    dir.move('0.log', rotated);
    dir.put('0.log', dir.lines());
    await pipeline.until(3);
    expect(pipeline.order[1]!.latin1).toBe(json);
    expectAll(pipeline);
  });

  it.each([
    ['compressed', (rotated: string): unknown => dir.compress(rotated)],
    ['deleted', (rotated: string): unknown => dir.remove(rotated)],
  ])('makes no record of a begin and an end between which a file went unseen: %s', async (_, take) => {
    dir.put('0.log', dir.lines() + dir.cri('{"traceId":"cut","time":"2026-11-23T05:30:57Z","msg":"a', 'P'));
    const first = start();
    await until(() => first.ledger().delivered === 1 && first.ledger().lines === 2, {
      what: 'the begin read',
    });
    const saved = await first.kill();
    const second = start({ saved });
    await until(() => second.ledger().lines === 1, { what: 'the begin read again' });
    take(dir.rename());
    // Begun after that: another file was the live one when this one was superseded.
    const later = new Date(Date.now() + 1_000).toISOString();
    dir.put('0.log', `${later} stdout F b"}\n${dir.lines()}`);
    await second.until(1);
    expect(second.traceIds).toEqual(['t1']);
    expect(second.ledger().skipped.not_json).toBe(2);
  });

  it('reads a file that was rotated and compressed before one that was rotated to its plain name in the same second', async () => {
    dir.put('0.log', dir.lines(2));
    const json = dir.record({ msg: 'x'.repeat(50) });
    dir.put('0.log', dir.cri(json.slice(0, 40), 'P'));
    const rotated = dir.rename();
    dir.put('0.log', dir.cri(json.slice(40)));
    dir.compress(rotated);
    dir.move('0.log', rotated);
    dir.put('0.log', dir.lines(2));
    const pipeline = start();
    await pipeline.until(5);
    expectAll(pipeline);
  });

  it('tells as gaps what goes before it can be opened, and not what is compressed meanwhile', async () => {
    let allowed = true;
    dir.put('0.log', dir.lines(5));
    const pipeline = start({ mayOpen: () => allowed });
    await pipeline.until(5);
    allowed = false;
    dir.rename();
    dir.put('0.log', dir.lines(5));
    await until(() => pipeline.tail.failure !== undefined, { what: 'a file that cannot be opened' });
    const second = dir.rename();
    dir.put('0.log', dir.lines(5));
    await sleep(200);
    dir.compress(second);
    dir.remove('0.log');
    await until(() => pipeline.gaps.length > 0, { what: 'a gap' });
    allowed = true;
    dir.put('0.log', dir.lines(5));
    await pipeline.until(15);
    expect(pipeline.read).toEqual([...dir.written.slice(0, 10), ...dir.written.slice(15)]);
    expect(pipeline.gaps).toMatchObject([
      { file: '0.log', fileId: 'unknown', reason: 'held_files_limit', from: 0, to: null },
    ]);
  });

  it('joins a record whose end is in a file that cannot be opened until its begin has been deleted', async () => {
    let allowed = true;
    dir.put('0.log', dir.lines());
    const pipeline = start({ mayOpen: () => allowed });
    await pipeline.until(1);
    const json = dir.record({ msg: 'x'.repeat(50) });
    dir.put('0.log', dir.cri(json.slice(0, 40), 'P'));
    await until(() => pipeline.ledger().lines === 2, { what: 'the begin read' });
    allowed = false;
    const rotated = dir.rename();
    dir.put('0.log', dir.cri(json.slice(40)));
    await until(() => pipeline.tail.files.ordered[0]?.entry.name === rotated, { what: 'the rotation seen' });
    dir.remove(rotated);
    await until(() => pipeline.tail.files.ordered[0]?.finished !== false, { what: 'the first file over' });
    allowed = true;
    await pipeline.until(2);
    expect(pipeline.order[1]!.latin1).toBe(json);
    expectAll(pipeline);
  });

  it('does not read a file again whose compressed twin could not be opened for a while', async () => {
    let allowed = true;
    dir.put('0.log', dir.lines(5));
    const pipeline = start({ mayOpen: () => allowed });
    await pipeline.until(5);
    const rotated = dir.rename();
    const json = dir.record({ msg: 'x'.repeat(50) });
    dir.put('0.log', dir.cri(json.slice(0, 40), 'P'));
    await until(() => pipeline.ledger().lines === 6, { what: 'the begin of a record in the new file' });
    allowed = false;
    dir.compress(rotated);
    await until(() => pipeline.tail.failure !== undefined, { what: 'a twin that cannot be opened' });
    const { rescans } = pipeline;
    await until(() => pipeline.rescans > rescans + 2, { what: 'more listings' });
    pipeline.store.snapshot(new Date());
    allowed = true;
    await until(() => pipeline.tail.failure === undefined, { what: 'the twin opened' });
    dir.put('0.log', dir.cri(json.slice(40)));
    await pipeline.until(6);
    expect(pipeline.order[5]!.latin1).toBe(json);
    expect(pipeline.ledger().lines).toBe(7);
    expectAll(pipeline);
  });

  it('does not read a file again that was given up while its compressed twin could not be opened', async () => {
    let allowed = true;
    dir.put('0.log', dir.lines(5));
    const pipeline = start({ mayOpen: () => allowed });
    await pipeline.until(5);
    const rotated = dir.rename();
    dir.put('0.log', dir.lines(2));
    await pipeline.until(7);
    allowed = false;
    dir.compress(rotated);
    await until(() => pipeline.tail.failure !== undefined, { what: 'a twin that cannot be opened' });
    const [file] = pipeline.tail.files.ordered;
    expect(file!.entry.name).toBe(rotated);
    pipeline.tail.giveUp(file!, 'held_files_limit');
    pipeline.store.snapshot(new Date());
    allowed = true;
    await until(() => pipeline.tail.failure === undefined, { what: 'the twin opened' });
    dir.put('0.log', dir.lines(1));
    await pipeline.until(8);
    expect(pipeline.read).toEqual(dir.written);
    expect(pipeline.gaps).toMatchObject([{ reason: 'held_files_limit' }]);
  });

  it('tells at once what went with a closed file, though a newer one cannot be opened', async () => {
    let allowed = true;
    dir.put('0.log', dir.lines(5));
    const pipeline = start({ mayOpen: () => allowed });
    await pipeline.until(5);
    pipeline.tail.files.ordered[0]!.park();
    const rotated = dir.rename();
    await until(() => pipeline.tail.files.ordered[0]?.entry.name === rotated, { what: 'the rotation seen' });
    allowed = false;
    dir.remove(rotated);
    dir.put('0.log', dir.lines(5));
    await until(() => pipeline.gaps.length > 0, { what: 'a gap' });
    expect(pipeline.tail.failure).toContain('descriptors');
    expect(pipeline.gaps).toMatchObject([{ reason: 'held_files_limit', to: null }]);
    allowed = true;
    await pipeline.until(10);
    expect(pipeline.read).toEqual(dir.written);
  });

  it('does not join a fragment that was a whole record with what the new file begins with', async () => {
    dir.put('0.log', dir.lines());
    const pipeline = start({ timing: { idle: 60_000 } });
    await pipeline.until(1);
    dir.put('0.log', dir.cri(dir.record(), 'P'));
    dir.rename();
    dir.put('0.log', dir.lines());
    await pipeline.until(3);
    expectAll(pipeline);
  });

  it('does not lose a record to the begin of one whose end was in a file that went while nobody looked', async () => {
    dir.put('0.log', dir.lines() + dir.cri('{"traceId":"cut","time":', 'P'));
    const first = start();
    await first.until(1);
    const saved = await first.kill();
    dir.rename();
    dir.put('0.log', dir.cri('"2026-11-23T05:30:57Z"}'));
    dir.remove(dir.rename());
    dir.put('0.log', dir.lines(2));
    const second = start({ saved });
    await until(() => second.traceIds.includes('t2'), { what: 'the last record' });
    await second.drain();
    expect([...first.stored.values(), ...second.stored.values()].map(({ traceId }) => traceId)).toEqual(
      expect.arrayContaining(dir.written),
    );
    second.ledger();
  });

  it('goes on at the same place in a file that is compressed while it is read', async () => {
    dir.put('0.log', dir.lines(3000));
    const pipeline = start({ maxBatches: 2, down: true });
    await until(() => pipeline.delivery.full, { what: 'reading to wait' });
    const rotated = dir.rename();
    dir.put('0.log', dir.lines());
    dir.compress(rotated);
    await until(() => pipeline.tail.files.ordered[0]!.entry.compressed, { what: 'the twin' });
    pipeline.down = false;
    await pipeline.until(3001);
    expectAll(pipeline);
  });

  it('does not read a file anew whose twin appears as it goes, when the offsets are saved in that moment', async () => {
    dir.put('0.log', dir.lines(100));
    const pipeline = start({ timing: { directoryLook: 600 } });
    await pipeline.until(100);
    const rotated = dir.rename();
    await until(() => pipeline.tail.files.ordered[0]!.entry.name === rotated, { what: 'the new name' });
    await sleep(200);
    const saving = setInterval(() => pipeline.store.snapshot(new Date()), 2);
    dir.compress(rotated);
    await sleep(1000);
    clearInterval(saving);
    dir.put('0.log', dir.lines());
    await until(() => pipeline.traceIds.includes('t100'), { what: 'the new file' });
    expectAll(pipeline);
  });

  it('does not read a file anew that is compressed in the moment in which it is taken as over', async () => {
    const settle = 325;
    const pipeline = start({ timing: { settle, directoryLook: 2_000 } });
    const saving = setInterval(() => pipeline.store.snapshot(new Date()), 2);
    for (let rotation = 0; rotation < 8; rotation++) {
      dir.put('0.log', dir.lines(20));
      await pipeline.until(dir.written.length);
      const rotated = dir.rename();
      dir.put('0.log', dir.lines());
      pipeline.tail.rescan();
      const file = await until(
        () => pipeline.tail.files.ordered.find(({ entry, endSince }) => entry.name === rotated && endSince),
        { what: 'the end of the rotated file' },
      );
      const over = file.endSince! + settle;
      await until(() => performance.timeOrigin + performance.now() > over - 15, { what: 'the moment' });
      dir.compress(rotated);
      await pipeline.until(dir.written.length);
      await until(() => !pipeline.tail.files.ordered.includes(file) || file.finished, { what: 'its end' });
      pipeline.tail.rescan();
    }
    await sleep(300);
    clearInterval(saving);
    expectAll(pipeline);
  });

  it('goes on at the same uncompressed offset after a restart over which the file was compressed', async () => {
    dir.put('0.log', dir.lines(3000));
    const first = start({ maxBatches: 2, downAfter: 100 });
    await until(() => first.down, { what: 'some records' });
    const saved = await first.kill();
    const [offset] = Object.values(saved.containers['ns_pod_uid/app']!.files);
    expect(offset!.offset).toBeGreaterThan(0);
    expect(offset!.offset).toBeLessThan(statSync(dir.file('0.log')).size);
    dir.compress(dir.rename());
    dir.put('0.log', dir.lines());
    const second = start({ saved });
    await until(
      () => second.stored.has([...second.stored.keys()].at(-1)!) && second.traceIds.includes('t3000'),
      {
        what: 'the last record',
      },
    );
    const all = new Map([...first.stored, ...second.stored]);
    expect([...all.values()].map(({ traceId }) => traceId).sort()).toEqual([...dir.written].sort());
    expect(second.stored.size).toBeLessThan(3000);
    expect(second.gaps).toEqual([]);
  });

  it('opens a file that the store makes it wait for, and reads it to its end when it is deleted', async () => {
    dir.put('0.log', dir.lines(500));
    const pipeline = start({ maxBatches: 2, down: true });
    await until(() => pipeline.delivery.full, { what: 'reading to wait' });
    const names = [];
    for (let i = 0; i < 5; i++) {
      names.push(dir.rename());
      dir.put('0.log', dir.lines(100));
      await until(() => pipeline.tail.files.ordered.length === i + 2, { what: 'the new file opened' });
    }
    for (const name of names.slice(0, 3)) dir.remove(name);
    await sleep(300);
    pipeline.down = false;
    await pipeline.until(1000);
    expectAll(pipeline);
    await until(() => pipeline.tail.files.ordered.every(({ deleted }) => !deleted), { what: 'let go' });
  });
});

describe('deletion', () => {
  it('has what was read of a file stored when the file goes, and not only when its batch is due', async () => {
    const pipeline = start({ batchPeriodMs: 3_600_000 });
    dir.put('0.log', dir.lines(3));
    await until(() => pipeline.read.length === 3, { what: 'three records read' });
    expect(pipeline.stored.size).toBe(0);
    dir.remove('0.log');
    await pipeline.until(3);
    expectAll(pipeline);
  });

  it('has a record stored that lacks only its line end when the agent stops: its file may have gone by the next start', async () => {
    const pipeline = start({ timing: { idle: 60_000 } });
    dir.put('0.log', dir.lines());
    await pipeline.until(1);
    dir.put('0.log', dir.cri(dir.record(), 'P'));
    const size = statSync(dir.file('0.log')).size;
    const [file] = pipeline.tail.files.ordered;
    await until(() => file!.position === size, { what: 'the last record read' });
    await pipeline.terminate();
    expectAll(pipeline);
  });

  it('tells no gap, at the next start, of a file that was read to its end and went as the agent stopped', async () => {
    dir.put('0.log', dir.lines(3));
    const first = start();
    await first.until(3);
    dir.remove('0.log');
    const saved = await first.terminate();
    dir.put('0.log', dir.lines());
    const second = start({ saved });
    await second.until(1);
    expect(second.gaps).toEqual([]);
  });
});

describe('truncation and replacement', () => {
  it('reads a file anew that was truncated in place', async () => {
    dir.put('0.log', dir.lines(10));
    const pipeline = start();
    await pipeline.until(10);
    dir.truncate('0.log');
    dir.put('0.log', dir.lines(2));
    await pipeline.until(12);
    expectAll(pipeline);
  });

  it('notices truncation to a size beyond the old offset', async () => {
    dir.put('0.log', dir.lines(3));
    const pipeline = start();
    await pipeline.until(3);
    writeFileSync(dir.file('0.log'), dir.lines(20));
    await pipeline.until(23);
    expectAll(pipeline);
  });

  it('notices truncation to exactly the old size', async () => {
    dir.put('0.log', dir.lines(3));
    const pipeline = start();
    await pipeline.until(3);
    const { size } = statSync(dir.file('0.log'));
    writeFileSync(dir.file('0.log'), dir.lines(3));
    expect(statSync(dir.file('0.log')).size).toBe(size);
    await pipeline.until(6);
    expectAll(pipeline);
  });

  it('goes on from the new end of a file that was truncated to a part', async () => {
    const head = dir.lines(3);
    dir.put('0.log', head + dir.lines(3));
    const pipeline = start();
    await pipeline.until(6);
    dir.truncate('0.log', head.length);
    await sleep(100);
    dir.put('0.log', dir.lines(5));
    // Their identities may be those of records that were truncated away: what tells them apart is trace and time.
    await until(() => pipeline.order.length === 11, { what: 'the new records' });
    expect(pipeline.read).toEqual(dir.written);
    expect(pipeline.gaps).toEqual([]);
  });

  it('reads the rest from the copy when copytruncate comes before everything was read', async () => {
    dir.put('0.log', dir.lines(2000));
    const pipeline = start({ maxBatches: 2, down: true });
    await until(() => pipeline.delivery.full, { what: 'reading to wait' });
    copyFileSync(dir.file('0.log'), dir.file('0.log.1'));
    dir.truncate('0.log');
    dir.put('0.log', dir.lines(10));
    pipeline.down = false;
    await pipeline.until(2010);
    expectAll(pipeline);
  });

  it('tells what a copy lacks as a gap', async () => {
    dir.put('0.log', dir.lines(2000));
    const pipeline = start({ maxBatches: 2, down: true });
    await until(() => pipeline.delivery.full, { what: 'reading to wait' });
    const whole = readFileSync(dir.file('0.log'));
    const half = whole.indexOf('\n', whole.length >> 1) + 1;
    writeFileSync(dir.file('0.log.1'), whole.subarray(0, half));
    dir.truncate('0.log');
    dir.put('0.log', dir.lines(10));
    pipeline.down = false;
    await until(() => pipeline.traceIds.includes('t2009'), { what: 'the new records' });
    expect(pipeline.gaps).toMatchObject([{ reason: 'truncated', from: half, to: whole.length }]);
    const kept = whole.subarray(0, half).toString().split('\n').length - 1;
    expect(pipeline.stored.size).toBe(kept + 10);
  });

  it('tells as a gap what was truncated without a copy before it was read, and goes on', async () => {
    dir.put('0.log', dir.lines(2000));
    const { size } = statSync(dir.file('0.log'));
    const pipeline = start({ maxBatches: 2, down: true });
    await until(() => pipeline.delivery.full, { what: 'reading to wait' });
    dir.truncate('0.log');
    dir.put('0.log', dir.lines(10));
    pipeline.down = false;
    await until(() => pipeline.traceIds.includes('t2009'), { what: 'the new records' });
    expect(pipeline.gaps).toMatchObject([{ reason: 'truncated', to: size }]);
    const from = pipeline.gaps[0]!.from;
    expect(from).toBeGreaterThan(0);
    // The gap begins where reading ended: no line is both read and missed.
    const average = size / 2000;
    expect(Math.round(from / average)).toBeCloseTo(pipeline.stored.size - 10, -2);
  });

  it('does not spin on a file that ends before its saved offset, and reads what is added to it', async () => {
    dir.put('0.log', dir.lines(10));
    const first = start();
    await first.until(10);
    const saved = await first.stop();
    dir.truncate('0.log', statSync(dir.file('0.log')).size >> 1);
    dir.put('0.log', '\n');
    const second = start({ saved });
    await sleep(200);
    const rescans = second.rescans;
    await sleep(300);
    expect(second.rescans - rescans).toBeLessThan(10);
    dir.put('0.log', dir.lines());
    await second.until(1);
    expect(second.traceIds).toEqual(['t10']);
  });

  it('reads both the old and the new file when one is replaced under its name', async () => {
    dir.put('0.log', dir.lines(500));
    const pipeline = start({ maxBatches: 2, down: true });
    await until(() => pipeline.delivery.full, { what: 'reading to wait' });
    dir.put('new.tmp', dir.lines(500));
    dir.move('new.tmp', '0.log');
    await sleep(100);
    pipeline.down = false;
    await pipeline.until(1000);
    expectAll(pipeline);
  });

  it('goes on in a file that was replaced by a copy of itself', async () => {
    dir.put('0.log', dir.lines(5));
    const pipeline = start();
    await pipeline.until(5);
    copyFileSync(dir.file('0.log'), dir.file('copy.tmp'));
    dir.move('copy.tmp', '0.log');
    dir.put('0.log', dir.lines(5));
    await pipeline.until(10);
    expectAll(pipeline);
  });

  it('tells a log from another that has got its inode', async () => {
    dir.put('0.log', dir.lines(3));
    const first = start();
    await first.until(3);
    const saved = await first.stop();
    const { ino } = statSync(dir.file('0.log'));
    // The file system gives a freed inode to the next file, often at once.
    let reused = false;
    for (let i = 0; i < 50 && !reused; i++) {
      dir.remove('0.log');
      dir.put('0.log', '');
      reused = statSync(dir.file('0.log')).ino === ino;
    }
    dir.put('0.log', dir.lines(20));
    const second = start({ saved });
    await second.until(20);
    expect(second.traceIds).toEqual(dir.written.slice(3));
  });
});

it('joins a record whose begin is in a compressed copy and whose end comes to the file that was emptied', async () => {
  const json = dir.record({ msg: 'x'.repeat(50) });
  dir.put('0.log', dir.cri(json.slice(0, 40), 'P'));
  const copy = dir.copy();
  dir.truncate('0.log', 0);
  dir.compress(copy);
  const pipeline = start();
  await until(() => pipeline.tail.files.ordered[0]?.finished, { what: 'the end of the copy' });
  dir.put('0.log', dir.cri(json.slice(40)));
  await pipeline.until(1);
  expect(pipeline.order[0]!.latin1).toBe(json);
});

describe('generations', () => {
  it('reads 0.log to its end and then 1.log, and completes a fragment that the end left', async () => {
    dir.put('0.log', dir.lines(3));
    const pipeline = start({ timing: { idle: 60_000 } });
    await pipeline.until(3);
    dir.put('0.log', dir.cri(dir.record(), 'P'));
    dir.put('1.log', dir.lines(2));
    await pipeline.until(6);
    expectAll(pipeline);
  });

  it('reads a generation to its end whose files vanish right after it died', async () => {
    dir.put('0.log', dir.lines(500));
    const pipeline = start({ maxBatches: 2, down: true });
    await until(() => pipeline.delivery.full, { what: 'reading to wait' });
    dir.rename();
    dir.put('0.log', dir.lines(500));
    await until(() => pipeline.tail.files.ordered.length === 2, { what: 'both files open' });
    dir.put('1.log', dir.lines(10));
    dir.remove('0.log');
    dir.remove('0.log.20261123-053057');
    await sleep(100);
    pipeline.down = false;
    await pipeline.until(1010);
    expectAll(pipeline);
  });

  it('takes 0.log as another log when it is used again, and does not join over it', async () => {
    dir.put('0.log', dir.lines(2) + dir.cri('{"traceId":"cut', 'P'));
    const pipeline = start();
    await pipeline.until(2);
    dir.remove('0.log');
    dir.put('0.log', dir.lines(2));
    await pipeline.until(4);
    dir.put('0.log', dir.lines());
    dir.put(dir.rename(), dir.lines());
    dir.put('0.log', dir.lines());
    await pipeline.until(7);
    expectAll(pipeline);
  });

  it('reads old deleted files before those of the new life of the pod, whatever their names', async () => {
    dir.put('0.log', dir.lines(500));
    const pipeline = start({ maxBatches: 2, down: true });
    await until(() => pipeline.delivery.full, { what: 'reading to wait' });
    dir.put('1.log', dir.lines(10));
    await until(() => pipeline.tail.files.ordered.length === 2, { what: 'both files open' });
    dir.remove('0.log');
    dir.remove('1.log');
    dir.put('0.log', dir.lines(10));
    dir.rename();
    dir.put('0.log', dir.lines(10));
    await sleep(100);
    pipeline.down = false;
    await pipeline.until(530);
    expectAll(pipeline);
  });

  it('tells two generations apart that begin with the same line', async () => {
    const line = dir.lines();
    dir.put('0.log', line);
    dir.put('1.log', line + dir.lines());
    const pipeline = start();
    await pipeline.until(3);
    expect(pipeline.traceIds).toEqual(['t0', 't0', 't1']);
  });
});

describe('compressed files', () => {
  it('waits for one that is still being written, and reads it whole', async () => {
    const zipped = gzipSync(dir.lines(5000));
    const half = zipped.length >> 1;
    writeFileSync(dir.file('0.log.20261123-053000.gz'), zipped.subarray(0, half));
    dir.put('0.log', dir.lines(3));
    const pipeline = start({ timing: { torn: 30_000 } });
    await until(() => pipeline.stored.size > 1000, { what: 'the first half' });
    expect(pipeline.traceIds).not.toContain('t5000');
    writeFileSync(dir.file('0.log.20261123-053000.gz'), zipped.subarray(half), { flag: 'a' });
    await pipeline.until(5003);
    expectAll(pipeline);
  });

  it('reads a damaged one up to the damage, tells the rest as a gap once, and goes on', async () => {
    const zipped = gzipSync(dir.lines(5000));
    writeFileSync(dir.file('0.log.20261123-053000.gz'), zipped.subarray(0, zipped.length >> 1));
    dir.put('0.log', dir.lines(3));
    const pipeline = start();
    await until(() => pipeline.traceIds.includes('t5002'), { what: 'the live file' });
    expect(pipeline.stored.size).toBeGreaterThan(1000);
    expect(pipeline.gaps).toMatchObject([
      { reason: 'compressed_file_damaged', file: '0.log.20261123-053000.gz', to: null },
    ]);
    expect(pipeline.gaps[0]!.from).toBeGreaterThan(1000);
    await sleep(1200);
    expect(pipeline.gaps).toHaveLength(1);
    const saved = await pipeline.stop();
    const second = start({ saved });
    dir.put('0.log', dir.lines());
    await second.until(1);
    expect(second.traceIds).toEqual(['t5003']);
    expect(second.gaps).toEqual([]);
  });

  it('does not take the rest as read after an error in the middle of the data', async () => {
    // Stored without compression: what is no header of a block is noticed.
    const zipped = gzipSync(dir.lines(20_000), { level: 0 });
    zipped.fill(0xff, zipped.length >> 1);
    writeFileSync(dir.file('0.log.20261123-053000.gz'), zipped);
    dir.put('0.log', dir.lines(3));
    const pipeline = start();
    await until(() => pipeline.traceIds.includes('t20002'), { what: 'the live file', timeoutMs: 20_000 });
    expect(pipeline.gaps).toMatchObject([{ reason: 'compressed_file_damaged', to: null }]);
  });

  it('tells one as a gap that holds nothing readable, and goes on', async () => {
    writeFileSync(dir.file('0.log.20261123-053000.gz'), 'this was never compressed');
    dir.put('0.log', dir.lines(3));
    const pipeline = start();
    await sleep(400);
    // It may be readable yet, and it is the older one.
    expect(pipeline.read).toEqual([]);
    await pipeline.until(3);
    expect(pipeline.gaps).toMatchObject([
      { reason: 'compressed_file_damaged', file: '0.log.20261123-053000.gz', from: 0, to: null },
    ]);
    await sleep(1200);
    expect(pipeline.gaps).toHaveLength(1);
  });

  it('reads one whose only line has no line feed', async () => {
    writeFileSync(dir.file('0.log.20261123-053000.gz'), gzipSync(dir.lines().trimEnd()));
    dir.put('0.log', dir.lines());
    const pipeline = start();
    await pipeline.until(2);
    expectAll(pipeline);
  });
});
