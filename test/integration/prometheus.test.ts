import { readFile } from 'node:fs/promises';
import { resolve, join } from 'node:path';
import { expect, test } from 'vitest';
import { findPrometheus, startPrometheus } from '../support/prometheus.ts';
import { orSkip } from '../support/unavailable.ts';
import { until } from '../support/until.ts';
import { testNode, writeRecords } from './node.ts';

const program = await orSkip(findPrometheus(), 'alerts and dashboard with a real Prometheus');

/** Queries that are empty while all is well. */
const emptyOnAGoodDay = [
  'Cannot write',
  'Cannot watch pods',
  'Unread data deleted in',
  'Files refused, by reason',
  'Asked of the Kubernetes API: failed',
];

test.runIf(program)(
  'Prometheus has data for every panel of the dashboard, and evaluates every alert',
  async () => {
    const node = await testNode(undefined);
    const { uid } = node.api.addPod({
      namespace: 'demo-system',
      name: 'web-0',
      labels: { app: 'snowplow' },
    }).metadata;
    const path = join(node.podLogDir, `demo-system_web-0_${uid}`, 'app', '0.log');
    writeRecords(path, 10);
    const agent = await node.startAgent({ WRITERS: 'file', BATCH_PERIOD: '100ms', CANARY_INTERVAL: '1s' });
    await agent.ready();
    await using prometheus = await startPrometheus({
      program: program ?? '',
      target: new URL(agent.base).host,
      rules: [resolve('deploy/chart/files/alerts.yaml')],
      labels: { node: 'node-1', namespace: 'frostbeat', pod: 'frostbeat-abcde' },
    });

    // What a pod that is read is called stays, and so does the agent's own name.
    const read = () => prometheus.query('frostbeat_behind_seconds');
    await until(async () => (await read()).length > 0, { timeoutMs: 20_000, what: 'a scrape' });
    expect((await read())[0]?.metric).toMatchObject({
      node: 'node-1',
      namespace: 'demo-system',
      pod: 'web-0',
    });
    expect((await prometheus.query('frostbeat_ready'))[0]?.metric).toMatchObject({ pod: 'frostbeat-abcde' });

    const dashboard = JSON.parse(await readFile('deploy/chart/files/dashboard.json', 'utf8')) as {
      panels: { title: string; targets?: { expr: string; legendFormat: string }[] }[];
    };
    const empty = async () => {
      writeRecords(path, 10);
      const answers = dashboard.panels.flatMap(({ title, targets = [] }) =>
        targets.map(async ({ expr, legendFormat }) => {
          const query = expr.replaceAll('$__rate_interval', '5s').replaceAll('$node', '.*');
          return (await prometheus.query(query)).length === 0 ? [`${title}: ${legendFormat}`] : [];
        }),
      );
      return (await Promise.all(answers))
        .flat()
        .filter((title) => !emptyOnAGoodDay.some((name) => title.startsWith(name)));
    };
    let last: string[] = [];
    await until(async () => (last = await empty()).length === 0, { timeoutMs: 20_000, what: 'data' }).catch(
      (cause: unknown) => {
        throw new Error(`Cannot see data for ${[...new Set(last)].join(', ')}`, { cause });
      },
    );

    const loaded = async () => (await prometheus.alerts()).filter(({ health }) => health !== 'ok');
    await until(async () => (await loaded()).length === 0, {
      timeoutMs: 10_000,
      what: 'alerts that are evaluated',
    });
    expect((await prometheus.alerts()).length).toBeGreaterThan(5);
    expect(await prometheus.query('ALERTS')).toEqual([]);
  },
);
