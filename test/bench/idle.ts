import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startEtcd } from '../support/etcd.ts';
import { freePorts } from '../support/free-ports.ts';
import { KubeApi } from '../support/kube-api/kube-api.ts';
import { until } from '../support/until.ts';
import { startAgent } from './support/agent.ts';
import type { Benchmark, Context } from './support/context.ts';
import { fileWriterBytes, fillLogs, LINE_BYTES, makeContainers } from './support/lines.ts';
import { median, megabytes, spread } from './support/row.ts';

const FILES = 100;
const LINES_EACH = 20;
/** A container that wrote nothing for 10 s is looked at less often: only then the agent is idle. */
const QUIET_MS = 20_000;

interface Idle {
  readonly percent: number;
  readonly residentBytes: number;
  readonly cpuSeconds: number;
  readonly peakBytes: number;
}

/** As the DaemonSet runs it: pods from the API, records to etcd, HTTP served; 100 containers that write nothing. */
export const idle: Benchmark = async (context) => {
  const rounds: Idle[] = [];
  for (let round = 0; round < Math.min(context.rounds, 3); round++) {
    const result = await idleOnce(context);
    rounds.push(result);
    context.say(
      `idle: ${result.percent.toFixed(2)} % of a core, ${megabytes(result.residentBytes)} resident`,
    );
  }
  const percents = rounds.map(({ percent }) => percent);
  const resident = rounds.map(({ residentBytes }) => residentBytes / 1e6);
  const common = {
    against: '',
    cpuSeconds: median(rounds.map(({ cpuSeconds }) => cpuSeconds)),
    peakBytes: median(rounds.map(({ peakBytes }) => peakBytes)),
    rounds,
  };
  return [
    {
      ...common,
      benchmark: `idle: ${FILES} open files, pods from the API, etcd`,
      agent: 'CPU time',
      result: median(percents),
      unit: ' % of a core',
      spread: spread(percents),
      target: { atMost: 1 },
    },
    {
      ...common,
      benchmark: 'the same',
      agent: 'resident memory',
      result: median(resident),
      unit: ' MB',
      spread: spread(resident),
      target: { atMost: 100 },
    },
  ];
};

async function idleOnce(context: Context): Promise<Idle> {
  const podLogDir = await context.newDirectory();
  const containers = makeContainers(podLogDir, FILES);
  fillLogs(containers, LINES_EACH);
  await using etcd = await startEtcd();
  const api = await KubeApi.start();
  try {
    for (const { namespace, pod, uid } of containers) {
      api.addPod({ namespace, name: pod, uid, node: 'bench' });
    }
    const directory = await context.newDirectory();
    const agent = startAgent({
      directory,
      podLogDir,
      writer: 'etcd',
      env: {
        ETCD_SERVERS: etcd.url,
        HTTP_PORT: String((await freePorts(1))[0]),
        POD_SOURCE: 'kubernetes',
        SELECTOR: '',
        NODE_NAME: 'bench',
        KUBECONFIG: await api.kubeconfig(join(directory, 'kubeconfig')),
        BATCH_PERIOD: '1s',
      },
    });
    const all = FILES * LINES_EACH;
    await until(async () => (await etcd.client.getAll().prefix('logs/').count()) === all, {
      what: `${all} records in etcd`,
      timeoutMs: 30_000,
    });
    if (!context.smoke) await sleep(QUIET_MS);
    const begin = { cpu: agent.process.cpuSeconds, at: performance.now() };
    await sleep(context.smoke ? 1_000 : 20_000);
    const seconds = (performance.now() - begin.at) / 1_000;
    const percent = ((agent.process.cpuSeconds - begin.cpu) / seconds) * 100;
    const { residentBytes } = agent.process;
    return { percent, residentBytes, ...(await agent.process.stop()) };
  } finally {
    await api.close();
  }
}

/** 1 GB of logs appears at once: how much more memory is resident than before. */
export const catchUp: Benchmark = async (context) => {
  const linesEach = context.smoke ? 1_000 : 250_000;
  const rounds: { more: number; idleBytes: number; cpuSeconds: number; peakBytes: number }[] = [];
  for (let round = 0; round < Math.min(context.rounds, 3); round++) {
    const result = await catchUpOnce(linesEach, context);
    rounds.push(result);
    context.say(`catch-up: ${result.more.toFixed(0)} MB above ${megabytes(result.idleBytes)}`);
  }
  const more = rounds.map((round) => round.more);
  return [
    {
      benchmark: `catch-up of ${((linesEach * 8 * LINE_BYTES) / 1e9).toFixed(0)} GB in 8 files → file: resident memory`,
      agent: `${megabytes(median(rounds.map(({ idleBytes }) => idleBytes)))} before`,
      against: 'the same process, idle',
      result: median(more),
      unit: ' MB more',
      spread: spread(more),
      target: { atMost: 60 },
      cpuSeconds: median(rounds.map(({ cpuSeconds }) => cpuSeconds)),
      peakBytes: median(rounds.map(({ peakBytes }) => peakBytes)),
      rounds,
    },
  ];
};

async function catchUpOnce(linesEach: number, context: Context) {
  const podLogDir = await context.newDirectory();
  const waiting = await context.newDirectory();
  fillLogs(makeContainers(podLogDir, 1), LINES_EACH);
  const containers = makeContainers(waiting, 9).slice(1);
  fillLogs(containers, linesEach);
  const agent = startAgent({
    directory: await context.newDirectory(),
    podLogDir,
    writer: 'file',
    env: { BATCH_PERIOD: '1s' },
  });
  await agent.wrote(LINES_EACH);
  await sleep(context.smoke ? 100 : 5_000);
  const idleBytes = agent.process.residentBytes;
  agent.process.forgetPeak();
  for (const { directory } of containers) await rename(join(waiting, directory), join(podLogDir, directory));
  const before = fileWriterBytes(LINES_EACH, containers.slice(0, 1), true);
  await agent.wrote(before + fileWriterBytes(linesEach, containers, true));
  const more = (agent.process.peakBytes - idleBytes) / 1e6;
  return { more, idleBytes, ...(await agent.process.stop()) };
}
