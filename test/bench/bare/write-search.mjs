// The bare loop for Elasticsearch and OpenSearch: bulk requests of so many documents, each created under its ID.
import { idOf, options, values, writeAll } from './loop.mjs';

const { product, url, index } = options;
const elastic = product === 'elasticsearch';
const { Client } = await import(elastic ? '@elastic/elasticsearch' : '@opensearch-project/opensearch');
const client = new Client({ nodes: [url], maxRetries: 0 });
const nano = '1700000000123456789';
const documents = values.map(
  (value) =>
    `${value.slice(0, -1)},"@timestamp":"2026-11-23T05:30:00.000000789Z","frostbeat":{"id":"${idOf(0)}","unixNano":${nano},"storedAt":1700000000000}}`,
);

await writeAll(async (first, end) => {
  let body = '';
  for (let i = first; i < end; i++)
    body += `{"create":{"_index":"${index}","_id":"${idOf(i)}"}}\n${documents[i % documents.length]}\n`;
  const request = { method: 'POST', path: '/_bulk', querystring: { filter_path: 'errors' }, bulkBody: body };
  const headers = { accept: 'application/json', 'content-type': 'application/x-ndjson' };
  const answer = await client.transport.request(request, { headers });
  if ((answer.body ?? answer).errors !== false) throw new Error('some documents failed');
});
await client.close();
