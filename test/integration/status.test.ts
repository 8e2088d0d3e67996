import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import type { ContainerStatus, Status } from '../../src/ops/status.ts';
import { until } from '../support/until.ts';
import { testNode, writeRecords } from './node.ts';

it('an agent at work tells of its containers: files, offsets, counts, skipped lines, and of what it does not follow', async () => {
  const node = await testNode(undefined);
  const followed = join(node.podLogDir, 'demo-system_shop_uid-1/app/0.log');
  writeRecords(followed, 10);
  appendFileSync(followed, `${new Date().toISOString()} stdout F Listening on <b>8080</b>\n`);
  writeRecords(join(node.podLogDir, 'kube-system_proxy_uid-2/proxy/0.log'), 1);
  mkdirSync(join(node.podLogDir, 'lost+found'));
  writeRecords(join(node.podLogDir, 'demo-system_other_uid-3/app/0.log'), 1);
  node.api.addPod({
    namespace: 'demo-system',
    name: 'shop',
    uid: 'uid-1',
    node: 'node-1',
    labels: { app: 'snowplow' },
    annotations: { 'frostbeat.io/exclude': 'sidecar' },
  });
  writeRecords(join(node.podLogDir, 'demo-system_shop_uid-1/sidecar/0.log'), 1);
  writeRecords(join(node.podLogDir, 'demo-system_shop_uid-1/proxy/0.log'), 1);

  const agent = await node.startAgent({ WRITERS: 'file', EXCLUDE_CONTAINERS: 'proxy' });
  await agent.ready();
  const status = async () => (await (await fetch(`${agent.base}/status.json`)).json()) as Status;
  const shop = async (): Promise<ContainerStatus | undefined> =>
    (await status()).containers.find(({ pod }) => pod === 'shop');
  await until(async () => (await shop())?.delivered === 10, { what: 'ten records' });

  const one = (await shop())!;
  expect(one).toMatchObject({
    namespace: 'demo-system',
    container: 'app',
    directory: dirname(followed),
    state: 'reading',
    behindBytes: 0,
    deletionSeconds: null,
    lines: 11,
    records: 10,
    skipped: { not_json: 1 },
    samples: [{ reason: 'not_json', text: 'Listening on <b>8080</b>' }],
  });
  expect(one.files).toEqual([
    {
      name: '0.log',
      offset: one.files[0]!.size,
      read: one.files[0]!.size,
      size: expect.any(Number),
      state: 'reading',
    },
  ]);
  expect(Date.now() - Date.parse(one.lastRecordAt!)).toBeLessThan(20_000);

  await until(async () => (await status()).notFollowed.length === 5, {
    what: 'the others let go',
    timeoutMs: 20_000,
  });
  const all = await status();
  const why = Object.fromEntries(all.notFollowed.map((other) => [other.directory, other.why]));
  expect(why).toEqual({
    'demo-system_other_uid-3': expect.stringMatching(/^SELECTOR is app=snowplow: /),
    'kube-system_proxy_uid-2': 'NAMESPACE is demo-system: its namespace is kube-system.',
    'demo-system_shop_uid-1/sidecar': "The pod's annotation frostbeat.io/exclude names it.",
    'demo-system_shop_uid-1/proxy': "The agent's settings exclude containers of this name.",
    'lost+found': expect.stringMatching(/^Its name is not of the form/),
  });
  expect(all.writers).toMatchObject([{ name: 'file', failure: null, full: false, batches: 0 }]);
  expect(all.watches).toEqual([{ namespace: 'demo-system', open: true, trouble: null }]);
  expect(all).toMatchObject({ version: 1, paused: false, ready: { ok: true }, live: { ok: true } });

  const page = await (await fetch(agent.base)).text();
  expect(page).toContain('All is well');
  const own = await (await fetch(`${agent.base}/?container=demo-system_shop_uid-1/app`)).text();
  expect(own).toContain('Listening on &lt;b&gt;8080&lt;/b&gt;');

  await agent.stop();
  const discreet = await node.startAgent({ WRITERS: 'file', SHOW_SKIPPED_LINES: 'false' });
  await discreet.ready();
  appendFileSync(followed, `${new Date().toISOString()} stdout F my password\n`);
  const told = async () => await (await fetch(`${discreet.base}/status.json`)).text();
  await until(async () => (await told()).includes('"not_json":1}'), { what: 'the skip' });
  expect(await told()).not.toContain('my password');
});
