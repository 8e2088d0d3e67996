import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Range } from 'etcd3';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { loadConfig, validConfig } from '../../src/config/load-config.ts';
import { checkClock } from '../../src/doctor/api.ts';
import { examine } from '../../src/doctor/doctor.ts';
import type { Finding } from '../../src/doctor/finding.ts';
import type { ApiClient } from '../../src/pods/api-request.ts';
import { startEtcd, type TestEtcd } from '../support/etcd.ts';
import { freePorts } from '../support/free-ports.ts';
import { frostbeat } from '../support/frostbeat.ts';
import { KubeApi, type KubeApiOptions } from '../support/kube-api/kube-api.ts';

const maxSize = { containerLogMaxSize: '10Mi', containerLogMaxFiles: 5 };

const of = (findings: readonly Finding[], what: string) =>
  findings.filter((one) => one.what.startsWith(what));
const statuses = (findings: readonly Finding[], status: Finding['status']) =>
  findings.filter((one) => one.status === status).map(({ what }) => what);

describe('frostbeat doctor', () => {
  let directory: string;
  let env: Record<string, string>;
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'frostbeat-doctor-'));
    const [port] = await freePorts(1);
    env = {
      NODE_NAME: 'node-1',
      POD_LOG_DIR: join(directory, 'pods'),
      STATE_DIR: join(directory, 'state'),
      HTTP_PORT: String(port),
      WRITERS: 'file',
    };
    writeLog('demo-system_shop_uid-1/app/0.log');
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  function writeLog(path: string): void {
    const file = join(directory, 'pods', path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, '');
  }

  async function startApi(options: KubeApiOptions = { kubeletConfig: maxSize }): Promise<KubeApi> {
    const api = await KubeApi.start(options);
    onTestFinished(() => api.close());
    api.addPod({
      namespace: 'demo-system',
      name: 'shop',
      uid: 'uid-1',
      node: 'node-1',
      labels: { app: 'snowplow' },
    });
    env['KUBECONFIG'] = await api.kubeconfig(join(directory, 'kubeconfig'));
    return api;
  }
  async function etcd(options: Parameters<typeof startEtcd>[0] = {}): Promise<TestEtcd> {
    const server = await startEtcd(options);
    onTestFinished(() => server[Symbol.asyncDispose]());
    env = { ...env, WRITERS: 'etcd', ETCD_SERVERS: server.url };
    return server;
  }

  /** What the command finds, and how it ends. */
  async function run(...args: string[]): Promise<{ code: number | null; findings: Finding[] }> {
    const { code, stdout, stderr } = await frostbeat(['doctor', '--output', 'json', ...args], {
      env,
    }).ended();
    if (stdout === '') throw new Error(stderr);
    return { code, findings: (JSON.parse(stdout) as { findings: Finding[] }).findings };
  }
  it('finds nothing to mend on a good node, and ends with 0', async () => {
    await startApi();
    await etcd();
    const { code, findings } = await run();
    expect(statuses(findings, 'fail')).toEqual([]);
    expect(code).toBe(0);
    expect(statuses(findings, 'ok')).toEqual(
      expect.arrayContaining([
        'permissions',
        'pods',
        'POD_LOG_DIR',
        'symlinks',
        'log rotation',
        'descriptors',
        'STATE_DIR',
        'writer etcd',
        'reports to etcd',
        'clock',
      ]),
    );
    expect(of(findings, 'POD_LOG_DIR')[0]?.found).toMatch(/has 1 pods and 1 log files, all readable$/);
    expect(of(findings, 'pods')[0]?.found).toBe(
      '1 on node-1 in namespace demo-system match SELECTOR=app=snowplow',
    );
    expect(of(findings, 'etcd http')[0]).toMatchObject({
      status: 'ok',
      found: expect.stringMatching(/^answers, version 3\.\d+\.\d+, database \S+ kB of 2\.1 GB$/),
    });
    expect(of(findings, 'agent')).toMatchObject([
      { status: 'skip', found: expect.stringContaining('ECONNREFUSED') },
    ]);
  });

  it('says what to do about each thing that is wrong, and ends with 1', async () => {
    const api = await startApi({ kubeletConfig: { containerLogMaxSize: '50Mi' } });
    api.break({ kind: 'refuse', status: 403 }, 'watch');
    symlinkSync('/nowhere/abc/abc-json.log', join(directory, 'pods/demo-system_shop_uid-1/app/1.log'));
    mkdirSync(join(directory, 'docker/abc'), { recursive: true });
    writeFileSync(join(directory, 'docker/abc/abc-json.log'), '');
    symlinkSync(
      join(directory, 'docker/abc/abc-json.log'),
      join(directory, 'pods/demo-system_shop_uid-1/app/2.log'),
    );
    writeFileSync(join(directory, 'state'), 'no directory');
    const [port] = await freePorts(1);
    env = { ...env, WRITERS: 'etcd', ETCD_SERVERS: `127.0.0.1:${port}` };
    const { code, findings } = await run();
    expect(code).toBe(1);
    expect(of(findings, 'permissions')).toMatchObject([
      {
        status: 'fail',
        found: 'the account may not watch pods in namespace demo-system',
        todo: expect.stringContaining('Grant the verbs list and watch'),
      },
    ]);
    expect(of(findings, 'symlinks')).toMatchObject([
      {
        status: 'fail',
        found: expect.stringMatching(/lead nowhere/),
        todo: expect.stringContaining('/var/lib/docker/containers'),
      },
      {
        status: 'fail',
        todo: expect.stringContaining(`LOG_ROOTS=/var/lib/docker/containers,${join(directory, 'docker')}`),
      },
    ]);
    expect(of(findings, 'log rotation')).toMatchObject([
      {
        status: 'warn',
        todo: expect.stringContaining('KUBELET_LOG_MAX_SIZE=50Mi and KUBELET_LOG_MAX_FILES=5'),
      },
    ]);
    expect(of(findings, 'STATE_DIR')).toMatchObject([{ status: 'fail' }]);
    expect(of(findings, 'writer etcd')).toMatchObject([
      { status: 'fail', found: expect.stringContaining('ECONNREFUSED') },
    ]);
    expect(of(findings, 'etcd http')).toMatchObject([
      { status: 'fail', found: 'no connection (ECONNREFUSED)' },
    ]);
  });

  it('tells a full etcd', async () => {
    env['POD_SOURCE'] = 'directory';
    const server = await etcd();
    await server.client.maintenance.alarm({ action: 'Activate', alarm: 'Nospace', memberID: '0' });
    const full = await run();
    expect(full.code).toBe(1);
    expect(of(full.findings, 'etcd http')).toMatchObject([
      { status: 'ok' },
      {
        status: 'fail',
        found: 'has the alarm NOSPACE',
        todo: expect.stringContaining('etcdctl compact, defrag, alarm disarm'),
      },
    ]);
    expect(of(full.findings, 'writer etcd')).toMatchObject([
      { status: 'fail', found: expect.stringContaining('NOSPACE') },
    ]);
  });

  it('tells that a user may not write, or that the password is wrong', async () => {
    env['POD_SOURCE'] = 'directory';
    await etcd({
      rootPassword: 'root',
      users: [{ name: 'reader', password: 'secret', permissions: [{ prefix: 'logs/', type: 'Read' }] }],
    });
    env = { ...env, ETCD_USERNAME: 'reader', ETCD_PASSWORD: 'secret' };
    const reader = await run();
    expect(of(reader.findings, 'writer etcd')).toMatchObject([
      {
        status: 'fail',
        found: expect.stringContaining('grant-permission ROLE --prefix=true readwrite logs/'),
      },
    ]);
    env['ETCD_PASSWORD'] = 'wrong';
    const stranger = await run();
    expect(of(stranger.findings, 'etcd http')).toMatchObject([
      { status: 'fail', found: expect.stringContaining('check ETCD_USERNAME and ETCD_PASSWORD') },
    ]);
    expect(JSON.stringify(stranger.findings)).not.toContain('wrong"');
  });

  it('tells that a user may write records, and not how far the node is, and what to grant', async () => {
    env['POD_SOURCE'] = 'directory';
    const permissions = [{ prefix: 'logs/', type: 'Write' }] as const;
    const server = await etcd({
      rootPassword: 'root',
      users: [{ name: 'agent', password: 'secret', permissions }],
    });
    env = { ...env, ETCD_USERNAME: 'agent', ETCD_PASSWORD: 'secret', CANARY_INTERVAL: '1m' };
    const refused = await run();
    expect(refused.code).toBe(1);
    expect(of(refused.findings, 'canary')).toMatchObject([
      { status: 'fail', found: expect.stringMatching(/read back from etcd: .*«read» on the prefix logs\//) },
    ]);
    expect(of(refused.findings, 'writer etcd')).toMatchObject([{ status: 'ok' }]);
    expect(of(refused.findings, 'reports to etcd')).toMatchObject([
      {
        status: 'fail',
        found: expect.stringContaining(
          'etcdctl role grant-permission ROLE --prefix=true readwrite frostbeat/',
        ),
        todo: expect.stringContaining('no trace of this node is called complete'),
      },
    ]);
    await server.client.role('agent').grant({ permission: 'Readwrite', range: Range.prefix('frostbeat/') });
    await server.client.role('agent').grant({ permission: 'Readwrite', range: Range.prefix('logs/') });
    const granted = await run();
    expect(of(granted.findings, 'reports to etcd')).toMatchObject([{ status: 'ok' }]);
    expect(of(granted.findings, 'canary')).toMatchObject([{ status: 'ok' }]);
    expect(await server.client.getAll().prefix('frostbeat/').count()).toBe(0);
  });

  it('without an API server tells what it is told, and what is not there', async () => {
    env = { ...env, KUBECONFIG: join(directory, 'none'), POD_LOG_DIR: join(directory, 'none') };
    const { code, findings } = await run('--namespace', '*');
    expect(code).toBe(1);
    expect(of(findings, 'Kubernetes API')).toMatchObject([
      { status: 'fail', found: expect.stringContaining('kubeconfig') },
    ]);
    expect(of(findings, 'POD_LOG_DIR')).toMatchObject([
      { status: 'fail', found: expect.stringContaining('ENOENT') },
    ]);
    expect(statuses(findings, 'skip')).toEqual(expect.arrayContaining(['agent', 'log rotation', 'clock']));
  });

  it('does not open the file that an agent may be writing to', async () => {
    env = { ...env, POD_SOURCE: 'directory', FILE_PATH: join(directory, 'records.ndjson') };
    writeFileSync(env['FILE_PATH']!, '{"half a li');
    const { findings } = await run();
    expect(of(findings, 'writer file')).toMatchObject([{ status: 'ok' }]);
    expect(of(findings, 'reports to file')).toMatchObject([{ status: 'ok' }]);
    expect(readFileSync(env['FILE_PATH']!, 'utf8')).toBe('{"half a li');
    env['FILE_PATH'] = join(directory, 'nowhere', 'records.ndjson');
    expect(of((await run()).findings, 'writer file')).toMatchObject([
      { status: 'fail', found: expect.stringMatching(/cannot be written: ENOENT$/) },
    ]);
  });

  it('is for people by default, and sums up', async () => {
    env['POD_SOURCE'] = 'directory';
    const { code, stdout } = await frostbeat(['doctor'], { env }).ended();
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ok {4}POD_LOG_DIR +.* all readable$/m);
    expect(stdout).toMatch(
      /^— {5}agent +none answers on port \d+ \(.*\)\n {6}→ Run doctor in the agent’s pod/m,
    );
    expect(stdout).toMatch(/\d cannot be told from here \(—\)\.\n$/);
  });

  it('counts descriptors and inotify watches, and reads the kubelet’s own file', async () => {
    const procDir = join(directory, 'proc');
    mkdirSync(join(procDir, 'self'), { recursive: true });
    mkdirSync(join(procDir, 'sys/fs/inotify'), { recursive: true });
    writeFileSync(
      join(procDir, 'self/limits'),
      'Max open files            104                  4096                 files\n',
    );
    writeFileSync(join(procDir, 'sys/fs/inotify/max_user_watches'), '100\n');
    writeFileSync(join(procDir, 'sys/fs/inotify/max_user_instances'), '8192\n');
    const kubeletConfigPath = join(directory, 'kubelet.yaml');
    writeFileSync(kubeletConfigPath, 'kind: KubeletConfiguration\ncontainerLogMaxFiles: 3\n');
    env['POD_SOURCE'] = 'directory';
    const config = validConfig(loadConfig({ env, cwd: directory, checks: { node: true, stateDir: false } }));
    const findings = await examine({
      config,
      signal: AbortSignal.timeout(30_000),
      procDir,
      kubeletConfigPath,
    });
    expect(of(findings, 'descriptors')).toMatchObject([
      { status: 'warn', found: '104 may be open; 1 containers take up to 105' },
    ]);
    expect(of(findings, 'inotify')).toMatchObject([
      { status: 'warn', todo: expect.stringContaining('sysctl fs.inotify.max_user_watches=') },
      { status: 'ok' },
    ]);
    expect(of(findings, 'log rotation')).toMatchObject([
      { status: 'warn', found: expect.stringMatching(/keeps 3 files of 10Mi/) },
    ]);
  });

  it('tells a clock that is not that of the API server', async () => {
    const config = validConfig(
      loadConfig({
        env: { POD_SOURCE: 'directory' },
        cwd: directory,
        checks: { node: true, stateDir: false },
      }),
    );
    const found = async (aheadMs: number) => {
      const headers = { date: new Date(Date.now() - aheadMs).toUTCString() };
      const client = { get: async () => ({ headers, resume: () => undefined }) } as unknown as ApiClient;
      const api = { client, server: 'https://api' };
      const signal = AbortSignal.timeout(5_000);
      return await checkClock({ config, api, signal, procDir: '', kubeletConfigPath: '' });
    };
    expect(await found(1_000)).toMatchObject([{ status: 'ok' }]);
    expect(await found(60_000)).toMatchObject([
      { status: 'warn', found: expect.stringMatching(/^(59|60) s ahead of the API server's$/) },
    ]);
    expect(await found(-60_000)).toMatchObject([
      { status: 'warn', found: expect.stringMatching(/^6[01] s behind the API server's$/) },
    ]);
  });
});
