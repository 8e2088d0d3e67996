import { type EtcdClient, makeEtcdClient, readSecrets } from '../writers/etcd-client.ts';
import { EtcdFailure } from '../writers/etcd-errors.ts';
import { humanBytes } from '../util/human.ts';
import { type Check, type CheckContext, fail, type Finding, messageOf, ok, skip, warn } from './finding.ts';

const CALL_MS = 4_000;
/** A database this full needs room soon. */
const FULL = 0.8;

/** Each member of etcd: whether it answers, its version, its alarms, and how full its database is. */
export const checkEtcd: Check = async (context) => {
  const { config } = context;
  if (!config.writers.includes('etcd')) return [];
  const members = await Promise.all(config.etcdServers.map(async (server) => await member(server, context)));
  return members.flat();
};

async function member(server: string, { config }: CheckContext): Promise<Finding[]> {
  const what = `etcd ${server}`;
  let client: EtcdClient | undefined;
  try {
    const secrets = await readSecrets({ ...config.etcd, servers: [server] });
    client = makeEtcdClient(server, config.etcd.username, secrets);
    const deadline = Date.now() + CALL_MS;
    const { version, dbSize } = await client.maintenance.status({ deadline });
    const used = Number(dbSize);
    const quota = await quotaOf(server);
    const sizes = quota === undefined ? humanBytes(used) : `${humanBytes(used)} of ${humanBytes(quota)}`;
    const findings = [
      ok(what, `answers, version ${version}, database ${sizes}`),
      ...(await alarms(what, client, deadline)),
    ];
    if (quota === undefined) {
      findings.push(
        skip(
          what,
          'how much its database may hold is not told (/metrics is not to be had without TLS)',
          'docs/etcd.md says how large it must be.',
        ),
      );
    } else if (used > quota * FULL) {
      const todo =
        'Compact and defragment it, raise --quota-backend-bytes, or shorten TTL (docs/etcd.md): a full etcd takes nothing.';
      findings.push(warn(what, `its database is ${Math.round((used / quota) * 100)} % full`, todo));
    }
    return findings;
  } catch (error) {
    const failure = new EtcdFailure(error);
    return [
      fail(
        what,
        failure.message,
        'Check ETCD_SERVERS, the network policy and TLS. Nothing is lost meanwhile: reading waits.',
      ),
    ];
  } finally {
    client?.close();
  }
}

async function alarms(what: string, client: EtcdClient, deadline: number): Promise<Finding[]> {
  try {
    const answer = await client.maintenance.alarm({}, { deadline });
    return answer.alarms.map(({ alarm }) =>
      fail(
        what,
        `has the alarm ${alarm.toUpperCase()}`,
        /nospace/i.test(alarm)
          ? 'Compact it, defragment every member, then disarm the alarm: etcdctl compact, defrag, alarm disarm.'
          : 'Its data is damaged: follow etcd’s documentation on the alarm.',
      ),
    );
  } catch (error) {
    // Only root may ask, where authentication is on.
    return [skip(what, `its alarms are not told: ${messageOf(error)}`)];
  }
}

/** The size that the database may have, which etcd tells only among its metrics. */
async function quotaOf(server: string): Promise<number | undefined> {
  if (server.startsWith('https:')) return undefined;
  try {
    const answer = await fetch(`${server.replace(/\/$/, '')}/metrics`, {
      signal: AbortSignal.timeout(CALL_MS),
    });
    const [, value] = /^etcd_server_quota_backend_bytes (\S+)$/m.exec(await answer.text()) ?? [];
    return value === undefined || Number(value) <= 0 ? undefined : Number(value);
  } catch {
    return undefined;
  }
}
