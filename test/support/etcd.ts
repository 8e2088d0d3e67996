import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Etcd3, type IOptions, Range } from 'etcd3';
import { type Certificates, jwtTokenFlag, makeCertificates } from './certificates.ts';
import { findEtcd } from './ensure-etcd.ts';
import { freePorts } from './free-ports.ts';
import type { IsolatedNetwork } from './isolated-network.ts';
import { until } from './until.ts';

export interface EtcdOptions {
  /** Turns authentication on, with this user as root (and so with every right). */
  readonly rootPassword?: string;
  /** Users with their role's rights, where authentication is on. */
  readonly users?: readonly EtcdUser[];
  /** `server`: only the server shows a certificate; `mutual`: clients must, too. */
  readonly tls?: 'server' | 'mutual';
  /** `--quota-backend-bytes`; default: the server's own 2 GiB. */
  readonly quotaBytes?: number;
  /** Tokens as JWT: every change of users or roles makes the older tokens fail. */
  readonly jwt?: boolean;
  /** Where the last member runs, so that it can be cut off; not together with `tls`. */
  readonly network?: IsolatedNetwork | undefined;
  /** More flags of the server, without their dashes. */
  readonly flags?: Readonly<Record<string, string | number | boolean>>;
}

export interface EtcdUser {
  readonly name: string;
  readonly password: string;
  readonly permissions: readonly { readonly prefix: string; readonly type: 'Read' | 'Write' | 'Readwrite' }[];
}

/** A real etcd server of the test's own. */
export interface TestEtcd extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`, or `https://localhost:<port>`. */
  readonly url: string;
  readonly directory: string;
  /** Where TLS is on. */
  readonly certificates: Certificates | undefined;
  /** A client with every right, for the test's own looks; another after `restart()`. */
  readonly client: Etcd3;
  /** Undefined while it is stopped. */
  readonly pid: number | undefined;
  /** Ends it (SIGTERM) and waits; data and ports stay for `restart()`. Clients are not told. */
  stop(): Promise<void>;
  /** Ends it as a crash would (SIGKILL) and waits. */
  kill(): Promise<void>;
  /** It takes connections and answers nothing (SIGSTOP). */
  freeze(): void;
  /** Undoes `freeze()` (SIGCONT). */
  thaw(): void;
  /** Starts it again, on the same port and data, and waits until it is healthy; kills it first if it runs. */
  restart(): Promise<void>;
}

// etcd3's retries would hide from a test what the server really did.
const noPolicy = { execute: <T>(call: () => T) => call() } as unknown as NonNullable<
  NonNullable<IOptions['faultHandling']>['global']
>;

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts a server on a free port, with an empty temporary directory, and waits until it is healthy. */
export async function startEtcd(options: EtcdOptions = {}): Promise<TestEtcd> {
  const [server] = await startMembers(1, options);
  return server!;
}

/** Starts a cluster of three members and waits until each is healthy. */
export async function startEtcdCluster(options: EtcdOptions = {}): Promise<TestEtcdCluster> {
  const members = await startMembers(3, options);
  const standing = async () => {
    const answers = await Promise.allSettled(
      members
        .filter(({ pid }) => pid !== undefined)
        .map(async (member) => {
          const { header, leader } = await member.client.maintenance.status();
          return { member, id: header.member_id, leads: leader !== '0' && leader === header.member_id };
        }),
    );
    const found = answers.filter((answer) => answer.status === 'fulfilled').map(({ value }) => value);
    const leader = found.find(({ leads }) => leads);
    if (leader === undefined) throw new Error('Cannot find the leader of the etcd cluster: no member is it');
    return { leader: leader.member, follower: found.find(({ leads }) => !leads) };
  };
  return {
    members,
    urls: members.map(({ url }) => url),
    leader: async () => (await standing()).leader,
    async moveLeader() {
      const { leader, follower } = await standing();
      if (follower === undefined)
        throw new Error('Cannot move the leader of the etcd cluster: no other runs');
      await leader.client.maintenance.moveLeader({ targetID: follower.id });
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(members.map((member) => member[Symbol.asyncDispose]()));
    },
  };
}

