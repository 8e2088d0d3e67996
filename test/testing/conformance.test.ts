import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { type Check, conformance, type Subject } from '../../src/testing/conformance.ts';

const directory = mkdtempSync(join(tmpdir(), 'frostbeat-conformance-'));
afterAll(() => rmSync(directory, { recursive: true }));

function linesOf(path: string): string[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, 'latin1').split('\n').slice(0, -1);
}

function bytesOf(lines: readonly string[]): Buffer[] {
  return lines.map((line) => Buffer.from(line, 'latin1'));
}

/** The records in the output of the file writer. */
function inFile(path: string): Buffer[] {
  return bytesOf(
    linesOf(path).map((line) => line.slice(line.indexOf('"log":') + 6, line.lastIndexOf(',"id":"'))),
  );
}

const filePath = join(directory, 'records.ndjson');
const file: Subject = {
  writer: 'file',
  options: { FILE_PATH: filePath, STATE_DIR: directory },
  stored: async () => inFile(filePath),
  repeats: 'restart',
  mistakes: [
    {
      title: 'a path that is a directory',
      options: { FILE_PATH: directory },
      says: /^FILE_PATH \(--file-path\) is ".*": it must be a file/,
    },
  ],
};

const stdoutPath = join(directory, 'stdout');
const stdoutModule = join(directory, 'stdout.mjs');
writeFileSync(
  stdoutModule,
  `import { createWriteStream } from 'node:fs';
   import { StdoutWriter } from '${pathToFileURL('src/writers/stdout-writer.ts').href}';
   export default () => new StdoutWriter(createWriteStream(${JSON.stringify(stdoutPath)}, { flags: 'a' }));`,
);
const stdout: Subject = {
  writer: stdoutModule,
  stored: async () => bytesOf(linesOf(stdoutPath)),
  repeats: 'again',
};

describe.each([
  ['file', file],
  ['stdout', stdout],
])('the writer %s', (_, subject) => {
  it.each(conformance(subject))('$title', async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });
});

/** A writer that is right, unless FAULT says otherwise; it never forgets what it has, so it can be asked. */
const faulty = join(directory, 'faulty.mjs');
const faultyPath = join(directory, 'faulty');
writeFileSync(
  faulty,
  `import { appendFile, readFile } from 'node:fs/promises';
   let last = Promise.resolve();
   export default ({ FAULT, PATH_ }) => ({
     name: 'faulty',
     async open() { if (FAULT === 'accepts mistakes') return; if (PATH_ === '') throw new Error('PATH_ is empty'); },
     async writeBatch(records, signal) {
       if (FAULT === 'hangs when told to stop' && signal.aborted) await new Promise(() => setTimeout(() => {}, 1e6));
       signal.throwIfAborted();
       const write = async () => {
         const text = await readFile(PATH_, 'latin1').catch(() => '');
         const bad = FAULT === 'takes what it refuses' ? [] : records.filter(({ latin1 }) => latin1.includes('"bad"'));
         const good = records.filter((record) => !bad.includes(record));
         if (bad.length > 0 && FAULT === 'refuses too much') bad.push(good[0]);
         const lines = good
           .filter(({ id }) => FAULT === 'writes again' || !text.includes(id))
           .map(({ id, latin1 }) =>
             id + ' ' + (FAULT === 'decodes' ? Buffer.from(latin1, 'latin1').toString('utf8').replace(/\\ufffd/g, '?') : latin1) + '\\n');
         if (FAULT === 'forgets one') lines.pop();
         await appendFile(PATH_, lines.join(''), FAULT === 'decodes' ? 'utf8' : 'latin1');
         if (bad.length > 0) {
           const rejections = bad.map((record) => ({ record, reason: 'bad' }));
           throw Object.assign(new Error(), { name: 'PartialWriteError', stored: good, rejections });
         }
       };
       last = last.then(write, write);
       if (FAULT === 'settles too early') return;
       await last;
     },
     ...(FAULT === 'never closes' && { close: () => new Promise(() => {}) }),
   });`,
);

/** What a writer with a fault fails of the checks, or of those of a title. */
async function failing(fault: string, of = /./): Promise<string[]> {
  rmSync(faultyPath, { force: true });
  const subject: Subject = {
    writer: faulty,
    options: { FAULT: fault, PATH_: faultyPath },
    stored: async () => bytesOf(linesOf(faultyPath).map((line) => line.slice(line.indexOf(' ') + 1))),
    repeats: 'once',
    refused: ['"bad":1'],
    mistakes: [{ title: 'no path', options: { PATH_: '' }, says: /PATH_ is empty/ }],
    patienceMs: fault === 'none' ? 30_000 : 2_000,
  };
  const failed: string[] = [];
  const fails = async ({ title, run }: Check): Promise<void> => {
    await run().catch(() => failed.push(title));
  };
  for (const check of conformance(subject)) if (of.test(check.title)) await fails(check);
  return failed;
}

describe('the conformance suite', () => {
  it('finds nothing wrong with a writer that is right', async () => {
    expect(await failing('none')).toEqual([]);
  });

  it.each([
    ['settles too early', /^what is settled is stored, each record once/],
    ['settles too early', /^what was settled is stored when the writing process is killed/],
    ['forgets one', /^what is settled is stored, each record once/],
    ['writes again', /^a batch that is written again, .* is there once$/],
    ['decodes', /^any Unicode, bytes that are no UTF-8/],
    ['refuses too much', /^records that are refused for good are named/],
    ['takes what it refuses', /^records that are refused for good are named/],
    ['hangs when told to stop', /^a write that is told to stop ends/],
    ['never closes', /^closing it ends it/],
    ['accepts mistakes', /^is told precisely: no path$/],
  ])('finds a writer that %s', async (fault, title) => {
    expect(await failing(fault, title)).toHaveLength(1);
  });
});
