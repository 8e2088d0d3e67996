import { execFile } from 'node:child_process';
import { mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';

const run = promisify(execFile);
const directory = mkdtempSync(join(tmpdir(), 'frostbeat-package-'));
const home = join(directory, 'node_modules/frostbeat');

/** A collector that keeps what is posted to it and gives it back. */
let collector: Server;
let url: string;

beforeAll(async () => {
  const { stdout } = await run('npm', [
    'pack',
    '--ignore-scripts',
    '--json',
    '--pack-destination',
    directory,
  ]);
  const [packed] = Object.values(JSON.parse(stdout) as Record<string, { filename: string }>);
  mkdirSync(home, { recursive: true });
  await run('tar', ['-xzf', join(directory, packed!.filename), '-C', home, '--strip-components=1']);

  let kept = Buffer.alloc(0);
  collector = createServer((request, response) => {
    void (async () => {
      const body = Buffer.concat((await request.toArray()) as Buffer[]);
      kept = Buffer.concat([kept, body]);
      response.end(request.method === 'GET' ? kept : '');
    })();
  }).listen(0, '127.0.0.1');
  await new Promise((listening) => void collector.once('listening', listening));
  url = `http://127.0.0.1:${(collector.address() as AddressInfo).port}/`;
});
afterAll(() => {
  collector.closeAllConnections();
  collector.close();
  rmSync(directory, { recursive: true });
});

/** The code block of a language in docs/writers.md that begins with this comment, word for word. */
function fromDocs(file: string): string {
  const blocks = readFileSync('docs/writers.md', 'utf8').matchAll(/```js\n(.*?)```/gs);
  const found = [...blocks].map(([, code = '']) => code).find((code) => code.startsWith(`// ${file},`));
  if (found === undefined) throw new Error(`Cannot find ${file} in docs/writers.md`);
  return found;
}

it('the writer of docs/writers.md passes the conformance suite of the packed package, as documented', async () => {
  writeFileSync(join(directory, 'post-writer.mjs'), fromDocs('post-writer.mjs'));
  // The collector of the example, here on a port of its own.
  const test = fromDocs('post-writer.test.mjs').replaceAll('http://127.0.0.1:9000/', url);
  writeFileSync(join(directory, 'post-writer.test.mjs'), test);
  const { stdout } = await run(
    process.execPath,
    ['--test', '--test-reporter', 'tap', 'post-writer.test.mjs'],
    { cwd: directory, env: { PATH: process.env['PATH'] } },
  );
  expect(stdout).toMatch(/^# fail 0$/m);
  expect(stdout).toMatch(/^# pass (9|1[0-2])$/m);
});

it('the packed package has types for authors of writers', async () => {
  const source = `
    import { type CreateWriter, type LogRecord, PartialWriteError } from 'frostbeat';
    import { conformance, type Subject } from 'frostbeat/testing';
    const create: CreateWriter = ({ MY_URL }, logger) => ({
      name: 'mine',
      batch: { records: 500, bytes: 2 ** 20, periodMs: 30_000 },
      async writeBatch(records: readonly LogRecord[]) {
        logger.info({ MY_URL }, records[0]!.id);
        throw new PartialWriteError('no', { stored: records.slice(1) });
      },
    });
    export default create;
    const subject: Subject = { writer: './mine.mjs', stored: async () => [], repeats: 'once' };
    export const titles: string[] = conformance(subject).map(({ title }) => title);
    // @ts-expect-error
    export const wrong: Subject = { writer: 1 };
  `;
  writeFileSync(join(directory, 'mine.mts'), source);
  const tsc = resolve('node_modules/typescript/bin/tsc');
  const types = ['--typeRoots', resolve('node_modules/@types'), '--types', 'node'];
  const flags = [
    '--noEmit',
    '--strict',
    '--module',
    'nodenext',
    '--target',
    'es2024',
    '--lib',
    'es2024,esnext',
  ];
  const compiled = run(process.execPath, [tsc, ...flags, ...types, 'mine.mts'], { cwd: directory });
  await expect(compiled).resolves.toMatchObject({ stdout: '' });
});
