import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Explanation } from '../../src/explain/explanation.ts';
import { testNode, type TestNode, writeRecords } from '../integration/node.ts';
import { frostbeat } from '../support/frostbeat.ts';
import { freePorts } from '../support/free-ports.ts';
import { until } from '../support/until.ts';

/** A node with a pod that is selected, one that is not, one that opts out, and one of another namespace. */
async function nodeWithPods(): Promise<
  TestNode & { explain: (...args: string[]) => ReturnType<typeof run> }
> {
  const node = await testNode(undefined);
  const pods = [
    { namespace: 'demo-system', name: 'shop', uid: 'uid-1', labels: { app: 'snowplow' } },
    { namespace: 'demo-system', name: 'other', uid: 'uid-2', labels: { app: 'else', tier: 'web' } },
    {
      namespace: 'demo-system',
      name: 'private',
      uid: 'uid-3',
      labels: { app: 'snowplow' },
      annotations: { 'frostbeat.io/exclude': 'true' },
    },
    { namespace: 'kube-system', name: 'proxy', uid: 'uid-4', labels: {} },
  ];
  for (const pod of pods) {
    node.api.addPod({ ...pod, node: 'node-1' });
    writeRecords(join(node.podLogDir, `${pod.namespace}_${pod.name}_${pod.uid}/app/0.log`), 3);
  }
  node.api.addPod({
    namespace: 'demo-system',
    name: 'elsewhere',
    uid: 'uid-5',
    node: 'node-2',
    labels: { app: 'snowplow' },
  });
  const log = join(node.podLogDir, 'demo-system_shop_uid-1/app/0.log');
  appendFileSync(log, `${new Date().toISOString()} stdout F Listening on port \u001b[31m8080\n`);
  const [port] = await freePorts(1);
  const env = { ...node.env, WRITERS: 'file', HTTP_PORT: String(port) };
  return { ...node, env, explain: (...args) => run(env, args) };
}

async function run(env: Readonly<Record<string, string>>, args: readonly string[]) {
  return await frostbeat(['explain', ...args], { env }).ended();
}

describe('frostbeat explain', () => {
  it('with an agent: tells what it does with a pod, and by which rule another is left out', async () => {
    const node = await nodeWithPods();
    const agent = await node.startAgent(node.env);
    await agent.ready();
    await until(async () => (await agent.metric('records_delivered_total')) === 3, { what: 'three records' });

    const shop = await node.explain('shop');
    expect(shop).toMatchObject({ code: 0, stderr: '' });
    expect(shop.stdout).toMatch(/^demo-system\/shop: followed, and all that it wrote is read$/m);
    expect(shop.stdout).toMatch(/^ {2}✓ NAMESPACE is demo-system; its namespace is demo-system\.$/m);
    expect(shop.stdout).toMatch(/^ {2}✓ SELECTOR is app=snowplow; its labels are app=snowplow\.$/m);
    expect(shop.stdout).toMatch(/^ {2}app: reading$/m);
    expect(shop.stdout).toMatch(
      /^ {4}4 lines since the start: 3 records, 3 lines delivered, 0 in flight, 0 dead letters$/m,
    );
    expect(shop.stdout).toMatch(
      /^ {4}1 skipped: not_json, for example «Listening on port \\u001b\[31m8080»$/m,
    );
    expect(shop.stdout).toMatch(/^ {4}0\.log: read to (\d+), settled to \1 of \1 \(reading\)$/m);

    const other = await node.explain('demo-system/other');
    expect(other.code).toBe(0);
    expect(other.stdout).toMatch(/other: not followed, for what is marked ✗$/m);
    expect(other.stdout).toMatch(/^ {2}✗ SELECTOR is app=snowplow; its labels are app=else, tier=web\.$/m);

    expect((await node.explain('uid-3')).stdout).toMatch(
      /^ {2}✗ It opts out: its annotation frostbeat\.io\/exclude is "true"\.$/m,
    );
    expect((await node.explain('proxy')).stdout).toMatch(
      /^ {2}✗ NAMESPACE is demo-system; its namespace is kube-system\.$/m,
    );
    expect((await node.explain('elsewhere')).stdout).toMatch(/^ {2}✗ It runs on node-2; this is node-1\.$/m);

    const json = JSON.parse((await node.explain('shop', '-o', 'json')).stdout) as Explanation;
    expect(json).toMatchObject({
      from: 'agent',
      pods: [{ pod: 'shop', followed: true, containers: [{ state: 'reading', counts: { records: 3 } }] }],
    });
  });

  it('without an agent: tells by the directories, the saved offsets and the API', async () => {
    const node = await nodeWithPods();
    mkdirSync(node.stateDir, { recursive: true });
    const saved = {
      version: 1,
      savedAt: '2026-11-24T10:00:00.000Z',
      gaps: [],
      containers: {
        'demo-system_shop_uid-1/app': {
          files: { '0123456789abcdef': { offset: 77, name: '0.log', size: 99 } },
        },
      },
    };
    writeFileSync(join(node.stateDir, 'offsets.json'), JSON.stringify(saved));
    const { code, stdout } = await node.explain('shop');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^demo-system\/shop: not followed now, though nothing here speaks against it$/m);
    expect(stdout).toMatch(/^ {2}app\. It was followed \(as saved 2026-11-24T10:00:00\.000Z\)\.$/m);
    expect(stdout).toMatch(/^ {4}0\.log: settled to 77 of \d+$/m);
    expect(stdout).toMatch(
      /^\(no agent answers at http:\/\/127\.0\.0\.1:\d+\/status\.json \(ECONNREFUSED\): told by /m,
    );
    const excluded = await run({ ...node.env, EXCLUDE_CONTAINERS: 'a*' }, ['shop']);
    expect(excluded.stdout).toMatch(
      /^ {2}✗ CONTAINERS or EXCLUDE_CONTAINERS leave the container app out\.$/m,
    );
    // Nothing is changed, and what the API does not say is no hindrance.
    node.api.break({ kind: 'refuse', status: 403 });
    expect((await node.explain('shop')).stdout).toMatch(
      /^ {2}\? The API cannot be asked\. .*permission is missing/m,
    );
  });

  it('ends with 1 where no pod is called so, and explains all whose names contain a word', async () => {
    const node = await nodeWithPods();
    const none = await node.explain('nobody');
    expect(none).toMatchObject({ code: 1, stdout: '' });
    expect(none.stderr).toMatch(
      /^frostbeat: no pod on this node is called «nobody»: try its name, namespace\/name, or a part of it/,
    );
    const many = await node.explain('demo-system/');
    expect(many.stdout.match(/^demo-system\/\w+: /gm)).toHaveLength(3);
    const rotated = join(node.podLogDir, 'demo-system_shop_uid-1/app/0.log.20261124-010101');
    mkdirSync(dirname(rotated), { recursive: true });
    writeFileSync(rotated, '');
    const { pods } = JSON.parse((await node.explain('shop', '-o', 'json')).stdout) as Explanation;
    expect(pods[0]?.containers[0]?.files.map(({ name }) => name)).toEqual(['0.log.20261124-010101', '0.log']);
  });
});
