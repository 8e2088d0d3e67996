import { execFile } from 'node:child_process';
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { lastingPort } from '../free-ports.ts';
import { until } from '../until.ts';
import { fetchArtifacts, findJava, unpackZip } from './maven.ts';
import type { SearchServer } from './opensearch.ts';
import { startServer } from './server-process.ts';

const run = promisify(execFile);
const version = '8.15.5';

/** The password of its user `elastic`, where security is on. */
export const elasticPassword = 'a long p4ssword';

export interface ElasticsearchOptions {
  /** Users, roles and API keys, of the trial that every new cluster begins with. */
  readonly security?: boolean;
  /** More of the server's own settings. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** Starts an Elasticsearch of one node. */
export async function startElasticsearch({
  security = false,
  settings = {},
}: ElasticsearchOptions = {}): Promise<SearchServer> {
  const java = await findJava();
  const home = await unpacked();
  const { stderr } = await run(java, ['-XshowSettings:properties', '-version']);
  const javaHome = /java\.home = (.+)/.exec(stderr)?.[1] ?? '';
  const [port, transportPort] = [await lastingPort(), await lastingPort()];
  const url = `http://127.0.0.1:${port}`;
  const all = {
    'node.name': 'n1',
    'network.host': '127.0.0.1',
    'http.port': port,
    'transport.port': transportPort,
    'discovery.type': 'single-node',
    'cluster.routing.allocation.disk.threshold_enabled': false,
    'xpack.security.enabled': security,
    ...(security && { 'xpack.security.transport.ssl.enabled': false }),
    ...settings,
  };
  let directory = '';
  const options = {
    name: 'elasticsearch',
    env: {
      ES_JAVA_HOME: javaHome,
      ES_JAVA_OPTS: '-Xms512m -Xmx512m -XX:TieredStopAtLevel=1',
    },
    command: (own: string): readonly [string, ...string[]] => {
      directory = own;
      prepare(home, own, all);
      const bin = join(home, 'bin');
      const password =
        `test -e ${own}/config/elasticsearch.keystore || { ${bin}/elasticsearch-keystore create -s && ` +
        `printf %s "$PASSWORD" | ${bin}/elasticsearch-keystore add -x bootstrap.password; }`;
      const script = [
        `export ES_PATH_CONF=${own}/config ES_TMPDIR=${own}/tmp`,
        `rm -f ${own}/pid`,
        ...(security ? [password] : []),
        `exec ${bin}/elasticsearch -p ${own}/pid`,
      ].join('; ');
      return [...notAsRoot(), 'env', `PASSWORD=${elasticPassword}`, 'bash', '-c', script];
    },
    // Without security it answers 200, with it 401: either way it serves.
    ready: async () => {
      const { status } = await fetch(`${url}/_cluster/health`, { signal: AbortSignal.timeout(2_000) });
      return status === 200 || status === 401;
    },
    timeoutMs: 120_000,
  };
  const launcher = await startServer(options);
  // The server is a child of its launcher: it is the one to freeze and to kill.
  const pid = (): number | undefined =>
    existsSync(join(directory, 'pid')) ? Number(readFileSync(join(directory, 'pid'), 'utf8')) : undefined;
  const signal = (name: NodeJS.Signals): void => {
    const server = pid();
    if (server === undefined) return;
    try {
      process.kill(server, name);
    } catch {
      // It has ended.
    }
  };
  const end = async (name: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    signal(name);
    signal('SIGCONT');
    if (launcher.pid !== undefined) {
      await until(() => launcher.pid === undefined, { timeoutMs: 30_000, what: 'the end of elasticsearch' });
    }
  };
  return {
    directory,
    url,
    get pid() {
      return pid();
    },
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    async restart() {
      await end('SIGKILL');
      await launcher.restart();
    },
    async [Symbol.asyncDispose]() {
      await end('SIGKILL');
      await launcher[Symbol.asyncDispose]();
    },
  };
}

/** The distribution that Elastic publishes for tests, with security; no Kibana, no ingest, no scripts. */
async function unpacked(): Promise<string> {
  const artifact = `org.elasticsearch.distribution.integ-test-zip:elasticsearch:${version}:zip`;
  const directory = await fetchArtifacts(`elasticsearch-${version}`, [artifact]);
  const zip = await unpackZip(join(directory, `elasticsearch-${version}.zip`));
  return join(zip, `elasticsearch-${version}`);
}

function prepare(home: string, own: string, settings: Readonly<Record<string, unknown>>): void {
  if (existsSync(join(own, 'config'))) return;
  cpSync(join(home, 'config'), join(own, 'config'), { recursive: true });
  cpSync(join(home, 'logs'), join(own, 'tmp'), { recursive: true });
  const paths = { 'path.data': join(own, 'data'), 'path.logs': join(own, 'logs') };
  const lines = Object.entries({ ...settings, ...paths }).map(
    ([name, value]) => `${name}: ${JSON.stringify(value)}`,
  );
  writeFileSync(join(own, 'config', 'elasticsearch.yml'), `${lines.join('\n')}\n`);
}

/** It refuses to run as root: in a user namespace of its own it is somebody else, with root's files. */
function notAsRoot(): [string, ...string[]] {
  return process.getuid?.() === 0 ? ['unshare', '-U', '--map-user=1000', '--map-group=1000'] : ['env'];
}
