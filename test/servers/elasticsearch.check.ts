import { expect, it } from 'vitest';
import { elasticPassword, startElasticsearch } from '../support/servers/elasticsearch.ts';
import { frostbeat } from '../support/frostbeat.ts';
import { until } from '../support/until.ts';
import { directoryNode } from './agent-run.ts';
import { searchSuite } from './search-suite.ts';

searchSuite('elasticsearch', () => startElasticsearch());

it('a wrong password is told at the start, and nothing is lost until it is mended', async () => {
  await using server = await startElasticsearch({ security: true });
  const base = { WRITERS: 'elasticsearch', ELASTICSEARCH_SERVERS: server.url };
  const wrong = directoryNode({ ...base, ELASTICSEARCH_USERNAME: 'elastic', ELASTICSEARCH_PASSWORD: 'no' });
  wrong.write(3, 'secured');
  const agent = await wrong.startAgent();
  const told = /refuses the user, the password or the API key \(401\): check ELASTICSEARCH_USERNAME/;
  await until(async () => told.test((await agent.readiness()).text), {
    timeoutMs: 30_000,
    what: 'the reason',
  });
  expect(agent.text).not.toContain('    at ');
  expect((await agent.stop()).code).toBe(0);

  const right = { ELASTICSEARCH_USERNAME: 'elastic', ELASTICSEARCH_PASSWORD: elasticPassword };
  const again = await wrong.startAgent(right);
  await until(async () => (await again.ledger())?.delivered === 3, {
    timeoutMs: 30_000,
    what: 'all records',
  });
  await again.stop();
  const { stdout } = await frostbeat(['trace', 'secured'], { env: { ...base, ...right } }).ended();
  expect(stdout.trimEnd().split('\n')).toHaveLength(3);
}, 180_000);
