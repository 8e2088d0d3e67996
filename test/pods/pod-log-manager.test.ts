import { execFile } from 'node:child_process';
import { appendFile, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMetrics } from '../../src/ops/metrics.ts';
import { containerTarget, podTarget } from '../../src/pods/log-path.ts';
import { PodLogManager, type PodLogManagerOptions } from '../../src/pods/pod-log-manager.ts';
import type { Heard, PodTarget } from '../../src/pods/targets.ts';
import { FakeTails } from '../support/fake-tail.ts';
import { until } from '../support/until.ts';

const mayUnshare = await promisify(execFile)('unshare', ['--user', '--map-root-user', 'true']).then(
  () => true,
  () => false,
);

let home: string;
let podLogDir: string;
let tails: FakeTails;
let forgotten: string[];
let suspects: string[];
let heard: Heard | undefined;
let logLines: { level: number; msg: string; directories?: string[] }[];
let stop: AbortController;
let running: Promise<void>;
let metrics: ReturnType<typeof createMetrics>;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'manager-'));
  podLogDir = join(home, 'pods');
  await mkdir(podLogDir);
  tails = new FakeTails();
  forgotten = [];
  suspects = [];
  heard = undefined;
  logLines = [];
  stop = new AbortController();
  metrics = createMetrics();
});

afterEach(async () => {
  stop.abort();
  await running;
  await rm(home, { recursive: true, force: true });
});

function start(options: Partial<PodLogManagerOptions> = {}): PodLogManager {
  const { timing, ...others } = options;
  const manager = new PodLogManager({
    podLogDir,
    makeTail: tails.make,
    log: pino({}, { write: (line: string) => void logLines.push(JSON.parse(line)) }),
    metrics,
    onForgotten: ({ pod, container }) => forgotten.push(`${pod}/${container}`),
    holds: ({ namespace }) => namespace === 'demo',
    source: { suspect: ({ pod }) => suspects.push(pod), heard: () => heard },
    ...others,
    // Longer than any test: what a test sees is seen by events, unless it says otherwise.
    timing: { rescanMs: 60_000, graceMs: 60_000, releaseMs: 10, restartMs: 10, ...timing },
  });
  running = manager.run(stop.signal);
  return manager;
}

const pod = (name: string, uid = 'u1'): PodTarget =>
  podTarget(podLogDir, { namespace: 'demo', pod: name, uid });

async function makeContainer(target: PodTarget, ...names: string[]): Promise<void> {
  for (const name of names) await mkdir(join(target.directory, name), { recursive: true });
}

/** How many this process has: proc_pid_fdinfo(5). */
async function inotifyWatches(): Promise<number> {
  let count = 0;
  for (const fd of await readdir('/proc/self/fdinfo')) {
    const info = await readFile(`/proc/self/fdinfo/${fd}`, 'utf8').catch(() => '');
    count += info.split('\n').filter((line) => line.startsWith('inotify wd:')).length;
  }
  return count;
}

/** Waits until exactly these are followed, within the second that is promised; returns them. */
async function untilFollowing(...names: string[]): Promise<string[]> {
  const what = `tails of ${names.join()}`;
  await until(() => tails.following.join() === names.join(), { what, timeoutMs: 1_000 }).catch(
    (cause: unknown) => {
      throw new Error(`Followed are ${tails.following.join()}`, { cause });
    },
  );
  return tails.following;
}

