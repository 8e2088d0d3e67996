import { join } from 'node:path';
import { lastingPort } from '../free-ports.ts';
import { prepareSecurity } from './opensearch-security.ts';
import { fetchArtifacts, findJava } from './maven.ts';
import { startServer, type TestServer } from './server-process.ts';

const version = '2.19.3';

export interface SearchServer extends TestServer {
  /** `http://127.0.0.1:<port>`. */
  readonly url: string;
}

/** Its user who may do everything, where security is on, and that user's password. */
export const openSearchAdmin = { username: 'admin', password: 'admin' };

export interface OpenSearchOptions {
  /** Users and roles: the security plugin, with the users that it comes with. Clients come without TLS all the same. */
  readonly security?: boolean;
}

/** Starts an OpenSearch of one node. */
export async function startOpenSearch({ security = false }: OpenSearchOptions = {}): Promise<SearchServer> {
  const java = await findJava();
  const lib = await fetchArtifacts(`opensearch-${version}`, [
    `org.opensearch:opensearch:${version}`,
    `org.opensearch.plugin:transport-netty4-client:${version}`,
    'org.apache.logging.log4j:log4j-core:2.21.0',
  ]);
  const plugin = security ? await prepareSecurity() : undefined;
  const [port, transportPort] = [await lastingPort(), await lastingPort()];
  const url = `http://127.0.0.1:${port}`;
  const server = await startServer({
    name: 'opensearch',
    command: (directory) => {
      plugin?.configure(join(directory, 'config'));
      const all = {
        'path.home': directory,
        'node.name': 'n1',
        'network.host': '127.0.0.1',
        'http.port': port,
        'transport.port': transportPort,
        'discovery.type': 'single-node',
        'cluster.routing.allocation.disk.threshold_enabled': false,
        // The plugin brings its own.
        ...(plugin?.settings ?? { 'transport.type': 'netty4', 'http.type': 'netty4' }),
      };
      const heap = ['-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
      const source = join(import.meta.dirname, 'OpenSearchNode.java');
      const texts = Object.entries(all).map(([name, value]) => `${name}=${value}`);
      const plugins = ['org.opensearch.transport.Netty4Plugin', ...(plugin ? [plugin.className] : [])].join(
        ',',
      );
      const classPath = [lib, ...(plugin ? [plugin.lib] : [])].map((jars) => join(jars, '*')).join(':');
      return [java, ...heap, `-Dplugins=${plugins}`, '-cp', classPath, source, ...texts];
    },
    // With security, it serves once its users are set up.
    ready: async () => {
      const { username, password } = openSearchAdmin;
      const headers = { authorization: `Basic ${btoa(`${username}:${password}`)}` };
      const timeout = AbortSignal.timeout(2_000);
      return (await fetch(`${url}/_cluster/health`, { signal: timeout, ...(security && { headers }) })).ok;
    },
  });
  return Object.assign(server, { url });
}
