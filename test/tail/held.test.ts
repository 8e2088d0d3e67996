import { renameSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { Descriptors } from '../../src/tail/descriptors.ts';
import { HeldFiles } from '../../src/tail/held-files.ts';
import type { ContainerDir } from '../support/container-dir.ts';
import { containerDir, startPipeline } from '../support/one-container.ts';
import type { Pipeline, PipelineOptions } from '../support/pipeline.ts';
import { until } from '../support/until.ts';

let dir: ContainerDir;
beforeEach(() => {
  dir = containerDir();
});
const start = (options?: PipelineOptions): Pipeline => startPipeline(dir.path, { held: true, ...options });

/** One that has opened so many files. */
async function holding(files: number, options: PipelineOptions = {}): Promise<Pipeline> {
  const pipeline = start(options);
  await until(() => pipeline.tail.files.open === files, { what: `${files} files held` });
  return pipeline;
}

const saved = (pipeline: Pipeline) => pipeline.store.snapshot(new Date());

describe('a held container', () => {
  it('is opened at once, and nothing of it is read or saved', async () => {
    dir.put('0.log', dir.lines(10));
    const pipeline = start();
    pipeline.tail.open();
    expect(pipeline.tail.files.open).toBe(1);
    await sleep(200);
    expect(pipeline.ledger().lines).toBe(0);
    expect(saved(pipeline).containers).toEqual({});
    expect(pipeline.tail.held).toBe(true);
  });

  it('whose directory is gone is read whole once it is released, rotated and compressed files in their order', async () => {
    dir.put('0.log', dir.lines(10));
    dir.compress(dir.rename());
    dir.put('0.log', dir.lines(10));
    const pipeline = await holding(2);
    dir.rename();
    dir.put('0.log', dir.lines(10));
    await until(() => pipeline.tail.files.open === 3, { what: 'the new file held' });
    // Not even a whole line.
    dir.put('1.log', dir.cri(dir.record()).slice(0, -1));
    await until(() => pipeline.tail.files.open === 4, { what: 'the file without a line held' });
    dir.removeAll();
    await sleep(200);
    pipeline.tail.release();
    pipeline.tail.drain();
    await until(() => pipeline.ended, { what: 'the end of the tail' });
    await pipeline.until(31);
    expect(pipeline.read).toEqual(dir.written);
    expect(pipeline.gaps).toEqual([]);
    expect(Object.keys(saved(pipeline).containers)).toEqual(['ns_pod_uid/app']);
  });

  it('goes on while it is there, after its release', async () => {
    dir.put('0.log', dir.lines(10));
    const pipeline = await holding(1);
    pipeline.tail.release();
    dir.put('0.log', dir.lines(10));
    await pipeline.until(20);
    expect(pipeline.read).toEqual(dir.written);
  });

  it('that is let go ends with its descriptors closed, and leaves no offsets', async () => {
    dir.put('0.log', dir.lines(10));
    const pipeline = await holding(1);
    dir.removeAll();
    pipeline.tail.letGo();
    await until(() => pipeline.ended, { what: 'the end of the tail' });
    expect(pipeline.tail.files.open).toBe(0);
    pipeline.store.letGo('ns_pod_uid/app');
    expect([pipeline.read, pipeline.gaps, pipeline.store.containers.size]).toEqual([[], [], 0]);
  });

  it('that was followed once goes on from its offsets, which a save meanwhile keeps', async () => {
    dir.put('0.log', dir.lines(10));
    const first = start({ held: false });
    await first.until(10);
    first.store.release('ns_pod_uid/app');
    const offsets = await first.stop();
    dir.put('0.log', dir.lines(5));
    const pipeline = await holding(1, { saved: offsets });
    expect(Object.values(saved(pipeline).containers)).toMatchObject([
      {
        released: true,
        files: {
          [Object.keys(offsets.containers['ns_pod_uid/app']!.files)[0]!]: {
            offset: dir.bytes - pipeline.tail.bytesBehind,
          },
        },
      },
    ]);
    expect(pipeline.tail.bytesBehind).toBeGreaterThan(0);
    dir.removeAll();
    await until(() => pipeline.tail.files.ordered[0]?.deleted, { what: 'the deletion seen' });
    pipeline.tail.release();
    await pipeline.until(5);
    expect(pipeline.read).toEqual(dir.written.slice(10));
  });

  it('is not waited for at a stop', async () => {
    dir.put('0.log', dir.lines(10));
    const pipeline = await holding(1);
    dir.removeAll();
    await until(() => pipeline.tail.files.ordered[0]?.deleted, { what: 'the deletion seen' });
    await pipeline.terminate();
    expect(pipeline.read).toEqual([]);
  });

  it('ends when nothing is left to hold', async () => {
    const pipeline = start();
    dir.removeAll();
    await until(() => pipeline.ended, { what: 'the end of the tail' });
    expect(pipeline.tail.files.open).toBe(0);
  });
});

describe('limits', () => {
  it('what nobody is known to want is given up before what is wanted, and is a gap only once it is wanted', async () => {
    dir.put('0.log', dir.lines(100));
    const unknown = await holding(1);
    renameSync(dir.file('0.log'), dir.file('0.log.20261123-053057'));
    dir.put('0.log', dir.lines(100));
    await until(() => unknown.tail.files.open === 2, { what: 'both held' });
    const wanted = containerDir();
    wanted.put('0.log', wanted.lines(100));
    const followed = startPipeline(wanted.path, { down: true, maxBatches: 1 });
    await until(() => followed.tail.filesOpen === 1, { what: 'the other opened' });
    wanted.remove('0.log');
    await until(() => followed.tail.files.ordered[0]?.deleted, { what: 'the deletion seen' });
    dir.removeAll();
    await until(() => unknown.tail.files.ordered.every(({ deleted }) => deleted), { what: 'theirs seen' });
    const size = followed.tail.files.ordered[0]!.stat.size;
    const limits = new HeldFiles({ bytes: size * 2.5, unknown: 100 });
    expect(limits.keepWithin([followed.tail, unknown.tail])).toBeLessThanOrEqual(size * 2.5);
    expect([followed.tail.files.open, unknown.tail.files.open]).toEqual([1, 1]);
    expect([...followed.gaps, ...unknown.gaps]).toEqual([]);
    unknown.tail.release();
    await unknown.until(100);
    expect(unknown.read).toEqual(dir.written.slice(100));
    expect(unknown.gaps).toMatchObject([{ file: '0.log.20261123-053057', reason: 'held_files_budget' }]);
  });

  it('so many descriptors are spent on what nobody is known to want, and what is deleted first makes room', async () => {
    const limits = new HeldFiles({ bytes: Infinity, unknown: 3 });
    const descriptors = new Descriptors({ unknown: 3, files: Infinity });
    for (let n = 0; n < 4; n++) {
      dir.put('0.log', dir.lines(10));
      dir.rename();
    }
    const pipeline = start({ mayOpen: descriptors.mayOpen });
    const keep = () => {
      limits.keepWithin([pipeline.tail]);
      descriptors.share(() => [pipeline.tail]);
    };
    await until(() => (keep(), pipeline.tail.files.open === 3), { what: 'three held' });
    await sleep(300);
    keep();
    expect(pipeline.tail.files.open).toBe(3);
    dir.remove('0.log.20261123-053057');
    await until(() => (keep(), pipeline.tail.files.open === 3 && pipeline.tail.failure === undefined), {
      what: 'the fourth held in place of the first',
    });
    pipeline.tail.release();
    await pipeline.until(30);
    expect(pipeline.read).toEqual(dir.written.slice(10));
    expect(pipeline.gaps).toMatchObject([{ file: '0.log.20261123-053057', reason: 'held_files_limit' }]);
  });
});
