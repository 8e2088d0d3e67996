import { DockerfileParser } from 'dockerfile-ast';
import { validate } from 'dockerfile-utils';
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };

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
  expect(last('ENTRYPOINT')).toBe(
    '["/nodejs/bin/node", "--max-semi-space-size=8", "--initial-old-space-size=64", "--single-threaded", "--expose-gc", "/app/dist/main.js"]',
  );
  expect(last('CMD')).toBe('["agent"]');
  expect(last('STOPSIGNAL')).toBe('SIGTERM');
});

test('the version of the image is that of the package', () => {
  expect(last('ARG')).toBe(`VERSION=${packageJson.version}`);
});
