import {
  boolean,
  duration,
  integer,
  oneOf,
  optionalFile,
  optionalText,
  outputPath,
  path,
  paths,
  size,
  type Parse,
} from './parse.ts';
import {
  containerPatterns,
  endpoints,
  headerName,
  hostName,
  maskUserInfo,
  namespaces,
  nodeName,
  writers,
} from './parse-lists.ts';
import { selector } from './selector.ts';

/** One setting: an environment variable, and a flag of the same name. */
export interface Setting<T> {
  readonly variable: string;
  readonly group: (typeof groups)[number];
  /** Text as a user would write it; empty is none. `<STATE_DIR>` in it stands for that setting's value. */
  readonly default: string;
  readonly parse: Parse<T>;
  /** One line, for the help and for README's table. */
  readonly meaning: string;
  /** What the value is, in the help. */
  readonly placeholder: string;
  /** What may be shown of a text that holds a secret. */
  readonly mask?: (text: string) => string;
  /** Spaces around the text belong to it. */
  readonly verbatim?: true;
}

/** The headings of the help, in its order. */
export const groups = [
  'What is collected',
  'Delivery',
  'etcd',
  'file',
  'The agent itself',
  'Reading',
  'serve',
] as const;

const hour = 3_600_000;

/** Every setting. Help, flags, `frostbeat config` and the checks of a start come from this one table. */
export const settings = {
  namespaces: setting({
    variable: 'NAMESPACE',
    group: 'What is collected',
    default: 'demo-system',
    parse: namespaces,
    placeholder: 'names',
    meaning: 'Namespace to watch; a comma-separated list, or * for all',
  }),
  selector: setting({
    variable: 'SELECTOR',
    group: 'What is collected',
    default: 'app=snowplow',
    parse: selector,
    placeholder: 'selector',
    meaning: 'Label selector of the pods; empty selects all',
  }),
  containers: setting({
    variable: 'CONTAINERS',
    group: 'What is collected',
    default: '',
    parse: containerPatterns,
    placeholder: 'patterns',
    meaning: 'Containers of those pods, by name: a comma-separated list, with * and ?; empty selects all',
  }),
  excludeContainers: setting({
    variable: 'EXCLUDE_CONTAINERS',
    group: 'What is collected',
    default: '',
    parse: containerPatterns,
    placeholder: 'patterns',
    meaning: 'Containers that are left out, in the same form (istio-proxy,*-init)',
  }),
  nodeName: setting({
    variable: 'NODE_NAME',
    group: 'What is collected',
    default: '',
    parse: nodeName,
    placeholder: 'name',
    meaning: 'This node; required with POD_SOURCE=kubernetes',
  }),
  podSource: setting({
    variable: 'POD_SOURCE',
    group: 'What is collected',
    default: 'kubernetes',
    parse: oneOf('kubernetes', 'directory'),
    placeholder: 'source',
    meaning: 'Where pods are found: kubernetes (the API) or directory (the names under POD_LOG_DIR)',
  }),
  podLogDir: setting({
    variable: 'POD_LOG_DIR',
    group: 'What is collected',
    default: '/var/log/pods',
    parse: path,
    placeholder: 'path',
    meaning: "The kubelet's log directory",
  }),
  kubernetesMetadata: setting({
    variable: 'KUBERNETES_METADATA',
    group: 'What is collected',
    default: 'true',
    parse: boolean,
    placeholder: 'true|false',
    meaning: 'Add to each record where it came from',
  }),
  maxRecordBytes: setting({
    variable: 'MAX_RECORD_BYTES',
    group: 'What is collected',
    default: '1MiB',
    parse: size(1, 64 * 2 ** 20),
    placeholder: 'size',
    meaning: 'Longest record; a longer one is skipped and counted',
  }),
  logRoots: setting({
    variable: 'LOG_ROOTS',
    group: 'What is collected',
    default: '/var/lib/docker/containers',
    parse: paths,
    placeholder: 'paths',
    meaning: 'Directories beside POD_LOG_DIR that a symlink to a log file may lead into',
  }),
  maxHeldBytes: setting({
    variable: 'MAX_HELD_BYTES',
    group: 'What is collected',
    default: '1GiB',
    parse: size(0, 2 ** 50),
    placeholder: 'size',
    meaning: 'Disk space that deleted files may keep until they are read; beyond it the oldest becomes a gap',
  }),
  kubeletLogMaxSize: setting({
    variable: 'KUBELET_LOG_MAX_SIZE',
    group: 'What is collected',
    default: '10Mi',
    parse: size(1, 2 ** 50),
    placeholder: 'size',
    meaning: "The kubelet's containerLogMaxSize, to tell when it deletes what is not read yet",
  }),
  kubeletLogMaxFiles: setting({
    variable: 'KUBELET_LOG_MAX_FILES',
    group: 'What is collected',
    default: '5',
    parse: integer(2, 10_000),
    placeholder: 'n',
    meaning: "The kubelet's containerLogMaxFiles, for the same",
  }),
  writers: setting({
    variable: 'WRITERS',
    group: 'Delivery',
    default: 'etcd',
    parse: writers,
    placeholder: 'names',
    meaning: "Comma-separated: etcd, file, stdout, or a module's path (./writer.js) or package name",
  }),
  batchSize: setting({
    variable: 'BATCH_SIZE',
    group: 'Delivery',
    default: '20',
    parse: integer(1, 10_000),
    placeholder: 'n',
    meaning: 'Most records in a batch',
  }),
  batchPeriodMs: setting({
    variable: 'BATCH_PERIOD',
    group: 'Delivery',
    default: '5s',
    parse: duration(1, hour),
    placeholder: 'duration',
    meaning: 'Longest wait before a batch is written',
  }),
  maxInFlight: setting({
    variable: 'MAX_IN_FLIGHT',
    group: 'Delivery',
    default: '4',
    parse: integer(1, 1_000),
    placeholder: 'n',
    meaning: 'Batches being written at once',
  }),
  shutdownTimeoutMs: setting({
    variable: 'SHUTDOWN_TIMEOUT',
    group: 'Delivery',
    default: '25s',
    parse: duration(0, hour),
    placeholder: 'duration',
    meaning: 'How long SIGTERM may drain; keep the grace period of the pod above it',
  }),
  etcdServers: setting({
    variable: 'ETCD_SERVERS',
    group: 'etcd',
    default: 'localhost:2379',
    parse: endpoints,
    mask: maskUserInfo,
    placeholder: 'endpoints',
    meaning: 'Comma-separated endpoints, host:port or URL',
  }),
  ttlMs: setting({
    variable: 'TTL',
    group: 'etcd',
    default: '48h',
    parse: duration(2_000, 87_600 * hour, { orZero: true }),
    placeholder: 'duration',
    meaning: 'Life of keys in etcd; 0 keeps them',
  }),
  etcdUsername: setting({
    variable: 'ETCD_USERNAME',
    group: 'etcd',
    default: '',
    parse: optionalText,
    placeholder: 'name',
    meaning: 'User, where etcd asks for one',
  }),
  etcdPassword: setting({
    variable: 'ETCD_PASSWORD',
    group: 'etcd',
    default: '',
    parse: optionalText,
    placeholder: 'password',
    meaning: 'Its password; better ETCD_PASSWORD_FILE',
    mask: () => '********',
    verbatim: true,
  }),
  etcdPasswordFile: setting({
    variable: 'ETCD_PASSWORD_FILE',
    group: 'etcd',
    default: '',
    parse: optionalFile,
    placeholder: 'path',
    meaning: 'File that holds the password',
  }),
  etcdCaFile: setting({
    variable: 'ETCD_CA_FILE',
    group: 'etcd',
    default: '',
    parse: optionalFile,
    placeholder: 'path',
    meaning: "PEM of the authority that signed the server's certificate",
  }),
  etcdCertFile: setting({
    variable: 'ETCD_CERT_FILE',
    group: 'etcd',
    default: '',
    parse: optionalFile,
    placeholder: 'path',
    meaning: "PEM of the client's certificate, for mutual TLS",
  }),
  etcdKeyFile: setting({
    variable: 'ETCD_KEY_FILE',
    group: 'etcd',
    default: '',
    parse: optionalFile,
    placeholder: 'path',
    meaning: "PEM of the client's key, for mutual TLS",
  }),
  filePath: setting({
    variable: 'FILE_PATH',
    group: 'file',
    default: '<STATE_DIR>/records.ndjson',
    parse: outputPath,
    placeholder: 'path',
    meaning: 'The NDJSON file that the writer file appends to; its name may hold {node} and {date}',
  }),
  fileMaxSize: setting({
    variable: 'FILE_MAX_SIZE',
    group: 'file',
    default: '0',
    parse: size(0, 2 ** 50),
    placeholder: 'size',
    meaning: 'A file of so much is rotated; 0 never',
  }),
  fileMaxAgeMs: setting({
    variable: 'FILE_MAX_AGE',
    group: 'file',
    default: '0',
    parse: duration(1_000, 87_600 * hour, { orZero: true }),
    placeholder: 'duration',
    meaning: 'A file so old is rotated; 0 never',
  }),
  fileGzip: setting({
    variable: 'FILE_GZIP',
    group: 'file',
    default: 'false',
    parse: boolean,
    placeholder: 'true|false',
    meaning: 'Compress files that are written to no more',
  }),
  fileKeepAgeMs: setting({
    variable: 'FILE_KEEP_AGE',
    group: 'file',
    default: '0',
    parse: duration(1_000, 87_600 * hour, { orZero: true }),
    placeholder: 'duration',
    meaning: 'Remove files whose last record was written longer ago; 0 keeps them',
  }),
  fileKeepSize: setting({
    variable: 'FILE_KEEP_SIZE',
    group: 'file',
    default: '0',
    parse: size(0, 2 ** 50),
    placeholder: 'size',
    meaning: 'Remove the oldest files while all together take more; 0 keeps them',
  }),
  stateDir: setting({
    variable: 'STATE_DIR',
    group: 'The agent itself',
    default: '/var/lib/frostbeat',
    parse: path,
    placeholder: 'path',
    meaning: 'Offsets and dead letters; must survive a restart of the pod',
  }),
  httpPort: setting({
    variable: 'HTTP_PORT',
    group: 'The agent itself',
    default: '8080',
    parse: integer(0, 65_535),
    placeholder: 'port',
    meaning: 'Serves the status page, /status.json, /metrics, /healthz and /readyz; 0 is off',
  }),
  showSkippedLines: setting({
    variable: 'SHOW_SKIPPED_LINES',
    group: 'The agent itself',
    default: 'true',
    parse: boolean,
    placeholder: 'true|false',
    meaning: 'Show a sample of the lines that are no record on the status page, to whoever can reach it',
  }),
  metricsContainers: setting({
    variable: 'METRICS_CONTAINERS',
    group: 'The agent itself',
    default: '200',
    parse: integer(0, 100_000),
    placeholder: 'n',
    meaning: 'Most containers with series of their own in /metrics; the others are summed up',
  }),
  logLevel: setting({
    variable: 'LOG_LEVEL',
    group: 'The agent itself',
    default: 'info',
    parse: oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
    placeholder: 'level',
    meaning: "The agent's own log, on standard error",
  }),
  traceGraceMs: setting({
    variable: 'TRACE_GRACE',
    group: 'Reading',
    default: '5s',
    parse: duration(0, hour),
    placeholder: 'duration',
    meaning: 'How far beyond its last line all nodes must be before a trace counts as complete',
  }),
  serveHost: setting({
    variable: 'SERVE_HOST',
    group: 'serve',
    default: 'localhost',
    parse: hostName,
    placeholder: 'address',
    meaning: 'Where frostbeat serve listens (on HTTP_PORT); 0.0.0.0 opens it to others',
  }),
  serveUsername: setting({
    variable: 'SERVE_USERNAME',
    group: 'serve',
    default: '',
    parse: optionalText,
    placeholder: 'name',
    meaning: 'Who may read there, by basic authentication; needs SERVE_PASSWORD_FILE',
  }),
  servePasswordFile: setting({
    variable: 'SERVE_PASSWORD_FILE',
    group: 'serve',
    default: '',
    parse: optionalFile,
    placeholder: 'path',
    meaning: 'File that holds the password',
  }),
  serveUserHeader: setting({
    variable: 'SERVE_USER_HEADER',
    group: 'serve',
    default: '',
    parse: headerName,
    placeholder: 'name',
    meaning: 'Header in which a proxy in front says who asks; requests without it are refused',
  }),
};

/** The flag of a setting: `--batch-size` for BATCH_SIZE. */
export function flagOf(variable: string): string {
  return `--${variable.toLowerCase().replaceAll('_', '-')}`;
}

/** How a mistake names its setting, at its beginning. */
export function naming(variable: string): string {
  return `${variable} (${flagOf(variable)})`;
}

/** The value of each setting, parsed. */
export type Values = {
  readonly [Key in keyof typeof settings]: (typeof settings)[Key] extends Setting<infer T> ? T : never;
};

function setting<T>(definition: Setting<T>): Setting<T> {
  return definition;
}
