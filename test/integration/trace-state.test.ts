import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { wallClock } from '../../src/demo/clock.ts';
import { ContainerLog } from '../../src/demo/container-log.ts';
import { containerdFormat } from '../../src/demo/containerd-format.ts';
import type { TraceState } from '../../src/trace/trace-state.ts';
import { startAgent } from '../support/agent-process.ts';
import { startEtcd } from '../support/etcd.ts';
import { frostbeat } from '../support/frostbeat.ts';
import { until } from '../support/until.ts';

interface Answer {
  readonly records: readonly object[];
  readonly state?: TraceState;
}

/** Agents on a machine that is busy with other things take their time. */
const patient = { timeoutMs: 60_000 };

describe('three agents on three nodes, and what is told of a trace', () => {
  it('is open while one is frozen, complete when it goes on, incomplete when one is gone for longer than its lease', async () => {
    await using etcd = await startEtcd();
    const env = { WRITERS: 'etcd', ETCD_SERVERS: etcd.url, TRACE_GRACE: '1s' };
    const nodes = ['n1', 'n2', 'n3'].map((name) => simulatedNode(name));
    const start = (n: number) =>
      startAgent({
        ...env,
        ...nodes[n]!.settings,
        POD_SOURCE: 'directory',
        NAMESPACE: 'shop',
        BATCH_PERIOD: '200ms',
        NODE_REPORT_PERIOD: '300ms',
      });
    const agents = [await start(0), await start(1), await start(2)];
    for (const agent of agents) await agent.ready(60_000);
    const page = await startPage(env);
    const see = async (
      traceId: string,
      wanted: (answer: Answer) => boolean,
      what: string,
    ): Promise<Answer> => {
      let last: Answer | undefined;
      const look = async () => {
        last = await page(traceId);
        return wanted(last) ? last : undefined;
      };
      return await until(look, { ...patient, what }).catch((cause: unknown) => {
        throw new Error(`Cannot see ${what}: ${JSON.stringify(last?.state)}`, { cause });
      });
    };

    for (const node of nodes) node.print('first');
    const first = await see('first', is('complete'), 'a complete trace');
    expect(first.records).toHaveLength(3);

    agents[1]!.signal('SIGSTOP');
    for (const node of nodes) node.print('frozen');
    const open = await see('frozen', is('open', 'n2'), 'an open trace that names the node');
    expect(open.records).toHaveLength(2);
    expect(open.state?.reason).toMatch(/^n2 is not past .* yet: it has stored everything up to /);
    const following = frostbeat(['trace', 'frozen', '--until-complete', '-o', 'json'], { env });
    await until(() => following.output.stderr.includes('"open"'), { ...patient, what: 'open on a terminal' });
    agents[1]!.signal('SIGCONT');
    expect((await see('frozen', is('complete'), 'a trace that becomes complete')).records).toHaveLength(3);
    const { code, stdout } = await following.ended();
    expect([code, stdout.trim().split('\n').length]).toEqual([0, 3]);

    await agents[2]!.kill();
    for (const node of nodes) node.print('killed');
    await see('killed', is('open', 'n3'), 'a trace that is open while the lease lasts');
    const incomplete = await see('killed', is('incomplete', 'n3'), 'an incomplete trace that names the node');
    expect(incomplete.records).toHaveLength(2);
    expect(incomplete.state).toMatchObject({ waits: false, doubts: [{ node: 'n3', why: 'silent' }] });
    expect((await frostbeat(['trace', 'killed', '--until-complete'], { env }).ended()).code).toBe(4);
    expect((await frostbeat(['nodes', '-o', 'pretty'], { env }).ended()).stdout).toMatch(/^n3 +silent /m);

    agents[2] = await start(2);
    expect((await see('killed', is('complete'), 'a trace that becomes complete again')).records).toHaveLength(
      3,
    );
  }, 240_000);
});

/** Whether an answer says so, and names these nodes. */
const is =
  (state: TraceState['state'], ...named: string[]) =>
  (answer: Answer): boolean =>
    answer.state?.state === state && answer.state.nodes.join() === named.join();

/** A node with one pod, and the settings that its agent is given. */
function simulatedNode(name: string) {
  const directory = mkdtempSync(join(tmpdir(), 'frostbeat-node-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, `pods/shop_cart-${name}_uid-${name}/main/0.log`);
  mkdirSync(dirname(path), { recursive: true });
  mkdirSync(join(directory, 'state'));
  const log = new ContainerLog(path, containerdFormat({ clock: wallClock() }));
  onTestFinished(() => log.end());
  return {
    settings: {
      NODE_NAME: name,
      POD_LOG_DIR: join(directory, 'pods'),
      STATE_DIR: join(directory, 'state'),
    },
    print: (traceId: string) =>
      log.print(`${JSON.stringify({ time: new Date().toISOString(), traceId, msg: `of ${name}` })}\n`),
  };
}

/** Starts `frostbeat serve`. @returns what it answers of a trace. */
async function startPage(
  env: Readonly<Record<string, string>>,
): Promise<(traceId: string) => Promise<Answer>> {
  const serving = frostbeat(['serve'], { env: { ...env, HTTP_PORT: '0' } });
  onTestFinished(async () => {
    serving.child.kill();
    await serving.ended();
  });
  const address = () => /http:\S+\/$/m.exec(serving.output.stdout)?.[0];
  const base = await until(address, { ...patient, what: 'the page' });
  return async (traceId) => (await (await fetch(`${base}api/traces/${traceId}`)).json()) as Answer;
}
