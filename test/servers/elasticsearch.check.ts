import { expect, it } from 'vitest';
import { elasticPassword, startElasticsearch } from '../support/servers/elasticsearch.ts';
import { directoryNode } from './agent-run.ts';
import { searchSuite } from './search-suite.ts';
import { delivers, tells, traceLines } from './suite.ts';

searchSuite('elasticsearch', () => startElasticsearch());

it('a wrong password is told at the start, and nothing is lost until it is mended', async () => {
  await using server = await startElasticsearch({ security: true });
  const base = { WRITERS: 'elasticsearch', ELASTICSEARCH_SERVERS: server.url };
  const wrong = directoryNode({ ...base, ELASTICSEARCH_USERNAME: 'elastic', ELASTICSEARCH_PASSWORD: 'no' });
  wrong.write(3, 'secured');
  const told = /refuses the user, the password or the API key \(401\): check ELASTICSEARCH_USERNAME/;
  await tells(wrong, {}, told);
  const right = { ELASTICSEARCH_USERNAME: 'elastic', ELASTICSEARCH_PASSWORD: elasticPassword };
  await delivers(wrong, 3, right);
  expect(await traceLines(['secured'], { ...base, ...right })).toHaveLength(3);
}, 180_000);
