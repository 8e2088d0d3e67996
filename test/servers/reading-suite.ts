import { expect, it, onTestFinished } from 'vitest';
import { ownText } from '../integration/node.ts';
import { startEtcd } from '../support/etcd.ts';
import { frostbeat } from '../support/frostbeat.ts';
import { until } from '../support/until.ts';
import { directoryNode } from './agent-run.ts';

interface Listed {
  readonly traceId: string;
  readonly lines: number;
  readonly state?: string;
}

const patient = (what: string) => ({ timeoutMs: 60_000, what });

/** What the reading commands do with a store that can be followed. @param env how it is reached. */
export function readingSuite(name: string, env: () => Readonly<Record<string, string>>): void {
  it('a trace is followed and listed; etcd beside it tells whether it is complete, and by itself it does not know', async () => {
    await using etcd = await startEtcd();
    const both = {
      ...env(),
      WRITERS: `etcd,${name}`,
      ETCD_SERVERS: etcd.url,
      TRACE_GRACE: '1s',
      NODE_REPORT_PERIOD: '300ms',
    };
    const node = directoryNode(both);
    const written = node.write(2, 'followed');
    const agent = await node.startAgent();
    await until(async () => ((await agent.ledger())?.delivered ?? 0) >= 2, {
      timeoutMs: 60_000,
      what: 'two records',
    });
    const alone = { ...both, WRITERS: name };
    const following = frostbeat(['trace', 'followed', '--follow', '-o', 'json'], { env: alone });
    onTestFinished(() => void following.child.kill());
    const shown = (): string[] => following.output.stdout.split('\n').slice(0, -1);
    await until(() => shown().length === 2, patient('what was there'));
    written.push(...node.write(3, 'followed'));
    await until(() => shown().length === 5, patient('what came since'));
    following.child.kill('SIGINT');
    expect((await following.ended()).code).toBe(0);
    expect(shown().map((line) => ownText(Buffer.from(line)))).toEqual(written);

    const told = ['--from', name, '-o', 'json'];
    const complete = await frostbeat(['trace', 'followed', '--until-complete', ...told], {
      env: both,
    }).ended();
    expect({ ...complete, stdout: complete.stdout.split('\n').length - 1 }).toMatchObject({
      code: 0,
      stdout: 5,
      stderr: expect.not.stringContaining('frostbeat:') as string,
    });
    const list = await frostbeat(['traces', ...told], { env: both }).ended();
    const listed = list.stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Listed);
    expect(listed.find(({ traceId }) => traceId === 'followed')).toMatchObject({
      lines: 5,
      state: 'complete',
    });
    const nodes = await frostbeat(['nodes', ...told], { env: both }).ended();
    expect(nodes.stdout).toMatch(/^\{"node":"node-1",.*"live":true/);

    // Another node writes to this store alone: nobody is told how far it is.
    const untold = directoryNode({ ...alone, NODE_NAME: 'node-2' });
    untold.write(1, 'followed');
    const other = await untold.startAgent();
    await until(async () => (await other.ledger())?.delivered === 1, patient('a record of the other node'));
    const state = await until(async () => {
      const asked = await frostbeat(['trace', 'followed', '--state', ...told], { env: both }).ended();
      return asked.code === 3 ? undefined : asked;
    }, patient('a state that waits for none'));
    expect({ ...state, stdout: JSON.parse(state.stdout) as unknown }).toMatchObject({
      code: 5,
      stdout: { state: 'unknown', nodes: ['node-2'], doubts: [{ node: 'node-2', why: 'untold' }] },
    });
    expect((await other.stop()).code).toBe(0);

    const unknown = await frostbeat(['trace', 'followed', '--until-complete', '-o', 'json'], {
      env: alone,
    }).ended();
    expect(unknown.code).toBe(5);
    expect(unknown.stderr).toContain(
      `agents tell how far they are only where they write to etcd, a file or a bucket, too (WRITERS=etcd,${name})`,
    );
    expect((await agent.stop()).code).toBe(0);
  }, 240_000);
}
