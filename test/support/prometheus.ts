import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unpackDebianPackage } from './debian-package.ts';
import { freePorts } from './free-ports.ts';
import { until } from './until.ts';

/** A real Prometheus server, which scrapes one target each second. */
export interface TestPrometheus extends AsyncDisposable {
  /** The series that a query has now, by their labels. @throws where Prometheus refuses it. */
  query(query: string): Promise<readonly { readonly metric: Readonly<Record<string, string>> }[]>;
  /** The alerts that it has loaded, and what it thinks of each. */
  alerts(): Promise<
    readonly { readonly name: string; readonly health: string; readonly lastError?: string }[]
  >;
}

/** The path of the program, out of Debian's package. @throws where it is not to be had. */
export async function findPrometheus(): Promise<string> {
  return join(await unpackDebianPackage('prometheus'), 'usr/bin/prometheus');
}

export interface PrometheusOptions {
  readonly program: string;
  /** `host:port`. */
  readonly target: string;
  /** Paths of files of rules. */
  readonly rules: readonly string[];
  /** Labels that it adds to what it scrapes, as Prometheus' operator does. */
  readonly labels: Readonly<Record<string, string>>;
}

/** Starts one with an empty temporary directory, and waits until it is ready. */
export async function startPrometheus({
  program,
  target,
  rules,
  labels,
}: PrometheusOptions): Promise<TestPrometheus> {
  const directory = await mkdtemp(join(tmpdir(), 'frostbeat-prometheus-'));
  const [port] = await freePorts(1);
  const base = `http://127.0.0.1:${port}`;
  const config = {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: rules,
    scrape_configs: [
      { job_name: 'frostbeat', honor_labels: true, static_configs: [{ targets: [target], labels }] },
    ],
  };
  const file = join(directory, 'prometheus.yml');
  await writeFile(file, JSON.stringify(config));
  const child = spawn(
    program,
    [
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const endWithUs = () => void child.kill('SIGKILL');
  process.once('exit', endWithUs);
  const closed = once(child, 'close');
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => void (said = (said + text).slice(-4_000)));

  async function ask<T>(path: string): Promise<T> {
    const response = await fetch(`${base}/api/v1/${path}`);
    const answer = (await response.json()) as { status: string; error?: string; data: T };
    if (answer.status !== 'success') throw new Error(`Cannot ask Prometheus: ${answer.error}`);
    return answer.data;
  }

  const ready = async () => {
    if (child.exitCode !== null) throw new Error(`Cannot start Prometheus: ${said}`);
    return (await fetch(`${base}/-/ready`).catch(() => undefined))?.ok;
  };
  await until(ready, { timeoutMs: 30_000, what: 'a Prometheus that is ready' });
  return {
    query: async (query) => {
      const { result } = await ask<{ result: { metric: Record<string, string> }[] }>(
        `query?query=${encodeURIComponent(query)}`,
      );
      return result;
    },
    alerts: async () => {
      type Group = { rules: { name: string; health: string; lastError?: string }[] };
      return (await ask<{ groups: Group[] }>('rules')).groups.flatMap((group) => group.rules);
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      process.removeListener('exit', endWithUs);
      await closed;
      await rm(directory, { recursive: true, force: true });
    },
  };
}
