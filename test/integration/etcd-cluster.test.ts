import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { startEtcdCluster, type TestEtcd, type TestEtcdCluster } from '../support/etcd.ts';
import { isolatedNetwork } from '../support/isolated-network.ts';
import { orSkip } from '../support/unavailable.ts';
import { until } from '../support/until.ts';
import { testNode, type TestNode } from './node.ts';

const LINES_PER_SECOND = 2_000;

it(
  'a three-member etcd whose members are killed, frozen, cut off and restarted gets every line once',
  { timeout: 300_000 },
  async () => {
    await using network = await orSkip(isolatedNetwork(), 'an etcd member that is cut off');
    await using cluster = await startEtcdCluster({ network });
    const node = await testNode(undefined);
    const agent = await node.startAgent({
      // What is written here is records: the reports of the node would go to a member of their own.
      NODE_REPORT_PERIOD: '30m',
      NODE_LEASE: '1h',
      POD_SOURCE: 'directory',
      ETCD_SERVERS: cluster.urls.join(','),
      BATCH_SIZE: '128',
      BATCH_PERIOD: '100ms',
    });
    const load = new Load(node);
    const progress = new Progress(cluster);
    onTestFinished(() => Promise.all([load.stop(), progress.stop()]).then(() => undefined));
    const pauses: Record<string, number> = {};
    const during = async (what: string, ms: number, fault: () => Promise<void> | void): Promise<void> => {
      progress.mark();
      await fault();
      await sleep(ms);
      // A pause counts when a write has ended it.
      progress.written = false;
      await until(() => progress.written, { timeoutMs: 30_000, what: `a write after «${what}»` });
      pauses[what] = Math.round(progress.longestPause);
    };
    await agent.ready();
    await during('nothing', 3_000, () => undefined);

    const killed = await cluster.leader();
    await during('the leader was killed', 8_000, () => killed.kill());
    await killed.restart();

    // Whoever is at fault next is the one that the agent talks to: the others would hardly be noticed.
    const writtenToFollower = async (): Promise<TestEtcd | undefined> => {
      const member = await writtenTo(cluster);
      if (member !== (await cluster.leader())) return member;
      await cluster.moveLeader();
      return undefined;
    };
    const follower = await until(writtenToFollower, {
      timeoutMs: 60_000,
      what: 'a follower that is written to',
    });
    await during('the follower was frozen', 8_000, () => follower.freeze());
    follower.thaw();
    await sleep(1_000);

    const leading = await cluster.leader();
    await during('the leader was frozen', 8_000, () => leading.freeze());
    leading.thaw();
    await sleep(1_000);

    if (network !== undefined) {
      const isolated = cluster.members.at(-1);
      const isWrittenTo = async (): Promise<boolean> => {
        const member = await writtenTo(cluster);
        if (member !== isolated) await restart(member);
        return member === isolated;
      };
      await until(isWrittenTo, {
        timeoutMs: 90_000,
        what: 'that the member that can be cut off is written to',
      });
      await during('the member was cut off', 8_000, () => network.cut());
      await network.mend();
      await sleep(2_000);
    }

    for (const [index, member] of cluster.members.entries()) {
      await during(`member ${index} was restarted`, 1_000, () => restart(member));
    }

    await load.stop();
    await until(async () => (await agent.metric('lines_delivered_total')) === load.lines, {
      timeoutMs: 60_000,
      what: 'the delivery of all lines',
    });
    expect((await agent.stop()).code).toBe(0);
    const numbers = await storedNumbers(cluster.members[0]!);
    expect({
      lost: load.lines - new Set(numbers).size,
      twice: numbers.length - new Set(numbers).size,
    }).toEqual({
      lost: 0,
      twice: 0,
    });
    process.stderr.write(
      `${load.lines} lines at ${Math.round(load.linesPerSecond)}/s; longest pause between two writes, in ms: ${JSON.stringify(pauses)}\n`,
    );
    expect(load.linesPerSecond).toBeGreaterThan(LINES_PER_SECOND * 0.9);
    expect(pauses['the leader was killed']).toBeLessThan(12_000);
    expect(agent.complaints.filter((line) => !line.startsWith('warn: The writer etcd fails: '))).toEqual([]);
    expect(agent.complaints.length).toBeLessThan(25);
  },
);

