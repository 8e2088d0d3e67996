import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig, validConfig, type Texts } from '../../src/config/load-config.ts';
import { ConfigError } from '../../src/util/config-error.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'frostbeat-config-'));
});
afterEach(() => {
  chmodSync(directory, 0o755);
  rmSync(directory, { recursive: true });
});

function load(env: Texts, flags: Record<string, string> = {}, checks = { node: true, stateDir: false }) {
  return loadConfig({ env, flags, cwd: directory, checks });
}

const searchDefaults = {
  servers: ['http://localhost:9200'],
  index: 'frostbeat-{date}',
  fields: 'record',
  installTemplate: true,
  username: undefined,
  password: undefined,
  passwordFile: undefined,
  apiKey: undefined,
  apiKeyFile: undefined,
  caFile: undefined,
  certFile: undefined,
  keyFile: undefined,
};

/** What FILE_PATH comes to, or what is wrong with it. */
function filePathOf(path: string): string | readonly string[] {
  const { config, mistakes } = load({ NODE_NAME: 'n1', FILE_PATH: path });
  return config?.file.path ?? mistakes;
}

describe('the configuration', () => {
  it("has the design's defaults", () => {
    expect(validConfig(load({ NODE_NAME: 'n1' }))).toEqual({
      batchSize: 20,
      batchPeriodMs: 5_000,
      namespaces: ['demo-system'],
      selector: 'app=snowplow',
      containers: [],
      excludeContainers: [],
      etcdServers: ['http://localhost:2379'],
      ttlMs: 48 * 3_600_000,
      nodeName: 'n1',
      podSource: 'kubernetes',
      writers: ['etcd'],
      podLogDir: '/var/log/pods',
      stateDir: '/var/lib/frostbeat',
      httpPort: 8080,
      kubernetesMetadata: true,
      maxInFlight: 4,
      maxRecordBytes: 1_048_576,
      maxHeldBytes: 2 ** 30,
      kubeletLogMaxSize: 10 * 2 ** 20,
      kubeletLogMaxFiles: 5,
      metricsContainers: 200,
      showSkippedLines: true,
      nodeReportPeriodMs: 2_000,
      nodeLeaseMs: 15_000,
      canaryIntervalMs: 0,
      canaryTimeoutMs: 60_000,
      traceGraceMs: 5_000,
      serve: { host: 'localhost', username: undefined, passwordFile: undefined, userHeader: undefined },
      logRoots: ['/var/lib/docker/containers'],
      shutdownTimeoutMs: 25_000,
      logLevel: 'info',
      etcd: {
        username: undefined,
        password: undefined,
        passwordFile: undefined,
        caFile: undefined,
        certFile: undefined,
        keyFile: undefined,
      },
      file: {
        path: '/var/lib/frostbeat/records.ndjson',
        maxBytes: 0,
        maxAgeMs: 0,
        gzip: false,
        keepAgeMs: 0,
        keepBytes: 0,
      },
      elasticsearch: searchDefaults,
      opensearch: searchDefaults,
      s3: {
        bucket: '',
        prefix: 'frostbeat/',
        region: undefined,
        endpoint: undefined,
        pathStyle: false,
        objectBytes: 8 * 2 ** 20,
        objectAgeMs: 60_000,
        gzipLevel: 3,
      },
      gcs: {
        bucket: '',
        prefix: 'frostbeat/',
        endpoint: undefined,
        objectBytes: 8 * 2 ** 20,
        objectAgeMs: 60_000,
        gzipLevel: 3,
      },
      kafka: {
        brokers: ['localhost:9092'],
        topic: 'frostbeat',
        compression: 'zstd',
        tls: false,
        caFile: undefined,
        certFile: undefined,
        keyFile: undefined,
        saslMechanism: undefined,
        username: undefined,
        password: undefined,
        passwordFile: undefined,
        tokenFile: undefined,
      },
      writerOptions: { NODE_NAME: 'n1' },
    });
  });

  it('takes flags before the environment, and hands both to modules', () => {
    const config = validConfig(
      load({ NODE_NAME: 'n1', BATCH_SIZE: 'never read', MINE: 'x' }, { BATCH_SIZE: '128' }),
    );
    expect(config.batchSize).toBe(128);
    expect(config.writerOptions).toEqual({ NODE_NAME: 'n1', BATCH_SIZE: '128', MINE: 'x' });
  });

  it('makes paths absolute and follows STATE_DIR with what is under it', () => {
    const config = validConfig(load({ NODE_NAME: 'n1', STATE_DIR: 'state', POD_LOG_DIR: './pods' }));
    expect(config).toMatchObject({
      stateDir: join(directory, 'state'),
      podLogDir: join(directory, 'pods'),
      file: { path: join(directory, 'state/records.ndjson') },
    });
  });

  it('reads how Elasticsearch and OpenSearch are reached, and tells what does not go together', () => {
    writeFileSync(join(directory, 'file'), 'x');
    const { opensearch } = validConfig(
      load({ NODE_NAME: 'n1', OPENSEARCH_SERVERS: 'a:9200,https://b:443', OPENSEARCH_CA_FILE: 'file' }),
    );
    expect(opensearch).toEqual({
      ...searchDefaults,
      servers: ['https://a:9200', 'https://b:443'],
      caFile: join(directory, 'file'),
    });
    const { mistakes } = load({
      NODE_NAME: 'n1',
      ELASTICSEARCH_SERVERS: 'http://a:9200',
      ELASTICSEARCH_USERNAME: 'me',
      ELASTICSEARCH_API_KEY: 'secret',
      ELASTICSEARCH_CERT_FILE: 'file',
      OPENSEARCH_INDEX: 'Logs',
      OPENSEARCH_PASSWORD: 'secret',
    });
    expect(mistakes.map((mistake) => mistake.replace(/ \(.*?\)/, ''))).toEqual([
      'OPENSEARCH_INDEX is "Logs": it must be lower-case letters, digits, - _ and . (200 at most), and {date} for the day of a record',
      'ELASTICSEARCH_USERNAME is set: it must not be set together with an API key',
      'ELASTICSEARCH_PASSWORD_FILE is not set: with ELASTICSEARCH_USERNAME it must be a file, or ELASTICSEARCH_PASSWORD be set',
      'ELASTICSEARCH_KEY_FILE is not set: with ELASTICSEARCH_CERT_FILE it must be the file of its key',
      'ELASTICSEARCH_SERVERS names http://a:9200: with ELASTICSEARCH_CA_FILE or ELASTICSEARCH_CERT_FILE it must be https:// or host:port',
      'OPENSEARCH_USERNAME is not set: with a password it must be the name of the user',
    ]);
  });

  it('reads how Kafka is reached, and tells what does not go together', () => {
    writeFileSync(join(directory, 'file'), 'x');
    const { kafka } = validConfig(
      load({ NODE_NAME: 'n1', KAFKA_BROKERS: 'a:9092, [::1]:9093', KAFKA_CA_FILE: 'file' }),
    );
    expect(kafka).toMatchObject({ brokers: ['a:9092', '[::1]:9093'], tls: true, saslMechanism: undefined });
    const { mistakes } = load({
      NODE_NAME: 'n1',
      KAFKA_BROKERS: 'http://a:9092',
      KAFKA_TOPIC: 'a b',
      KAFKA_USERNAME: 'me',
      KAFKA_KEY_FILE: 'file',
    });
    expect(mistakes.map((mistake) => mistake.replace(/ \(.*?\)/, ''))).toEqual([
      'KAFKA_BROKERS is "http://a:9092": it must be host:port, several with commas between them; «http://a:9092» is none',
      'KAFKA_TOPIC is "a b": it must be the name of a topic: letters, digits, - _ and ., 249 at most',
      'KAFKA_SASL_MECHANISM is not set: with KAFKA_USERNAME it must be one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512',
      'KAFKA_CERT_FILE is not set: with KAFKA_KEY_FILE it must be the file of its certificate',
    ]);
  });

  it('reads who comes to Kafka by a token', () => {
    writeFileSync(join(directory, 'token'), 'x');
    const base = { NODE_NAME: 'n1', KAFKA_SASL_MECHANISM: 'OAUTHBEARER' };
    const { kafka } = validConfig(load({ ...base, KAFKA_TOKEN_FILE: 'token' }));
    expect(kafka).toMatchObject({ saslMechanism: 'OAUTHBEARER', tokenFile: join(directory, 'token') });
    const told = (env: Record<string, string>): string[] =>
      load(env).mistakes.map((mistake) => mistake.replace(/ \(.*?\)/, ''));
    expect(told({ ...base, KAFKA_USERNAME: 'me', KAFKA_PASSWORD: 'p' })).toEqual([
      'KAFKA_TOKEN_FILE is not set: with KAFKA_SASL_MECHANISM=OAUTHBEARER it must be the file of the token',
      'KAFKA_USERNAME is set: with KAFKA_SASL_MECHANISM=OAUTHBEARER it must not be: the token says who it is',
      'KAFKA_PASSWORD is set: with KAFKA_SASL_MECHANISM=OAUTHBEARER it must not be: the token says who it is',
    ]);
    expect(told({ NODE_NAME: 'n1', KAFKA_TOKEN_FILE: 'token' })).toEqual([
      'KAFKA_SASL_MECHANISM is not set: with KAFKA_TOKEN_FILE it must be OAUTHBEARER',
    ]);
  });

  it('lists all the mistakes at once, each with variable, flag, value and what would be right', () => {
    const loaded = load(
      {
        BATCH_SIZE: '0',
        BATCH_PERIOD: '5',
        NAMESPACE: 'a,B_',
        SELECTOR: 'app in (',
        CONTAINERS: 'app,Side[c]ar',
        EXCLUDE_CONTAINERS: 'a-',
        ETCD_SERVERS: 'localhost',
        TTL: '1s',
        POD_SOURCE: 'docker',
        WRITERS: 'etdc',
        POD_LOG_DIR: '',
        HTTP_PORT: '65536',
        KUBERNETES_METADATA: 'yes',
        MAX_RECORD_BYTES: '1TB',
        LOG_LEVEL: 'verbose',
        ETCD_CA_FILE: 'nowhere.pem',
      },
      { MAX_IN_FLIGHT: '-1', SHUTDOWN_TIMEOUT: 'soon' },
    );
    expect(loaded.config).toBeUndefined();
    expect(loaded.mistakes.toSorted()).toEqual([
      'BATCH_PERIOD (--batch-period) is "5": it must be a duration from 1ms to 1h, for example 300ms, 5s or 1h30m',
      'BATCH_SIZE (--batch-size) is "0": it must be a whole number from 1 to 10000',
      'CONTAINERS (--containers) is "app,Side[c]ar": it must be names of containers (lower-case letters, digits and -, 63 at most), * in them for any characters and ? for one, several with commas between them; «Side[c]ar» is none',
      'ETCD_CA_FILE (--etcd-ca-file) is "nowhere.pem": it must be a file that the agent can read, and it does not exist',
      'ETCD_SERVERS (--etcd-servers) is "localhost": it must be host:port or http(s)://host:port, several with commas between them; «localhost» is neither',
      'EXCLUDE_CONTAINERS (--exclude-containers) is "a-": it must be names of containers (lower-case letters, digits and -, 63 at most), * in them for any characters and ? for one, several with commas between them; «a-» is none',
      'HTTP_PORT (--http-port) is "65536": it must be a whole number from 0 to 65535',
      'KUBERNETES_METADATA (--kubernetes-metadata) is "yes": it must be true or false',
      'LOG_LEVEL (--log-level) is "verbose": it must be one of trace, debug, info, warn, error, fatal, silent',
      'MAX_IN_FLIGHT (--max-in-flight) is "-1": it must be a whole number from 1 to 1000',
      'MAX_RECORD_BYTES (--max-record-bytes) is "1TB": it must be a size from 1B to 64MiB, for example 64KiB or 1MiB',
      'NAMESPACE (--namespace) is "a,B_": it must be * for all namespaces, or their names with commas between them; «B_» is none',
      'POD_LOG_DIR (--pod-log-dir) is empty: it must be a path',
      'POD_SOURCE (--pod-source) is "docker": it must be one of kubernetes, directory',
      'SELECTOR (--selector) is "app in (": it must be a label selector, for example app=snowplow, tier!=test or env in (prod,stage),!legacy; «app in (» is none',
      'SHUTDOWN_TIMEOUT (--shutdown-timeout) is "soon": it must be a duration from 0s to 1h, for example 300ms, 5s or 1h30m',
      'TTL (--ttl) is "1s": it must be 0 or a duration from 2s to 87600h, for example 300ms, 5s or 1h30m',
      'WRITERS (--writers) is "etdc": it must be etcd, file, s3, gcs, stdout, elasticsearch, opensearch, kafka, a module\'s path that begins with ./ or /, or an installed package, several with commas between them; «etdc» is none (did you mean etcd?)',
    ]);
    expect(() => validConfig(loaded)).toThrow(ConfigError);
  });

  it('takes {node} and {date} in the names of a file and its directories, and no other braces', () => {
    expect(filePathOf('/logs/{node}-{date}.ndjson')).toBe('/logs/{node}-{date}.ndjson');
    expect(filePathOf('/logs/plain')).toBe('/logs/plain');
    expect(filePathOf('/logs/{date}/{node}/all.ndjson')).toBe('/logs/{date}/{node}/all.ndjson');
    for (const wrong of [
      '/logs/{nodes}.ndjson',
      '/logs/{day}/all.ndjson',
      '/logs/{{node}}',
      '/logs/{ node }/a',
    ]) {
      expect(filePathOf(wrong)).toEqual([
        `FILE_PATH (--file-path) is "${wrong}": it must be a path without braces other than {node} and {date}`,
      ]);
    }
  });

  it('reads patterns of containers, and wants some left to follow', () => {
    const env = { NODE_NAME: 'n', CONTAINERS: 'app-*, side?', EXCLUDE_CONTAINERS: '*-init,app-x' };
    expect(validConfig(load(env))).toMatchObject({
      containers: ['app-*', 'side?'],
      excludeContainers: ['*-init', 'app-x'],
    });
    for (const [containers, excluded] of [
      ['', 'a,*'],
      ['a,b*', 'b*,c,a'],
    ]) {
      expect(load({ NODE_NAME: 'n', CONTAINERS: containers, EXCLUDE_CONTAINERS: excluded }).mistakes).toEqual(
        [expect.stringMatching(/^EXCLUDE_CONTAINERS .* is ".*": it must leave some of .* to follow$/)],
      );
    }
    for (const wrong of ['a,,b', ',', 'a b', 'A', '-a', 'a'.repeat(64), 'a/b', '[a]']) {
      expect(load({ NODE_NAME: 'n', CONTAINERS: wrong }).mistakes).toHaveLength(1);
    }
  });

  it('wants the name of the node from the agent that asks the API, and from nobody else', () => {
    expect(load({}).mistakes).toEqual([
      expect.stringMatching(/^NODE_NAME \(--node-name\) is not set: .*downward API/),
    ]);
    expect(load({ POD_SOURCE: 'directory' }).mistakes).toEqual([]);
    expect(load({}, {}, { node: false, stateDir: false }).mistakes).toEqual([]);
  });

  it('takes TTL=0, all namespaces, an empty selector and the port 0', () => {
    const env = { NODE_NAME: 'n', TTL: '0', NAMESPACE: '*', SELECTOR: '', HTTP_PORT: '0' };
    expect(validConfig(load(env))).toMatchObject({
      ttlMs: 0,
      namespaces: undefined,
      selector: '',
      httpPort: 0,
    });
  });

  it('never shows a password', () => {
    const loaded = load({
      NODE_NAME: 'n',
      ETCD_PASSWORD: 'hunter2',
      ETCD_SERVERS: 'http://root:hun,ter2@etcd:2379',
      ETCD_PASSWORD_FILE: 'absent',
    });
    expect(JSON.stringify([loaded.inForce, loaded.mistakes])).not.toMatch(/hun|ter2|root/);
    expect(loaded.mistakes).toHaveLength(3);
    expect(loaded.inForce.find(({ variable }) => variable === 'ETCD_PASSWORD')?.value).toBe('********');
  });

  it('keeps the spaces of a password, and of nothing else', () => {
    const config = validConfig(load({ NODE_NAME: ' n\n', ETCD_USERNAME: 'u', ETCD_PASSWORD: ' p ' }));
    expect(config).toMatchObject({ nodeName: 'n', etcd: { password: ' p ' } });
  });
});

