#!/usr/bin/env node
// Nothing is imported before this is known: an older Node cannot even load it.
if (Number.parseInt(process.versions.node, 10) < 24) {
  process.stderr.write(
    `frostbeat: Node ${process.versions.node} is too old: it must be 24 or later. ` +
      'In a clone, «npx frostbeat» runs with the Node 24 that npm ci installed.\n',
  );
  process.exit(2);
}
const { runCommandLine } = await import('./cli/command-line.ts');

const stop = new AbortController();
let askedAt = Number.NEGATIVE_INFINITY;

for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    const now = performance.now();
    if (!stop.signal.aborted) {
      askedAt = now;
      stop.abort();
    } else if (now - askedAt > 300) {
      // npm passes the SIGINT of a Ctrl-C on to us, who had it from the terminal: one in a moment is no second.
      process.exit(1);
    }
  });
}

// Rejections that nobody handles come here too: Node raises them.
process.on('uncaughtException', die);

// `frostbeat trace … | head`: the reader has seen enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') stop.abort();
  else die(error);
});

const code = await runCommandLine(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  stdout: process.stdout,
  stderr: process.stderr,
  signal: stop.signal,
});
// Where another program of Node reads it, standard output is a socket, which takes what is written later: an exit
// before would cut the end of a trace off.
await new Promise((resolve) => process.stdout.write('', resolve));
process.exit(code);

/** What nobody caught is a fault of ours: told whole, in the form of the log where no person reads it. */
function die(reason: unknown): void {
  const text = reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
  const line = {
    level: 'fatal',
    time: new Date().toISOString(),
    msg: 'Uncaught error',
    err: { stack: text },
  };
  process.stderr.write(process.stderr.isTTY ? `frostbeat: ${text}\n` : `${JSON.stringify(line)}\n`);
  process.exit(1);
}
