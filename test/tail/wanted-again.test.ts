import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { OffsetStore } from '../../src/offsets/offset-store.ts';
import type { Gap } from '../../src/offsets/offsets-file.ts';
import { ContainerGaps } from '../../src/tail/container-gaps.ts';
import type { ContainerDir } from '../support/container-dir.ts';
import { containerDir, startPipeline } from '../support/one-container.ts';
import type { Pipeline, PipelineOptions } from '../support/pipeline.ts';
import { until } from '../support/until.ts';

let dir: ContainerDir;
beforeEach(() => {
  dir = containerDir();
});
const start = (options?: PipelineOptions): Pipeline => startPipeline(dir.path, options);

describe('a container that is wanted again while it is let go', () => {
  it('has all its lines read, also where the store was down and its files were deleted meanwhile', async () => {
    dir.put('0.log', dir.lines(200));
    const pipeline = start({ down: true, maxBatches: 2 });
    await until(() => pipeline.delivery.full, { what: 'reading to wait' });
    pipeline.tail.drain();
    const [live] = pipeline.tail.files.ordered;
    await until(() => live!.limit !== Infinity, { what: 'the end of what is to be read' });

    dir.put('0.log', dir.lines(50));
    expect(pipeline.tail.resume()).toBe(true);
    dir.put('0.log', dir.lines(50));
    const rotated = dir.rename();
    dir.put('0.log', dir.lines(10));
    await until(() => pipeline.tail.files.ordered.length === 2, { what: 'the new file opened' });
    dir.remove(rotated);
    await until(() => live!.deleted, { what: 'the deletion seen' });
    pipeline.down = false;
    await pipeline.until(310);
    expect(pipeline.read).toEqual(dir.written);
    expect([pipeline.gaps, pipeline.ended]).toEqual([[], false]);
  });

  it('goes on where it waited for the end of a record', async () => {
    dir.put('0.log', dir.lines(10));
    const json = dir.record();
    dir.put('0.log', dir.cri(json.slice(0, 30), 'P'));
    const pipeline = start();
    await pipeline.until(10);
    pipeline.tail.drain();
    await sleep(600); // Longer than a drain waits where it cuts nothing.
    expect(pipeline.tail.resume()).toBe(true);
    await sleep(1_500); // Longer than it waits for the end of a record.
    dir.put('0.log', dir.cri(json.slice(30)));
    dir.put('0.log', dir.lines(10));
    await pipeline.until(21);
    expect(pipeline.read).toEqual(dir.written);
    expect(pipeline.ended).toBe(false);
  });

  it('cannot be gone on with once it has come to its end, with a file that has no whole line yet', async () => {
    dir.put('0.log', dir.lines(10));
    const pipeline = start();
    await pipeline.until(10);
    dir.rename();
    dir.put('0.log', dir.cri('{"half').slice(0, -1));
    await until(() => pipeline.tail.files.nascent === 1, { what: 'the new file opened' });
    pipeline.tail.drain();
    await until(() => pipeline.ended, { what: 'the end of the tail' });
    expect(pipeline.tail.resume()).toBe(false);
    expect(pipeline.ledger()).toMatchObject({ lines: 11, skipped: { not_json: 1 } });
  });
});

describe('files that went', () => {
  it('are told as gaps where an earlier run left them unread, and not where nothing was wanted when they went', () => {
    const unread = { offset: 7, name: '0.log', size: 9 };
    const files = { unread, read: { ...unread, done: true as const }, there: unread };
    const containers = { 'pod/app': { files, released: true as const } };
    const store = new OffsetStore({ version: 1, savedAt: '2026-11-23', containers, gaps: [] }, () => true);
    const offsets = store.follow('pod/app');
    offsets.window('there');
    // Of an earlier tail of this run.
    offsets.window('followed before');
    const told: Gap[] = [];
    const gaps = new ContainerGaps({
      offsets,
      savedAt: store.savedAt,
      held: false,
      onGap: (gap) => told.push(gap),
    });
    gaps.tellMissing(Date.now(), (fileId) => fileId === 'there');
    expect(told).toMatchObject([{ fileId: 'unread', reason: 'removed_while_down', from: 7, to: null }]);
    expect(Object.keys(store.snapshot(new Date()).containers['pod/app']!.files)).toEqual(['there']);
  });
});
