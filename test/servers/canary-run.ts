import { frostbeat } from '../support/frostbeat.ts';
import type { TestServer } from '../support/servers/server-process.ts';
import { until } from '../support/until.ts';
import type { DirectoryNode } from './agent-run.ts';

/**
 * Has an agent try the whole path with canaries, while its server is well, frozen, and well again: they come back,
 * are lost, and come back, the lost ones late.
 *
 * @param env how the server is reached; WRITERS names it.
 * @returns the traces in the list: besides the canaries only `no-canary` was written.
 */
export async function tryCanaries(
  node: DirectoryNode,
  server: TestServer,
  env: Readonly<Record<string, string>>,
): Promise<string[]> {
  node.write(1, 'no-canary');
  const agent = await node.startAgent({ CANARY_INTERVAL: '1s', CANARY_TIMEOUT: '5s' });
  const see = async (name: string, holds: (count: number) => boolean): Promise<number> => {
    let count = -1;
    await until(async () => holds((count = (await agent.metric(`canaries_${name}_total`)) ?? -1)), {
      timeoutMs: 90_000,
      what: `${name} canaries`,
    }).catch((cause: unknown) => {
      throw new Error(`Cannot see it of ${name} canaries: ${count}. ${agent.lastWords}`, { cause });
    });
    return count;
  };
  const well = await see('received', (count) => count >= 3);
  server.freeze();
  await see('lost', (count) => count >= 2);
  server.thaw();
  await see('received', (count) => count > well);
  const lost = (await agent.metric('canaries_lost_total')) ?? 0;
  await see('late', (count) => count >= lost);
  const { stdout } = await frostbeat(['traces', '--output', 'json'], { env }).ended();
  await agent.stop();
  return stdout.match(/(?<="traceId":")[^"]+/g) ?? [];
}
