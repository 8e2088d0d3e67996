import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { lastingPort } from './free-ports.ts';
import { startServer } from './servers/server-process.ts';

/** Counts its starts in its directory, and tells. */
const counting = (port: number) => `
  const fs = require('node:fs');
  fs.appendFileSync('starts', '.');
  const starts = String(fs.statSync('starts').size);
  require('node:http').createServer((_, response) => response.end(starts)).listen(${port}, '127.0.0.1');`;

it('a server of a test can be stopped, killed, frozen and started again where it was, and leaves nothing', async () => {
  const port = await lastingPort();
  const ask = async (): Promise<string> => {
    const response = await fetch(`http://127.0.0.1:${port}`, { signal: AbortSignal.timeout(300) });
    return await response.text();
  };
  const server = await startServer({
    name: 'counting',
    command: () => [process.execPath, '-e', counting(port)],
    ready: async () => (await ask()) !== '',
  });
  expect(await ask()).toBe('1');
  await server.kill();
  expect(server.pid).toBeUndefined();
  await server.restart();
  expect(await ask()).toBe('2');
  server.freeze();
  await expect(ask()).rejects.toThrow(/timeout/);
  server.thaw();
  expect(await ask()).toBe('2');
  await server.stop();
  await expect(ask()).rejects.toThrow();
  await server[Symbol.asyncDispose]();
  expect(existsSync(server.directory)).toBe(false);
});

it('a server that does not start ends its test with what it said', async () => {
  const started = startServer({
    name: 'broken',
    command: () => [process.execPath, '-e', 'console.error("no such flag"); process.exit(1)'],
    ready: () => Promise.resolve(false),
  });
  await expect(started).rejects.toThrow(/^Cannot start broken: .*no such flag/s);
});
