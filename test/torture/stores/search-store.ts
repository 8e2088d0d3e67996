import { itemsAt, membersAt } from '../../../src/trace/raw-json.ts';
import { startElasticsearch } from '../../support/servers/elasticsearch.ts';
import { startOpenSearch } from '../../support/servers/opensearch.ts';
import { type FoundRecord, judgeByReading } from './read-back.ts';
import type { TortureStore } from './torture-store.ts';

const PAGE = 1_000;
/** What the writer adds at the end of a record. */
const added = /,"@timestamp":"[^"]*","frostbeat":\{"id":"([^"]*)","unixNano":(\d+),"storedAt":\d+\}\}$/;

/** Elasticsearch or OpenSearch, with an index a day. */
export async function startSearchStore(product: 'elasticsearch' | 'opensearch'): Promise<TortureStore> {
  const server = await (product === 'opensearch' ? startOpenSearch() : startElasticsearch());
  return {
    env: { WRITERS: product, [`${product.toUpperCase()}_SERVERS`]: server.url },
    server,
    // JSON over HTTP cannot carry what is no UTF-8.
    keepsBytes: false,
    judge: (book, differences) => judgeByReading(() => all(server.url), book, differences),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** Every document, each with its bytes as the server keeps them. */
async function* all(url: string): AsyncGenerator<FoundRecord, void> {
  await post(`${url}/frostbeat-*/_refresh`);
  let answer = await post(`${url}/frostbeat-*/_search?scroll=2m`, { size: PAGE, sort: ['_doc'] });
  for (;;) {
    const outer = membersAt(answer, 0);
    const list = itemsAt(answer, membersAt(answer, outer.get('hits')!.from).get('hits')!.from);
    if (list.length === 0) return;
    for (const { from } of list) yield recordAt(answer, from);
    const { _scroll_id: scroll_id } = JSON.parse(answer.toString('utf8')) as { _scroll_id: string };
    answer = await post(`${url}/_search/scroll`, { scroll: '2m', scroll_id });
  }
}

function recordAt(answer: Buffer, from: number): FoundRecord {
  const members = membersAt(answer, from);
  const place = members.get('_source')!;
  const source = answer.toString('utf8', place.from, place.to);
  const [tail = '', id = '', unixNano = ''] = added.exec(source) ?? [];
  const name = members.get('_id')!;
  if (id === '' || JSON.parse(answer.toString('utf8', name.from, name.to)) !== id)
    throw new Error(`Cannot judge a document: it is ${source.slice(-400)}`);
  const json = `${source.slice(0, -tail.length)}}`;
  const { traceId } = JSON.parse(json) as { traceId: string };
  return { traceId, unixNano, id, value: Buffer.from(json) };
}

async function post(url: string, body?: object): Promise<Buffer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  if (!response.ok)
    throw new Error(`Cannot judge what ${url} holds: it answers ${bytes.toString('utf8', 0, 500)}`);
  return bytes;
}
