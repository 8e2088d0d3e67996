import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { findActionlint } from '../support/actionlint.ts';
import { orSkip } from '../support/unavailable.ts';

interface Step {
  readonly uses?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Workflow {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly jobs: Readonly<
    Record<string, { readonly steps?: readonly Step[]; readonly permissions?: object }>
  >;
}

const folder = '.github/workflows';
const names = await readdir(folder);
const workflows = await Promise.all(
  names.map(async (name) => [name, parse(await readFile(`${folder}/${name}`, 'utf8')) as Workflow] as const),
);
const linter = await orSkip(findActionlint(), 'the workflows');

test.runIf(linter)('the linter of workflows has nothing to say', async () => {
  const paths = names.map((name) => `${folder}/${name}`);
  const lint = promisify(execFile)(linter ?? '', ['-no-color', ...paths]);
  await expect(lint).resolves.toEqual({ stdout: '', stderr: '' });
});

test.each(workflows)(
  '%s may only read, unless a job says otherwise, and names versions of its actions',
  (_, workflow) => {
    expect(workflow.permissions).toEqual({ contents: 'read' });
    const steps = Object.values(workflow.jobs).flatMap((job) => job.steps ?? []);
    const actions = steps.flatMap(({ uses }) => uses ?? []);
    expect(actions.length).toBeGreaterThan(0);
    expect(actions.filter((action) => !/@(v\d+|[0-9a-f]{40})$/.test(action))).toEqual([]);
    const checkouts = steps.filter(({ uses }) => uses?.startsWith('actions/checkout@'));
    for (const checkout of checkouts) expect(checkout.with).toMatchObject({ 'persist-credentials': false });
  },
);

test('a release has the image for both platforms, with an SBOM and its provenance', () => {
  const release = workflows.find(([name]) => name === 'release.yml')?.[1];
  const build = release?.jobs['image']?.steps?.find(({ uses }) =>
    uses?.startsWith('docker/build-push-action@'),
  );
  expect(build?.with).toMatchObject({
    platforms: 'linux/amd64,linux/arm64',
    push: true,
    sbom: true,
    provenance: 'mode=max',
  });
});
