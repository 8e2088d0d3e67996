import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AgentProcess } from '../../src/demo/agent-process.ts';
import { freePort } from '../../src/demo/free-port.ts';
import { until } from '../support/until.ts';

describe('an agent as a process', () => {
  let directory: string;
  let agent: AgentProcess;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'frostbeat-agent-'));
  });
  afterEach(async () => {
    if (agent.exit === undefined) await agent.stop(0);
    rmSync(directory, { recursive: true });
  });

  async function start(script: string) {
    const port = await freePort();
    const logPath = join(directory, 'agent.log');
    agent = new AgentProcess({
      command: [process.execPath, '-e', script],
      env: { PORT: String(port) },
      logPath,
      port,
    });
    return { logPath };
  }

  it('tells whether it is ready, and sums a metric over its labels', async () => {
    await start(`
      let asked = 0;
      require('http').createServer((request, response) => {
        if (request.url === '/metrics') response.end('a_total{x="1"} 2\\na_total{x="2"} 3\\na_total_b 9\\nplain 1.5e3\\n');
        else response.writeHead(asked++ ? 200 : 503).end('etcd is away');
      }).listen(process.env.PORT);`);
    expect(await agent.metric('never')).toBeUndefined();
    const first = await until(async () => ((await agent.readiness()).says ? 'said' : ''), {
      what: 'an answer',
    });
    expect(first).toBe('said');
    expect(await agent.readiness()).toEqual({ ready: true, says: 'etcd is away' });
    expect([await agent.metric('a_total'), await agent.metric('plain')]).toEqual([5, 1500]);
  });

  it('stops it with SIGTERM, and with SIGKILL when its grace is over', async () => {
    await start(
      `process.on('SIGTERM', () => process.exit(0)); setInterval(() => {}, 1e6); console.log('up');`,
    );
    await until(() => agent.lastWords(1), { what: 'the first word' });
    expect(await agent.stop()).toMatchObject({ code: 0, text: 'exit code 0' });
    await start(`process.on('SIGTERM', () => {}); setInterval(() => {}, 1e6); console.log('deaf');`);
    await until(async () => (await agent.lastWords(1)) === 'deaf', { what: 'the first word' });
    expect(await agent.stop(50)).toEqual({ code: null, signal: 'SIGKILL', text: 'signal SIGKILL' });
  });

  it('keeps what it says and how it ended', async () => {
    const { logPath } = await start(
      `console.log('one'); console.error('two'); console.log('three'); process.exitCode = 2;`,
    );
    await until(() => agent.exit, { what: 'the end' });
    expect(agent.exit).toMatchObject({ code: 2, text: 'exit code 2' });
    expect(readFileSync(logPath, 'utf8')).toBe('one\ntwo\nthree\n');
    expect(await agent.lastWords(2)).toBe('two\nthree');
    expect(await agent.stop()).toMatchObject({ code: 2, text: 'exit code 2' });
  });

  it('says so where it cannot even start', async () => {
    const logPath = join(directory, 'agent.log');
    agent = new AgentProcess({
      command: [join(directory, 'none')],
      env: {},
      logPath,
      port: await freePort(),
    });
    await until(() => agent.exit, { what: 'the failure' });
    expect(agent.exit).toMatchObject({ code: null, text: expect.stringContaining('ENOENT') });
  });
});
