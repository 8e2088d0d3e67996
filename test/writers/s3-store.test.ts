import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { S3Store } from '../../src/writers/s3-store.ts';

const { signal } = new AbortController();

beforeEach(() => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'key');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
});

/** A bucket of a server that answers so. */
async function bucketOf(answer: RequestListener): Promise<S3Store> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const destination = { bucket: 'logs', prefix: '', region: undefined, endpoint, pathStyle: true };
  const store = new S3Store({ ...destination, objectBytes: 1, objectAgeMs: 1, gzipLevel: 1 });
  onTestFinished(() => {
    store.close();
    server.closeAllConnections();
    server.close();
  });
  return store;
}

it('waits for the rest of a small object no longer than it may', async () => {
  const store = await bucketOf((_, response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('half of it');
  });
  const stop = new AbortController();
  const found = store.find('nodes/n1.json.gz', stop.signal);
  const reason = new Error('it took too long');
  setTimeout(() => stop.abort(reason), 300);
  await expect(found).rejects.toBe(reason);
});

it.each([
  ['another object is there', [412, 'PreconditionFailed'], 0, true],
  ['none is there', [404, 'NoSuchKey'], 0, true],
  ['the server knows no conditions', [200, ''], 0, true],
  ['it does not know this one', [501, 'NotImplemented'], 0, undefined],
  ['access is denied to who may read', [403, 'AccessDenied'], 200, false],
  ['access is denied to who may read what is not there', [403, 'AccessDenied'], 404, false],
  ['access is denied to who may not read either', [403, 'AccessDenied'], 403, undefined],
] as const)('tells whether an object may be written where %s', async (_, [status, code], head, may) => {
  const asked: string[] = [];
  const store = await bucketOf((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers['if-match'] ?? ''}`);
    response.writeHead(request.method === 'HEAD' ? head : status, { 'content-type': 'application/xml' });
    response.end(request.method === 'HEAD' || code === '' ? '' : `<Error><Code>${code}</Code></Error>`);
  });
  expect(await store.mayPut('nodes/n1.json.gz', Buffer.from('x'), signal)).toBe(may);
  expect(asked[0]).toBe('PUT /logs/nodes/n1.json.gz?x-id=PutObject "frostbeat"');
  expect(asked).toHaveLength(head === 0 ? 1 : 2);
});

it.each([
  [[404, 'NoSuchBucket'], 200, /there is no such bucket/],
  [[403, 'AccessDenied'], 500, /Cannot use s3:\/\/logs/],
] as const)('tells what is wrong otherwise: %j', async ([status, code], head, says) => {
  const store = await bucketOf((request, response) => {
    response.writeHead(request.method === 'HEAD' ? head : status, { 'content-type': 'application/xml' });
    response.end(request.method === 'HEAD' ? '' : `<Error><Code>${code}</Code></Error>`);
  });
  await expect(store.mayPut('nodes/n1.json.gz', Buffer.from('x'), signal)).rejects.toThrow(says);
});
