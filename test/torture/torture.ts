import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { wallClock } from '../../src/demo/clock.ts';
import { Random } from '../../src/demo/random.ts';
import { pause } from '../../src/util/pause.ts';
import { lastingPort } from '../support/free-ports.ts';
import { KubeApi } from '../support/kube-api/kube-api.ts';
import { TestRecords } from '../support/sim/test-records.ts';
import { AgentUnderTest } from './agent-under-test.ts';
import { Fairness } from './fairness.ts';
import { Faults } from './faults.ts';
import { Journal } from './journal.ts';
import { parseTorture, type TortureOptions, usage } from './options.ts';
import { type Differences, RecordBook } from './record-book.ts';
import { report } from './report.ts';
import { sideBySide } from './side-by-side.ts';
import { type StoreName, startStore } from './stores/torture-store.ts';
import { TortureNode } from './torture-node.ts';

const MAX_RECORD_BYTES = 1024 * 1024;
const SETTLE_MS = 180_000;
/** An agent that has had so much time, in milliseconds, and nothing to do for a while has found all there is. */
const REST_MS = 8_000;

/** Runs the agent under torture and says what came of it. True if nothing was wrong. */
async function torture(name: StoreName, options: TortureOptions): Promise<boolean> {
  const { minutes, seed, killEvery, pods, linesPerSecond, keep } = options;
  const directory = await mkdtemp(join(tmpdir(), `frostbeat-torture-${seed}-`));
  const [podLogDir, dockerDir, stateDir] = ['pods', 'docker', 'state'].map((part) =>
    join(directory, part),
  ) as [string, string, string];
  for (const path of [podLogDir, dockerDir, stateDir]) await mkdir(path);
  say(`${name}, seed ${seed}: ${minutes} min, ${pods} pods, ${linesPerSecond} lines/s, in ${directory}`);

  await using store = await startStore(name, directory);
  const api = await KubeApi.start({ bookmarkMs: 2_000 });
  const random = new Random(seed);
  const clock = wallClock();
  const book = new RecordBook();
  const journal = new Journal(join(directory, 'journal.ndjson'), () => book.now());
  const fairness = new Fairness(book, journal);
  const records = new TestRecords({
    random,
    clock,
    long: 0.001,
    ...(!store.keepsBytes && { invalidUtf8: 0 }),
  });
  const parts = {
    keptFiles: options.keptFiles,
    podLogDir,
    dockerDir,
    api,
    random,
    clock,
    book,
    records,
    fairness,
    journal,
  };
  const node = new TortureNode({
    ...parts,
    pods,
    linesPerSecond,
    rotateEveryMs: options.rotateEvery * 1000,
    befallEveryMs: options.befallEvery * 1000,
    maxRecordBytes: MAX_RECORD_BYTES,
  });

  api.onTold = ({ metadata }) => node.heard(metadata.uid, Number(metadata.resourceVersion));

  const port = await lastingPort();
  fairness.agentStarted();
  const agent = new AgentUnderTest({
    main: fileURLToPath(new URL('../../dist/main.js', import.meta.url)),
    logPath: join(directory, 'agent.log'),
    port,
    env: {
      PATH: process.env['PATH'],
      NODE_NAME: 'node-1',
      KUBECONFIG: await api.kubeconfig(join(directory, 'kubeconfig')),
      POD_LOG_DIR: podLogDir,
      LOG_ROOTS: dockerDir,
      STATE_DIR: stateDir,
      ...store.env,
      HTTP_PORT: String(port),
      BATCH_SIZE: '128',
      MAX_IN_FLIGHT: '16',
      BATCH_PERIOD: '500ms',
      SHUTDOWN_TIMEOUT: '3s',
      MAX_RECORD_BYTES: String(MAX_RECORD_BYTES),
    },
  });
  const differences: Differences = {
    stored: 0,
    lost: 0,
    twice: 0,
    altered: 0,
    outOfPlace: 0,
    unexpected: 0,
    missing: [],
    examples: [],
  };
  const judge = store.judge(book, differences);
  const complaints: string[] = [];
  const faults = new Faults({
    agent,
    store: { name, server: store.server },
    api,
    stateDir,
    fairness,
    journal,
    random: new Random(seed + 1),
    killEveryMs: killEvery * 1000,
  });

  const scrape = async () => {
    const asked = fairness.now;
    const scraped = await agent.scrape();
    if (scraped === undefined) return undefined;
    if (scraped.imbalance !== 0)
      complaints.push(`The account is out of balance by ${scraped.imbalance} lines.`);
    fairness.scraped(asked, scraped, node.containers);
    return scraped;
  };
  const over = new AbortController();
  const watching = (async () => {
    let next = 0;
    while (!over.signal.aborted) {
      await pause(250, over.signal);
      await scrape();
      if (fairness.now < next) continue;
      next = fairness.now + 5_000;
      const memory = Math.round(agent.peakBytes / 2 ** 20);
      say(
        `${Math.round(fairness.now / 1000)} s: ${node.lines} lines, ${book.size} records, ${differences.stored} compared, ${faults.total} faults, peak ${memory} MiB`,
      );
    }
  })();

  const ending = AbortSignal.timeout(minutes * 60_000);
  const judging = judge.run(ending, over.signal);
  await Promise.all([node.run(ending), faults.run(ending)]);

  // Everything works again and no more is written: what is there must come to the store.
  const deadline = fairness.now + SETTLE_MS;
  const wait = async (what: () => Promise<boolean>) => {
    while (!(await what())) {
      if (fairness.now > deadline) return complaints.push('The agent did not come to rest.');
      await pause(500, over.signal);
    }
    return undefined;
  };
  const containers = node.containers.length;
  const settledAt = fairness.now;
  let quiet = 0;
  let inFlight = 0;
  await wait(async () => {
    const now = await scrape();
    // The begin of a line whose end went with its file is in flight for as long as nothing comes behind it.
    const rests = now !== undefined && now.inFlight === inFlight && now.idle;
    inFlight = now?.inFlight ?? -1;
    const done = rests && [...now.behind.values()].every((bytes) => bytes === 0) && now.behind.size > 0;
    quiet = done ? quiet + 1 : 0;
    return quiet > 6 && fairness.hadSince(settledAt) > REST_MS;
  });
  over.abort();
  await Promise.all([watching, judging]);
  fairness.end();
  const wrong = await agent.stop(30_000);
  if (wrong !== undefined) complaints.push(wrong);
  await api.close();
  await journal.close();

  say(`comparing the store with ${book.size} records …`);
  await judge.finish();
  book.missing(differences);
  const said = await agent.said();
  const { text, passed } = report({
    store: name,
    options,
    lines: node.lines,
    containers,
    book,
    differences,
    judged: judge.counts,
    events: node.counts,
    faults: faults.counts,
    complaints: [...complaints, ...faults.complaints, ...judge.complaints],
    owed: fairness.owed,
    excused: fairness.excused,
    said,
    peakBytes: agent.peakBytes,
  });
  say(text);
  if (passed && !keep) await rm(directory, { recursive: true });
  else say(`kept: ${directory}`);
  return passed;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

// The exit ends the agent and the store; a signal by itself would not.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const args = process.argv.slice(2);
if (args.includes('--help')) process.stdout.write(usage);
else process.exitCode = (await run(parseTorture(args))) ? 0 : 1;

async function run(options: TortureOptions): Promise<boolean> {
  const [name, ...others] = options.stores;
  return others.length === 0 ? await torture(name, options) : await sideBySide(args, options);
}
