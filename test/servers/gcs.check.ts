import { afterAll, beforeAll, describe } from 'vitest';
import { GcsStore } from '../../src/writers/gcs-store.ts';
import { startGcs, type TestGcs } from '../support/servers/gcs.ts';
import { objectSuite } from './object-suite.ts';
import { recordsIn } from '../support/servers/objects.ts';
import { conformanceSuite } from './suite.ts';

let server: TestGcs;
beforeAll(async () => {
  server = await startGcs(['logs']);
});
afterAll(() => server[Symbol.asyncDispose]());

const bucket = (): GcsStore =>
  new GcsStore({ bucket: 'logs', prefix: '', endpoint: server.endpoint, objectBytes: 1, objectAgeMs: 1 });

const subject = {
  writer: 'gcs',
  get options() {
    return { GCS_BUCKET: 'logs', GCS_ENDPOINT: server.endpoint };
  },
  stored: async () => await recordsIn(bucket()),
  repeats: 'batch' as const,
  slow: {
    get server() {
      return server.endpoint;
    },
    options: (port: number) => ({ GCS_ENDPOINT: `http://127.0.0.1:${port}` }),
  },
  mistakes: [
    {
      title: 'a bucket that is not there',
      options: { GCS_BUCKET: 'missing' },
      says: /^Cannot use gs:\/\/missing: there is no such bucket; GCS_BUCKET \(--gcs-bucket\) is "missing"$/,
    },
    {
      title: 'a server that is not there',
      options: { GCS_ENDPOINT: 'http://127.0.0.1:9' },
      says: /ECONNREFUSED.*, at http:\/\/127\.0\.0\.1:9$/,
    },
  ],
};

describe('the writer gcs', () => {
  objectSuite(() => ({
    server,
    store: bucket(),
    bucketVariable: 'GCS_BUCKET',
    makeBucket: (name) => server.makeBucket(name),
    env: { WRITERS: 'gcs', GCS_OBJECT_AGE: '500ms', ...(subject.options as Record<string, string>) },
  }));

  conformanceSuite(subject, () => server);
});
