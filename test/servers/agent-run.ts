import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { writeRecords } from '../integration/node.ts';
import { type RunningAgent, startAgent } from '../support/agent-process.ts';
import type { TestServer } from '../support/servers/server-process.ts';
import { until } from '../support/until.ts';

/** A node without an API, whose agent writes to a real server. */
export interface DirectoryNode {
  readonly stateDir: string;
  /** Appends so many records of a trace to its container's log, and gives their texts. */
  write(count: number, traceId?: string): string[];
  startAgent(more?: Readonly<Record<string, string>>): Promise<RunningAgent>;
}

/** @param env how the agent reaches the server. */
export function directoryNode(env: Readonly<Record<string, string>>): DirectoryNode {
  const directory = mkdtempSync(join(tmpdir(), 'frostbeat-node-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const podLogDir = join(directory, 'pods');
  const stateDir = join(directory, 'state');
  const log = join(podLogDir, 'shop_web-0_0b5f6c34-6ab0-4f4e-a1fd-2f5b0a7f2a11', 'app', '0.log');
  mkdirSync(podLogDir);
  return {
    stateDir,
    write: (count, traceId) => writeRecords(log, count, traceId),
    startAgent: (more = {}) =>
      startAgent(
        {
          POD_SOURCE: 'directory',
          NODE_NAME: 'node-1',
          NAMESPACE: '*',
          POD_LOG_DIR: podLogDir,
          STATE_DIR: stateDir,
          BATCH_PERIOD: '200ms',
          ...env,
          ...more,
        },
        { cwd: directory },
      ),
  };
}

/**
 * Lets the agent write while its server is killed, frozen and stopped, and the agent itself is killed, and waits
 * until nothing is in flight.
 *
 * @returns the texts of all records, in the order in which they were written.
 */
export async function writeThroughFaults(node: DirectoryNode, server: TestServer): Promise<string[]> {
  const written = node.write(200);
  let agent = await node.startAgent();
  await agent.ready(60_000);
  const enough = new AbortController();
  const writes = (async () => {
    while (!enough.signal.aborted) {
      written.push(...node.write(25));
      await sleep(50);
    }
  })();
  await settledOver(agent, 200);
  await server.kill();
  await until(async () => !(await agent.readiness()).ok, { timeoutMs: 40_000, what: 'an agent that tells' });
  await server.restart();
  await agent.ready(60_000);
  server.freeze();
  await sleep(2_000);
  server.thaw();
  await agent.kill();
  agent = await node.startAgent();
  await agent.ready(60_000);
  await server.stop();
  await sleep(500);
  await server.restart();
  await agent.ready(60_000);
  enough.abort();
  await writes;
  await until(
    async () => {
      const ledger = await agent.ledger();
      return ledger !== undefined && ledger.inFlight === 0 && ledger.read > 0;
    },
    { timeoutMs: 90_000, what: 'nothing in flight' },
  );
  // What was appended last may not have been read yet when nothing is in flight.
  await sleep(1_500);
  await until(async () => (await agent.ledger())?.inFlight === 0, {
    timeoutMs: 90_000,
    what: 'nothing in flight',
  });
  const exit = await agent.stop();
  if (exit.code !== 0) throw new Error(`Cannot stop the agent: ${JSON.stringify(exit)} ${agent.lastWords}`);
  return written;
}

async function settledOver(agent: RunningAgent, count: number): Promise<void> {
  await until(async () => ((await agent.ledger())?.delivered ?? 0) >= count, {
    timeoutMs: 60_000,
    what: `${count} records that are delivered`,
  });
}
