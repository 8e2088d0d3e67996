import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { unpackDebianPackage } from '../support/debian-package.ts';
import { startEtcd, type TestEtcd } from '../support/etcd.ts';
import { until } from '../support/until.ts';
import { allStored, ownText, testNode, untilStored, writeRecords } from './node.ts';

let etcd: TestEtcd;
let preload: string;
beforeAll(async () => {
  etcd = await startEtcd();
  const files = await unpackDebianPackage('libfaketime');
  preload = join(
    files,
    'usr/lib',
    `${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/faketime/libfaketime.so.1`,
  );
}, 300_000);
afterAll(() => etcd[Symbol.asyncDispose]());

it('an agent whose clock is set forward by a day, back by two, and forward again reads, stores and saves on', async () => {
  const node = await testNode(etcd);
  const clock = join(node.directory, 'clock');
  const set = (days: number) => writeFileSync(clock, `${days < 0 ? '' : '+'}${days * 86_400}\n`);
  set(0);
  const env = {
    LD_PRELOAD: preload,
    FAKETIME_TIMESTAMP_FILE: clock,
    FAKETIME_CACHE_DURATION: '1',
    // What is set is the wall clock alone: not the one that only goes on, and not what the disk has on record.
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    NO_FAKE_STAT: '1',
  };
  const { metadata } = node.api.addPod({
    namespace: 'demo-system',
    name: 'web',
    labels: { app: 'snowplow' },
  });
  const log = join(node.podLogDir, `demo-system_web_${metadata.uid}`, 'app', '0.log');
  const written = writeRecords(log, 10);
  let agent = await node.startAgent(env);
  await agent.ready();
  await untilStored(etcd, written.length);
  for (const [turn, days] of [1, -1, -0.1, 30, 0].entries()) {
    set(days);
    // Before and after the clock is seen to be set, with a rotation between.
    for (const part of ['before', 'rotated', 'after']) {
      if (part === 'rotated') renameSync(log, `${log}.2026112${turn}-180000`);
      written.push(...writeRecords(log, 10));
      await untilStored(etcd, written.length);
    }
    await until(
      async () => {
        const savedAt =
          ((await agent.metric('offsets_last_commit_timestamp_seconds')) ?? 0) - Date.now() / 1_000;
        return Math.abs(savedAt - days * 86_400) < 3_600;
      },
      { what: 'a save by the clock that was set' },
    );
    const unread = await agent.metric('behind_bytes');
    expect(unread).toBe(0);
    if (turn % 2 === 0) continue;
    await agent.kill();
    agent = await node.startAgent(env);
    await agent.ready();
  }
  expect((await allStored(etcd)).map(({ value }) => ownText(value)).toSorted()).toEqual(written.toSorted());
  expect(agent.complaints).toEqual([]);
  expect((await agent.stop()).code).toBe(0);
});