describe('following', () => {
  it('follows every container of a pod whose directory is there before the pod is told', async () => {
    await makeContainer(pod('a'), 'main', 'sidecar');
    const manager = start();
    manager.added(pod('a'));
    expect(await untilFollowing('a/main', 'a/sidecar')).toHaveLength(2);
    expect(tails.all[0]?.target).toEqual(containerTarget(pod('a'), 'main'));
    expect([manager.pods, manager.tails, manager.notReady]).toEqual([1, 2, undefined]);
    expect(await metrics.registry.metrics()).toContain('frostbeat_pods 1');
  });

  it('follows a pod whose directory appears after the pod is told, and containers as they appear', async () => {
    const manager = start();
    manager.added(pod('a'));
    await sleep(100);
    await makeContainer(pod('a'), 'init');
    await untilFollowing('a/init');
    await makeContainer(pod('a'), 'main');
    expect(await untilFollowing('a/init', 'a/main')).toHaveLength(2);
  });

  it('follows pods that are told before it runs', async () => {
    await makeContainer(pod('a'), 'main');
    const early = new PodLogManager({
      podLogDir,
      makeTail: tails.make,
      log: pino({ level: 'silent' }),
      metrics,
    });
    early.added(pod('a'));
    early.added(pod('b'));
    early.removed(pod('b'));
    running = early.run(stop.signal);
    expect(await untilFollowing('a/main')).toEqual(['a/main']);
  });

  it('waits for POD_LOG_DIR, and follows again when it was removed and came back', async () => {
    await rm(podLogDir, { recursive: true });
    const manager = start();
    manager.added(pod('a'));
    await until(() => manager.notReady?.includes('does not exist yet'), {
      what: 'that it says what is missing',
    });
    await makeContainer(pod('a'), 'main');
    await untilFollowing('a/main');
    expect(manager.notReady).toBeUndefined();
    await rm(podLogDir, { recursive: true });
    await until(() => tails.all[0]?.rescans === 1, { what: 'the tail being told to look' });
    manager.added(pod('b'));
    await sleep(300);
    await makeContainer(pod('b'), 'main');
    await untilFollowing('a/main', 'b/main');
    await sleep(300);
    manager.added(pod('c'));
    await makeContainer(pod('c'), 'main');
    await untilFollowing('a/main', 'b/main', 'c/main');
    expect(logLines.filter(({ msg }) => msg.includes('does not exist yet'))).toHaveLength(2);
  });

  it('finds POD_LOG_DIR behind a link', async () => {
    await rename(podLogDir, join(home, 'elsewhere'));
    await symlink(join(home, 'elsewhere'), podLogDir);
    const manager = start();
    manager.added(pod('a'));
    await sleep(200);
    await makeContainer(pod('a'), 'main');
    expect(await untilFollowing('a/main')).toEqual(['a/main']);
  });

  it('does not follow links in place of a pod or a container', async () => {
    await mkdir(join(home, 'secret', 'main'), { recursive: true });
    await makeContainer(pod('b'), 'main');
    await symlink(join(home, 'secret'), pod('a').directory);
    await symlink(join(home, 'secret'), join(pod('b').directory, 'linked'));
    const manager = start();
    manager.added(pod('a'));
    manager.added(pod('b'));
    await untilFollowing('b/main');
    await mkdir(join(home, 'secret', 'second'));
    await sleep(200);
    expect(tails.following).toEqual(['b/main']);
  });

  it('leaves out containers that are not selected, and those that the pod excludes, also later', async () => {
    await makeContainer(pod('a'), 'main', 'proxy', 'debug');
    const manager = start({ selects: (container) => container !== 'debug' });
    manager.added({ ...pod('a'), excluded: ['proxy'] });
    await untilFollowing('a/main');
    manager.added(pod('a'));
    await untilFollowing('a/main', 'a/proxy');
    manager.added({ ...pod('a'), excluded: ['main'] });
    await untilFollowing('a/proxy');
    expect(forgotten).toEqual(['a/main']);
  });

  it('is not woken by what containers write', async () => {
    await makeContainer(pod('a'), 'main', 'unwanted');
    let looks = 0;
    // What is not wanted is asked about at every look.
    const selects = (container: string) => {
      if (container === 'unwanted') looks += 1;
      return container !== 'unwanted';
    };
    const watchesBefore = await inotifyWatches();
    const manager = start({ selects });
    manager.added(pod('a'));
    await untilFollowing('a/main');
    // The watchers' first scans are told late.
    await sleep(500);
    const before = looks;
    const directory = join(pod('a').directory, 'main');
    for (let line = 0; line < 200; line += 1) await appendFile(join(directory, '0.log'), `line ${line}\n`);
    await rename(join(directory, '0.log'), join(directory, '0.log.20260101-000000'));
    await appendFile(join(directory, '0.log'), 'next\n');
    await sleep(200);
    expect(looks - before).toBe(0);
    // One watch for POD_LOG_DIR and one for the pod's directory: none for what the containers write to.
    expect((await inotifyWatches()) - watchesBefore).toBe(2);
    // And this is told, by the same watchers.
    await makeContainer(pod('a'), 'other');
    await untilFollowing('a/main', 'a/other');
  });

  it('takes a pod made anew under the same name for another', async () => {
    await makeContainer(pod('a', 'u1'), 'main');
    const manager = start();
    manager.added(pod('a', 'u1'));
    await untilFollowing('a/main');
    manager.added(pod('a', 'u2'));
    manager.removed(pod('a', 'u1'));
    await makeContainer(pod('a', 'u2'), 'main');
    await until(() => forgotten.length === 1, { what: 'the first one let go' });
    await until(() => tails.all.length === 2, { what: 'the second one' });
    expect(tails.all.map(({ target, drained }) => [target.uid, drained])).toEqual([
      ['u1', true],
      ['u2', false],
    ]);
  });

  it('ends all tails when it is stopped, and ends then', async () => {
    await makeContainer(pod('a'), 'main', 'other');
    const manager = start();
    manager.added(pod('a'));
    await untilFollowing('a/main', 'a/other');
    stop.abort();
    await running;
    expect(tails.all.every(({ ended }) => ended)).toBe(true);
    expect(forgotten).toEqual([]);
  });

  it('starts a tail that ended or failed by itself again, and says so', async () => {
    await makeContainer(pod('a'), 'main');
    const manager = start();
    manager.added(pod('a'));
    await untilFollowing('a/main');
    tails.all[0]?.end();
    await until(() => tails.all[1]?.started, { what: 'the second tail' });
    tails.all[1]?.fail(new Error('for the test'));
    await until(() => tails.all[2]?.started, { what: 'the third tail' });
    expect(logLines.filter(({ level }) => level === 50)).toHaveLength(2);
    expect(forgotten).toEqual([]);
  });
});

