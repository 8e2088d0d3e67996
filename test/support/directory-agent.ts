import { appendFile, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { frostbeat } from './frostbeat.ts';
import { freePorts } from './free-ports.ts';
import { until } from './until.ts';

/** The real agent as a process of its own, over a directory of pods that the test writes. */
export interface DirectoryAgent extends AsyncDisposable {
  readonly directory: string;
  readonly stateDir: string;
  /** What all of its runs have said. */
  readonly said: string;
  /** The lines of its log, of all its runs. */
  readonly log: readonly Readonly<Record<string, unknown>>[];
  /** Appends records to a container's file as CRI lines; resolves when they are written. */
  write(container: string, records: readonly string[]): Promise<void>;
  /** Starts it and waits until it follows the directory. */
  start(): Promise<void>;
  /** SIGTERM; resolves with its exit code. */
  stop(): Promise<number | null>;
  /** Status and body of one of its HTTP paths. */
  get(path: string): Promise<{ status: number; body: string }>;
  /** Sum of a metric's values, over all its labels. */
  metric(name: string): Promise<number>;
  /** Lines of all its dead letters. */
  deadLetters(): Promise<string[]>;
}

/** @param env more settings; the agent is not started yet. */
export async function directoryAgent(env: Readonly<Record<string, string>>): Promise<DirectoryAgent> {
  const directory = await mkdtemp(join(tmpdir(), 'frostbeat-agent-'));
  const [port] = await freePorts(1);
  const stateDir = join(directory, 'state');
  const podLogDir = join(directory, 'pods');
  await mkdir(podLogDir);
  const runs: ReturnType<typeof frostbeat>[] = [];
  const said = (): string => runs.map(({ output }) => output.stdout + output.stderr).join('');

  const get = async (path: string): Promise<{ status: number; body: string }> => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`);
    return { status: answer.status, body: await answer.text() };
  };

  return {
    directory,
    stateDir,
    get,
    get said() {
      return said();
    },
    get log() {
      const lines = said().split('\n').slice(0, -1);
      return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    },
    async write(container, records) {
      const file = join(podLogDir, `demo-system_${container}_uid-${container}`, 'main/0.log');
      await mkdir(dirname(file), { recursive: true });
      const time = new Date().toISOString();
      await appendFile(file, records.map((record) => `${time} stdout F ${record}\n`).join(''));
    },
    async start() {
      const settings = {
        POD_SOURCE: 'directory',
        POD_LOG_DIR: podLogDir,
        STATE_DIR: stateDir,
        HTTP_PORT: String(port),
        BATCH_PERIOD: '100ms',
        ...env,
      };
      const run = frostbeat(['agent'], { env: settings });
      runs.push(run);
      await until(() => run.output.stderr.includes('Frostbeat follows') || run.child.exitCode !== null, {
        timeoutMs: 30_000,
        what: 'the start of the agent',
      });
    },
    async stop() {
      const run = runs.at(-1);
      run?.child.kill('SIGTERM');
      return (await run?.ended())?.code ?? null;
    },
    async metric(name) {
      const { body } = await get('/metrics');
      const values = body
        .split('\n')
        .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
      return values.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
    },
    async deadLetters() {
      const letters = join(stateDir, 'dead-letters');
      const names = await readdir(letters).catch(() => []);
      const texts = await Promise.all(names.map((name) => readFile(join(letters, name), 'utf8')));
      return texts.flatMap((text) => text.split('\n').filter(Boolean));
    },
    async [Symbol.asyncDispose]() {
      const run = runs.at(-1);
      if (run?.child.exitCode === null) run.child.kill('SIGKILL');
      await run?.ended();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** The JSON of a record the agent takes. */
export function recordText(traceId: string, n: number, more: object = {}): string {
  const time = new Date(1_700_000_000_000 + n).toISOString();
  return JSON.stringify({ traceId, time, n, ...more });
}
