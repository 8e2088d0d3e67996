import { PassThrough, Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { StdoutWriter } from '../../src/writers/stdout-writer.ts';
import { record } from '../support/records.ts';
import { until } from '../support/until.ts';

const { signal } = new AbortController();

it('writes each record as one line, byte for byte', async () => {
  const stdout = new PassThrough();
  await new StdoutWriter(stdout).writeBatch(
    [record('{"a":"ü"}'), record(Buffer.from([0x7b, 0xff, 0x7d]))],
    signal,
  );
  expect(stdout.read()).toEqual(
    Buffer.concat([Buffer.from('{"a":"ü"}\n'), Buffer.from([0x7b, 0xff, 0x7d, 0x0a])]),
  );
});

it('waits for a slow reader, until the stop', async () => {
  const taken: (() => void)[] = [];
  const stdout = new Writable({ write: (_chunk, _encoding, done) => void taken.push(done) });
  const writer = new StdoutWriter(stdout);
  let settled = false;
  const waiting = writer.writeBatch([record('{"n":1}')], signal).then(() => (settled = true));
  await until(() => taken.length === 1, { what: 'the write' });
  expect(settled).toBe(false);
  taken[0]?.();
  await waiting;

  const stop = new AbortController();
  const given = writer.writeBatch([record('{"n":2}')], stop.signal);
  stop.abort(new Error('the agent stops'));
  await expect(given).rejects.toThrow('the agent stops');
});

it('says that the reader is gone', async () => {
  const stdout = new PassThrough();
  stdout.on('error', () => undefined);
  stdout.destroy(new Error('EPIPE'));
  await expect(new StdoutWriter(stdout).writeBatch([record('{}')], signal)).rejects.toThrow(
    /its reader is gone/,
  );
});