describe('letting go', () => {
  it('drains a released pod soon, with what is there by then, and lets it go', async () => {
    await makeContainer(pod('a'), 'main');
    const manager = start();
    manager.added(pod('a'));
    await untilFollowing('a/main');
    await makeContainer(pod('a'), 'last');
    manager.removed(pod('a'));
    await until(() => forgotten.length === 2, { what: 'both containers let go' });
    expect(tails.all.map(({ target, drained }) => [target.container, drained])).toEqual([
      ['main', true],
      ['last', true],
    ]);
    await until(() => manager.pods === 0, { what: 'the pod let go' });
    await makeContainer(pod('a'), 'after');
    await sleep(100);
    expect(tails.all).toHaveLength(2);
  });

  it('follows a deleted pod until its directory goes', async () => {
    await makeContainer(pod('a'), 'main');
    const manager = start();
    manager.added(pod('a'));
    await untilFollowing('a/main');
    manager.removed(pod('a'), 'deleted');
    await makeContainer(pod('a'), 'late');
    await untilFollowing('a/late', 'a/main');
    await rm(pod('a').directory, { recursive: true });
    await until(() => manager.pods === 0, { what: 'the pod let go' });
    expect(forgotten.sort()).toEqual(['a/late', 'a/main']);
  });

  it('drains a deleted pod whose directory stays when the grace is over', async () => {
    await makeContainer(pod('a'), 'main');
    const manager = start({ timing: { graceMs: 200 } });
    manager.added(pod('a'));
    await untilFollowing('a/main');
    manager.removed(pod('a'), 'deleted');
    await sleep(50);
    expect(tails.following).toEqual(['a/main']);
    await until(() => manager.pods === 0, { what: 'the pod let go' });
    expect(forgotten).toEqual(['a/main']);
  });

  it.each(['deleted', 'released'] as const)(
    'takes in a pod whose directory appears only after it was %s',
    async (why) => {
      const manager = start();
      manager.added(pod('a'));
      manager.removed(pod('a'), why);
      await sleep(100);
      await makeContainer(pod('a'), 'main');
      await untilFollowing('a/main');
      await rm(pod('a').directory, { recursive: true });
      await until(() => manager.pods === 0, { what: 'the pod let go' });
      expect(forgotten).toEqual(['a/main']);
    },
  );

  it('lets go of a pod whose directory never appears when the grace is over', async () => {
    const manager = start({ timing: { graceMs: 50 } });
    manager.added(pod('a'));
    manager.removed(pod('a'));
    expect(manager.pods).toBe(1);
    await until(() => manager.pods === 0, { what: 'the pod let go' });
    expect(tails.all).toEqual([]);
  });

  it('keeps a pod that is told again before it is drained, with the same tail', async () => {
    await makeContainer(pod('a'), 'main');
    const manager = start({ timing: { releaseMs: 200 } });
    manager.added(pod('a'));
    await untilFollowing('a/main');
    manager.removed(pod('a'));
    manager.added(pod('a'));
    await sleep(400);
    expect(tails.all).toHaveLength(1);
    expect(tails.following).toEqual(['a/main']);
  });

  it('keeps a pod that is told again while it is drained, with the same tail, and can drain it again', async () => {
    await makeContainer(pod('a'), 'main');
    tails.endWhenDrained = false;
    const manager = start();
    manager.added(pod('a'));
    await untilFollowing('a/main');
    for (let round = 0; round < 2; round++) {
      manager.removed(pod('a'));
      await until(() => tails.all[0]?.drained, { what: 'the tail being drained' });
      manager.added(pod('a'));
      await untilFollowing('a/main');
    }
    expect([tails.all.length, forgotten]).toEqual([1, []]);
    manager.removed(pod('a'));
    await until(() => tails.all[0]?.drained, { what: 'the tail being drained' });
    tails.all[0]?.end();
    await until(() => forgotten.length === 1, { what: 'the container let go' });
  });

  it('makes a new tail when the old one has ended, for a pod that is told again when that is at its end', async () => {
    await makeContainer(pod('a'), 'main');
    tails.endWhenDrained = false;
    tails.resume = false;
    const manager = start();
    manager.added(pod('a'));
    await untilFollowing('a/main');
    manager.removed(pod('a'));
    await until(() => tails.all[0]?.drained, { what: 'the first tail being drained' });
    manager.added(pod('a'));
    await sleep(100);
    expect(tails.all).toHaveLength(1);
    tails.all[0]?.end();
    await untilFollowing('a/main');
    expect(tails.all).toHaveLength(2);
    expect(forgotten).toEqual([]);
  });

  it('drains again with another tail when one failed while it was drained', async () => {
    await makeContainer(pod('a'), 'main');
    tails.endWhenDrained = false;
    const manager = start();
    manager.added(pod('a'));
    await untilFollowing('a/main');
    manager.removed(pod('a'));
    await until(() => tails.all[0]?.drained, { what: 'the first tail being drained' });
    tails.endWhenDrained = true;
    tails.all[0]?.fail(new Error('for the test'));
    await until(() => forgotten.length === 1, { what: 'the container let go' });
    expect(tails.all.map(({ drained }) => drained)).toEqual([true, true]);
  });

  it('follows pods anew that are told again at any moment of their leaving', async () => {
    const pods = Array.from({ length: 60 }, (_, index) => pod(`p${index}`));
    for (const each of pods) await makeContainer(each, 'main');
    const manager = start({ timing: { releaseMs: 1 } });
    for (const each of pods) manager.added(each);
    await until(() => tails.following.length === 60, { what: 'all followed' });
    for (const [index, each] of pods.entries()) {
      manager.removed(each);
      setTimeout(() => manager.added(each), index % 30);
      if (index % 10 === 0) await sleep(1);
    }
    await sleep(50);
    await until(() => tails.following.length === 60, { what: 'all followed again' });
    expect(manager.tails).toBe(60);
  });

  it('follows a pod anew that is told again after it has gone', async () => {
    await makeContainer(pod('a'), 'main');
    const manager = start();
    manager.added(pod('a'));
    await untilFollowing('a/main');
    manager.removed(pod('a'));
    await until(() => forgotten.length === 1, { what: 'the container let go' });
    manager.added(pod('a'));
    expect(await untilFollowing('a/main')).toEqual(['a/main']);
    expect(tails.all).toHaveLength(2);
  });
});