describe('access to etcd', () => {
  it('uses https for host:port as soon as TLS files are given', () => {
    expect(validConfig(load({ ...files(), ETCD_SERVERS: 'a:1, [::1]:2' })).etcdServers).toEqual([
      'https://a:1',
      'https://[::1]:2',
    ]);
  });

  it('keeps a port that is the scheme’s own', () => {
    const config = validConfig(load({ NODE_NAME: 'n', ETCD_SERVERS: 'https://a:443,https://b:80/' }));
    expect(config.etcdServers).toEqual(['https://a:443', 'https://b:80']);
  });

  it.each([
    [{ ETCD_SERVERS: 'http://a:1' }, /^ETCD_SERVERS .*must be https/],
    [{ ETCD_KEY_FILE: undefined }, /^ETCD_KEY_FILE .*is not set: with ETCD_CERT_FILE/],
    [{ ETCD_CERT_FILE: undefined }, /^ETCD_CERT_FILE .*is not set: with ETCD_KEY_FILE/],
    [{ ETCD_PASSWORD: 'x' }, /^ETCD_USERNAME .*is not set: with a password/],
    [{ ETCD_USERNAME: 'x' }, /^ETCD_PASSWORD_FILE .*is not set: with ETCD_USERNAME/],
    [
      { ETCD_USERNAME: 'x', ETCD_PASSWORD: 'x', ETCD_PASSWORD_FILE: 'pem' },
      /^ETCD_PASSWORD_FILE .*together with/,
    ],
    [
      { ETCD_CERT_FILE: undefined, ETCD_KEY_FILE: undefined, ETCD_SERVERS: 'http://a:1,https://b:1' },
      /throughout/,
    ],
    [{ ETCD_CERT_FILE: undefined, ETCD_KEY_FILE: undefined, ETCD_SERVERS: 'a:1,https://b:1' }, /throughout/],
  ])('refuses %j', (env, mistake) => {
    expect(load({ ...files(), ...env }).mistakes).toEqual([expect.stringMatching(mistake)]);
  });

  it.each([
    'a',
    'a:',
    'a:0',
    'a:99999',
    'ftp://a:1',
    'a:1/path',
    'a:1?x',
    ' ',
    'a:1,',
    'a b:1',
    '::1:2',
    'a:1#x',
  ])('refuses the endpoint %j', (servers) => {
    expect(load({ NODE_NAME: 'n', ETCD_SERVERS: servers }).mistakes).toEqual([
      expect.stringMatching(/^ETCD_SERVERS .*host:port/),
    ]);
  });

  it('refuses empty files and directories', () => {
    writeFileSync(join(directory, 'empty'), '');
    const env = { NODE_NAME: 'n', ETCD_CERT_FILE: 'empty', ETCD_KEY_FILE: '.' };
    expect(load(env).mistakes).toEqual([
      expect.stringMatching(/^ETCD_CERT_FILE .*it is empty$/),
      expect.stringMatching(/^ETCD_KEY_FILE .*it is no regular file$/),
    ]);
  });
});

