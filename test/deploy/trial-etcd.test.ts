import type { V1Deployment, V1Service } from '@kubernetes/client-node';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { findEtcd } from '../support/ensure-etcd.ts';
import { freePorts } from '../support/free-ports.ts';
import { findHelm } from '../support/helm.ts';
import { orSkip } from '../support/unavailable.ts';
import { until } from '../support/until.ts';
import { rendered } from './rendered.ts';

const helm = await orSkip(findHelm(), 'the etcd that the chart runs to try it out');

test.runIf(helm)('the agents are told of the etcd that comes with the chart', async () => {
  const manifests = await rendered(helm ?? '', { 'trialEtcd.enabled': true });
  const service = manifests.one<V1Service>('Service', 'frostbeat-etcd');
  const [port] = service.spec?.ports ?? [];
  expect(manifests.env['ETCD_SERVERS']).toBe(`${service.metadata?.name}.frostbeat:${port?.port}`);
  const { template } = manifests.one<V1Deployment>('Deployment', 'frostbeat-etcd').spec ?? {};
  expect(template?.metadata?.labels).toEqual(service.spec?.selector);
  expect(template?.spec?.containers[0]?.ports).toEqual([
    { name: port?.targetPort, containerPort: port?.port },
  ]);
});

test.runIf(helm)('a real etcd takes its flags, and answers its probe', async () => {
  const manifests = await rendered(helm ?? '', { 'trialEtcd.enabled': true });
  const [container] =
    manifests.one<V1Deployment>('Deployment', 'frostbeat-etcd').spec?.template.spec?.containers ?? [];
  const directory = await mkdtemp(join(tmpdir(), 'frostbeat-trial-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const [port, peer] = await freePorts(2);
  // Its own data and ports, so that it disturbs no other; all else as in the pod.
  const flags = (container?.command ?? [])
    .slice(1)
    .map((flag) => flag.replace('=/data/', `=${directory}/`).replace('0.0.0.0:2379', `127.0.0.1:${port}`));
  const peers = ['--listen-peer-urls', '--initial-advertise-peer-urls'].map(
    (flag) => `${flag}=http://127.0.0.1:${peer}`,
  );
  const etcd = spawn(
    findEtcd() ?? '',
    [...flags, ...peers, `--initial-cluster=default=http://127.0.0.1:${peer}`],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  const ended = once(etcd, 'close');
  let said = '';
  etcd.stderr.setEncoding('utf8').on('data', (text: string) => void (said += text));
  try {
    const path = container?.readinessProbe?.httpGet?.path ?? '';
    const healthy = async () => {
      if (etcd.exitCode !== null) throw new Error(`Cannot start etcd: ${said}`);
      const response = await fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined);
      return (await response?.text())?.includes('"health":"true"');
    };
    expect(await until(healthy, { timeoutMs: 20_000, what: 'a healthy etcd' })).toBe(true);
  } finally {
    etcd.kill('SIGKILL');
    await ended;
  }
});
