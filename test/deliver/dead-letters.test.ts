import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseDeadLetter, toDeadLetterLine } from '../../src/deliver/dead-letter.ts';
import { DeadLetters } from '../../src/deliver/dead-letters.ts';
import { createMetrics } from '../../src/ops/metrics.ts';
import { Repeated } from '../../src/ops/repeated.ts';
import { keptLog } from '../support/logs.ts';
import { record } from '../support/records.ts';

describe('a dead letter', () => {
  const now = new Date('2026-01-02T03:04:05.678Z');

  it.each([
    ['text', Buffer.from('{"a":"ü\\n\u{1f600}"}')],
    ['bytes that are no UTF-8', Buffer.from([0x7b, 0xff, 0x00, 0x7d])],
  ])('gives its record back whole: %s', (_, bytes) => {
    const refused = record(bytes, { id: 'fedcba9876543210-00000000002a', traceId: 'é/%\n' });
    const line = toDeadLetterLine({ record: refused, reason: 'too large' }, 'etcd', now);
    expect(line.indexOf('\n')).toBe(line.length - 1);
    const letter = parseDeadLetter(line);
    expect(letter).toMatchObject({
      writer: 'etcd',
      reason: 'too large',
      refusedAt: '2026-01-02T03:04:05.678Z',
    });
    const { id, traceId, unixNano, source, byteLength } = refused;
    expect(letter.record).toMatchObject({ id, traceId, unixNano, source, byteLength });
    expect(letter.record.toBytes()).toEqual(bytes);
  });

  it('can be read by people', () => {
    const line = toDeadLetterLine({ record: record('{"a":1}'), reason: 'too large' }, 'etcd', now);
    expect(JSON.parse(line)).toMatchObject({ record: '{"a":1}', id: '0123456789abcdef-000000000000' });
  });

  it.each(['', '{}', 'null', '{"v":2}', '{"v":1}'])('is not %j', (text) => {
    expect(() => parseDeadLetter(text)).toThrow();
  });
});

describe('the dead letters', () => {
  let directory: string;
  beforeEach(() => {
    directory = join(mkdtempSync(join(tmpdir(), 'frostbeat-dead-')), 'dead-letters');
  });
  afterEach(() => rmSync(join(directory, '..'), { recursive: true }));

  async function start(bounds: { fileBytes?: number; files?: number } = {}) {
    const { log, lines } = await keptLog();
    const metrics = createMetrics();
    return {
      letters: new DeadLetters({ directory, log, repeated: new Repeated(log), metrics, ...bounds }),
      metrics,
      said: lines,
    };
  }

  const files = () => readdirSync(directory).toSorted();
  const kept = () =>
    files().flatMap((file) =>
      readFileSync(join(directory, file), 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => parseDeadLetter(line).record.latin1),
    );

  it('are in a file when add resolves, also those of calls at once, and are counted and told', async () => {
    const { letters, metrics, said } = await start();
    await Promise.all(
      [1, 2, 3].map((n) => letters.add([{ record: record(`{"n":${n}}`), reason: 'bad' }], 'etcd')),
    );
    expect(kept()).toEqual(['{"n":1}', '{"n":2}', '{"n":3}']);
    expect((await metrics.deadLetters.get()).values).toMatchObject([
      { labels: { writer: 'etcd' }, value: 3 },
    ]);
    expect(said[0]).toMatchObject({ level: 'error', writer: 'etcd', reason: 'bad' });
    await letters.close();
  });

  it('go on in the newest file after a restart, without the torn line of a crash', async () => {
    const { letters } = await start();
    await letters.add([{ record: record('{"n":1}'), reason: 'bad' }], 'etcd');
    await letters.close();
    appendFileSync(join(directory, 'dead-letters-000001.ndjson'), '{"v":1,"refu');
    const { letters: again } = await start();
    await again.add([{ record: record('{"n":2}'), reason: 'bad' }], 'etcd');
    await again.close();
    expect(files()).toEqual(['dead-letters-000001.ndjson']);
    expect(kept()).toEqual(['{"n":1}', '{"n":2}']);
  });

  it('are bounded: the oldest file goes, counted and told', async () => {
    const { letters, metrics, said } = await start({ fileBytes: 1_000, files: 3 });
    for (let n = 0; n < 20; n += 1) {
      await letters.add([{ record: record(`{"n":${n},"pad":"${'x'.repeat(300)}"}`), reason: 'bad' }], 'etcd');
    }
    await letters.close();
    // Two letters of about 550 bytes a file: ten files, of which three are left.
    expect(files()).toEqual([8, 9, 10].map((n) => `dead-letters-0000${String(n).padStart(2, '0')}.ndjson`));
    expect(kept()).toHaveLength(6);
    expect((await metrics.deadLettersDropped.get()).values).toMatchObject([{ value: 14 }]);
    expect(said.filter(({ msg }) => String(msg).startsWith('Too many dead letters'))).toHaveLength(7);
  });

  it('do not go into a file that was taken away', async () => {
    const { letters } = await start();
    await letters.add([{ record: record('{"n":1}'), reason: 'bad' }], 'etcd');
    rmSync(join(directory, 'dead-letters-000001.ndjson'));
    await letters.add([{ record: record('{"n":2}'), reason: 'bad' }], 'etcd');
    await letters.close();
    expect(kept()).toEqual(['{"n":2}']);
  });

  it('fail where they cannot be kept, and go on when they can', async () => {
    writeFileSync(directory, 'a file where the directory should be');
    const { letters } = await start();
    const rejections = [{ record: record('{"n":1}'), reason: 'bad' }];
    await expect(letters.add(rejections, 'etcd')).rejects.toThrow(/EEXIST|ENOTDIR/);
    rmSync(directory);
    await letters.add(rejections, 'etcd');
    await letters.close();
    expect(kept()).toEqual(['{"n":1}']);
  });
});
