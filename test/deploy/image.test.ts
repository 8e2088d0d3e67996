import { execFile } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { countStored, writeRecords } from '../integration/node.ts';
import { buildDockerfile } from '../support/dockerfile-build.ts';
import { startEtcd } from '../support/etcd.ts';
import { freePorts } from '../support/free-ports.ts';
import { orSkip } from '../support/unavailable.ts';
import { until } from '../support/until.ts';
import { findContainment, startContained } from '../support/contained.ts';

const run = promisify(execFile);
/** What the image adds to Node; docs/development.md has the figure. */
const MOST_BYTES = 70e6;

let scratch: string;
let app: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'frostbeat-image-'));
  app = join(await buildDockerfile(process.cwd(), scratch), 'app');
}, 300_000);

afterAll(async () => rm(scratch, { recursive: true, force: true }));

test('it starts with nothing but what the image has', async () => {
  const { stdout } = await run(process.execPath, [join(app, 'dist/main.js'), '--version'], {
    cwd: '/',
    env: {},
  });
  expect(stdout.trim()).toContain(packageJson.version);
});

test('every module of ours, and every dependency, finds what it imports', async () => {
  const modules = (await readdir(join(app, 'dist'), { recursive: true }))
    // One begins to run at once, the other runs in a browser only; test/serve looks after that.
    .filter((name) => name.endsWith('.js') && !['main.js', 'serve/page/main.js'].includes(name))
    .map((name) => `./dist/${name}`);
  expect(modules.length).toBeGreaterThan(100);
  const all = JSON.stringify([...modules, ...Object.keys(packageJson.dependencies)]);
  const script = `await Promise.all(${all}.map((name) => import(name)));`;
  const { stderr } = await run(process.execPath, ['--input-type=module', '-e', script], {
    cwd: app,
    env: {},
  });
  expect(stderr).toBe('');
});

test('it has every dependency and no development dependency', async () => {
  const names = new Set(await readdir(join(app, 'node_modules'), { recursive: true }));
  expect(Object.keys(packageJson.dependencies).filter((name) => !names.has(name))).toEqual([]);
  // The Kubernetes client brings the types of Node.
  const development = Object.keys(packageJson.devDependencies).filter((name) => name !== '@types/node');
  expect(development.filter((name) => names.has(name))).toEqual([]);
});

test('it has nothing else, and is small', async () => {
  expect((await readdir(app)).toSorted()).toEqual(['LICENSE', 'dist', 'node_modules', 'package.json']);
  const files = await readdir(app, { recursive: true, withFileTypes: true });
  const sizes = files
    .filter((file) => file.isFile())
    .map(async (file) => (await stat(join(file.parentPath, file.name))).size);
  const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  expect(bytes).toBeGreaterThan(10e6);
  expect(bytes).toBeLessThan(MOST_BYTES);
});

const containment = await orSkip(findContainment(), 'the image as process 1 with one capability');

describe.runIf(containment)(
  'as process 1, root with no capability but DAC_READ_SEARCH, on a read-only file system',
  () => {
    test("reads another user's log files, writes its state, stores, and ends with 0 on SIGTERM", async () => {
      await using etcd = await startEtcd();
      const directory = await mkdtemp(join(scratch, 'node-'));
      const logs = join(directory, 'pods/demo-system_web-0_uid/main');
      writeRecords(join(logs, '0.log'), 3);
      foreign(join(logs, '0.log'), 0o600);
      foreign(logs, 0o700);
      const [port] = await freePorts(1);
      const state = join(directory, 'state');
      mkdirSync(state);
      const agent = startContained([join(app, 'dist/main.js'), 'agent'], {
        env: {
          POD_SOURCE: 'directory',
          POD_LOG_DIR: join(directory, 'pods'),
          STATE_DIR: state,
          ETCD_SERVERS: etcd.url,
          BATCH_PERIOD: '100ms',
          HTTP_PORT: String(port),
        },
        writable: state,
      });
      try {
        await until(async () => (await countStored(etcd)) === 3, {
          timeoutMs: 20_000,
          what: 'three records',
        });
        expect(await agent.capabilities()).toEqual({ inherited: '0', effective: '4', bounding: '4' });
        expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200);
        expect(await agent.terminate()).toBe(0);
        expect(agent.output).toContain('"Stopped."');
      } finally {
        agent.kill();
      }
    });

    test('could not read them without it, and can write nowhere else', async () => {
      const directory = await mkdtemp(join(scratch, 'node-'));
      const logs = join(directory, 'pods/demo-system_web-0_uid/main');
      mkdirSync(logs, { recursive: true });
      foreign(logs, 0o700);
      const script = `fs.readdirSync(${JSON.stringify(logs)})`;
      const refused = startContained(['-e', script], { writable: directory, capability: false });
      expect(await refused.ended).not.toBe(0);
      expect(refused.output).toContain('EACCES');
      const allowed = startContained(['-e', script], { writable: directory });
      expect(await allowed.ended).toBe(0);
      const elsewhere = "fs.writeFileSync('/frostbeat-was-here', '')";
      const writing = startContained(['-e', elsewhere], { writable: directory });
      expect(await writing.ended).not.toBe(0);
      expect(writing.output).toContain('EROFS');
    });
  },
);

/** Gives a file to a user who is not root. */
function foreign(path: string, mode: number): void {
  chmodSync(path, mode);
  chownSync(path, 4711, 4711);
}