export interface TestEtcdCluster extends AsyncDisposable {
  readonly members: readonly TestEtcd[];
  readonly urls: readonly string[];
  /** The member that leads now, asked of all that run and answer within a second. */
  leader(): Promise<TestEtcd>;
  /** Has another member lead, whichever runs; no connection ends. */
  moveLeader(): Promise<void>;
}

async function startMembers(count: number, options: EtcdOptions): Promise<TestEtcd[]> {
  const directories = await Promise.all(
    Array.from({ length: count }, () => mkdtemp(join(tmpdir(), 'frostbeat-etcd-'))),
  );
  const certificates = options.tls && (await makeCertificates(directories[0]!));
  const ports = await freePorts(2 * count);
  const { network } = options;
  const isIsolated = (index: number) => network !== undefined && index === count - 1;
  const host = (index: number) =>
    (isIsolated(index) ? network?.address : network?.hostAddress) ?? '127.0.0.1';
  const peer = (index: number) => `http://${host(index)}:${ports[count + index]!}`;
  const cluster = directories.map((_, index) => `m${index}=${peer(index)}`).join(',');
  const token = options.jwt ? await jwtTokenFlag(directories[0]!) : undefined;

  const members = directories.map((directory, index) => {
    const port = ports[index]!;
    // The server listens on an address only; by an address, Node warns of TLS (DEP0123).
    const listen = `${certificates ? 'https' : 'http'}://${host(index)}:${port}`;
    const url = certificates ? `https://localhost:${port}` : listen;
    const flags = {
      name: `m${index}`,
      'data-dir': join(directory, 'data'),
      'initial-cluster': cluster,
      'listen-peer-urls': peer(index),
      'initial-advertise-peer-urls': peer(index),
      'listen-client-urls': listen,
      'advertise-client-urls': url,
      'log-level': 'warn',
      ...(certificates && {
        'cert-file': certificates.server.certFile,
        'key-file': certificates.server.keyFile,
      }),
      ...(options.tls === 'mutual' && { 'client-cert-auth': true, 'trusted-ca-file': certificates!.caFile }),
      ...(options.quotaBytes !== undefined && { 'quota-backend-bytes': options.quotaBytes }),
      ...(token !== undefined && { 'auth-token': token }),
      ...options.flags,
    };
    const texts = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
    return { directory, url, flags: texts, enter: isIsolated(index) ? (network?.enter ?? []) : [] };
  });
  const processes = members.map((member) => new EtcdProcess(member));
  try {
    await Promise.all(processes.map((member) => member.start()));
    const { rootPassword, users = [] } = options;
    const clients = await Promise.all(
      members.map(async ({ url }, index) => {
        const client = await connect(url, certificates, undefined);
        await healthy(client, processes[index]!);
        return client;
      }),
    );
    if (rootPassword !== undefined) await enableAuth(clients[0]!, rootPassword, users);
    for (const client of clients) client.close();
    const auth = rootPassword === undefined ? undefined : { username: 'root', password: rootPassword };
    return await Promise.all(
      members.map(async ({ directory, url }, index) => {
        const newClient = (): Promise<Etcd3> => connect(url, certificates, auth);
        const server = processes[index]!;
        return handle({ directory, url, certificates, newClient, client: await newClient(), server });
      }),
    );
  } catch (error) {
    await Promise.all(processes.map((member) => member.end('SIGKILL')));
    await Promise.all(directories.map((directory) => rm(directory, { recursive: true, force: true })));
    throw error;
  }
}

function handle(parts: {
  directory: string;
  url: string;
  certificates: Certificates | undefined;
  newClient: () => Promise<Etcd3>;
  client: Etcd3;
  server: EtcdProcess;
}): TestEtcd {
  const { directory, url, certificates, newClient, server } = parts;
  let { client } = parts;
  return {
    directory,
    url,
    certificates,
    get client() {
      return client;
    },
    get pid() {
      return server.pid;
    },
    stop: () => server.end('SIGTERM'),
    kill: () => server.end('SIGKILL'),
    freeze: () => server.signal('SIGSTOP'),
    thaw: () => server.signal('SIGCONT'),
    async restart() {
      await server.end('SIGKILL');
      await server.start();
      client.close();
      client = await newClient();
      await healthy(client, server);
    },
    async [Symbol.asyncDispose]() {
      client.close();
      await server.end('SIGKILL');
      await rm(directory, { recursive: true, force: true });
    },
  };
}

