import { cpSync, writeFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificates } from '../certificates.ts';
import { fetchArtifacts, unpackZip } from './maven.ts';

/** That of OpenSearch, and the plugin's own number. */
const version = '2.19.3.0';

/** OpenSearch's security plugin, for a node that has all its classes in one path. */
export interface SecurityPlugin {
  readonly className: string;
  /** A directory of jars. */
  readonly lib: string;
  readonly settings: Readonly<Record<string, string | boolean>>;
  /** Lays its files into the directory of a node's configuration. */
  configure(directory: string): void;
}

/** Fetches it, and makes the certificates that nodes show each other, without which none starts. */
export async function prepareSecurity(): Promise<SecurityPlugin> {
  const artifact = `org.opensearch.plugin:opensearch-security:${version}:zip`;
  const fetched = await fetchArtifacts(`opensearch-security-${version}`, [artifact]);
  const lib = await unpackZip(join(fetched, `opensearch-security-${version}.zip`));
  const pems = await certificatePems();
  const transport = 'plugins.security.ssl.transport';
  return {
    className: 'org.opensearch.security.OpenSearchSecurityPlugin',
    lib,
    settings: {
      'plugins.security.ssl.http.enabled': false,
      'plugins.security.allow_default_init_securityindex': true,
      'plugins.security.restapi.roles_enabled': 'all_access',
      [`${transport}.pemtrustedcas_filepath`]: 'ca.pem',
      [`${transport}.pemcert_filepath`]: 'cert.pem',
      [`${transport}.pemkey_filepath`]: 'key.pem',
    },
    configure(directory) {
      cpSync(join(lib, 'config'), join(directory, 'opensearch-security'), { recursive: true });
      for (const [name, pem] of pems) writeFileSync(join(directory, name), pem);
    },
  };
}

async function certificatePems(): Promise<[name: string, pem: string][]> {
  const directory = await mkdtemp(join(tmpdir(), 'frostbeat-opensearch-security-'));
  try {
    const { caFile, server } = await makeCertificates(directory);
    const paths = { 'ca.pem': caFile, 'cert.pem': server.certFile, 'key.pem': server.keyFile };
    const read = Object.entries(paths).map(async ([name, path]): Promise<[string, string]> => [
      name,
      await readFile(path, 'utf8'),
    ]);
    return await Promise.all(read);
  } finally {
    await rm(directory, { recursive: true });
  }
}
