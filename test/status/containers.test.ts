import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SkipSamples } from '../../src/record/skip-samples.ts';
import { createMetrics } from '../../src/ops/metrics.ts';
import { showContainers } from '../../src/status/container-metrics.ts';
import { Containers, type Figures } from '../../src/status/containers.ts';
import { ContainerDir } from '../support/container-dir.ts';
import { Pipeline } from '../support/pipeline.ts';
import { until } from '../support/until.ts';

const target = { namespace: 'ns', pod: 'pod', uid: 'uid', container: 'app', directory: '/ns_pod_uid/app' };

const only = (containers: Containers, now?: number): Figures => [...containers.figures(now)][0]!;

const figures = (pod: string, part: Partial<Figures> = {}): Figures =>
  ({
    target: { ...target, pod },
    tail: { files: { open: 2 }, held: false },
    behindBytes: 10,
    behindSeconds: 1,
    deletionSeconds: undefined,
    ...part,
  }) as Figures;
const series = async (metrics: ReturnType<typeof createMetrics>) =>
  (await metrics.scrape()).split('\n').filter((line) => /^frostbeat_(behind|unread)_/.test(line));

describe('the figures of a container', () => {
  let dir: ContainerDir;
  let pipeline: Pipeline;
  beforeEach(() => {
    dir = new ContainerDir();
  });
  afterEach(async () => {
    await pipeline.kill();
    dir.cleanUp();
  });

  /** The container, read until the store takes no more. */
  async function stuck(): Promise<Containers> {
    pipeline = new Pipeline(dir.path, { down: true, maxBatches: 4 });
    await until(() => pipeline.delivery.full, { what: 'reading to wait' });
    const containers = new Containers({ maxSize: 1_000_000, maxFiles: 3 });
    const offsets = pipeline.store.follow('ns_pod_uid/app');
    containers.add({ target, tail: pipeline.tail, offsets, samples: new SkipSamples() });
    return containers;
  }

  it('tell what is behind, how old that is by the time of its line, and when it goes', async () => {
    const lines = Array.from({ length: 9000 }, () => dir.cri(dir.record()));
    dir.put('0.log', lines.join(''));
    const containers = await stuck();
    containers.sample(0);
    const read = pipeline.ledger();
    expect(read.lines).toBeLessThan(9000);
    const next = Date.parse(lines[read.lines]!.split(' ')[0]!);
    expect(only(containers, next + 3_600_000)).toMatchObject({
      behindBytes: dir.bytes - read.bytes,
      behindSeconds: 3600,
      bytesPerSecond: undefined,
      deletionSeconds: undefined,
    });
    const before = dir.bytes;
    dir.put('0.log', dir.lines(100));
    await until(() => pipeline.tail.bytesBehind === dir.bytes - read.bytes, { what: 'the growth' });
    containers.sample(10_000);
    const rate = (dir.bytes - before) / 10;
    const { bytesPerSecond, deletionSeconds } = only(containers);
    expect(bytesPerSecond).toBeCloseTo(rate, 6);
    expect(deletionSeconds).toBeCloseTo(Math.max(0, 1e6 - dir.bytes) / rate + (2 * 1e6) / rate, 6);

    pipeline.down = false;
    await pipeline.until(9100);
    expect(only(containers)).toMatchObject({ behindBytes: 0, behindSeconds: 0, deletionSeconds: undefined });
  });

  it("take Docker's time at the end of the line", async () => {
    const lines = Array.from({ length: 9000 }, (_, i) => {
      const time = new Date(1_763_876_000_000 + i * 1000).toISOString();
      return `${JSON.stringify({ log: `${dir.record()}\n`, stream: 'stdout', time })}\n`;
    });
    dir.put('0.log', lines.join(''));
    const containers = await stuck();
    const next = 1_763_876_000_000 + pipeline.ledger().lines * 1000;
    expect(only(containers, next + 5_000).behindSeconds).toBe(5);
  });

  it('take the time of the file where the line has none', async () => {
    dir.put('0.log', dir.lines(9000));
    const containers = await stuck();
    await pipeline.kill();
    // Closed: nothing can be looked into any more.
    const [file] = pipeline.tail.files.ordered;
    expect(only(containers, file!.stat.mtimeMs + 7_000).behindSeconds).toBeCloseTo(7, 3);
  });
});

describe('the series of containers', () => {
  it('go when the pod goes', async () => {
    const metrics = createMetrics();
    showContainers(metrics, [figures('a', { deletionSeconds: 5 }), figures('b')], 10);
    expect(await series(metrics)).toEqual([
      'frostbeat_behind_bytes{namespace="ns",pod="a",container="app"} 10',
      'frostbeat_behind_bytes{namespace="ns",pod="b",container="app"} 10',
      'frostbeat_behind_seconds{namespace="ns",pod="a",container="app"} 1',
      'frostbeat_behind_seconds{namespace="ns",pod="b",container="app"} 1',
      'frostbeat_unread_deletion_seconds{namespace="ns",pod="a",container="app"} 5',
    ]);
    showContainers(metrics, [figures('b')], 10);
    expect(await series(metrics)).toEqual([
      'frostbeat_behind_bytes{namespace="ns",pod="b",container="app"} 10',
      'frostbeat_behind_seconds{namespace="ns",pod="b",container="app"} 1',
    ]);
    expect(await metrics.scrape()).toMatch(
      /^frostbeat_containers 1\nfrostbeat_files_open|^frostbeat_containers 1$/m,
    );
  });

  it('are summed up beyond the limit: all bytes, the largest age, the shortest time', async () => {
    const metrics = createMetrics();
    const all = [
      figures('a'),
      figures('b', { behindSeconds: 7 }),
      figures('c', { deletionSeconds: 100 }),
      figures('d', { deletionSeconds: 50 }),
    ];
    showContainers(metrics, all, 1);
    expect(await series(metrics)).toEqual([
      'frostbeat_behind_bytes{namespace="ns",pod="a",container="app"} 10',
      'frostbeat_behind_bytes{namespace="",pod="(others)",container=""} 30',
      'frostbeat_behind_seconds{namespace="ns",pod="a",container="app"} 1',
      'frostbeat_behind_seconds{namespace="",pod="(others)",container=""} 7',
      'frostbeat_unread_deletion_seconds{namespace="",pod="(others)",container=""} 50',
    ]);
  });

  it('are one for two pods of the same name, as while one is made anew', async () => {
    const metrics = createMetrics();
    showContainers(metrics, [figures('a'), figures('a', { behindSeconds: 9 })], 1);
    expect(await series(metrics)).toEqual([
      'frostbeat_behind_bytes{namespace="ns",pod="a",container="app"} 20',
      'frostbeat_behind_seconds{namespace="ns",pod="a",container="app"} 9',
    ]);
  });
});
