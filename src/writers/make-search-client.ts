import { readFile } from 'node:fs/promises';
import type { SearchAccess } from '../config/config.ts';
import type { SearchClient, SearchProduct, SearchSecrets } from './search-client.ts';

/** Makes the official client of a product. Only that one is loaded. Secrets and certificates are read now. */
export async function makeSearchClient(product: SearchProduct, access: SearchAccess): Promise<SearchClient> {
  const secrets = await readSecrets(access);
  if (product === 'opensearch') {
    const { OpenSearchClient } = await import('./opensearch-client.ts');
    return new OpenSearchClient(access.servers, secrets);
  }
  const { ElasticsearchClient } = await import('./elasticsearch-client.ts');
  return new ElasticsearchClient(access.servers, secrets);
}

async function readSecrets(access: SearchAccess): Promise<SearchSecrets> {
  const [password, apiKey, ca, cert, key] = await Promise.all([
    text(access.passwordFile),
    text(access.apiKeyFile),
    bytes(access.caFile),
    bytes(access.certFile),
    bytes(access.keyFile),
  ]);
  return {
    username: access.username,
    password: password ?? access.password,
    apiKey: apiKey ?? access.apiKey,
    tls: ca || cert ? { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) } : undefined,
  };
}

async function text(path: string | undefined): Promise<string | undefined> {
  return (await bytes(path))?.toString('utf8').replace(/\r?\n$/, '');
}

async function bytes(path: string | undefined): Promise<Buffer | undefined> {
  return path === undefined ? undefined : await readFile(path);
}
