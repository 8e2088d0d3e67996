import { Storage } from '@google-cloud/storage';
import { GetObjectCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { startGcs } from '../../support/servers/gcs.ts';
import { startS3 } from '../../support/servers/s3.ts';
import { ndjsonRecords } from '../../support/servers/ndjson-records.ts';
import { type FoundRecord, judgeByReading } from './read-back.ts';
import type { TortureStore } from './torture-store.ts';

const BUCKET = 'logs';

/** A bucket, as another program would read it. */
interface Bucket {
  names(): AsyncIterable<string>;
  read(name: string): Promise<Readable>;
}

/** A bucket of S3 or GCS, with an object each second. */
export async function startObjectStore(name: 's3' | 'gcs'): Promise<TortureStore> {
  const { server, env, bucket } = name === 's3' ? await s3() : await gcs();
  const settings = { WRITERS: name, ...env };
  return {
    env: settings,
    server,
    keepsBytes: true,
    judge: (book, differences) => judgeByReading(() => all(bucket), book, differences),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** After a crash a record may be in another object too, never in one twice. */
async function* all(bucket: Bucket): AsyncGenerator<FoundRecord, void> {
  for await (const name of bucket.names()) {
    if (!name.endsWith('.ndjson.gz')) continue;
    const bytes = (await bucket.read(name)).compose(createGunzip());
    for await (const record of ndjsonRecords(bytes, name)) yield { ...record, session: name };
  }
}

async function s3() {
  const server = await startS3();
  await server.makeBucket(BUCKET);
  const { accessKeyId, secretAccessKey, endpoint, region } = server;
  const client = new S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
  const bucket: Bucket = {
    async *names() {
      for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket: BUCKET }))
        for (const { Key = '' } of Contents) yield Key;
    },
    async read(Key) {
      return (await client.send(new GetObjectCommand({ Bucket: BUCKET, Key }))).Body as Readable;
    },
  };
  const env = {
    S3_BUCKET: BUCKET,
    S3_ENDPOINT: endpoint,
    S3_REGION: region,
    S3_PATH_STYLE: 'true',
    S3_OBJECT_AGE: '1s',
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  };
  return { server, bucket, env };
}

async function gcs() {
  const server = await startGcs([BUCKET]);
  const { endpoint } = server;
  const client = new Storage({ apiEndpoint: endpoint, projectId: 'judge' }).bucket(BUCKET);
  const bucket: Bucket = {
    async *names() {
      const [files] = await client.getFiles();
      for (const { name } of files) yield name;
    },
    read: (name) =>
      Promise.resolve(client.file(name).createReadStream({ decompress: false, validation: false })),
  };
  return { server, bucket, env: { GCS_BUCKET: BUCKET, GCS_ENDPOINT: endpoint, GCS_OBJECT_AGE: '1s' } };
}
