import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { conformance } from '../../src/testing/conformance.ts';
import { S3Store } from '../../src/writers/s3-store.ts';
import { startS3, type TestS3 } from '../support/servers/s3.ts';
import { objectSuite } from './object-suite.ts';
import { recordsIn } from '../support/servers/objects.ts';
import { conformanceSuite } from './suite.ts';

let server: TestS3;
beforeAll(async () => {
  server = await startS3();
  await server.makeBucket('logs');
  // The SDK takes them from where a user has them.
  process.env['AWS_ACCESS_KEY_ID'] = server.accessKeyId;
  process.env['AWS_SECRET_ACCESS_KEY'] = server.secretAccessKey;
});
afterAll(() => server[Symbol.asyncDispose]());

const bucket = (): S3Store =>
  new S3Store({
    bucket: 'logs',
    prefix: '',
    endpoint: server.endpoint,
    region: server.region,
    pathStyle: true,
    objectBytes: 1,
    objectAgeMs: 1,
    gzipLevel: 1,
  });

const subject = {
  writer: 's3',
  get options() {
    return {
      S3_BUCKET: 'logs',
      S3_ENDPOINT: server.endpoint,
      S3_REGION: server.region,
      S3_PATH_STYLE: 'true',
    };
  },
  stored: async () => await recordsIn(bucket()),
  repeats: 'batch' as const,
  slow: {
    get server() {
      return server.endpoint;
    },
    options: (port: number) => ({ S3_ENDPOINT: `http://127.0.0.1:${port}` }),
    timeoutMs: 30_000,
  },
  mistakes: [
    {
      title: 'a bucket that is not there',
      options: { S3_BUCKET: 'missing' },
      says: /^Cannot use s3:\/\/missing: there is no such bucket; S3_BUCKET \(--s3-bucket\) is "missing"$/,
    },
    {
      title: 'no bucket',
      options: { S3_BUCKET: '' },
      says: /^S3_BUCKET \(--s3-bucket\) is not set: with the writer s3 it must be the name of a bucket$/,
    },
    {
      title: 'a region that is not the one of the server',
      options: { S3_REGION: 'us-west-2' },
      says: /it is in another region than S3_REGION \(--s3-region\) says/,
    },
    {
      title: 'a server that is not there',
      options: { S3_ENDPOINT: 'http://127.0.0.1:9' },
      says: /at http:\/\/127\.0\.0\.1:9: .*ECONNREFUSED/,
    },
  ],
};

describe('the writer s3', () => {
  objectSuite(() => ({
    server,
    store: bucket(),
    bucketVariable: 'S3_BUCKET',
    makeBucket: (name) => server.makeBucket(name),
    env: {
      WRITERS: 's3',
      S3_OBJECT_AGE: '500ms',
      AWS_ACCESS_KEY_ID: server.accessKeyId,
      AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
      ...(subject.options as Record<string, string>),
    },
  }));

  conformanceSuite(subject, () => server);

  it.each([
    ['AWS_ACCESS_KEY_ID', 'access key'],
    ['AWS_SECRET_ACCESS_KEY', 'the secret of the access key is wrong'],
  ])('tells that %s is wrong', async (variable, says) => {
    const right = process.env[variable];
    process.env[variable] = 'wrong';
    try {
      const [told] = conformance({
        ...subject,
        mistakes: [{ title: variable, options: {}, says: new RegExp(says) }],
      }).filter(({ title }) => title.endsWith(variable));
      await expect(told?.run()).resolves.toBeUndefined();
    } finally {
      process.env[variable] = right;
    }
  });
});
