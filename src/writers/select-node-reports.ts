import type { Config } from '../config/config.ts';
import type { NodeReports } from './node-reports.ts';

/** Where the agent tells of its node: in each of its destinations that traces can be read from. */
export async function selectNodeReports(config: Config): Promise<readonly NodeReports[]> {
  const { writers, etcd, etcdServers, ttlMs, nodeLeaseMs, file } = config;
  const reports: NodeReports[] = [];
  if (writers.includes('etcd')) {
    const { EtcdNodeReports } = await import('./etcd-node-reports.ts');
    reports.push(new EtcdNodeReports({ ...etcd, servers: etcdServers, ttlMs, leaseMs: nodeLeaseMs }));
  }
  if (writers.includes('file')) {
    const { FileNodeReports } = await import('./file-node-reports.ts');
    reports.push(new FileNodeReports(file.path));
  }
  for (const name of ['s3', 'gcs'] as const) {
    if (!writers.includes(name)) continue;
    const [{ ObjectNodeReports }, { selectObjectStore }] = await Promise.all([
      import('./object-node-reports.ts'),
      import('./select-object-store.ts'),
    ]);
    const store = await selectObjectStore(name, config);
    reports.push(new ObjectNodeReports({ ...config[name], name, store }));
  }
  return reports;
}
