import type { V1Container, V1Deployment, V1NetworkPolicy, V1Service } from '@kubernetes/client-node';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { loadConfig } from '../../src/config/load-config.ts';
import { settings } from '../../src/config/settings.ts';
import { freePorts } from '../support/free-ports.ts';
import { frostbeat } from '../support/frostbeat.ts';
import { findHelm } from '../support/helm.ts';
import { orSkip } from '../support/unavailable.ts';
import { until } from '../support/until.ts';
import { everything } from './everything.ts';
import { type Manifests, rendered } from './rendered.ts';

const helm = await orSkip(findHelm(), 'the page of traces that the chart runs');

describe.runIf(helm)('the page of traces in the chart', () => {
  test('is one pod that may do nothing but read etcd', async () => {
    const manifests = await rendered(helm ?? '');
    const { spec } = manifests.one<V1Deployment>('Deployment', 'frostbeat-serve');
    expect(spec?.replicas).toBe(1);
    expect(spec?.template.spec).toMatchObject({
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    });
    expect(spec?.template.spec?.volumes).toBeUndefined();
    expect(container(manifests)).toMatchObject({
      args: ['serve', '--from', 'etcd'],
      securityContext: {
        readOnlyRootFilesystem: true,
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
      },
    });
    const service = manifests.one<V1Service>('Service', 'frostbeat-serve');
    expect(spec?.template.metadata?.labels).toEqual(service.spec?.selector);
    expect(spec?.template.metadata?.labels).not.toMatchObject({ 'app.kubernetes.io/component': 'agent' });
    expect(container(manifests)?.ports).toEqual([
      { name: 'http', containerPort: service.spec?.ports?.[0]?.port },
    ]);
  });

  test('is reached by nobody but port-forward until it asks who they are', async () => {
    const plain = await rendered(helm ?? '');
    expect(env(plain)).toMatchObject({ SERVE_HOST: 'localhost', TRACE_GRACE: settings.traceGraceMs.default });
    expect(policy(plain).spec?.ingress).toEqual([]);
    const byPassword = await rendered(helm ?? '', { 'serve.credentialsSecret': 'page' });
    expect(env(byPassword)).toMatchObject({
      SERVE_HOST: '0.0.0.0',
      SERVE_PASSWORD_FILE: '/etc/frostbeat/access/password',
    });
    expect(container(byPassword)?.env).toContainEqual({
      name: 'SERVE_USERNAME',
      valueFrom: { secretKeyRef: { name: 'page', key: 'username' } },
    });
    const from = [{ podSelector: { matchLabels: { app: 'proxy' } } }];
    const byProxy = await rendered(helm ?? '', {
      'serve.userHeader': 'X-Forwarded-User',
      'serve.from': from,
    });
    expect(env(byProxy)).toMatchObject({ SERVE_HOST: '0.0.0.0', SERVE_USER_HEADER: 'X-Forwarded-User' });
    expect(policy(byProxy).spec?.ingress).toEqual([{ ports: [{ protocol: 'TCP', port: 'http' }], from }]);
  });

  test('reads etcd as its own user, with the files of the agents', async () => {
    const manifests = await rendered(helm ?? '', everything);
    expect(container(manifests)?.env).toContainEqual({
      name: 'ETCD_USERNAME',
      valueFrom: { secretKeyRef: { name: 'reader', key: 'username' } },
    });
    expect(env(manifests)['ETCD_SERVERS']).toBe(manifests.env['ETCD_SERVERS']);
    const { volumes } =
      manifests.one<V1Deployment>('Deployment', 'frostbeat-serve').spec?.template.spec ?? {};
    const mounts = container(manifests)?.volumeMounts ?? [];
    const files = (volumes ?? []).flatMap(({ name, projected, secret }) => {
      const at = mounts.find((mount) => mount.name === name)?.mountPath;
      const items = [
        ...(projected?.sources ?? []).flatMap((source) => source.secret?.items ?? []),
        ...(secret?.items ?? []),
      ];
      return items.map(({ path }) => `${at}/${path}`);
    });
    const told = Object.entries(env(manifests)).filter(([name]) => name.endsWith('_FILE'));
    expect(told.map(([, path]) => path).toSorted()).toEqual(files.toSorted());
  });

  test('is given settings that it knows and takes', async () => {
    const known = new Set(Object.values(settings).map(({ variable }) => variable));
    const given = env(await rendered(helm ?? ''));
    expect(Object.keys(given).filter((name) => !known.has(name))).toEqual([]);
    expect(loadConfig({ env: given, cwd: '/', checks: { node: false, stateDir: false } }).mistakes).toEqual(
      [],
    );
  });

  test('is left out where told so, or where the agents do not write to etcd', async () => {
    for (const values of [{ 'serve.enabled': false }, { 'settings.WRITERS': 'file' }]) {
      expect((await rendered(helm ?? '', values)).kinds).not.toContain('Deployment');
    }
    expect((await rendered(helm ?? '', { 'settings.WRITERS': 'file, etcd' })).kinds).toContain('Deployment');
  });

  test('answers its probe when it runs as the chart runs it', async () => {
    const manifests = await rendered(helm ?? '');
    const [port] = await freePorts(1);
    const directory = await mkdtemp(join(tmpdir(), 'frostbeat-serve-'));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const { args = [], readinessProbe } = container(manifests) ?? {};
    const running = frostbeat(args, { env: { ...env(manifests), HTTP_PORT: String(port) }, cwd: directory });
    onTestFinished(async () => {
      running.child.kill();
      await running.ended();
    });
    await until(() => running.output.stdout.includes('Traces of etcd'), {
      what: 'the address',
      timeoutMs: 30_000,
    });
    const [, ...probe] = readinessProbe?.exec?.command ?? [];
    const script = join(directory, 'probe.mjs');
    await writeFile(script, (probe.at(-1) ?? '').replace('8080', String(port)));
    const { promise, resolve } = Promise.withResolvers<number | null>();
    execFile(process.execPath, [script]).once('exit', resolve);
    expect(await promise).toBe(0);
  });
});

function container(manifests: Manifests): V1Container | undefined {
  return manifests.one<V1Deployment>('Deployment', 'frostbeat-serve').spec?.template.spec?.containers[0];
}

function policy(manifests: Manifests): V1NetworkPolicy {
  return manifests.one<V1NetworkPolicy>('NetworkPolicy', 'frostbeat-serve');
}

/** The variables of fixed values. */
function env(manifests: Manifests): Record<string, string> {
  return Object.fromEntries(
    (container(manifests)?.env ?? []).flatMap(({ name, value }) =>
      value === undefined ? [] : [[name, value]],
    ),
  );
}