class EtcdProcess {
  readonly #directory: string;
  readonly #flags: readonly string[];
  readonly #enter: readonly string[];
  #child: ChildProcess | undefined;
  #stderr = '';

  /** @param options.enter the command that runs it somewhere else, or nothing. */
  constructor(options: { directory: string; flags: readonly string[]; enter: readonly string[] }) {
    this.#directory = options.directory;
    this.#flags = options.flags;
    this.#enter = options.enter;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** The end of what the server said, for errors. */
  get said(): string {
    return this.#stderr.slice(-2_000);
  }

  async start(): Promise<void> {
    const etcd = findEtcd();
    if (etcd === undefined) {
      throw new Error(
        'Cannot start etcd: none is installed. «npm test» installs it on Debian, or set ETCD_BIN',
      );
    }
    // Through setpriv, where there is one (Linux), the kernel ends the server even when the test is killed.
    const setpriv = '/usr/bin/setpriv';
    const underWatch = existsSync(setpriv) ? [setpriv, '--pdeathsig', 'KILL'] : [];
    const [command = etcd, ...args] = [...this.#enter, ...underWatch, etcd, ...this.#flags];
    // The server also takes flags from the environment (ETCD_…): it must see none of the test's.
    const env = { PATH: process.env['PATH'], ETCD_UNSUPPORTED_ARCH: process.arch };
    const child = spawn(command, args, { cwd: this.#directory, env, stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child = child;
    running.add(child);
    child.stderr.on('data', (chunk: Buffer) => (this.#stderr = (this.#stderr + chunk).slice(-10_000)));
    child.once('exit', () => {
      running.delete(child);
      if (this.#child === child) this.#child = undefined;
    });
    await once(child, 'spawn');
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const exit = once(child, 'exit');
    child.kill(signal);
    // A frozen process takes SIGTERM only when it goes on.
    child.kill('SIGCONT');
    await exit;
  }
}

async function connect(
  url: string,
  certificates: Certificates | undefined,
  auth: IOptions['auth'],
): Promise<Etcd3> {
  return new Etcd3({
    hosts: url,
    faultHandling: { host: () => noPolicy, global: noPolicy },
    grpcOptions: { 'grpc.max_receive_message_length': -1 },
    defaultCallOptions: ({ isStream }) => (isStream ? {} : { deadline: Date.now() + 1_000 }),
    ...(certificates && {
      credentials: {
        rootCertificate: await readFile(certificates.caFile),
        privateKey: await readFile(certificates.client.keyFile),
        certChain: await readFile(certificates.client.certFile),
      },
    }),
    ...(auth && { auth }),
  });
}

async function healthy(client: Etcd3, server: EtcdProcess): Promise<void> {
  let last: unknown;
  const answers = async () => {
    if (server.pid === undefined) throw new Error(`Cannot start etcd: it ended. ${server.said}`);
    try {
      await client.get('health').exec();
      return true;
    } catch (error) {
      last = error;
      return false;
    }
  };
  await until(answers, { timeoutMs: 120_000, what: 'a healthy etcd' }).catch((cause: unknown) => {
    throw new Error(`Cannot start etcd: ${String(last)}. ${server.said}`, { cause });
  });
}

async function enableAuth(client: Etcd3, rootPassword: string, users: readonly EtcdUser[]): Promise<void> {
  await client.user('root').create(rootPassword);
  await client.role('root').create();
  await client.role('root').addUser('root');
  for (const { name, password, permissions } of users) {
    const role = client.role(name);
    await role.create();
    for (const { prefix, type } of permissions) {
      await role.grant({ permission: type, range: Range.prefix(prefix) });
    }
    await client.user(name).create(password);
    await role.addUser(name);
  }
  await client.auth.authEnable();
}
