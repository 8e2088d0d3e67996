import { spawn, type ChildProcess, execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import https from 'node:https';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeCertificates } from '../support/certificates.ts';
import { installDebianPackage } from '../support/debian-package.ts';
import { startEtcd } from '../support/etcd.ts';
import { freePorts } from '../support/free-ports.ts';
import { until } from '../support/until.ts';

const run = promisify(execFile);
const adminToken = 'the-administrator';

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** A real API server with RBAC, and no controllers, scheduler or kubelet: pods stay as they are made. */
export interface KubeApiserver extends AsyncDisposable {
  /** Runs kubectl as the administrator; what it said on both outputs. @throws where it fails, with what it said. */
  kubectl(args: readonly string[], input?: string): Promise<string>;
  /** Writes a kubeconfig for a token. */
  kubeconfig(path: string, token: string): Promise<string>;
  /** Asks it as the administrator; the answer's status. */
  status(path: string): Promise<number>;
  /** Its own metrics, as text. */
  metrics(): Promise<string>;
  /** As a crash ends it. */
  kill(): Promise<void>;
  /** Starts it again with all it knew, and waits until it is ready. */
  start(): Promise<void>;
}

/** Starts one with an etcd of its own, and waits until it is ready. */
export async function startKubeApiserver(program: string): Promise<KubeApiserver> {
  await run('kubectl', ['version', '--client']).catch(() => installDebianPackage('kubernetes-client'));
  const etcd = await startEtcd();
  const { directory } = etcd;
  const { caFile, server } = await makeCertificates(directory);
  const [port] = await freePorts(1);
  const url = `https://localhost:${port}`;
  const [accountsKey, accountsPub] = [join(directory, 'accounts.key'), join(directory, 'accounts.pub')];
  await run('openssl', ['genrsa', '-out', accountsKey, '2048']);
  await run('openssl', ['rsa', '-in', accountsKey, '-pubout', '-out', accountsPub]);
  await writeFile(join(directory, 'tokens.csv'), `${adminToken},administrator,1,"system:masters"\n`);
  const flags = {
    'etcd-servers': etcd.url,
    'secure-port': port,
    'bind-address': '127.0.0.1',
    'tls-cert-file': server.certFile,
    'tls-private-key-file': server.keyFile,
    'authorization-mode': 'RBAC',
    'token-auth-file': join(directory, 'tokens.csv'),
    'service-account-issuer': 'https://kubernetes.default.svc',
    'service-account-key-file': accountsPub,
    'service-account-signing-key-file': accountsKey,
    'service-cluster-ip-range': '10.0.0.0/24',
    // It wants an account for each pod, which only the controllers would make.
    'disable-admission-plugins': 'ServiceAccount',
  };
  let child: ChildProcess | undefined;
  const authority = await readFile(caFile);
  const agent = new https.Agent({ keepAlive: true });

  async function kubeconfig(path: string, token: string): Promise<string> {
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        {
          name: 'test',
          cluster: { server: url, 'certificate-authority-data': authority.toString('base64') },
        },
      ],
      users: [{ name: 'test', user: { token } }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
      'current-context': 'test',
    };
    await writeFile(path, JSON.stringify(config));
    return path;
  }
  const admin = await kubeconfig(join(directory, 'administrator'), adminToken);

  async function kubectl(args: readonly string[], input = ''): Promise<string> {
    const command = spawn('kubectl', ['--kubeconfig', admin, ...args]);
    let said = '';
    for (const out of [command.stdout, command.stderr]) {
      out.setEncoding('utf8').on('data', (text: string) => void (said += text));
    }
    command.stdin.end(input);
    const [code] = (await once(command, 'close')) as [number];
    if (code !== 0) throw new Error(`Cannot run kubectl ${args.join(' ')}: ${said}`);
    return said;
  }

  async function kill(): Promise<void> {
    if (child === undefined) return;
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    running.delete(child);
    child = undefined;
    await closed;
  }

  async function start(): Promise<void> {
    let said = '';
    const started = spawn(
      program,
      Object.entries(flags).map(([name, value]) => `--${name}=${value}`),
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    child = started;
    running.add(started);
    started.stderr
      .setEncoding('utf8')
      .on('data', (text: string) => void (said = (said + text).slice(-4_000)));
    await until(
      async () => {
        if (started.exitCode !== null) throw new Error(`Cannot start kube-apiserver: ${said}`);
        return (await kubectl(['get', '--raw', '/readyz']).catch(() => '')) === 'ok';
      },
      { timeoutMs: 60_000, what: 'an API server that is ready' },
    );
  }

  await start();
  return {
    kubectl,
    kubeconfig,
    status: async (path) => {
      const headers = { authorization: `Bearer ${adminToken}` };
      const request = https.get(`${url}${path}`, { headers, ca: authority, agent });
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      response.resume();
      await once(response, 'end');
      return response.statusCode ?? 0;
    },
    metrics: async () => await kubectl(['get', '--raw', '/metrics']),
    kill,
    start,
    async [Symbol.asyncDispose]() {
      agent.destroy();
      await kill();
      await etcd[Symbol.asyncDispose]();
    },
  };
}
