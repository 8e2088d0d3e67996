import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/** What must not pass: the rule, the file under src/, its content. */
const planted = [
  ['a value', 'pods-imports', 'pods/value.ts', "import { E } from '../writers/log-writer.ts';\nthrow E;"],
  [
    'a type',
    'writers-imports',
    'writers/type.ts',
    "import type { T } from '../pods/tail.ts';\nexport type U = T;",
  ],
  [
    'a value where types may be',
    'writers-types',
    'writers/value.ts',
    "import { v } from '../ops/metrics.ts';\nv();",
  ],
  [
    'at run time',
    'util-imports',
    'util/dynamic.ts',
    "export const load = () => import('../ops/metrics.ts');",
  ],
  ['by exporting it', 'pods-imports', 'pods/export.ts', "export { E } from '../writers/log-writer.ts';"],
  ['a test', 'not-to-tests', 'ops/test.ts', "import '../../test/setup/build.ts';"],
  ['a development dependency', 'not-to-dev-dependencies', 'ops/dev.ts', "import { v } from 'vitest';\nv();"],
  ['a module that is not there', 'unresolvable', 'ops/unresolvable.ts', "import './nowhere.ts';"],
  ['itself', 'cycle', 'ops/itself.ts', "import './itself.ts';"],
  ['from a folder without a rule', 'unknown-folder', 'new/folder.ts', "import '../ops/metrics.ts';"],
  [
    'nothing, in a folder without a rule',
    'unknown-folder-of-one',
    'other/alone.ts',
    'export const alone = 1;',
  ],
] as const;

async function check(folder: string): Promise<{ passed: boolean; said: string }> {
  try {
    const { stdout } = await promisify(execFile)(process.execPath, ['.ci/directions.mjs', folder]);
    return { passed: true, said: stdout };
  } catch (error) {
    return { passed: false, said: String((error as { stderr: unknown }).stderr) };
  }
}

test('the sources keep to the import directions', async () => {
  expect(await check('.')).toMatchObject({ passed: true, said: expect.stringMatching(/^[1-9]\d* modules/) });
});

describe('a forbidden import fails the check', () => {
  let copy: string;
  let result: { passed: boolean; said: string };

  beforeAll(async () => {
    copy = await mkdtemp(join(tmpdir(), 'frostbeat-directions-'));
    await cp('src', join(copy, 'src'), { recursive: true });
    await cp('test/setup', join(copy, 'test/setup'), { recursive: true });
    await cp('tsconfig.json', join(copy, 'tsconfig.json'));
    await cp('package.json', join(copy, 'package.json'));
    await symlink(resolve('node_modules'), join(copy, 'node_modules'));
    for (const [, , file, content] of planted) {
      await mkdir(dirname(join(copy, 'src', file)), { recursive: true });
      await writeFile(join(copy, 'src', file), content);
    }
    result = await check(copy);
  });

  afterAll(async () => rm(copy, { recursive: true, force: true }));

  test.each(planted)('%s', (_what, rule, file) => {
    expect(result.said).toMatch(new RegExp(`^src/${file} → .*: ${rule}\\.`, 'm'));
  });

  test('and nothing but what was planted', () => {
    expect(result.passed).toBe(false);
    const named = result.said.match(/^src\/\S+(?= →)/gm) ?? [];
    expect(new Set(named)).toEqual(new Set(planted.map(([, , file]) => `src/${file}`)));
  });
});