describe('what is remembered', () => {
  it('is followed at once, and drained when the first list does not have its pod', async () => {
    await makeContainer(pod('a'), 'main', 'unwanted');
    await makeContainer(pod('b'), 'main');
    const remembered = [pod('a'), pod('b'), pod('gone')].map((each) => containerTarget(each, 'main'));
    const manager = start({ remembered });
    // Before the API has answered only what was selected for certain.
    await untilFollowing('a/main', 'b/main', 'gone/main');
    await sleep(200);
    expect(tails.following).toEqual(['a/main', 'b/main', 'gone/main']);
    expect(tails.holding).toEqual(['a/unwanted']);
    manager.added(pod('a'));
    manager.synced();
    await untilFollowing('a/main', 'a/unwanted');
    await until(() => forgotten.length === 2, { what: 'the others let go' });
    expect(forgotten.sort()).toEqual(['b/main', 'gone/main']);
    await until(() => manager.pods === 1, { what: 'their pods let go' });
  });

  it('is read with the other containers of its pod where that is not told any more: it was selected to its end', async () => {
    await makeContainer(pod('a'), 'main', 'new', 'secret');
    const manager = start({ remembered: [{ ...containerTarget(pod('a'), 'main'), excluded: ['secret'] }] });
    await untilFollowing('a/main');
    await until(() => tails.holding.includes('a/new'), { what: 'the other held' });
    manager.synced();
    await until(() => forgotten.length === 2, { what: 'both let go' });
    const read = tails.all.filter(({ held, drained }) => !held && drained);
    expect(read.map(({ target }) => target.container).sort()).toEqual(['main', 'new']);
    expect(tails.all).toHaveLength(2);
    await until(() => manager.pods === 0, { what: 'the pod let go' });
  });

  it('of a container that was let go is followed once its pod is told, also where its directory is gone', async () => {
    const manager = start({
      unread: ({ directory }) => (directory === pod('a').directory ? ['main'] : []),
      timing: { graceMs: 50 },
    });
    await sleep(50);
    expect(tails.all).toEqual([]);
    manager.added(pod('a'));
    await untilFollowing('a/main');
    manager.removed(pod('a'), 'deleted');
    await until(() => forgotten.length === 1, { what: 'the container let go' });
  });

  it('is let go at once where the container is not selected any more', async () => {
    await makeContainer(pod('a'), 'main', 'proxy');
    const remembered = ['main', 'proxy'].map((name) => containerTarget(pod('a'), name));
    start({ remembered, selects: (name) => name !== 'proxy' });
    expect(await untilFollowing('a/main')).toEqual(['a/main']);
    expect(forgotten).toEqual(['a/proxy']);
  });
});

