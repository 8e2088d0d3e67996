import type { V1ClusterRole, V1ConfigMap, V1Container, V1DaemonSet, V1PodSpec } from '@kubernetes/client-node';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import packageJson from '../../package.json' with { type: 'json' };
import { loadConfig } from '../../src/config/load-config.ts';
import { settings } from '../../src/config/settings.ts';
import { schemaFaults } from '../support/kubernetes-schema.ts';
import { findKustomize, kustomize } from '../support/kustomize.ts';
import { orSkip } from '../support/unavailable.ts';

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

const tool = await orSkip(findKustomize(), 'the manifests in deploy/');
let manifests: readonly Manifest[];
const scratch: string[] = [];

afterAll(async () => Promise.all(scratch.map((folder) => rm(folder, { recursive: true }))));

async function render(folder: string): Promise<readonly Manifest[]> {
  if (tool === undefined) throw new Error('Cannot render: there is no kustomize');
  const documents = parseAllDocuments(await kustomize(tool, folder));
  return documents.map((document) => document.toJS() as Manifest);
}

/** A copy of deploy/ in which one file is changed. */
async function changed(file: string, change: (text: string) => string): Promise<readonly Manifest[]> {
  const copy = await mkdtemp(join(tmpdir(), 'frostbeat-deploy-'));
  scratch.push(copy);
  await cp('deploy', copy, { recursive: true });
  await writeFile(join(copy, file), change(await readFile(join(copy, file), 'utf8')));
  return render(copy);
}

function faults(of: readonly Manifest[]): string[] {
  return of.flatMap((manifest) => schemaFaults(`V1${manifest.kind}`, manifest));
}

function one<T>(kind: string, of = manifests): T {
  const found = of.filter((manifest) => manifest.kind === kind);
  expect(found, kind).toHaveLength(1);
  return found[0] as T;
}

function pod(of = manifests): V1PodSpec {
  const spec = one<V1DaemonSet>('DaemonSet', of).spec?.template.spec;
  if (!spec) throw new Error('Cannot find the pod of the DaemonSet');
  return spec;
}

function agent(of = manifests): V1Container {
  const { containers } = pod(of);
  expect(containers).toHaveLength(1);
  return containers[0] as V1Container;
}

describe.runIf(tool)('the manifests', () => {
  beforeAll(async () => {
    manifests = await render('deploy');
  });

test('kustomize renders everything the agent needs', () => {
  expect(manifests.map(({ kind }) => kind).toSorted()).toEqual([
    'ClusterRole',
    'ClusterRoleBinding',
    'ConfigMap',
    'DaemonSet',
    'Namespace',
    'PriorityClass',
    'ServiceAccount',
  ]);
});

test('every manifest is what the Kubernetes API takes', () => {
  expect(faults(manifests)).toEqual([]);
});

test('a misspelt field is found', async () => {
  const misspelt = await changed('daemonset.yaml', (text) => text.replace('tolerations:', 'toleration:'));
  expect(faults(misspelt)).toEqual(['V1DaemonSet.spec.template.spec.toleration is an unknown field']);
});

test('the Docker volumes, once uncommented, are what the Kubernetes API takes', async () => {
  const withDocker = await changed('daemonset.yaml', (text) => text.replaceAll(/^( *)# (- name: docker| {2,}\S)/gm, '$1$2'));
  expect(faults(withDocker)).toEqual([]);
  expect(agent(withDocker).volumeMounts).toContainEqual({
    name: 'docker',
    mountPath: '/var/lib/docker/containers',
    readOnly: true,
  });
  expect(pod(withDocker).volumes?.map(({ name }) => name)).toEqual(['logs', 'state', 'docker']);
});

test('the agent may list and watch pods, and nothing else', () => {
  const role = one<V1ClusterRole>('ClusterRole');
  expect(role.rules).toEqual([{ apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch'] }]);
  expect(one('ClusterRoleBinding')).toMatchObject({
    roleRef: { kind: 'ClusterRole', name: role.metadata?.name },
    subjects: [{ kind: 'ServiceAccount', name: pod().serviceAccountName, namespace: 'frostbeat' }],
  });
  expect(one('ServiceAccount')).toMatchObject({ metadata: { name: pod().serviceAccountName, namespace: 'frostbeat' } });
});

test('every variable is a setting, and the settings are a valid configuration', () => {
  const { data } = one<V1ConfigMap>('ConfigMap');
  const env = { ...data, ...Object.fromEntries((agent().env ?? []).map(({ name }) => [name, 'node-1'])) };
  const known = new Set(Object.values(settings).map(({ variable }) => variable));
  expect(Object.keys(env).filter((name) => !known.has(name))).toEqual([]);
  expect(Object.keys(env)).toContain('NODE_NAME');
  const { mistakes } = loadConfig({ env, cwd: '/', checks: { node: true, stateDir: false } });
  expect(mistakes).toEqual([]);
});

test('the node is named by the downward API', () => {
  expect(agent().env).toContainEqual({ name: 'NODE_NAME', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } });
});

test('a Service of the namespace cannot change a setting', () => {
  // A Service named http would set HTTP_PORT to tcp://….
  expect(pod().enableServiceLinks).toBe(false);
});

test('the settings are mounted under the name that kustomize gave them', () => {
  const { metadata } = one<V1ConfigMap>('ConfigMap');
  expect(agent().envFrom).toContainEqual({ configMapRef: { name: metadata?.name } });
});

test('the pod outlives SHUTDOWN_TIMEOUT', () => {
  const { data } = one<V1ConfigMap>('ConfigMap');
  const text = data?.[settings.shutdownTimeoutMs.variable] ?? settings.shutdownTimeoutMs.default;
  const timeout = settings.shutdownTimeoutMs.parse(text, '/');
  expect(timeout).toEqual({ value: expect.any(Number) });
  const seconds = 'value' in timeout ? timeout.value / 1000 : Number.NaN;
  expect(pod().terminationGracePeriodSeconds).toBeGreaterThan(seconds + 5);
});

test('the image has the version of the package', () => {
    expect(agent().image).toBe(`frostbeat:${packageJson.version}`);
  });

  test('the agent runs on every node, whatever its taints', () => {
  expect(pod().tolerations).toEqual([{ operator: 'Exists' }]);
});

test('logs are mounted read-only, the state for writing, where the settings look for them', () => {
  expect(agent().volumeMounts).toEqual([
    { name: 'logs', mountPath: settings.podLogDir.default, readOnly: true },
    { name: 'state', mountPath: settings.stateDir.default },
  ]);
  expect(pod().volumes).toEqual([
    { name: 'logs', hostPath: { path: '/var/log/pods', type: 'Directory' } },
    { name: 'state', hostPath: { path: '/var/lib/frostbeat', type: 'DirectoryOrCreate' } },
  ]);
});

test('the agent has no privilege but to read files', () => {
  expect(agent().securityContext).toEqual({
    runAsUser: 0,
    readOnlyRootFilesystem: true,
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'], add: ['DAC_READ_SEARCH'] },
    seccompProfile: { type: 'RuntimeDefault' },
  });
});

test('the probes ask for the pages that the agent serves, at its port', () => {
  const { startupProbe, livenessProbe, readinessProbe, ports } = agent();
  expect([startupProbe, livenessProbe, readinessProbe].map((probe) => probe?.httpGet)).toEqual([
    { path: '/healthz', port: 'http' },
    { path: '/healthz', port: 'http' },
    { path: '/readyz', port: 'http' },
  ]);
  expect(ports).toEqual([{ name: 'http', containerPort: Number(settings.httpPort.default) }]);
});
});