describe('WRITERS', () => {
  it('knows built-in ones, modules that exist and packages that are installed', () => {
    writeFileSync(join(directory, 'mine.mjs'), '');
    mkdirSync(join(directory, 'node_modules/@me/writer'), { recursive: true });
    writeFileSync(join(directory, 'node_modules/@me/writer/package.json'), '{"name":"@me/writer"}');
    const writers = `etcd, file,stdout,./mine.mjs,${directory}/mine.mjs,@me/writer,commander`;
    expect(validConfig(load({ NODE_NAME: 'n', WRITERS: writers })).writers).toEqual(writers.split(/, ?/));
  });

  it.each([
    ['file,file', /«file» is there twice/],
    ['./gone.js', /the file \/.*gone\.js does not exist/],
    ['', /«» is none/],
    ['fil,no-such-package', /«fil» is none \(did you mean file\?\); «no-such-package» is none$/],
    ['mine.js', /a module's path that begins with \.\/ or \//],
    ['fs', /«fs» is none/],
  ])('refuses %j', (writers, mistake) => {
    expect(load({ NODE_NAME: 'n', WRITERS: writers }).mistakes).toEqual([expect.stringMatching(mistake)]);
  });
});

describe('STATE_DIR', () => {
  const checks = { node: false, stateDir: true };

  it('is made and left empty', () => {
    expect(load({ STATE_DIR: 'a/b' }, {}, checks).mistakes).toEqual([]);
    expect(() => rmSync(join(directory, 'a/b/x'))).toThrow(/ENOENT/);
  });

  it('is not touched by a command that needs none', () => {
    load({ STATE_DIR: 'a/b' });
    expect(() => rmSync(join(directory, 'a'), { recursive: true })).toThrow(/ENOENT/);
  });

  it('must be writable', () => {
    writeFileSync(join(directory, 'file'), '');
    expect(load({ STATE_DIR: 'file/state' }, {}, checks).mistakes).toEqual([
      expect.stringMatching(/^STATE_DIR \(--state-dir\) is ".*\/file\/state": .*ENOTDIR/),
    ]);
  });
});

function files() {
  writeFileSync(join(directory, 'pem'), 'x');
  return { NODE_NAME: 'n', ETCD_CERT_FILE: 'pem', ETCD_KEY_FILE: 'pem' };
}