// In a user namespace of its own the limits are ours to set. The child is all that meets them.
function limited(limit: string) {
  return promisify(execFile)('unshare', [
    '--user',
    '--map-root-user',
    'sh',
    '-c',
    `echo 0 >/proc/sys/user/${limit} && exec "$0" test/fixtures/pods/without-inotify.ts`,
    process.execPath,
  ]);
}

describe('where the system has no watches to give', () => {
  it.skipIf(!mayUnshare).each([
    ['max_inotify_watches', 'ENOSPC'],
    ['max_inotify_instances', 'EMFILE'],
  ])('follows pods all the same with %s 0, and says so once', async (limit, code) => {
    const { stdout } = await limited(limit);
    expect(JSON.parse(stdout)).toEqual({
      followed: ['a/main', 'b/main', 'c/main'],
      words: [`Cannot watch directories (${code}); directories are listed every 0.3 s`],
      watchErrors: expect.any(Number),
    });
  });
});

/** The source has heard of all that has happened until now, in a watch that goes on from a list of so long ago. */
const hear = (listedAt = 0) => {
  const now = performance.now();
  heard = { askedAt: now, heardAt: now, listedAt };
};

async function untilHolding(...names: string[]): Promise<void> {
  await until(() => tails.holding.join() === names.join(), { what: `held tails of ${names.join()}` });
}

