import { join } from 'node:path';
import { lastingPort } from '../free-ports.ts';
import { fetchArtifacts, findJava } from './maven.ts';
import { startServer, type TestServer } from './server-process.ts';

const version = '2.19.3';

export interface SearchServer extends TestServer {
  /** `http://127.0.0.1:<port>`. */
  readonly url: string;
}

/** Starts an OpenSearch of one node, without its security plugin. @param settings more of the server's own. */
export async function startOpenSearch(
  settings: Readonly<Record<string, string>> = {},
): Promise<SearchServer> {
  const java = await findJava();
  const lib = await fetchArtifacts(`opensearch-${version}`, [
    `org.opensearch:opensearch:${version}`,
    `org.opensearch.plugin:transport-netty4-client:${version}`,
    'org.apache.logging.log4j:log4j-core:2.21.0',
  ]);
  const [port, transportPort] = [await lastingPort(), await lastingPort()];
  const url = `http://127.0.0.1:${port}`;
  const server = await startServer({
    name: 'opensearch',
    command: (directory) => {
      const all = {
        'path.home': directory,
        'node.name': 'n1',
        'network.host': '127.0.0.1',
        'http.port': port,
        'transport.port': transportPort,
        'transport.type': 'netty4',
        'http.type': 'netty4',
        'discovery.type': 'single-node',
        'cluster.routing.allocation.disk.threshold_enabled': false,
        ...settings,
      };
      const heap = ['-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
      const source = join(import.meta.dirname, 'OpenSearchNode.java');
      const texts = Object.entries(all).map(([name, value]) => `${name}=${value}`);
      return [java, ...heap, '-cp', join(lib, '*'), source, ...texts];
    },
    ready: async () => (await fetch(`${url}/_cluster/health`, { signal: AbortSignal.timeout(2_000) })).ok,
  });
  return Object.assign(server, { url });
}
