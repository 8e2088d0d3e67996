import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

let copy: string;

beforeAll(async () => {
  copy = await mkdtemp(join(tmpdir(), 'frostbeat-directions-'));
  await cp('src', join(copy, 'src'), { recursive: true });
  await cp('test/setup', join(copy, 'test/setup'), { recursive: true });
  await cp('tsconfig.json', join(copy, 'tsconfig.json'));
  await cp('package.json', join(copy, 'package.json'));
  await symlink(resolve('node_modules'), join(copy, 'node_modules'));
});

afterAll(async () => rm(copy, { recursive: true, force: true }));

/** What the check says of a copy of src/ with one more file. */
async function check(file?: string, content?: string): Promise<{ passed: boolean; said: string }> {
  const path = file === undefined ? undefined : join(copy, file);
  if (path !== undefined) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content ?? '');
  }
  try {
    const { stdout } = await promisify(execFile)(process.execPath, ['.ci/directions.mjs', copy]);
    return { passed: true, said: stdout };
  } catch (error) {
    return { passed: false, said: String((error as { stderr: unknown }).stderr) };
  } finally {
    if (path !== undefined) await rm(path);
  }
}

test('the sources keep to the import directions', async () => {
  expect(await check()).toMatchObject({ passed: true, said: expect.stringMatching(/^[1-9]\d* modules/) });
});

test.each([
  [
    'a value',
    'pods-imports',
    'pods/planted.ts',
    "import { RejectedError } from '../writers/log-writer.ts';\nthrow RejectedError;",
  ],
  [
    'a type',
    'writers-imports',
    'writers/planted.ts',
    "import type { Tail } from '../pods/tail.ts';\nexport type T = Tail;",
  ],
  [
    'a value where only types are allowed',
    'writers-types',
    'writers/planted.ts',
    "import { createMetrics } from '../ops/metrics.ts';\ncreateMetrics();",
  ],
  [
    'at run time',
    'util-imports',
    'util/planted.ts',
    "export const load = () => import('../ops/metrics.ts');",
  ],
  [
    'by exporting it',
    'pods-imports',
    'pods/planted.ts',
    "export { RejectedError } from '../writers/log-writer.ts';",
  ],
  ['a test', 'not-to-tests', 'ops/planted.ts', "import '../../test/setup/build.ts';"],
  [
    'a development dependency',
    'not-to-dev-dependencies',
    'ops/planted.ts',
    "import { parse } from 'yaml';\nparse('');",
  ],
  ['a module that is not there', 'unresolvable', 'ops/planted.ts', "import './nowhere.ts';"],
  ['itself', 'cycle', 'ops/planted.ts', "import './planted.ts';"],
  ['from a folder without a rule', 'unknown-folder', 'new/planted.ts', "import '../ops/metrics.ts';"],
])('a forbidden import fails the check: %s', async (_what, rule, file, content) => {
  const { passed, said } = await check(`src/${file}`, content);
  expect(said).toMatch(new RegExp(`^src/${file} → .*: ${rule}\\.`, 'm'));
  expect(passed).toBe(false);
});

test('a new folder of src/ without a rule fails the check', async () => {
  expect(await check('src/new/planted.ts', 'export const alone = 1;')).toMatchObject({
    passed: false,
    said: expect.stringContaining('src/new/planted.ts'),
  });
});
