import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { findPromtool, promtool } from '../support/promtool.ts';
import { orSkip } from '../support/unavailable.ts';
import { until } from '../support/until.ts';
import { tellPod, testNode, writeRecords } from './node.ts';

const program = await orSkip(findPromtool(), 'the metrics, by promtool');

it.skipIf(program === undefined)(
  'the metrics of an agent at work are as Prometheus wants them, and its containers have theirs while they live',
  async () => {
    const node = await testNode(undefined);
    const first = join(node.podLogDir, 'demo-system_first_uid-1');
    const second = join(node.podLogDir, 'demo-system_second_uid-2');
    writeRecords(join(first, 'app', '0.log'), 5);
    writeRecords(join(second, 'app', '0.log'), 5);
    for (const [pod, uid] of [
      ['first', 'uid-1'],
      ['second', 'uid-2'],
    ] as const) {
      const target = { namespace: 'demo-system', pod, uid, directory: '' };
      tellPod(node, { target } as Parameters<typeof tellPod>[1]);
    }
    const agent = await node.startAgent({ WRITERS: 'file' });
    const scrape = async () => await (await fetch(`${agent.base}/metrics`)).text();
    await agent.ready();
    await until(async () => (await agent.metric('records_delivered_total')) === 10, { what: 'ten records' });
    const text = await scrape();
    expect(await promtool(program!, ['check', 'metrics'], text)).toEqual({ code: 0, said: '' });
    expect(text).toMatch(/^frostbeat_build_info\{version="[^"]+",node_version="24[^"]*"\} 1$/m);
    expect(text).toMatch(/^frostbeat_ready 1$/m);
    expect(text).toMatch(/^frostbeat_pod_watch_up\{namespace="demo-system"\} 1$/m);
    expect(text).toMatch(/^frostbeat_writer_up\{writer="file"\} 1$/m);
    expect(text).toMatch(/^frostbeat_batch_bytes_sum\{writer="file"\} [1-9]\d+$/m);
    expect(text).toMatch(/^process_open_fds \d+$/m);
    const lag = Number(/^nodejs_eventloop_lag_mean_seconds (\S+)$/m.exec(text)?.[1]);
    expect(lag, 'lateness, not the time between two looks').toBeLessThan(0.9);
    expect(text).toMatch(/^process_cpu_seconds_total \d+\.\d+$/m);
    expect(text).toMatch(/^process_max_fds \d+$/m);
    for (const pod of ['first', 'second']) {
      expect(text).toContain(
        `frostbeat_behind_bytes{namespace="demo-system",pod="${pod}",container="app"} 0`,
      );
    }

    node.api.deletePod('demo-system', 'first');
    rmSync(first, { recursive: true });
    await until(async () => !(await scrape()).includes('pod="first"'), {
      what: 'the end of the series',
      timeoutMs: 20_000,
    });
    expect(await scrape()).toContain('pod="second"');
  },
);
