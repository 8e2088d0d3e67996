import { DockerfileParser } from 'dockerfile-ast';
import { validate } from 'dockerfile-utils';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { buildDockerfile } from '../support/dockerfile-build.ts';

const text = await readFile('Dockerfile', 'utf8');
const instructions = DockerfileParser.parse(text).getInstructions();

/** The arguments of the last instruction of a kind: the one that holds. */
function last(keyword: string): string | null | undefined {
  return instructions.findLast((instruction) => instruction.getKeyword() === keyword)?.getArgumentsContent();
}

test('the linter has nothing to say', () => {
  expect(validate(text)).toEqual([]);
});

test('the linter finds faults', () => {
  expect(validate(`${text}\nSTOPSIGNAL SIGNONSENSE\nRUNN true\n`)).not.toEqual([]);
});

test('the image runs Node 24 as `frostbeat agent` and is stopped by SIGTERM', () => {
  const images = instructions
    .filter((instruction) => instruction.getKeyword() === 'FROM')
    .map((instruction) => instruction.getArgumentsContent());
  expect(images).toHaveLength(3);
  for (const image of images) expect(image).toMatch(/\bnode(js|:)24\b/);
  expect(last('ENTRYPOINT')).toBe('["/nodejs/bin/node", "--max-semi-space-size=8", "/app/dist/main.js"]');
  expect(last('CMD')).toBe('["agent"]');
  expect(last('STOPSIGNAL')).toBe('SIGTERM');
});

test('the version of the image is that of the package', () => {
  expect(last('ARG')).toBe(`VERSION=${packageJson.version}`);
});

describe('built step by step', () => {
  let scratch: string;
  let app: string;

  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'frostbeat-image-'));
    app = join(await buildDockerfile(process.cwd(), scratch), 'app');
  }, 300_000);

  afterAll(async () => rm(scratch, { recursive: true, force: true }));

  test('it starts with nothing but what the image has', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [join(app, 'dist/main.js'), '--version'], {
      cwd: '/',
      env: {},
    });
    expect(stdout.trim()).toContain(packageJson.version);
  });

  test('it has every dependency and no development dependency', async () => {
    const installed = await readdir(join(app, 'node_modules'), { recursive: true });
    const names = new Set(installed);
    expect(Object.keys(packageJson.dependencies).filter((name) => !names.has(name))).toEqual([]);
    // The Kubernetes client brings the types of Node.
    const development = Object.keys(packageJson.devDependencies).filter((name) => name !== '@types/node');
    expect(development.filter((name) => names.has(name))).toEqual([]);
  });

  test('it has nothing else', async () => {
    expect((await readdir(app)).toSorted()).toEqual(['LICENSE', 'dist', 'node_modules', 'package.json']);
  });
});
