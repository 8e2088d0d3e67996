import { readFile, unlink } from 'node:fs/promises';
import type { Config } from '../config/config.ts';
import { EtcdConnection } from '../writers/etcd-connection.ts';
import {
  knownNodeKey,
  nodeKey,
  nodeObject,
  nodeReportPath,
  parseNodeReport,
} from '../writers/node-report.ts';
import { decodeNodeObject } from '../writers/object-node-reports.ts';
import { selectObjectStore } from '../writers/select-object-store.ts';
import { isHeard } from './is-heard.ts';
import type { Telling } from './nodes-elsewhere.ts';

export type Forgotten = 'forgotten' | 'live' | 'unknown';

/** Takes away what a node that is gone for good said last. One that is heard is left as it is. */
export function forgetNode(
  { from, config, node }: { from: Telling; config: Config; node: string },
  signal: AbortSignal,
): Promise<Forgotten> {
  if (from === 'etcd') return forgetInEtcd(config, node, signal);
  return from === 'file' ? forgetFile(config.file.path, node) : forgetObject({ from, config, node }, signal);
}

async function forgetObject(
  { from, config, node }: { from: 's3' | 'gcs'; config: Config; node: string },
  signal: AbortSignal,
): Promise<Forgotten> {
  const store = await selectObjectStore(from, config);
  try {
    const name = nodeObject(config[from].prefix, node);
    const bytes = await store.find(name, signal);
    if (bytes === undefined) return 'unknown';
    const report = decodeNodeObject(bytes);
    if (report !== undefined && isHeard(report, Date.now())) return 'live';
    await store.remove(name, signal);
    return 'forgotten';
  } finally {
    store.close();
  }
}

async function forgetInEtcd(config: Config, node: string, signal: AbortSignal): Promise<Forgotten> {
  const connection = new EtcdConnection({ ...config.etcd, servers: config.etcdServers });
  try {
    const { succeeded, responses } = await connection.call(
      ({ kv }, options) =>
        kv.txn(
          {
            compare: [{ key: Buffer.from(nodeKey(node)), target: 'Version', version: '0', result: 'Equal' }],
            success: [{ request_delete_range: { key: Buffer.from(knownNodeKey(node)) } }],
            failure: [],
          },
          options,
        ),
      signal,
    );
    if (!succeeded) return 'live';
    return Number(responses[0]?.response_delete_range?.deleted ?? 0) > 0 ? 'forgotten' : 'unknown';
  } finally {
    await connection.close();
  }
}

async function forgetFile(filePath: string, node: string): Promise<Forgotten> {
  const path = nodeReportPath(filePath, node);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'unknown';
    throw error;
  }
  const report = parseNodeReport(text);
  if (report !== undefined && isHeard(report, Date.now())) return 'live';
  await unlink(path);
  return 'forgotten';
}
