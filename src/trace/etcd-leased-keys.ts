import type { EtcdConnection } from '../writers/etcd-connection.ts';
import { isReportLease } from '../writers/node-report-leases.ts';
import { keyPrefix } from '../writers/etcd-key.ts';
import { canaryPrefix } from './canary-trace.ts';
import { inParallel } from './in-parallel.ts';
import { place } from './etcd-pages.ts';

/** Of the leases of each member of the cluster, so many are asked for their age. */
const MOST_LEASES = 256;
/** So many leases are asked for their keys: at most 1,000 each, as our writer makes them. */
const MOST_ASKED = 32;
const AT_ONCE = 16;
const canaries = keyPrefix + canaryPrefix;
const idSuffix = 0xffff_ffff_ffffn;

/**
 * The keys that were put last, as far as leases can tell: the writer puts the keys of one time under one lease,
 * and a lease knows its keys. Keys without a lease (TTL=0) are not found so.
 */
export async function recentlyLeased(
  connection: EtcdConnection,
  traces: number,
  signal: AbortSignal,
): Promise<{ keys: Buffer[]; note: string }> {
  const { leases } = await connection.call(
    ({ leaseClient }, options) => leaseClient.leaseLeases(options),
    signal,
  );
  const aged = await inParallel(
    newestIds(leases.map(({ ID }) => BigInt(ID)).filter((id) => !isReportLease(id))),
    AT_ONCE,
    async (id) => ({
      id,
      left: Number((await timeToLive(connection, id, { keys: false }, signal)).TTL),
    }),
  );
  const keys: Buffer[] = [];
  const found = new Set<string>();
  const newest = aged.sort((a, b) => b.left - a.left).slice(0, MOST_ASKED);
  for (const { id } of newest) {
    if (found.size >= traces) break;
    const lease = await timeToLive(connection, id, { keys: true }, signal);
    for (const key of lease.keys) {
      const { prefix } = place(key);
      if (!prefix.startsWith(keyPrefix) || prefix.startsWith(canaries)) continue;
      found.add(prefix);
      keys.push(key);
    }
  }
  return {
    keys,
    note: 'etcd has little history left (it is compacted, or full of other writes): older traces are found by their leases, and some may be missing',
  };
}

async function timeToLive(
  connection: EtcdConnection,
  id: bigint,
  { keys }: { keys: boolean },
  signal: AbortSignal,
) {
  return connection.call(
    ({ leaseClient }, options) => leaseClient.leaseTimeToLive({ ID: String(id), keys }, options),
    signal,
  );
}

/**
 * A server makes an ID from its member's number and a number that grows: of each member the highest are the newest.
 * Only the choice rests on that, where there are many; their age is asked for.
 */
function newestIds(ids: readonly bigint[]): bigint[] {
  const byMember = Map.groupBy(ids, (id) => id >> 48n);
  return [...byMember.values()].flatMap((group) =>
    group.sort((a, b) => Number((b & idSuffix) - (a & idSuffix))).slice(0, MOST_LEASES),
  );
}
