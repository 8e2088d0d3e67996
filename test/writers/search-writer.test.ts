import { readFile } from 'node:fs/promises';
import { createServer as createTlsServer } from 'node:https';
import { createServer, type RequestListener } from 'node:http';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { SearchAccess } from '../../src/config/config.ts';
import { createLog } from '../../src/ops/log.ts';
import { PartialWriteError, RetryAfterError } from '../../src/writers/log-writer.ts';
import { SearchWriter } from '../../src/writers/search-writer.ts';
import { makeCertificates } from '../support/certificates.ts';
import { record } from '../support/records.ts';

// What a real server answers only under loads and behind proxies that a test cannot make at will. All else is tested
// against real ones: npm run test:writers.

type Product = 'elasticsearch' | 'opensearch';
const products: readonly Product[] = ['elasticsearch', 'opensearch'];
const never = new AbortController().signal;
const made = (id: number) =>
  record(`{"traceId":"t1","time":"2023-11-14T22:13:20.123456789Z","n":${id}}`, { id: String(id) });

async function writerFor(
  product: Product,
  url: string,
  more: Partial<SearchAccess> = {},
): Promise<SearchWriter> {
  const access: SearchAccess = {
    servers: [url],
    index: 'frostbeat-{date}',
    fields: 'record',
    installTemplate: true,
    username: undefined,
    password: undefined,
    passwordFile: undefined,
    apiKey: undefined,
    apiKeyFile: undefined,
    caFile: undefined,
    certFile: undefined,
    keyFile: undefined,
    ...more,
  };
  const log = await createLog({ level: 'silent', pretty: false });
  const writer = new SearchWriter({ product, access, kubernetes: true, log });
  onTestFinished(() => writer.close());
  return writer;
}

/** A server that answers bulk requests so, given the identities in them. */
async function bulkServer(
  answer: (
    ids: readonly string[],
    headers: Readonly<Record<string, unknown>>,
  ) => { status?: number; headers?: Record<string, string>; body: string },
): Promise<{ url: string; asked: string[][] }> {
  const asked: string[][] = [];
  const listener: RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const ids = [
        ...Buffer.concat(chunks)
          .toString()
          .matchAll(/"_id":"([^"]*)"/g),
      ].map(([, id = '']) => id);
      asked.push(ids);
      const { status = 200, headers = {}, body } = answer(ids, request.headers);
      response.writeHead(status, {
        'content-type': 'application/json',
        'x-elastic-product': 'Elasticsearch',
        ...headers,
      });
      response.end(body);
    });
  };
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

const allWell = '{"errors":false}';
const items = (statuses: readonly [number, object?][]): string =>
  JSON.stringify({
    errors: true,
    items: statuses.map(([status, error]) => ({ create: { status, ...(error && { error }) } })),
  });

