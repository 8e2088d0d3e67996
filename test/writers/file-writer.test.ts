import { type FileHandle, open } from 'node:fs/promises';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileWriter } from '../../src/writers/file-writer.ts';
import type { OpenFile } from '../../src/util/append-file.ts';
import { ConfigError } from '../../src/util/config-error.ts';
import { keptLog } from '../support/logs.ts';
import { record } from '../support/records.ts';

let directory: string;
let path: string;
const { signal } = new AbortController();

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'frostbeat-file-'));
  path = join(directory, 'a/b/records.ndjson');
});
afterEach(() => rmSync(directory, { recursive: true }));

async function start(openFile?: OpenFile) {
  const { log, lines: said } = await keptLog();
  const writer = new FileWriter({ path, log, ...(openFile && { openFile }) });
  await writer.open();
  return { writer, said };
}

describe('the file writer', () => {
  it('appends exactly timestamp (an integer), traceId, log and id, in directories it makes', async () => {
    const { writer } = await start();
    await writer.writeBatch(
      [record('{"a":1}'), record('{ "b" : "ü" }', { traceId: 'é"\\\n\u{1f600}' })],
      signal,
    );
    await writer.writeBatch([record('{}')], signal);
    await writer.close();

    const [first, second, third, rest] = readFileSync(path, 'utf8').split('\n');
    expect(first).toBe(
      '{"timestamp":1700000000123456789,"traceId":"t1","log":{"a":1},"id":"0123456789abcdef-000000000000"}',
    );
    expect(JSON.parse(second ?? '')).toEqual({
      timestamp: expect.any(Number),
      traceId: 'é"\\\n\u{1f600}',
      log: { b: 'ü' },
      id: '0123456789abcdef-000000000000',
    });
    expect(third).toContain('"log":{},"id":"');
    expect(rest).toBe('');
  });

  it('keeps bytes that are no UTF-8', async () => {
    const { writer } = await start();
    const bytes = Buffer.concat([
      Buffer.from('{"a":"'),
      Buffer.from([0xff, 0xc3, 0x80, 0x00]),
      Buffer.from('"}'),
    ]);
    await writer.writeBatch([record(bytes)], signal);
    await writer.close();
    expect(
      readFileSync(path).includes(Buffer.concat([Buffer.from('"log":'), bytes, Buffer.from(',"id":"')])),
    ).toBe(true);
  });

  it('continues a file, and cuts off a torn last line however long it is', async () => {
    const whole = '{"whole":1}\n'.repeat(3);
    for (const torn of ['{"timestamp":17', 'x'.repeat(200_000), '\0'.repeat(4_096)]) {
      const { writer: before } = await start();
      await before.close();
      writeFileSync(path, whole + torn);
      const { writer, said } = await start();
      await writer.writeBatch([record('{}')], signal);
      await writer.close();
      expect(readFileSync(path, 'utf8')).toMatch(
        new RegExp(`^(\\{"whole":1\\}\n){3}\\{"timestamp":\\d+,.*\n$`),
      );
      expect(said).toMatchObject([
        { level: 'warn', bytes: torn.length, msg: expect.stringContaining('torn last line') },
      ]);
    }
  });

  it('cuts off the torn line of a file that has no other', async () => {
    path = join(directory, 'torn');
    writeFileSync(path, '{"timest');
    const { writer } = await start();
    await writer.close();
    expect(readFileSync(path, 'utf8')).toBe('');
  });

  it('resolves only after the sync, and lets batches that come meanwhile share the next one', async () => {
    const calls: string[] = [];
    const { writer } = await start(
      faulty({
        write: async (handle, args) => {
          calls.push('write');
          const written = await handle.write(...args);
          calls.push('synced');
          return written;
        },
      }),
    );
    const batches = Array.from({ length: 10 }, (_, number) =>
      writer.writeBatch([record(`{"n":${number}}`)], signal).then(() => calls.push(`done ${number}`)),
    );
    await Promise.all(batches);
    await writer.close();

    expect(calls.slice(0, 5)).toEqual(['write', 'synced', 'done 0', 'write', 'synced']);
    expect(calls.filter((call) => call === 'synced')).toHaveLength(2);
    expect(readFileSync(path, 'utf8').match(/"n":\d/g)).toEqual(
      Array.from({ length: 10 }, (_, n) => `"n":${n}`),
    );
  });

  it('bounds what shares a write', async () => {
    let writes = 0;
    const { writer } = await start(
      faulty({
        write: async (handle, args) => {
          writes += 1;
          return await handle.write(...args);
        },
      }),
    );
    const large = record(`{"a":"${'x'.repeat(700_000)}"}`);
    await Promise.all(Array.from({ length: 7 }, async () => await writer.writeBatch([large], signal)));
    await writer.close();
    expect(writes).toBe(4);
    expect(lines()).toHaveLength(7);
  });

  it('writes on where the system takes only a part', async () => {
    const { writer } = await start(
      faulty({
        write: async (handle, [piece, offset]) =>
          await handle.write(piece, offset, Math.min(7, piece.length - offset)),
      }),
    );
    await writer.writeBatch([record('{"a":"0123456789"}'), record('{"b":2}')], signal);
    await writer.close();
    expect(lines()).toHaveLength(2);
  });

  it('leaves no half line behind when the disk is full, and the repeated batch once', async () => {
    let full = false;
    const { writer } = await start(
      faulty({
        write: async (handle, [piece, offset]) => {
          if (!full) return await handle.write(piece, offset);
          if (offset > 0)
            throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
          return await handle.write(piece, 0, 11);
        },
      }),
    );
    await writer.writeBatch([record('{"n":1}')], signal);
    full = true;
    const batch = [record('{"n":2}'), record('{"n":3}')];
    await expect(writer.writeBatch(batch, signal)).rejects.toThrow(
      /^Cannot write to .*records\.ndjson: .*ENOSPC/,
    );
    expect(lines()).toHaveLength(1);
    full = false;
    await writer.writeBatch(batch, signal);
    await writer.close();
    expect(lines().map(({ log }) => log)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
  });

  it('leaves no half line behind in a file that somebody emptied before', async () => {
    let full = false;
    const { writer } = await start(
      faulty({
        write: async (handle, [piece, offset]) => {
          if (full && offset > 0) throw new Error('ENOSPC: no space left on device, write');
          return await handle.write(piece, offset, full ? 11 : undefined);
        },
      }),
    );
    await writer.writeBatch([record('{"n":1}')], signal);
    writeFileSync(path, '');
    full = true;
    await expect(writer.writeBatch([record('{"n":2}')], signal)).rejects.toThrow(/ENOSPC/);
    expect(readFileSync(path, 'utf8')).toBe('');
    full = false;
    await writer.writeBatch([record('{"n":2}')], signal);
    await writer.close();
    expect(lines().map(({ log }) => log)).toEqual([{ n: 2 }]);
  });

  it('writes a batch again whose sync failed, once', async () => {
    let failures = 1;
    const { writer } = await start(
      faulty({
        write: async (handle, args) => {
          const written = await handle.write(...args);
          if (failures-- > 0) throw new Error('EIO: i/o error, write');
          return written;
        },
      }),
    );
    await expect(writer.writeBatch([record('{"n":1}')], signal)).rejects.toThrow(/EIO/);
    await writer.writeBatch([record('{"n":1}')], signal);
    await writer.close();
    expect(lines()).toHaveLength(1);
  });

  it('repairs before the next write what it could not repair at once', async () => {
    let failing = true;
    const { writer } = await start(
      faulty({
        write: async (handle, [piece, offset]) => {
          if (failing && offset > 0) throw new Error('EIO: i/o error, write');
          return await handle.write(piece, offset, failing ? 11 : undefined);
        },
        truncate: async (handle, length) => {
          if (failing) throw new Error('EIO: i/o error, ftruncate');
          await handle.truncate(length);
        },
      }),
    );
    await expect(writer.writeBatch([record('{"n":1}')], signal)).rejects.toThrow(/EIO: i\/o error, write/);
    expect(readFileSync(path, 'utf8')).toBe('{"timestamp');
    failing = false;
    await writer.writeBatch([record('{"n":1}')], signal);
    await writer.close();
    expect(lines()).toHaveLength(1);
  });

  it('makes a new file where the old one was deleted, and goes on in one that was emptied', async () => {
    const { writer, said } = await start();
    await writer.writeBatch([record('{"n":1}')], signal);
    rmSync(path);
    await writer.writeBatch([record('{"n":2}')], signal);
    expect(lines().map(({ log }) => log)).toEqual([{ n: 2 }]);
    expect(said).toMatchObject([{ level: 'warn', msg: expect.stringContaining('deleted') }]);
    writeFileSync(path, '');
    await writer.writeBatch([record('{"n":3}')], signal);
    await writer.close();
    expect(lines().map(({ log }) => log)).toEqual([{ n: 3 }]);
  });

  it('refuses a place that can never be written, and waits for one that cannot be now', async () => {
    path = join(directory, 'file', 'records');
    appendFileSync(join(directory, 'file'), '');
    await expect(start()).rejects.toThrow(ConfigError);
    path = directory;
    await expect(start()).rejects.toThrow(/^FILE_PATH \(--file-path\) is ".*": .*EISDIR/);

    path = join(directory, 'later');
    let full = true;
    const { writer, said } = await start(async (...args) => {
      if (full) throw Object.assign(new Error('ENOSPC: no space left on device, open'), { code: 'ENOSPC' });
      return await open(...args);
    });
    expect(said).toMatchObject([{ level: 'warn', err: { code: 'ENOSPC' } }]);
    await expect(writer.writeBatch([record('{}')], signal)).rejects.toThrow(/ENOSPC/);
    full = false;
    await writer.writeBatch([record('{}')], signal);
    await writer.close();
    expect(lines()).toHaveLength(1);
  });

  it('finishes what is under way before it closes, and takes nothing after the stop', async () => {
    const { writer } = await start();
    const written = writer.writeBatch([record('{}')], signal);
    await writer.close();
    await written;
    expect(lines()).toHaveLength(1);
    await expect(writer.writeBatch([record('{}')], AbortSignal.abort())).rejects.toThrow(/abort/);
    expect(existsSync(path)).toBe(true);
  });
});

function lines(): { log: unknown }[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as { log: unknown });
}

interface Faults {
  readonly write?: (
    handle: FileHandle,
    args: [piece: Buffer, offset: number],
  ) => Promise<{ bytesWritten: number }>;
  readonly truncate?: (handle: FileHandle, length: number) => Promise<void>;
}

/** Opens real files some of whose calls go wrong. */
function faulty({ write, truncate }: Faults): OpenFile {
  return async (...args) => {
    const handle = await open(...args);
    const calls: Record<string, unknown> = {
      ...(write && { write: async (piece: Buffer, offset: number) => await write(handle, [piece, offset]) }),
      ...(truncate && { truncate: async (length: number) => await truncate(handle, length) }),
    };
    return new Proxy(handle, {
      get: (target, name) => {
        if (typeof name === 'string' && name in calls) return calls[name];
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  };
}
