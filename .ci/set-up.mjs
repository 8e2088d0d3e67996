// Makes a fresh clone ready: installs what package-lock.json names where that is missing or older, then builds.
// Runs as prestart and pretest, on whatever Node the machine has (20 or later), with nothing installed yet.
import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const node24 = join(root, 'node_modules', '.bin', 'node');

const modified = (path) => statSync(join(root, path), { throwIfNoEntry: false })?.mtimeMs;

whenAlone(() => {
  // npm writes this file last, so an install that was cut short does not count.
  const installed = modified('node_modules/.package-lock.json') ?? 0;
  if (installed < modified('package-lock.json') || modified('node_modules/.bin/node') === undefined)
    install();
  if (!process.argv.includes('--no-build')) build();
});

function install() {
  const started = Date.now();
  say('Installing packages (once; about half a minute) …');
  // npm ci does this too, and now and then trips over its own feet (ENOTEMPTY).
  rmSync(join(root, 'node_modules'), { recursive: true, force: true, maxRetries: 5 });
  // npm tells its scripts where it is; run by hand, it is on the PATH. stdout is npm's chatter, stderr its errors.
  const npm = process.env.npm_execpath;
  // The Node that runs this may be the one that is replaced: npm's scripts find it first.
  const isReplaced = process.execPath.startsWith(join(root, 'node_modules'));
  const [command, args] = npm?.endsWith('.js') && !isReplaced ? [process.execPath, [npm]] : ['npm', []];
  run(
    command,
    [...args, 'ci'],
    'Cannot install the packages: npm ci failed; what it said is above',
    'ignore',
  );
  if (modified('node_modules/.bin/node') === undefined) {
    fail(
      'Cannot go on: the package «node», which brings Node 24, was not set up. Is ignore-scripts set in your .npmrc?',
    );
  }
  say(`Installed in ${Math.round((Date.now() - started) / 1000)} s.`);
}

function build() {
  // The page runs in a browser, and is compiled for one.
  for (const project of ['tsconfig.build.json', 'src/serve/page']) {
    compile('node_modules/typescript/bin/tsc', '-p', project);
  }
  // What is done for every byte of a log is compiled to WebAssembly.
  compile('node_modules/assemblyscript/bin/asc.js', '--config', 'src/record/wasm/asconfig.json');
  // npx makes it executable once, when it first links it, and not after a later build.
  chmodSync(join(root, 'dist', 'main.js'), 0o755);
}

function compile(...args) {
  run(node24, args, 'Cannot build dist/: the compiler found the faults above');
}

/** Two terminals, two commands, one clone: the second waits, or it would take the packages away from the first. */
function whenAlone(work) {
  const lock = join(root, '.set-up.lock');
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      // One that was killed left its lock behind.
      if (!isAlive(lock)) rmSync(lock, { force: true });
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
    }
  }
  process.once('exit', () => rmSync(lock, { force: true }));
  work();
}

function isAlive(lock) {
  try {
    process.kill(Number(readFileSync(lock, 'utf8')) || process.pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function run(command, args, failure, stdout = 'inherit') {
  const own = join(root, 'node_modules', '.bin');
  const PATH = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((directory) => resolve(directory) !== own)
    .join(delimiter);
  const env = { ...process.env, PATH };
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    env,
    stdio: ['ignore', stdout, 'inherit'],
  });
  if (error) fail(`${failure}: ${error.message}`);
  if (status !== 0) fail(`${failure}.`);
}

function say(text) {
  process.stderr.write(`${text}\n`);
}

function fail(text) {
  say(text);
  process.exit(1);
}
