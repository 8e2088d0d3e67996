import { formatDuration } from '../util/duration.ts';
import { checkKafka } from './kafka-settings.ts';
import { checkSearch } from './search-check.ts';
import { naming, type Values } from './settings.ts';

/** What only shows when settings are seen together. Settings that are wrong by themselves are absent here. */
export function crossCheck(values: Partial<Values>, { node }: { readonly node: boolean }): string[] {
  const mistakes: string[] = [];
  const say = (variable: string, text: string): unknown => mistakes.push(`${naming(variable)} ${text}`);

  if (node && values.podSource === 'kubernetes' && values.nodeName === '') {
    say(
      'NODE_NAME',
      'is not set: with POD_SOURCE=kubernetes it must be the name of this node ' +
        '(in a DaemonSet from the downward API, spec.nodeName); POD_SOURCE=directory needs none',
    );
  }
  if (node && values.filePath?.includes('{node}') && values.nodeName === '') {
    say('NODE_NAME', `is not set: with {node} in FILE_PATH it must be the name of this node`);
  }
  const { nodeReportPeriodMs: period, nodeLeaseMs: lease } = values;
  if (period !== undefined && lease !== undefined && lease < 2 * period) {
    say(
      'NODE_LEASE',
      `is ${formatDuration(lease)}: it must be twice NODE_REPORT_PERIOD (${formatDuration(period)}) at least, or live agents would seem silent`,
    );
  }
  const { canaryIntervalMs: every = 0, canaryTimeoutMs: wait, batchPeriodMs: batch } = values;
  if (every > 0 && wait !== undefined && batch !== undefined && wait <= batch) {
    say(
      'CANARY_TIMEOUT',
      `is ${formatDuration(wait)}: it must be longer than BATCH_PERIOD (${formatDuration(batch)}), for which a line may wait`,
    );
  }
  const { containers, excludeContainers: excluded } = values;
  if (containers !== undefined && excluded !== undefined) {
    const wanted = containers.length === 0 ? ['*'] : containers;
    if (excluded.includes('*') || wanted.every((pattern) => excluded.includes(pattern))) {
      say(
        'EXCLUDE_CONTAINERS',
        `is "${excluded.join(',')}": it must leave some of ${wanted.join(',')} to follow`,
      );
    }
  }
  if (values.etcdPassword !== undefined && values.etcdPasswordFile !== undefined) {
    say(
      'ETCD_PASSWORD_FILE',
      `is "${values.etcdPasswordFile}": it must not be set together with ETCD_PASSWORD`,
    );
  }
  const password = values.etcdPassword ?? values.etcdPasswordFile;
  if ('etcdUsername' in values && values.etcdUsername === undefined && password !== undefined) {
    say('ETCD_USERNAME', 'is not set: with a password it must be the name of the user');
  }
  if (values.etcdUsername !== undefined && bothAbsent(values, 'etcdPassword', 'etcdPasswordFile')) {
    say('ETCD_PASSWORD_FILE', 'is not set: with ETCD_USERNAME it must be a file, or ETCD_PASSWORD be set');
  }
  if (values.etcdCertFile !== undefined && isAbsent(values, 'etcdKeyFile')) {
    say('ETCD_KEY_FILE', 'is not set: with ETCD_CERT_FILE it must be the file of its key');
  }
  if (values.etcdKeyFile !== undefined && isAbsent(values, 'etcdCertFile')) {
    say('ETCD_CERT_FILE', 'is not set: with ETCD_KEY_FILE it must be the file of its certificate');
  }
  if (values.serveUsername !== undefined && isAbsent(values, 'servePasswordFile')) {
    say('SERVE_PASSWORD_FILE', 'is not set: with SERVE_USERNAME it must be a file that holds the password');
  }
  if (values.servePasswordFile !== undefined && isAbsent(values, 'serveUsername')) {
    say('SERVE_USERNAME', 'is not set: with SERVE_PASSWORD_FILE it must be the name of the user');
  }
  for (const [writer, variable, bucket] of [
    ['s3', 'S3_BUCKET', values.s3Bucket],
    ['gcs', 'GCS_BUCKET', values.gcsBucket],
  ] as const) {
    if (values.writers?.includes(writer) && bucket === undefined) {
      say(variable, `is not set: with the writer ${writer} it must be the name of a bucket`);
    }
  }
  checkSchemes(values, say);
  for (const product of ['elasticsearch', 'opensearch'] as const) checkSearch(values, product, say);
  checkKafka(values, say);
  return mistakes;
}

function checkSchemes(values: Partial<Values>, say: (variable: string, text: string) => unknown): void {
  const schemes = new Set(values.etcdServers?.map(({ scheme }) => scheme ?? 'either'));
  const tls = values.etcdCaFile ?? values.etcdCertFile;
  const text = values.etcdServers
    ?.map(({ scheme, host }) => (scheme ? `${scheme}://${host}` : host))
    .join(',');
  if (schemes.has('http') && tls !== undefined) {
    say('ETCD_SERVERS', `is "${text}": with ETCD_CA_FILE or ETCD_CERT_FILE it must be https:// or host:port`);
  } else if (schemes.has('https') && (schemes.has('http') || (schemes.has('either') && tls === undefined))) {
    say('ETCD_SERVERS', `is "${text}": it must be http:// or https:// throughout`);
  }
}

function bothAbsent(values: Partial<Values>, one: keyof Values, other: keyof Values): boolean {
  return isAbsent(values, one) && isAbsent(values, other);
}

/** Not given, as opposed to given and wrong. */
function isAbsent(values: Partial<Values>, key: keyof Values): boolean {
  return key in values && values[key] === undefined;
}
