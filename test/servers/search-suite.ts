import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { indexTemplate } from '../../src/writers/search-template.ts';
import type { SearchServer } from '../support/servers/opensearch.ts';
import { ownText } from '../integration/node.ts';
import { directoryNode, writeThroughFaults } from './agent-run.ts';
import { readingSuite } from './reading-suite.ts';
import { conformanceSuite, delivers, tells, traceLines } from './suite.ts';
import { tryCanaries } from './canary-run.ts';

type Source = Readonly<Record<string, unknown>>;

/** A document, as the server gives it. */
interface Document {
  readonly id: string;
  readonly source: Source;
}

/** The record in a document, as JSON: without the two members that the writer adds. */
function ownJson(source: Source): string {
  return JSON.stringify({ ...source, '@timestamp': undefined, frostbeat: undefined });
}

function pageOf(answer: Readonly<Record<string, unknown>>): { documents: Document[]; next: string } {
  const { hits } = answer['hits'] as { hits: readonly Readonly<Record<string, unknown>>[] };
  return {
    documents: hits.map((hit) => ({ id: String(hit['_id']), source: hit['_source'] as Source })),
    next: String(answer['_scroll_id']),
  };
}

/** What holds of the writers `elasticsearch` and `opensearch`, against the real server. */
export function searchSuite(
  product: 'elasticsearch' | 'opensearch',
  start: () => Promise<SearchServer>,
): void {
  const prefix = product.toUpperCase();
  let server: SearchServer;
  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  const ask = async (method: string, path: string, body?: object): Promise<Record<string, unknown>> => {
    const response = await fetch(`${server.url}${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    return (await response.json()) as Record<string, unknown>;
  };

  /** Every document of some indices. */
  const documents = async (indices: string): Promise<Document[]> => {
    await ask('POST', `/${indices}/_refresh`);
    const all: Document[] = [];
    for (let page = pageOf(await ask('POST', `/${indices}/_search?scroll=1m`, { size: 2_000 })); ;) {
      if (page.documents.length === 0) break;
      all.push(...page.documents);
      page = pageOf(await ask('POST', '/_search/scroll', { scroll: '1m', scroll_id: page.next }));
    }
    return all;
  };
  describe('conformance', () => {
    conformanceSuite(
      {
        writer: product,
        get options() {
          return { [`${prefix}_SERVERS`]: server.url, [`${prefix}_INDEX`]: 'conf-{date}' };
        },
        stored: async () => (await documents('conf-*')).map(({ source }) => ownJson(source)),
        repeats: 'once',
        keeps: 'json',
        slow: {
          get server() {
            return server.url;
          },
          options: (port) => ({ [`${prefix}_SERVERS`]: `http://127.0.0.1:${port}` }),
          timeoutMs: 30_000,
        },
        refused: ['"message":{"an":"object"}', '"level":{}'],
        mistakes: [
          {
            title: 'an index that may not be there',
            options: { [`${prefix}_INDEX`]: 'streams-{date}', [`${prefix}_TEMPLATE`]: 'none' },
            says: /^Cannot make the index streams-\d{4}\..*creates data streams only/,
          },
          {
            title: 'a server that is not there',
            options: { [`${prefix}_SERVERS`]: 'http://127.0.0.1:1' },
            says: /^no connection \(ECONNREFUSED\)$/,
          },
          {
            title: 'TLS to a server that has none',
            options: { [`${prefix}_SERVERS`]: 'https://127.0.0.1:1' },
            says: /^no connection/,
          },
        ],
      },
      () => server,
    );
    beforeAll(async () => {
      await ask('PUT', '/_index_template/streams', { index_patterns: ['streams-*'], data_stream: {} });
    });
  });

  readingSuite(product, () => ({ [`${prefix}_SERVERS`]: server.url, [`${prefix}_INDEX`]: 'reading-{date}' }));

  it('an agent whose server is killed, frozen and stopped, and that is killed itself, loses nothing and writes nothing twice', async () => {
    const index = 'agent-{date}';
    const env = { WRITERS: product, [`${prefix}_SERVERS`]: server.url, [`${prefix}_INDEX`]: index };
    const node = directoryNode(env);
    const written = await writeThroughFaults(node, server);
    const stored = await documents('agent-*');
    const texts = stored.map(({ source }) => ownJson(source));
    expect(texts.map((text) => ownText(Buffer.from(text))).toSorted()).toEqual(written.toSorted());
    // In order, byte for byte as it was written, with the node's own member.
    const lines = await traceLines(['trace'], env);
    expect(lines.map((line) => ownText(Buffer.from(line)))).toEqual(written);
    expect(lines[0]).toContain(
      '"kubernetes":{"namespace":"shop","pod":"web-0","container":"app","node":"node-1"}}',
    );
  }, 300_000);

  it('an index that cannot be made is told from the start, and nothing is lost until it can', async () => {
    const env = {
      WRITERS: product,
      [`${prefix}_SERVERS`]: server.url,
      [`${prefix}_INDEX`]: 'unmade-{date}',
      [`${prefix}_TEMPLATE`]: 'none',
    };
    await ask('PUT', '/_index_template/unmade', { index_patterns: ['unmade-*'], data_stream: {} });
    const node = directoryNode(env);
    const written = node.write(3, 'u1');
    await tells(node, {}, /Cannot make the index unmade-\d{4}\..*creates data streams only/);
    await ask('DELETE', '/_index_template/unmade');
    await delivers(node, 3, { [`${prefix}_TEMPLATE`]: 'install' });
    const lines = await traceLines(['u1'], env);
    expect(lines.map((line) => ownText(Buffer.from(line)))).toEqual(written);
  }, 120_000);

  it('canaries of an agent come back, are lost while the server is frozen, and are in no list', async () => {
    const env = { WRITERS: product, [`${prefix}_SERVERS`]: server.url, [`${prefix}_INDEX`]: 'canary-{date}' };
    expect(await tryCanaries(directoryNode(env), server, env)).toEqual(['no-canary']);
  }, 240_000);

  it('writes the names of the Elastic Common Schema, and gives the record back as it was', async () => {
    const env = {
      WRITERS: product,
      [`${prefix}_SERVERS`]: server.url,
      [`${prefix}_INDEX`]: 'ecs-{date}',
      [`${prefix}_FIELDS`]: 'ecs',
    };
    const node = directoryNode(env);
    const written = node.write(3, 'e1');
    await delivers(node, 3);
    const [first] = await documents('ecs-*');
    expect(first?.source).toMatchObject({
      '@timestamp': expect.stringMatching(/^\d{4}-.*\.\d{9}Z$/) as string,
      trace: { id: 'e1' },
      message: 'grüße',
      host: { name: 'node-1' },
      kubernetes: {
        namespace: 'shop',
        pod: { name: 'web-0' },
        container: { name: 'app' },
        node: { name: 'node-1' },
      },
      frostbeat: { record: { msg: 'grüße', traceId: 'e1' } },
    });
    const lines = await traceLines(['e1'], env);
    expect(lines.map((line) => ownText(Buffer.from(line)))).toEqual(written);
  }, 120_000);

  it('a name without {date} is a data stream; a record that is written again, also after a crash, is in it once', async () => {
    const name = 'streamed';
    const env = {
      WRITERS: product,
      [`${prefix}_SERVERS`]: server.url,
      [`${prefix}_INDEX`]: name,
      [`${prefix}_FIELDS`]: 'ecs',
    };
    if (product === 'elasticsearch') {
      // Elastic's distribution for tests lacks the API that makes a data stream; its core does at the first document.
      await ask('PUT', `/_index_template/${name}`, indexTemplate(name, 'ecs'));
      await ask('PUT', `/${name}/_create/first`, { '@timestamp': new Date().toISOString() });
    }
    const stored = async (): Promise<number> =>
      (await documents(name)).filter(({ id }) => id !== 'first').length;
    const node = directoryNode(env);
    const written = node.write(300, 's1');
    await delivers(node, 300);
    expect(Object.keys(await ask('GET', `/${name}/_mapping`))).toEqual([
      expect.stringMatching(/^\.ds-streamed-/),
    ]);
    // As if the offsets were of before: all of it is sent again.
    rmSync(node.stateDir, { recursive: true });
    await delivers(node, 300);
    expect(await stored()).toBe(300);

    await ask('POST', `/${name}/_rollover`);
    written.push(...node.write(20, 's1'));
    rmSync(node.stateDir, { recursive: true });
    await delivers(node, 320);
    // An identity holds in one backing index: what was there before the rollover is there twice, and read once.
    expect(await stored()).toBe(620);
    expect((await traceLines(['s1'], env)).map((line) => ownText(Buffer.from(line)))).toEqual(written);
  }, 240_000);
}
