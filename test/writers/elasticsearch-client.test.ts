import { expect, it } from 'vitest';
import { ElasticsearchClient } from '../../src/writers/elasticsearch-client.ts';

it('a request that fails is not copied into its error: in an outage that took hundreds of megabytes', async () => {
  const secrets = { username: undefined, password: undefined, apiKey: undefined, tls: undefined };
  const client = new ElasticsearchClient(['http://127.0.0.1:1'], secrets);
  const body = Buffer.alloc(1_000, '{}\n');
  const sent = client.send(
    { method: 'POST', path: '/_bulk', body, ndjson: true },
    new AbortController().signal,
  );
  const error = (await sent.then(
    () => undefined,
    (reason: unknown) => reason,
  )) as { meta: { meta: { request: { params: { body: unknown } } } } };
  expect(error.meta.meta.request.params.body).toBe(body);
  await client.close();
});
