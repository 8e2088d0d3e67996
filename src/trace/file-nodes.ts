import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nodeReportsDirectory, parseNodeReport } from '../writers/node-report.ts';
import { isHeard } from './is-heard.ts';
import type { Nodes } from './known-node.ts';

/** What the agents tell of their nodes beside the file writer's output. */
export async function fileNodes(filePath: string, nowMs: number): Promise<Nodes> {
  const directory = nodeReportsDirectory(filePath);
  const names = await readdir(directory).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  });
  const nodes = names
    .filter((name) => name.endsWith('.json'))
    .toSorted()
    .map(async (name) => {
      const report = parseNodeReport(await readFile(join(directory, name), 'utf8'));
      const live = report !== undefined && isHeard(report, nowMs);
      return { node: report?.node ?? name.slice(0, -'.json'.length), report, live };
    });
  return { nodes: await Promise.all(nodes) };
}