describe('directories nobody told of', () => {
  it('are held, and read once their pod is told, also where they are gone by then', async () => {
    await makeContainer(pod('a'), 'main', 'other');
    const manager = start();
    await untilHolding('a/main', 'a/other');
    expect([manager.pods, manager.held]).toEqual([0, 1]);
    expect(tails.all.every(({ opened }) => opened)).toBe(true);
    await rm(pod('a').directory, { recursive: true });
    await sleep(100);
    manager.added({ ...pod('a'), excluded: ['other'] });
    await untilFollowing('a/main');
    expect([manager.pods, manager.held]).toEqual([1, 0]);
    await untilHolding();
    manager.removed(pod('a'), 'deleted');
    await until(() => manager.pods === 0, { what: 'the pod let go' });
    expect(forgotten).toEqual(['a/main']);
  });

  it('are opened before anything runs', async () => {
    await makeContainer(pod('a'), 'main');
    await makeContainer(pod('b'), 'main');
    const manager = new PodLogManager({
      podLogDir,
      makeTail: tails.make,
      log: pino({ level: 'silent' }),
      metrics,
      holds: () => true,
      remembered: [containerTarget(pod('b'), 'main')],
    });
    await manager.open();
    expect(tails.all.map(({ target, held, opened, started }) => [target.pod, held, opened, started])).toEqual(
      [
        ['b', false, true, false],
        ['a', true, true, false],
      ],
    );
    running = manager.run(stop.signal);
    await untilFollowing('b/main');
    await untilHolding('a/main');
  });

  it('are held as containers and pods appear in them, and not at all in other namespaces', async () => {
    const manager = start({ selects: (name) => name !== 'proxy' });
    const other = podTarget(podLogDir, { namespace: 'else', pod: 'x', uid: 'u' });
    await makeContainer(other, 'main');
    await until(() => manager.notReady === undefined, { what: 'the first look' });
    await makeContainer(pod('a'), 'init', 'proxy');
    await untilHolding('a/init');
    await makeContainer(pod('a'), 'main');
    await untilHolding('a/init', 'a/main');
    expect(tails.all).toHaveLength(2);
  });

  it('are let go once the source was heard for a while of what happened before they were seen', async () => {
    await makeContainer(pod('a'), 'main');
    const manager = start({ timing: { wonderMs: 100, settleMs: 300 } });
    await untilHolding('a/main');
    await sleep(800);
    manager.synced();
    expect(tails.holding).toEqual(['a/main']);
    hear();
    await sleep(100);
    expect(tails.holding).toEqual(['a/main']);
    await untilHolding();
    await until(() => manager.held === 0, { what: 'the pod let go' });
    expect([forgotten, tails.following, suspects]).toEqual([[], [], []]);
    // For good, though its directory stays and containers come; until it is told.
    await makeContainer(pod('a'), 'later');
    await sleep(300);
    expect(tails.all).toHaveLength(1);
    manager.added(pod('a'));
    await untilFollowing('a/later', 'a/main');
    expect(logLines.filter(({ level }) => level >= 40)).toEqual([]);
  });

  it('make the source look again where it was heard only before they were seen, once', async () => {
    const manager = start({ timing: { wonderMs: 200, settleMs: 300 } });
    await until(() => manager.notReady === undefined, { what: 'the first look' });
    hear();
    await makeContainer(pod('stranger'), 'main');
    await until(() => suspects.length > 0, { what: 'a word of it', timeoutMs: 3_000 });
    await sleep(1_200);
    expect([suspects, tails.holding]).toEqual([['stranger'], ['stranger/main']]);
    hear();
    await untilHolding();
    expect(suspects).toEqual(['stranger']);
  });

  it('are let go much later where the source has answered, and then says nothing', async () => {
    await makeContainer(pod('a'), 'main');
    start({ timing: { settleMs: 10, silentMs: 1_000 } });
    await untilHolding('a/main');
    heard = { askedAt: performance.now(), heardAt: 0, listedAt: 0 };
    await sleep(700);
    expect(tails.holding).toEqual(['a/main']);
    await untilHolding();
    expect(suspects).toEqual([]);
  });

  it('stay held where the source falls silent before it was heard for long enough', async () => {
    await makeContainer(pod('a'), 'main');
    start({ timing: { settleMs: 700 } });
    await untilHolding('a/main');
    hear();
    await sleep(600);
    heard = undefined;
    await sleep(600);
    hear();
    await sleep(200);
    expect(tails.holding).toEqual(['a/main']);
    await untilHolding();
  });

  it.each([
    ['are told and counted where they came and went before a list', true],
    ['are let go in silence where a watch would have told of them', false],
  ])('%s', async (_, listed) => {
    const manager = start({ timing: { settleMs: 100 } });
    await until(() => manager.notReady === undefined, { what: 'the first look' });
    const before = performance.now();
    await makeContainer(pod('a'), 'main');
    await makeContainer(pod('b'), 'main');
    await untilHolding('a/main', 'b/main');
    await rm(pod('a').directory, { recursive: true });
    await sleep(100);
    hear(listed ? performance.now() : before);
    await untilHolding();
    const told = logLines.filter(({ level }) => level === 40).map(({ directories }) => directories);
    expect(told).toEqual(listed ? [['demo_a_u1']] : []);
    expect(await metrics.registry.metrics()).toContain(`frostbeat_pods_unknown_total ${listed ? 1 : 0}`);
  });

  it('are told and counted where they are there and their pods do not exist any more', async () => {
    let asked = 0;
    const existing = async () => {
      // It is asked again where it could not say.
      if (asked++ === 0) throw new Error('403');
      return new Set([pod('a').directory]);
    };
    start({
      unselected: [],
      source: { heard: () => heard, existing },
      timing: { settleMs: 100, askAgainMs: 100 },
    });
    await makeContainer(pod('a'), 'main');
    await makeContainer(pod('b'), 'main');
    await untilHolding('a/main', 'b/main');
    hear(performance.now());
    await untilHolding();
    await until(() => logLines.some(({ level }) => level === 40), { what: 'a word of it' });
    expect(logLines.filter(({ level }) => level === 40)).toMatchObject([{ directories: ['demo_b_u1'] }]);
    expect(await metrics.registry.metrics()).toContain('frostbeat_pods_unknown_total 1');
    expect(asked).toBe(2);
  });

  it('are no cause to wonder where an earlier run knew that they are not selected', async () => {
    const unselected = ['a', 'b'].map((name) => pod(name).directory);
    let asked = 0;
    const existing = () => Promise.resolve(new Set(unselected.slice(asked++)));
    const manager = start({
      unselected,
      source: { heard: () => heard, existing },
      timing: { settleMs: 100 },
    });
    await makeContainer(pod('a'), 'main');
    await makeContainer(pod('b'), 'main');
    await untilHolding('a/main', 'b/main');
    await rm(pod('a').directory, { recursive: true });
    await sleep(100);
    hear(performance.now());
    await untilHolding();
    await until(() => manager.held === 0, { what: 'both let go' });
    expect(logLines.filter(({ level }) => level >= 40)).toEqual([]);
    expect(asked).toBe(0);
    expect(manager.unselected).toContain(pod('b').directory);
  });

  it('are told at a stop where nothing was heard and they are gone', async () => {
    await makeContainer(pod('a'), 'main');
    await makeContainer(pod('b'), 'main');
    start();
    await untilHolding('a/main', 'b/main');
    await rm(pod('a').directory, { recursive: true });
    await sleep(200);
    stop.abort();
    await running;
    expect(logLines.filter(({ level }) => level === 40)).toMatchObject([{ directories: ['demo_a_u1'] }]);
  });

  it('are forgotten once nothing is left of them to hold', async () => {
    await makeContainer(pod('a'), 'main');
    const manager = start();
    await untilHolding('a/main');
    await rm(pod('a').directory, { recursive: true });
    await sleep(100);
    expect(manager.held).toBe(1);
    // The tail says so: it has no file open any more.
    tails.all[0]?.end();
    await until(() => manager.held === 0, { what: 'the pod forgotten' });
    expect(logLines.filter(({ level }) => level === 50)).toEqual([]);
  });
});
