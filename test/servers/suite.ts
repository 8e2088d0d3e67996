import { expect, it } from 'vitest';
import { conformance, type Subject } from '../../src/testing/conformance.ts';
import { frostbeat } from '../support/frostbeat.ts';
import type { TestServer } from '../support/servers/server-process.ts';
import { until } from '../support/until.ts';
import type { DirectoryNode } from './agent-run.ts';

type Env = Readonly<Record<string, string>>;

/** The conformance suite, as tests. @param server its faults; it is not started yet when this is called. */
export function conformanceSuite(subject: Omit<Subject, 'server'>, server: () => TestServer): void {
  const all: Subject = Object.defineProperties(
    {
      server: {
        kill: () => server().kill(),
        restart: () => server().restart(),
        freeze: () => server().freeze(),
        thaw: () => server().thaw(),
      },
    },
    Object.getOwnPropertyDescriptors(subject),
  ) as Subject;
  it.each(conformance(all))(
    '$title',
    async ({ run }) => {
      await expect(run()).resolves.toBeUndefined();
    },
    240_000,
  );
}

/** The lines of `frostbeat trace`. */
export async function traceLines(args: readonly string[], env: Env): Promise<string[]> {
  const { code, stdout, stderr } = await frostbeat(['trace', ...args, '--output', 'json'], { env }).ended();
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.any(String) as string });
  return stdout.split('\n').slice(0, -1);
}

/** Starts an agent that cannot work, and waits until it is not ready and says why, without a stack; it loses nothing. */
export async function tells(node: DirectoryNode, env: Env, what: RegExp): Promise<void> {
  // What it cannot write it need not try to until the very end.
  const agent = await node.startAgent({ SHUTDOWN_TIMEOUT: '1s', ...env });
  await until(
    async () => {
      const { ok, text } = await agent.readiness();
      return !ok && what.test(text);
    },
    { timeoutMs: 30_000, what: String(what) },
  ).catch(async (cause: unknown) => {
    throw new Error(`Cannot see ${String(what)}: ${(await agent.readiness()).text}`, { cause });
  });
  expect(agent.text).not.toContain('    at ');
  expect(agent.text.replaceAll('\\"', '"')).toMatch(what);
  const { delivered, deadLettered } = (await agent.ledger()) ?? {};
  expect({ delivered, deadLettered }).toEqual({ delivered: 0, deadLettered: 0 });
  expect((await agent.stop()).code).toBe(0);
}

/** Starts an agent that can, and waits until all that there is was delivered. */
export async function delivers(node: DirectoryNode, count: number, env: Env = {}): Promise<void> {
  const agent = await node.startAgent(env);
  await until(async () => ((await agent.ledger())?.delivered ?? 0) >= count, {
    timeoutMs: 60_000,
    what: `${count} records that are delivered`,
  });
  expect((await agent.stop()).code).toBe(0);
}
