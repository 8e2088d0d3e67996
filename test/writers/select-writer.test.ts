import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig, validConfig } from '../../src/config/load-config.ts';
import { builtInWriters } from '../../src/config/parse-lists.ts';
import { ConfigError } from '../../src/util/config-error.ts';
import { PartialWriteError, RejectedError, RetryAfterError } from '../../src/writers/log-writer.ts';
import { builtInNames, selectWriters } from '../../src/writers/select-writer.ts';
import { keptLog } from '../support/logs.ts';
import { record } from '../support/records.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'frostbeat-select-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

async function selectAll(...names: string[]) {
  const { log, lines } = await keptLog();
  const env = { STATE_DIR: directory, MY_FILE: join(directory, 'mine.txt') };
  const config = validConfig(
    loadConfig({
      env,
      flags: { BATCH_SIZE: '7', WRITERS: names.join(',') },
      cwd: directory,
      checks: { node: false, stateDir: false },
    }),
  );
  return { writers: await selectWriters({ config, log, cwd: directory }), lines };
}

async function select(name: string) {
  const { writers, lines } = await selectAll(name);
  const [writer] = writers;
  if (writer === undefined) throw new Error(`no writer for ${name}`);
  return { writer, lines };
}

const template = `
import { appendFile } from 'node:fs/promises';
export default (options, logger) => {
  logger.info({ size: options.BATCH_SIZE }, 'made');
  return {
    name: 'mine',
    async writeBatch(records) {
      await appendFile(options.MY_FILE, records.map((record) => record.id + '\\n').join(''));
    },
  };
};`;

