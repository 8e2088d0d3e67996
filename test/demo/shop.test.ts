import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Random } from '../../src/demo/random.ts';
import { Shop } from '../../src/demo/shop/shop.ts';

describe('the shop', () => {
  let directory: string;
  let now: bigint;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'frostbeat-shop-'));
    now = 1_795_388_899_000_000_000n;
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const clock = () => (now += 1_000n);

  /** Lives through some seconds of the shop's life, and keeps all that is rotated. */
  async function live({ seed, requests, podLogDir }: { seed: number; requests: number; podLogDir: string }) {
    const shop = new Shop({ podLogDir, namespace: 'demo-system', random: new Random(seed), clock });
    for (let i = 0; i < requests; i++) {
      shop.request();
      if (i % 3 === 0) shop.noise();
      now += 20_000_000n;
      shop.advance();
      if (i % 50 === 49)
        await shop.rotate({ maxBytes: 8_192, maxFiles: 1_000, pause: async () => shop.noise() });
    }
    shop.end();
    return shop;
  }

  it('writes every record once, byte for byte, into the files of the container that it tells', async () => {
    const shop = await live({ seed: 1, requests: 400, podLogDir: directory });
    const traces = shop.traces.ended();
    const written = traces.flatMap(({ traceId, records }) =>
      records.map(({ pod, container, json }) => `${pod}/${container} ${traceId} ${json}`),
    );
    const found = shop.pods
      .flatMap(({ containers }) => containers)
      .flatMap(({ target }) =>
        wholeLines(target.directory)
          .filter((line) => /"traceId":"\w+"/.test(line))
          .map((line) => `${target.pod}/${target.container} ${/"traceId":"(\w+)"/.exec(line)?.[1]} ${line}`),
      );
    expect(traces).toHaveLength(400);
    expect(found.toSorted()).toEqual(written.toSorted());
    expect(shop.counts).toMatchObject({ requests: 400, records: written.length });
    expect(shop.counts.rotations).toBeGreaterThan(10);
  });

  it('logs what a reader must cope with: long lines in parts, other bytes than ASCII, noise, both streams', async () => {
    const shop = await live({ seed: 2, requests: 300, podLogDir: directory });
    const text = shop.pods
      .flatMap(({ containers }) => containers)
      .flatMap(({ target }) => filesOf(target.directory))
      .join('');
    expect(/^\S+ stdout P .{10000,}$/m.test(text)).toBe(true);
    expect(text.includes('抹茶セット')).toBe(true);
    expect(/^\S+ stderr F /m.test(text)).toBe(true);
    expect(/^\S+ stdout F $/m.test(text)).toBe(true);
    expect(text.includes('signal process started')).toBe(true);
  });

  it('has failed requests whose cause only another pod tells', async () => {
    const shop = await live({ seed: 3, requests: 200, podLogDir: directory });
    const failed = shop.traces.ended().filter((trace) => trace.failed);
    expect(failed.length).toBeGreaterThan(3);
    for (const { title, records } of failed) {
      expect(title).toMatch(/^POST \/checkout → 50[23]$/);
      const ofGateway = records.filter(({ pod }) => pod.startsWith('gateway-')).map(({ json }) => json);
      const cause = records.find(({ json }) => /certificate has expired|row lock/.test(json));
      expect(cause?.pod).toMatch(/^(payments|stock)-/);
      expect(ofGateway.join()).not.toMatch(/certificate|lock/);
      expect(new Set(records.map(({ pod }) => pod)).size).toBeGreaterThanOrEqual(4);
    }
  });

  it('does the same again for the same seed and clock', async () => {
    const lives: unknown[] = [];
    for (const name of ['one', 'two']) {
      now = 1_795_388_899_000_000_000n;
      const shop = await live({ seed: 4, requests: 60, podLogDir: join(directory, name) });
      lives.push(shop.traces.ended());
    }
    expect(lives[0]).toEqual(lives[1]);
  });

  it('forgets the oldest traces', async () => {
    const shop = await live({ seed: 5, requests: 20, podLogDir: directory });
    const before = shop.traces.ended().map(({ traceId }) => traceId);
    for (let i = 0; i < 4_990; i++) shop.traces.begin(`later-${i}`, '', false);
    expect(shop.traces.ended().map(({ traceId }) => traceId)).toEqual(before.slice(10));
  });
});

/** The files of a container in the order of time, uncompressed. */
function filesOf(directory: string): Buffer[] {
  // `0.log` sorts before the files that are older than it.
  const names = readdirSync(directory).toSorted();
  return [...names.slice(1), ...names.slice(0, 1)].map((name) => {
    const bytes = readFileSync(join(directory, name));
    return name.endsWith('.gz') ? gunzipSync(bytes) : bytes;
  });
}

/** What the container printed on stdout, line by line: the fragments joined, as bytes and then as text. */
function wholeLines(directory: string): string[] {
  const joined = Buffer.concat(filesOf(directory))
    .toString('latin1')
    .replace(/^\S+ (stdout|stderr) ([PF]) (.*)\n/gm, (_line, stream: string, tag: string, content: string) =>
      stream === 'stderr' ? '' : `${content}${tag === 'F' ? '\n' : ''}`,
    );
  return Buffer.from(joined, 'latin1').toString().split('\n');
}
