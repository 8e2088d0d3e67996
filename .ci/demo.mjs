// Runs `npm start` as a newcomer would, types what it says to type next, and ends it by Ctrl-C.
import { exec, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { promisify } from 'node:util';

const limitMs = 120_000;
const npm = spawn('npm', ['start'], { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
const said = { stdout: '', stderr: '' };
for (const name of ['stdout', 'stderr']) {
  npm[name].setEncoding('utf8').on('data', (text) => {
    said[name] += text;
    process.stdout.write(text);
  });
}
const ended = new Promise((resolve) => npm.once('close', resolve));

try {
  await until(() => said.stdout.includes('Ctrl-C ends it'), 'the demo to show a trace');
  check(
    /^Complete: its \d+ records .* are all there, once, in order\.$/m.test(said.stdout),
    'a trace is complete',
  );

  const page = /^ +(http:\/\/localhost:\d+\/)$/m.exec(said.stdout)?.[1];
  check(page !== undefined, 'it says where the page of traces is');
  const { traces } = await (await fetch(`${page}api/traces`)).json();
  check(traces.length > 0 && (await fetch(page)).ok, 'the page is there, with traces');

  const commands = said.stdout.match(/^ +(npx frostbeat trace|curl) .*$/gm) ?? [];
  check(commands.length > 0, 'it says what to type next');
  // A machine of CI may have no curl.
  const runnable = commands.map((command) => command.trim()).filter((command) => !command.startsWith('curl'));
  for (const command of runnable) {
    const { stdout, stderr } = await promisify(exec)(command, { timeout: limitMs });
    console.log(`\n$ ${command}\n${stdout.split('\n').slice(0, 3).join('\n')}\n…\n${stderr}`);
    // Whether all of the trace is there is told beside it, once that is known.
    check(
      stdout.trim() !== '' && /^$|"state":"(complete|open)"/.test(stderr) && !/error|warn/i.test(stderr),
      `«${command}» shows a trace and complains of nothing`,
    );
  }
} finally {
  if (npm.pid !== undefined && npm.exitCode === null) process.kill(-npm.pid, 'SIGINT');
}
await until(() => npm.exitCode !== null || npm.signalCode !== null, 'npm start to end');
await ended;
check(said.stdout.includes('Stopped: the agent ended with exit code 0'), 'Ctrl-C ends it cleanly');
check(!/error|warn/i.test(said.stderr), 'it makes no noise on stderr');

const kept = /^Kept: (\/\S*frostbeat-demo-\w+)/m.exec(said.stdout)?.[1];
if (kept !== undefined) rmSync(kept, { recursive: true });

function check(holds, what) {
  if (!holds) throw new Error(`The demo is wrong: it does not hold that ${what}`);
}

async function until(condition, what) {
  const end = Date.now() + limitMs;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`Cannot see ${what}: ${limitMs / 1000} s are over`);
    if (npm.exitCode !== null) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