async function thrownBy(written: Promise<void>): Promise<unknown> {
  return await written.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe.each(products)('the writer %s', (product) => {
  it('waits as long as the server asks for with 429 and Retry-After', async () => {
    const { url } = await bulkServer(() => ({
      status: 429,
      headers: { 'retry-after': '7' },
      body: '{"error":{"type":"busy"}}',
    }));
    const error = await thrownBy((await writerFor(product, url)).writeBatch([made(1)], never));
    expect(error).toBeInstanceOf(RetryAfterError);
    expect(error).toMatchObject({ delayMs: 7_000, message: 'it has too much to do (429): busy' });
  });

  it('names what is stored, there already, refused for good, and leaves the others to be tried again', async () => {
    const busy = { type: 'es_rejected_execution_exception', reason: 'queue is full' };
    const wrong = {
      type: 'document_parsing_exception',
      reason: 'no',
      caused_by: { type: 'x', reason: 'an object' },
    };
    const shards = {
      type: 'illegal_argument_exception',
      reason: 'this cluster currently has [1000]/[1000] maximum shards open',
    };
    const { url } = await bulkServer(() => ({
      body: items([
        [201],
        [409, { type: 'version_conflict_engine_exception' }],
        [429, busy],
        [400, wrong],
        [400, shards],
      ]),
    }));
    const records = [1, 2, 3, 4, 5].map(made);
    const error = await thrownBy((await writerFor(product, url)).writeBatch(records, never));
    expect(error).toBeInstanceOf(PartialWriteError);
    expect(error).toMatchObject({
      message: 'es_rejected_execution_exception: queue is full',
      stored: records.slice(0, 2),
      rejections: [{ record: records[3], reason: 'document_parsing_exception: no (x: an object)' }],
    });
  });

  it('halves what is too large for a proxy, and refuses what is too large alone', async () => {
    const { url, asked } = await bulkServer((ids) =>
      ids.length > 2 || ids.includes('5')
        ? { status: 413, body: '<html>too large</html>' }
        : { body: allWell },
    );
    const records = [1, 2, 3, 4, 5, 6].map(made);
    const error = await thrownBy((await writerFor(product, url)).writeBatch(records, never));
    expect(error).toMatchObject({ name: 'PartialWriteError', rejections: [{ record: records[4] }] });
    expect((error as PartialWriteError).stored.map(({ id }) => id)).toEqual(['1', '2', '3', '4', '6']);
    expect(asked).toContainEqual(['5']);
  });

  it('takes the page of a proxy, and an answer of too few items, for no success', async () => {
    const bodies = ['<html>hello</html>', items([[201]]), '{}'];
    for (const body of bodies) {
      const { url } = await bulkServer(() => ({ body }));
      const error = await thrownBy((await writerFor(product, url)).writeBatch([made(1), made(2)], never));
      expect(error, body).toBeInstanceOf(Error);
      expect(error, body).not.toBeInstanceOf(PartialWriteError);
    }
  });

  it('says what to check where it is refused, without a stack', async () => {
    const { url } = await bulkServer(() => ({
      status: 401,
      body: '{"error":{"type":"security_exception","reason":"missing"},"status":401}',
    }));
    const error = await thrownBy((await writerFor(product, url)).open(never));
    const prefix = product.toUpperCase();
    expect(error).toMatchObject({
      message: expect.stringContaining(`check ${prefix}_USERNAME and ${prefix}_PASSWORD`) as string,
    });
    expect((error as Error).stack).toBeUndefined();
  });

  it('sends the password or the API key that its file holds now', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'frostbeat-search-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const { writeFile } = await import('node:fs/promises');
    const file = join(directory, 'secret');
    const seen: unknown[] = [];
    const { url } = await bulkServer((_, { authorization }) => {
      seen.push(authorization);
      return seen.length === 1 ? { status: 401, body: '{}' } : { body: allWell };
    });
    const writer = await writerFor(product, url, { apiKeyFile: file });
    await writeFile(file, 'old\n');
    expect(await thrownBy(writer.writeBatch([made(1)], never))).toBeInstanceOf(Error);
    await writeFile(file, 'new\n');
    await writer.writeBatch([made(1)], never);
    await writeFile(file, 's3cret');
    await (
      await writerFor(product, url, { username: 'me', passwordFile: file })
    ).writeBatch([made(1)], never);
    expect(seen).toEqual([
      'ApiKey old',
      'ApiKey new',
      `Basic ${Buffer.from('me:s3cret').toString('base64')}`,
    ]);
  });

  it('trusts the authority of CA_FILE, shows its certificate, and says so where it does not', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'frostbeat-search-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const { caFile, server, client } = await makeCertificates(directory);
    const names: unknown[] = [];
    const tls = createTlsServer(
      {
        cert: await readFile(server.certFile),
        key: await readFile(server.keyFile),
        ca: await readFile(caFile),
        requestCert: true,
      },
      (request, response) => {
        names.push((request.socket as unknown as { authorized: boolean }).authorized);
        request.resume();
        response
          .writeHead(200, { 'content-type': 'application/json', 'x-elastic-product': 'Elasticsearch' })
          .end(allWell);
      },
    ).listen(0, '127.0.0.1');
    await once(tls, 'listening');
    onTestFinished(() => {
      tls.closeAllConnections();
      tls.close();
    });
    const url = `https://localhost:${(tls.address() as AddressInfo).port}`;
    const trusting = await writerFor(product, url, {
      caFile,
      certFile: client.certFile,
      keyFile: client.keyFile,
    });
    await trusting.writeBatch([made(1)], never);
    expect(names).toEqual([true]);
    const error = await thrownBy((await writerFor(product, url)).writeBatch([made(1)], never));
    expect(error).toMatchObject({
      message: expect.stringContaining(`check ${product.toUpperCase()}_CA_FILE`) as string,
    });
  });
});
