import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ApiAccess, loadApiAccess } from '../../src/pods/api-access.ts';
import { createApiClient } from '../../src/pods/api-request.ts';
import { makeCertificates } from '../support/certificates.ts';
import { KubeApi } from '../support/kube-api/kube-api.ts';

let home: string;
let api: KubeApi;
/** The authority's, as PEM. */
let certificate: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'api-access-'));
  const { caFile, server } = await makeCertificates(home);
  const [cert, key] = await Promise.all([
    readFile(server.certFile, 'utf8'),
    readFile(server.keyFile, 'utf8'),
  ]);
  certificate = await readFile(caFile, 'utf8');
  api = await KubeApi.start({ tls: { cert, key }, token: 'first' });
});
afterEach(async () => {
  await api.close();
  await rm(home, { recursive: true });
});

/** The status of a list, or the error. */
async function list(access: ApiAccess): Promise<string> {
  const client = createApiClient(access, 'test');
  const signal = AbortSignal.timeout(5_000);
  try {
    const answer = await client.get('/api/v1/pods', {}, { accept: 'application/json', signal });
    answer.resume();
    return String(answer.statusCode);
  } catch (error) {
    return String(error);
  }
}

async function kubeconfig(cluster: object, user: object): Promise<string> {
  const path = join(home, 'config');
  const config = {
    'current-context': 'here',
    contexts: [{ name: 'here', context: { cluster: 'c', user: 'u' } }],
    clusters: [{ name: 'c', cluster: { server: api.url, ...cluster } }],
    users: [{ name: 'u', user }],
  };
  await writeFile(path, JSON.stringify(config));
  return path;
}

describe('in a pod', () => {
  it('uses the service account, and its token as it is now', async () => {
    await writeFile(join(home, 'ca.crt'), certificate);
    await writeFile(join(home, 'token'), 'expired\n');
    const env = {
      HOME: home,
      KUBERNETES_SERVICE_HOST: '127.0.0.1',
      KUBERNETES_SERVICE_PORT: String(api.port),
    };
    const access = await loadApiAccess({ env, serviceAccountDir: home });
    expect(access.server).toBe(api.url);
    expect(await list(access)).toContain('Unauthorized');
    await writeFile(join(home, 'token'), 'first\n');
    expect(await list(access)).toBe('200');
  });

  it('does not talk to a server with a certificate of another authority', async () => {
    await writeFile(join(home, 'ca.crt'), '');
    await writeFile(join(home, 'token'), 'first');
    const env = {
      HOME: home,
      KUBERNETES_SERVICE_HOST: '127.0.0.1',
      KUBERNETES_SERVICE_PORT: String(api.port),
    };
    expect(await list(await loadApiAccess({ env, serviceAccountDir: home }))).toMatch(/certificate/);
    expect(api.requests).toEqual([]);
  });
});

describe('with a kubeconfig', () => {
  it('takes the authority and the token in it', async () => {
    const ca = { 'certificate-authority-data': Buffer.from(certificate).toString('base64') };
    const KUBECONFIG = await kubeconfig(ca, { token: 'first' });
    expect(await list(await loadApiAccess({ env: { KUBECONFIG } }))).toBe('200');
  });

  it('finds files beside it, and the file in the home directory', async () => {
    await mkdir(join(home, '.kube'));
    await writeFile(join(home, '.kube', 'ca.crt'), certificate);
    const path = await kubeconfig({ 'certificate-authority': 'ca.crt' }, { token: 'first' });
    await writeFile(join(home, '.kube', 'config'), await readFile(path));
    expect(await list(await loadApiAccess({ env: { HOME: home } }))).toBe('200');
  });

  it('runs an exec plug-in by way of the whole client', async () => {
    const credential = {
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      status: { token: 'first' },
    };
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: process.execPath,
      args: ['-e', `console.log(${JSON.stringify(JSON.stringify(credential))})`],
      interactiveMode: 'Never',
    };
    const KUBECONFIG = await kubeconfig({ 'insecure-skip-tls-verify': true }, { exec });
    const access = await withKubeconfig(KUBECONFIG, () => loadApiAccess({ env: { KUBECONFIG } }));
    expect(await list(access)).toBe('200');
  });

  it('says what is wrong with it', async () => {
    const missing = join(home, 'nothing');
    await expect(loadApiAccess({ env: { KUBECONFIG: missing } })).rejects.toThrow(
      `Cannot use kubeconfig ${missing}: ENOENT`,
    );
    await writeFile(join(home, 'config'), 'clusters: []\ncurrent-context: x');
    await expect(loadApiAccess({ env: { KUBECONFIG: join(home, 'config') } })).rejects.toThrow(
      'its current-context is "x", which is not there',
    );
    await expect(loadApiAccess({ env: { HOME: home } })).rejects.toThrow('POD_SOURCE=directory needs no API');
  });
});

/** The whole client reads the process's own environment. */
async function withKubeconfig<T>(path: string, run: () => Promise<T>): Promise<T> {
  const before = process.env['KUBECONFIG'];
  process.env['KUBECONFIG'] = path;
  try {
    return await run();
  } finally {
    if (before === undefined) delete process.env['KUBECONFIG'];
    else process.env['KUBECONFIG'] = before;
  }
}
