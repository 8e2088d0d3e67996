import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { everything } from '../deploy/everything.ts';
import { Manifests } from '../deploy/rendered.ts';
import { findHelm, helmTemplate, valueFlags } from '../support/helm.ts';
import { BUILD_LIMIT_MS, findKubeApiserver } from './build-apiserver.ts';
import { type KubeApiserver, startKubeApiserver } from './kube-apiserver.ts';
import { operatorCrds } from './operator-crds.ts';

let api: KubeApiserver;
beforeAll(async () => {
  api = await startKubeApiserver(await findKubeApiserver());
  // A dry run makes no namespace, and so has none for what goes into it.
  await api.kubectl(['create', 'namespace', 'frostbeat']);
}, BUILD_LIMIT_MS);
afterAll(() => api[Symbol.asyncDispose]());

/** What the server made of the manifests: a line for each, and warnings. */
async function apply(yaml: string, ...flags: string[]): Promise<string[]> {
  const said = await api.kubectl(['apply', '--server-side', ...flags, '-f', '-'], yaml);
  // That kubectl is older than the server says nothing of the manifests.
  return said
    .trim()
    .split('\n')
    .filter((line) => !line.includes('supported minor version skew'));
}

test('the server takes install.yaml, without a warning: a dry run, then for good, then a second time', async () => {
  const yaml = await readFile('deploy/install.yaml', 'utf8');
  const { length } = new Manifests(yaml).all;
  const dry = await apply(yaml, '--dry-run=server');
  expect(dry).toHaveLength(length);
  for (const line of dry) expect(line).toMatch(/ serverside-applied \(server dry run\)$/);
  for (const line of await apply(yaml)) expect(line).toMatch(/ serverside-applied$/);
  for (const line of await apply(yaml)) expect(line).toMatch(/ serverside-applied$/);
});

test("the server takes the chart with everything switched on, by the Prometheus operator's definitions too", async () => {
  await apply(await operatorCrds());
  const names = ['podmonitors', 'prometheusrules'].map((name) => `crd/${name}.monitoring.coreos.com`);
  await api.kubectl(['wait', '--for=condition=Established', '--timeout=30s', ...names]);
  const yaml = await helmTemplate(await findHelm(), 'deploy/chart', valueFlags(everything));
  const manifests = new Manifests(yaml).all;
  expect(manifests.map(({ kind }) => kind)).toEqual(
    expect.arrayContaining(['PodMonitor', 'PrometheusRule', 'DaemonSet']),
  );
  const dry = await apply(yaml, '--dry-run=server', '--force-conflicts');
  expect(dry).toHaveLength(manifests.length);
  for (const line of dry) expect(line).toMatch(/ serverside-applied \(server dry run\)$/);
  const misspelt = yaml.replace('podMetricsEndpoints:', 'podMetricsEndpoint:');
  await expect(apply(misspelt, '--dry-run=server', '--force-conflicts')).rejects.toThrow(
    '.spec.podMetricsEndpoint',
  );
});

test('the server finds a misspelt field', async () => {
  const yaml = (await readFile('deploy/install.yaml', 'utf8')).replace('tolerations:', 'toleration:');
  await expect(apply(yaml, '--dry-run=server')).rejects.toThrow('.spec.template.spec.toleration');
});

test("its pod is admitted to install.yaml's namespace, and refused by Pod Security for what it needs elsewhere", async () => {
  const { pod } = new Manifests(await readFile('deploy/install.yaml', 'utf8'));
  const manifest = (namespace: string) =>
    JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'agent', namespace }, spec: pod });
  const create = ['create', '--dry-run=server', '-f', '-'];
  expect(await api.kubectl(create, manifest('frostbeat'))).toContain('pod/agent created');
  await api.kubectl(['create', 'namespace', 'strict']);
  await api.kubectl(['label', 'namespace', 'strict', 'pod-security.kubernetes.io/enforce=baseline']);
  await expect(api.kubectl(create, manifest('strict'))).rejects.toThrow(
    /violates PodSecurity "baseline:latest": non-default capabilities \(.*DAC_READ_SEARCH.*\), hostPath volumes \(volumes "logs", "state"\)\s*$/,
  );
});
