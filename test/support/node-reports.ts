import { mkdir, writeFile } from 'node:fs/promises';
import {
  encodeNodeReport,
  knownNodeKey,
  type NodeGap,
  nodeKey,
  type NodeReport,
  nodeReportPath,
  nodeReportsDirectory,
} from '../../src/writers/node-report.ts';
import type { TestEtcd } from './etcd.ts';

/** What an agent tells of a node where all is well: it is as far as now. */
export function nodeReport(node: string, known: Partial<NodeReport> = {}): NodeReport {
  const now = new Date().toISOString();
  return {
    version: 1,
    node,
    agent: '1.0.0',
    since: '2026-11-24T10:00:00.000Z',
    published: now,
    leaseSeconds: 15,
    watermark: now,
    lagSeconds: 0,
    containers: 3,
    stopped: false,
    gaps: [],
    gapsLeftOut: 0,
    ...known,
  };
}

export const lostGap: NodeGap = {
  namespace: 'shop',
  pod: 'cart-1',
  container: 'main',
  file: '0.log',
  from: 0,
  to: 4_096,
  start: '2026-11-24T12:00:00.000Z',
  end: '2026-11-24T12:00:07.000Z',
  reason: 'removed_while_down',
};

/** Puts a report as an agent would, of one that is heard or was. */
export async function tellEtcd(
  { client }: TestEtcd,
  report: NodeReport,
  { live = true } = {},
): Promise<void> {
  const text = encodeNodeReport(report);
  await client.put(knownNodeKey(report.node)).value(text).exec();
  if (live) await client.put(nodeKey(report.node)).value(text).exec();
  else await client.delete().key(nodeKey(report.node)).exec();
}

/** Writes a report beside the file writer's output. */
export async function tellFile(filePath: string, report: NodeReport): Promise<void> {
  await mkdir(nodeReportsDirectory(filePath), { recursive: true });
  await writeFile(nodeReportPath(filePath, report.node), encodeNodeReport(report));
}