/** Four containers that write so many lines a second, each of its own number, until it is stopped. */
class Load {
  lines = 0;
  linesPerSecond = 0;
  #stopped = false;
  readonly #running: Promise<void>;

  constructor({ podLogDir }: Pick<TestNode, 'podLogDir'>) {
    const files = ['a', 'b', 'c', 'd'].map((name) =>
      join(podLogDir, `demo-system_${name}_uid-${name}`, 'main', '0.log'),
    );
    for (const file of files) mkdirSync(dirname(file), { recursive: true });
    this.#running = this.#run(files);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(files: readonly string[]): Promise<void> {
    const begun = performance.now();
    while (!this.#stopped) {
      const due = Math.floor(((performance.now() - begun) / 1_000) * LINES_PER_SECOND) - this.lines;
      const time = new Date().toISOString();
      for (const [index, file] of files.entries()) {
        const share = Math.floor((due + index) / files.length);
        const lines = Array.from({ length: share }, () => {
          const n = this.lines++;
          return `${time} stdout F {"time":"${time}","traceId":"trace-${n % 5_000}","msg":"${'x'.repeat(200)}","n":${n}}\n`;
        });
        appendFileSync(file, lines.join(''));
      }
      await sleep(50);
    }
    this.linesPerSecond = this.lines / ((performance.now() - begun) / 1_000);
  }
}

/** Watches, at every member for itself, how long the store stays as it is. */
class Progress {
  written = false;
  longestPause = 0;
  #revision = 0;
  #at = performance.now();
  #stopped = false;
  readonly #running: Promise<unknown>;

  constructor({ members }: TestEtcdCluster) {
    this.#running = Promise.all(members.map((member) => this.#watch(member)));
  }

  mark(): void {
    this.longestPause = 0;
    this.#at = performance.now();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #watch(member: TestEtcd): Promise<void> {
    while (!this.#stopped) {
      try {
        const { header } = await member.client.kv.range({ key: Buffer.from('x'), serializable: true });
        this.#saw(Number(header.revision));
      } catch {
        // It is down, or frozen: the others tell.
      }
      await sleep(20);
    }
  }

  #saw(revision: number): void {
    if (revision <= this.#revision) return;
    const now = performance.now();
    this.longestPause = Math.max(this.longestPause, now - this.#at);
    this.#at = now;
    this.#revision = revision;
    this.written = true;
  }
}

async function restart(member: TestEtcd): Promise<void> {
  await member.stop();
  await member.restart();
  // The agent has noticed by then.
  await sleep(1_000);
}

/** The member that the agent writes to: its count of transactions grows. (A connection may outlive its use.) */
async function writtenTo({ members }: TestEtcdCluster): Promise<TestEtcd> {
  const counts = (): Promise<number[]> => Promise.all(members.map(transactions));
  const only = async (): Promise<TestEtcd | undefined> => {
    const before = await counts();
    await sleep(300);
    const after = await counts();
    const [member, ...others] = members.filter((_, index) => after[index]! > before[index]!);
    return others.length === 0 ? member : undefined;
  };
  return await until(only, { timeoutMs: 30_000, what: 'one member that the agent writes to' });
}

/** How many a member has been asked for by clients, as it tells itself. */
async function transactions({ url }: TestEtcd): Promise<number> {
  const text = await (await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(5_000) })).text();
  const [, count = '0'] = /^grpc_server_started_total\{grpc_method="Txn".*\} (\S+)$/m.exec(text) ?? [];
  return Number(count);
}

/** The numbers of all lines in the store, key by key. */
async function storedNumbers({ client }: TestEtcd): Promise<number[]> {
  const numbers: number[] = [];
  const end = Buffer.from('logs0');
  for (let key = Buffer.from('logs/'), more = true; more;) {
    const page = await client.kv.range({ key, range_end: end, limit: 2_000 });
    for (const { value } of page.kvs) numbers.push(Number(/"n":(\d+)/.exec(value.toString())?.[1]));
    more = page.more;
    key = Buffer.concat([page.kvs.at(-1)?.key ?? end, Buffer.alloc(1)]);
  }
  return numbers;
}