describe('a name in WRITERS', () => {
  it('may be that of a built-in writer', async () => {
    expect((await select('file')).writer).toMatchObject({ name: 'file' });
    expect((await select('stdout')).writer).toMatchObject({ name: 'stdout' });
  });

  it('may be the path of a module, relative to the working directory or absolute', async () => {
    writeFileSync(join(directory, 'mine.mjs'), template);
    for (const name of ['./mine.mjs', join(directory, 'mine.mjs')]) {
      const { writer, lines } = await select(name);
      await writer.writeBatch([record('{}')], new AbortController().signal);
      expect(lines).toMatchObject([{ msg: 'made', size: '7', writer: name }]);
    }
    expect(readFileSync(join(directory, 'mine.txt'), 'utf8')).toBe(
      '0123456789abcdef-000000000000\n'.repeat(2),
    );
  });

  it('may be that of an installed package, and the function a promise; CommonJS too', async () => {
    const home = join(directory, 'node_modules/@me/writer');
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, 'package.json'), '{"name":"@me/writer","main":"main.cjs"}');
    writeFileSync(
      join(home, 'main.cjs'),
      `exports.default = async () => ({ name: 'packed', batch: { records: 1, bytes: 1 }, async writeBatch() {} });
       Object.defineProperty(exports, '__esModule', { value: true });`,
    );
    expect((await select('@me/writer')).writer).toMatchObject({ name: 'packed' });
  });

  it('is one of several, whose mistakes are told together', async () => {
    writeFileSync(join(directory, 'none.mjs'), '');
    writeFileSync(
      join(directory, 'twin.mjs'),
      `export default () => ({ name: 'file', async writeBatch() {} });`,
    );
    const { writers } = await selectAll('stdout', 'file');
    expect(writers.map(({ name }) => name)).toEqual(['stdout', 'file']);
    await expect(selectAll('./none.mjs', 'file', './twin.mjs')).rejects.toMatchObject({
      mistakes: [
        expect.stringContaining('"./none.mjs": the module has no default export'),
        expect.stringContaining('"file" and "./twin.mjs": both call themselves "file"'),
      ],
    });
  });

  it('may throw our errors without importing them, and whatever else', async () => {
    writeFileSync(
      join(directory, 'throws.mjs'),
      `export default () => ({
        name: 'throws',
        opened: 'no',
        async open() { this.opened = 'yes'; },
        async check() { throw new Error('not there'); },
        async writeBatch([record]) {
          const fault = { ...JSON.parse(record.latin1), opened: this.opened };
          if (fault.name === 'PartialWriteError') fault.stored = [record];
          if (fault.name === 'RejectedError') fault.rejections = [{ record, reason: 'too large' }];
          throw fault.text ?? Object.assign(new Error('it said no'), fault);
        },
      });`,
    );
    const { writer } = await select('./throws.mjs');
    const { signal } = new AbortController();
    await writer.open?.(signal);
    await expect(writer.check?.(signal)).rejects.toThrow('not there');
    const write = async (content: string) => await writer.writeBatch([record(content)], signal);
    await expect(write('{"name":"RejectedError"}')).rejects.toThrow(RejectedError);
    await expect(write('{"name":"RetryAfterError","delayMs":1500}')).rejects.toSatisfy(
      (error) => error instanceof RetryAfterError && error.delayMs === 1500,
    );
    await expect(write('{"name":"PartialWriteError","delayMs":20}')).rejects.toSatisfy(
      (error) => error instanceof PartialWriteError && error.stored.length === 1 && error.delayMs === 20,
    );
    await expect(write('{"name":"TypeError"}')).rejects.toMatchObject({
      message: 'it said no',
      opened: 'yes',
    });
    await expect(write('{"text":"no"}')).rejects.toThrow('The writer threw what is no Error: no');
  });

  it.each([
    ['import "./gone.mjs"', /the module cannot be loaded: Cannot find module '.*gone\.mjs'/],
    ['export default {', /the module cannot be loaded: /],
    [
      'export const create = () => ({})',
      /no default export; it must be a function \(options, logger\) => LogWriter/,
    ],
    ['export default { name: "x" }', /its default export is an object; it must be a function/],
    [
      'export default () => { throw new Error("MY_URL is not set") }',
      /its function failed: MY_URL is not set/,
    ],
    ['export default async () => {}', /no LogWriter: it is undefined/],
    ['export default () => null', /no LogWriter: it is null/],
    [
      'export default () => ({ write() {} })',
      /name must be a text .*; it must have a method writeBatch\(records, signal\)$/,
    ],
    [
      'export default () => ({ name: "My Writer", writeBatch() {} })',
      /its member name must be a text of lower-case/,
    ],
    ['export default () => ({ name: "x", writeBatch() {}, open: true })', /its member open must be a method/],
    [
      'export default () => ({ name: "x", writeBatch() {}, batch: { records: 0, bytes: 1 } })',
      /its member batch must be/,
    ],
    [
      'export default () => ({ name: "x", writeBatch() {}, batch: { records: 1, bytes: 1, periodMs: 0.5 } })',
      /its member batch must be .*periodMs/,
    ],
  ])('is refused where the module says %s', async (text, message) => {
    // A name of its own for each: Node loads a path once.
    const name = `./bad-${Buffer.from(text).toString('hex').slice(0, 100)}.mjs`;
    writeFileSync(join(directory, name), text);
    const loaded = loadBad(name);
    await expect(loaded).rejects.toThrow(ConfigError);
    await expect(loaded).rejects.toThrow(message);
    await expect(loaded).rejects.toThrow(`WRITERS (--writers) names "${name}": `);
  });

  it('is refused where nothing of that name is there', async () => {
    await expect(loadBad('./absent.mjs')).rejects.toThrow(
      /cannot be loaded: Cannot find module '.*absent\.mjs'/,
    );
    await expect(loadBad('no-such-package')).rejects.toThrow(/no such package is installed/);
  });
});

async function loadBad(name: string): Promise<unknown> {
  const { log } = await keptLog();
  const { loadCustomWriter } = await import('../../src/writers/custom-writer.ts');
  return await loadCustomWriter(name, { options: {}, logger: log, cwd: directory });
}

it('has for every writer of its own the name that the configuration knows', () => {
  expect(builtInNames).toEqual(builtInWriters);
});
