// The bare loop for Elasticsearch and OpenSearch: bulk requests of so many documents, each created under its ID.
import { idOf, options, values, writeAll } from './loop.mjs';

const { product, url, index } = options;
const elastic = product === 'elasticsearch';
const { Client } = await import(elastic ? '@elastic/elasticsearch' : '@opensearch-project/opensearch');
const client = new Client({ nodes: [url], maxRetries: 0 });
// The server's work depends on what differs from document to document: the same does as with the agent.
const documents = values.map((value) => {
  const { time } = JSON.parse(value);
  const nano = `${Date.parse(`${time.slice(0, 19)}Z`) / 1_000}${time.slice(20, 29)}`;
  return {
    head: `${value.slice(0, -1)},"@timestamp":"${time}","frostbeat":{"id":"`,
    tail: `","unixNano":${nano},"storedAt":${Date.now()}}}`,
  };
});

await writeAll(async (first, end) => {
  let body = '';
  for (let i = first; i < end; i++) {
    const id = idOf(i);
    const { head, tail } = documents[i % documents.length];
    body += `{"create":{"_index":"${index}","_id":"${id}"}}\n${head}${id}${tail}\n`;
  }
  const request = { method: 'POST', path: '/_bulk', querystring: { filter_path: 'errors' }, bulkBody: body };
  const headers = { accept: 'application/json', 'content-type': 'application/x-ndjson' };
  const answer = await client.transport.request(request, { headers });
  if ((answer.body ?? answer).errors !== false) throw new Error('some documents failed');
});
await client.close();
