import type { V1ClusterRole, V1DaemonSet, V1NetworkPolicy } from '@kubernetes/client-node';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { loadConfig } from '../../src/config/load-config.ts';
import { settings } from '../../src/config/settings.ts';
import { GO_BUILD_LIMIT_MS } from '../support/go-program.ts';
import { findHelm } from '../support/helm.ts';
import { orSkip } from '../support/unavailable.ts';
import { everything } from './everything.ts';
import { generatedFiles } from './generated-files.ts';
import { Manifests, rendered } from './rendered.ts';
import { values } from './values-table.ts';

/** Of a quantity in Mi. */
const mebibytes = (quantity: string | undefined) => Number(/^(\d+)Mi$/.exec(quantity ?? '')?.[1]);

let helm: string;
let plain: Manifests;

const found = await orSkip(findHelm(), 'the chart in deploy/');

describe.runIf(found)('the chart', () => {
  beforeAll(async () => {
    helm = found ?? '';
    plain = await rendered(helm);
  }, GO_BUILD_LIMIT_MS);

  test('its linter has nothing to say', async () => {
    const lint = promisify(execFile)(helm, ['lint', '--strict', '--quiet', 'deploy/chart']);
    await expect(lint).resolves.toEqual({ stdout: '', stderr: '' });
  });

  test('renders what the agent needs, and no more unless asked', () => {
    expect(plain.kinds).toEqual([
      'ClusterRole',
      'ClusterRoleBinding',
      'DaemonSet',
      'Deployment',
      'NetworkPolicy',
      'NetworkPolicy',
      'PriorityClass',
      'Service',
      'ServiceAccount',
    ]);
    expect(plain.faults).toEqual([]);
  });

  test('renders everything else when asked, as the Kubernetes API takes it', async () => {
    const all = await rendered(helm, everything);
    expect(all.faults).toEqual([]);
    const more = ['ConfigMap', 'Deployment', 'Namespace', 'PodMonitor', 'PrometheusRule', 'Service'];
    expect(all.kinds).toEqual([...plain.kinds, ...more].toSorted());
  });

  test('renders nothing that belongs to the cluster when told so', async () => {
    const own = {
      'serve.enabled': false,
      'priorityClass.create': false,
      'rbac.create': false,
      'serviceAccount.create': false,
    };
    const manifests = await rendered(helm, { ...own, 'networkPolicy.enabled': false });
    expect(manifests.kinds).toEqual(['DaemonSet']);
    expect(manifests.pod).toMatchObject({ serviceAccountName: 'default', priorityClassName: 'frostbeat' });
  });

  test('lets the agent list and watch pods, and nothing else', () => {
    const role = plain.one<V1ClusterRole>('ClusterRole');
    expect(role.rules).toEqual([{ apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch'] }]);
    const account = { name: plain.pod.serviceAccountName, namespace: 'frostbeat' };
    expect(plain.one('ClusterRoleBinding')).toMatchObject({
      roleRef: { kind: 'ClusterRole', name: role.metadata?.name },
      subjects: [{ kind: 'ServiceAccount', ...account }],
    });
    expect(plain.one('ServiceAccount')).toMatchObject({ metadata: account });
  });

  test('gives the agent no privilege but to read files', () => {
    expect(plain.agent.securityContext).toEqual({
      runAsUser: 0,
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'], add: ['DAC_READ_SEARCH'] },
      seccompProfile: { type: 'RuntimeDefault' },
    });
    const { hostNetwork, hostPID, hostIPC } = plain.pod;
    expect({ hostNetwork, hostPID, hostIPC }).toEqual({});
  });

  test('mounts the logs read-only and the state for writing, where the settings look for them', () => {
    expect(plain.agent.volumeMounts).toEqual([
      { name: 'logs', mountPath: settings.podLogDir.default, readOnly: true },
      { name: 'state', mountPath: settings.stateDir.default },
    ]);
    expect(plain.pod.volumes).toEqual([
      { name: 'logs', hostPath: { path: '/var/log/pods', type: 'Directory' } },
      { name: 'state', hostPath: { path: '/var/lib/frostbeat', type: 'DirectoryOrCreate' } },
    ]);
  });

  test('mounts another log directory under its own path and tells the agent', async () => {
    const { agent, env } = await rendered(helm, { 'node.podLogDir': '/data/pods' });
    expect(agent.volumeMounts?.[0]).toEqual({ name: 'logs', mountPath: '/data/pods', readOnly: true });
    expect(env['POD_LOG_DIR']).toBe('/data/pods');
  });

  test('mounts where Docker keeps its logs, read-only, and tells the agent', async () => {
    const { agent, env } = await rendered(helm, { 'node.dockerDir': '/data/docker/containers' });
    const mount = { name: 'docker', mountPath: '/data/docker/containers', readOnly: true };
    expect(agent.volumeMounts).toContainEqual(mount);
    expect(env['LOG_ROOTS']).toBe('/data/docker/containers');
  });

  test('runs an agent on every node, whatever its taints, one at a time', () => {
    expect(plain.pod.tolerations).toEqual([{ operator: 'Exists' }]);
    expect(plain.one<V1DaemonSet>('DaemonSet').spec?.updateStrategy).toEqual({
      type: 'RollingUpdate',
      rollingUpdate: { maxUnavailable: '10%' },
    });
  });

  test('asks for the pages that the agent serves, at its port', async () => {
    const { agent, env } = await rendered(helm, { httpPort: 9100 });
    const probes = [agent.startupProbe, agent.livenessProbe, agent.readinessProbe];
    expect(probes.map((probe) => probe?.httpGet)).toEqual([
      { path: '/healthz', port: 'http' },
      { path: '/healthz', port: 'http' },
      { path: '/readyz', port: 'http' },
    ]);
    expect(agent.ports).toEqual([{ name: 'http', containerPort: 9100 }]);
    expect(env['HTTP_PORT']).toBe('9100');
    expect(Number(plain.env['HTTP_PORT'])).toBe(Number(settings.httpPort.default));
  });

  test('lets nothing in but to that port', () => {
    const { spec } = plain.one<V1NetworkPolicy>('NetworkPolicy', 'frostbeat');
    expect(spec).toMatchObject({ policyTypes: ['Ingress'], ingress: [{ ports: [{ port: 'http' }] }] });
    const { selector, template } = plain.one<V1DaemonSet>('DaemonSet').spec ?? {};
    expect(template?.metadata?.labels).toMatchObject(selector?.matchLabels ?? { nothing: 'selected' });
    expect(spec?.podSelector?.matchLabels).toEqual(selector?.matchLabels);
  });

  test('gives the agent settings that it knows and takes', () => {
    const env = { ...plain.env, NODE_NAME: 'node-1' };
    const known = new Set(Object.values(settings).map(({ variable }) => variable));
    expect(Object.keys(env).filter((name) => !known.has(name))).toEqual([]);
    const { mistakes } = loadConfig({ env, cwd: '/', checks: { node: true, stateDir: false } });
    expect(mistakes).toEqual([]);
    expect(plain.agent.env).toContainEqual({
      name: 'NODE_NAME',
      valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } },
    });
    // A Service named http would set HTTP_PORT to tcp://….
    expect(plain.pod.enableServiceLinks).toBe(false);
  });

  test('hands settings on as they are written', async () => {
    const { env } = await rendered(helm, {
      settings: {
        NAMESPACE: 'a,b',
        SELECTOR: '',
        BATCH_SIZE: 10_000,
        MAX_HELD_BYTES: 123_456_789_012,
        KUBERNETES_METADATA: false,
      },
    });
    expect(env).toMatchObject({
      NAMESPACE: 'a,b',
      SELECTOR: '',
      BATCH_SIZE: '10000',
      MAX_HELD_BYTES: '123456789012',
      KUBERNETES_METADATA: 'false',
    });
  });

  test.each([
    ['a misspelt setting', { 'settings.BTACH_SIZE': '10' }, 'BTACH_SIZE'],
    ['a password among the settings', { 'settings.ETCD_PASSWORD': 'secret' }, 'ETCD_PASSWORD'],
    ['a misspelt value', { 'node.podlogdir': '/x' }, 'podlogdir'],
    ['a port that is none', { httpPort: 0 }, 'httpPort'],
    ['a digest that is none', { 'image.digest': 'sha256:abc' }, 'digest'],
  ])('refuses %s', async (_, wrong, named) => {
    await expect(rendered(helm, wrong)).rejects.toThrow(named);
  });

  test("has etcd's user and files come from secrets", async () => {
    const { env, agent, pod } = await rendered(helm, everything);
    const directory = agent.volumeMounts?.find(({ name }) => name === 'etcd')?.mountPath;
    const files = pod.volumes?.find(({ name }) => name === 'etcd')?.projected?.sources ?? [];
    const mounted = files
      .flatMap(({ secret }) => secret?.items ?? [])
      .map(({ path }) => `${directory}/${path}`);
    const told = ['ETCD_PASSWORD_FILE', 'ETCD_CA_FILE', 'ETCD_CERT_FILE', 'ETCD_KEY_FILE'].map(
      (name) => env[name],
    );
    expect(told).toEqual(mounted);
    expect(agent.env).toContainEqual({
      name: 'ETCD_USERNAME',
      valueFrom: { secretKeyRef: { name: 'user', key: 'username' } },
    });
  });

  test('names no variable and no mount twice, with everything switched on', async () => {
    const { agent, pod } = await rendered(helm, {
      ...everything,
      settings: { LOG_ROOTS: '/x', ETCD_USERNAME: 'me' },
    });
    for (const list of [agent.env, agent.volumeMounts, pod.volumes]) {
      const names = (list ?? []).map(({ name }) => name);
      expect(names).toEqual([...new Set(names)]);
    }
  });

  test('keeps the pod alive longer than SHUTDOWN_TIMEOUT', () => {
    const timeout = settings.shutdownTimeoutMs.parse(settings.shutdownTimeoutMs.default, '/');
    const seconds = 'value' in timeout ? timeout.value / 1000 : Number.NaN;
    expect(plain.pod.terminationGracePeriodSeconds).toBeGreaterThan(seconds + 5);
  });

  test('asks for the memory that was measured', async () => {
    const { requests, limits } = plain.agent.resources ?? {};
    const table = await readFile('docs/performance.md', 'utf8');
    const peaks = [...table.matchAll(/\| (\d+) MB \|$/gm)].map(([, peak]) => Number(peak));
    expect(peaks.length).toBeGreaterThan(5);
    expect(mebibytes(requests?.['memory'])).toBeGreaterThan(
      Number(/\| idle.* \| (\d+) MB \|$/m.exec(table)?.[1]),
    );
    expect(mebibytes(limits?.['memory'])).toBeGreaterThan(2 * Math.max(...peaks));
  });

  test('has the version of the package', () => {
    expect(plain.agent.image).toBe(`frostbeat:${packageJson.version}`);
  });

  test('knows the meaning of every value', async () => {
    const listed = await values();
    expect(listed.length).toBeGreaterThan(30);
    expect(listed.filter(({ meaning }) => meaning === undefined)).toEqual([]);
  });

  test.each(generatedFiles(found ?? '').map((file) => [file.path, file] as const))(
    '%s is up to date',
    async (path, { make }) => {
      expect(await readFile(path, 'utf8'), `${path} is stale; «npm run manifests» makes it anew`).toBe(
        await make(),
      );
    },
  );

  test('install.yaml is one that kubectl can apply to an empty cluster', async () => {
    const install = new Manifests(await readFile('deploy/install.yaml', 'utf8'));
    expect(install.faults).toEqual([]);
    expect(install.kinds).toEqual([...plain.kinds, 'Namespace'].toSorted());
    const kinds = install.all.map(({ kind }) => kind);
    expect(kinds.indexOf('Namespace')).toBeLessThan(kinds.indexOf('DaemonSet'));
    expect(kinds.indexOf('PriorityClass')).toBeLessThan(kinds.indexOf('DaemonSet'));
  });
});
