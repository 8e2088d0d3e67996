import { readFile } from 'node:fs/promises';
import type { Config } from '../config/config.ts';
import { EtcdConnection } from '../writers/etcd-connection.ts';
import { FileNodeReports } from '../writers/file-node-reports.ts';
import {
  emptyNodeReport,
  encodeNodeReport,
  knownNodeKey,
  nodeKey,
  nodeObject,
  type NodeReport,
  nodeReportPath,
  parseNodeReport,
} from '../writers/node-report.ts';
import { decodeNodeObject, ObjectNodeReports } from '../writers/object-node-reports.ts';
import { selectObjectStore } from '../writers/select-object-store.ts';
import { isHeard } from './is-heard.ts';
import type { Telling } from './nodes-elsewhere.ts';

export type Forgotten = 'forgotten' | 'live' | 'unknown';

/**
 * Says of a node that it is gone for good, in place of what it said last: its records stay, and nobody must wonder why
 * it tells nothing. One that is heard is left as it is; one that comes back tells of itself again.
 */
export function forgetNode(
  { from, config, node }: { from: Telling; config: Config; node: string },
  signal: AbortSignal,
): Promise<Forgotten> {
  if (from === 'etcd') return forgetInEtcd(config, node, signal);
  return from === 'file' ? forgetFile(config.file.path, node) : forgetObject({ from, config, node }, signal);
}

/** @param last what it said last; undefined where that cannot be read. */
function gone(node: string, last: NodeReport | undefined): NodeReport {
  const now = new Date();
  const nothingLeft = { containers: 0, stopped: true, forgotten: now.toISOString() };
  return { ...(last ?? emptyNodeReport(node, now)), ...nothingLeft };
}

async function forgetObject(
  { from, config, node }: { from: 's3' | 'gcs'; config: Config; node: string },
  signal: AbortSignal,
): Promise<Forgotten> {
  const store = await selectObjectStore(from, config);
  try {
    const bytes = await store.find(nodeObject(config[from].prefix, node), signal);
    if (bytes === undefined) return 'unknown';
    const report = decodeNodeObject(bytes);
    if (report !== undefined && isHeard(report, Date.now())) return 'live';
    await new ObjectNodeReports({ ...config[from], name: from, store }).publish(gone(node, report), signal);
    return 'forgotten';
  } finally {
    store.close();
  }
}

/** Under the lease that it has, which outlives its records. */
async function forgetInEtcd(config: Config, node: string, signal: AbortSignal): Promise<Forgotten> {
  const connection = new EtcdConnection({ ...config.etcd, servers: config.etcdServers });
  const live = Buffer.from(nodeKey(node));
  const known = Buffer.from(knownNodeKey(node));
  try {
    const { kvs } = await connection.call(({ kv }, options) => kv.range({ key: known }, options), signal);
    if (kvs[0] === undefined) return 'unknown';
    const { value, mod_revision } = kvs[0];
    const report = gone(node, parseNodeReport(value.toString('utf8')));
    const put = { key: known, value: Buffer.from(encodeNodeReport(report)), ignore_lease: true };
    const { succeeded } = await connection.call(
      ({ kv }, options) =>
        kv.txn(
          {
            compare: [
              { key: live, target: 'Version', version: '0', result: 'Equal' },
              { key: known, target: 'Mod', mod_revision, result: 'Equal' },
            ],
            success: [{ request_put: put }],
            failure: [],
          },
          options,
        ),
      signal,
    );
    return succeeded ? 'forgotten' : 'live';
  } finally {
    await connection.close();
  }
}

async function forgetFile(filePath: string, node: string): Promise<Forgotten> {
  let text: string;
  try {
    text = await readFile(nodeReportPath(filePath, node), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'unknown';
    throw error;
  }
  const report = parseNodeReport(text);
  if (report !== undefined && isHeard(report, Date.now())) return 'live';
  await new FileNodeReports(filePath).publish(gone(node, report));
  return 'forgotten';
}
