import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { conformance, type Subject } from '../../src/testing/conformance.ts';
import { GcsStore } from '../../src/writers/gcs-store.ts';
import { startGcs, type TestGcs } from '../support/servers/gcs.ts';
import { objectSuite } from './object-suite.ts';
import { recordsIn } from '../support/servers/objects.ts';

let server: TestGcs;
beforeAll(async () => {
  server = await startGcs(['logs']);
});
afterAll(() => server[Symbol.asyncDispose]());

const bucket = (): GcsStore =>
  new GcsStore({ bucket: 'logs', prefix: '', endpoint: server.endpoint, objectBytes: 1, objectAgeMs: 1 });

const subject: Subject = {
  writer: 'gcs',
  get options() {
    return { GCS_BUCKET: 'logs', GCS_ENDPOINT: server.endpoint };
  },
  stored: async () => await recordsIn(bucket()),
  repeats: 'batch',
  server: {
    kill: () => server.kill(),
    restart: () => server.restart(),
    freeze: () => server.freeze(),
    thaw: () => server.thaw(),
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
    env: { WRITERS: 'gcs', GCS_OBJECT_AGE: '500ms', ...(subject.options as Record<string, string>) },
  }));

  it.each(conformance(subject))('$title', async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });
});
