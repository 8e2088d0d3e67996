import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, vi } from 'vitest';
import { S3Store } from '../../src/writers/s3-store.ts';

it('waits for the rest of a small object no longer than it may', async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'key');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  const half = createServer((_, response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('half of it');
  });
  await new Promise<void>((resolve) => half.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(half.address() as AddressInfo).port}`;
  const destination = { bucket: 'logs', prefix: '', region: undefined, endpoint, pathStyle: true };
  const store = new S3Store({ ...destination, objectBytes: 1, objectAgeMs: 1, gzipLevel: 1 });
  const stop = new AbortController();
  const found = store.find('nodes/n1.json.gz', stop.signal);
  const reason = new Error('it took too long');
  setTimeout(() => stop.abort(reason), 300);
  await expect(found).rejects.toBe(reason);
  store.close();
  half.closeAllConnections();
  half.close();
});
