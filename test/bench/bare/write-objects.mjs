// The bare loop for S3 and GCS: objects of so many lines, compressed; with zlib's own level unless `level` is given.
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { idOf, options, values, writeAll } from './loop.mjs';

const { store, endpoint, bucket, prefix, level } = options;
const compress = promisify(gzip);
const put = store === 's3' ? await s3() : await gcs();
const lines = values.map(
  (value) =>
    `{"timestamp":1700000000123456789,"traceId":"${JSON.parse(value).traceId}","log":${value},"id":"`,
);

await writeAll(async (first, end) => {
  let text = '';
  for (let i = first; i < end; i++) text += `${lines[i % lines.length]}${idOf(i)}"}\n`;
  await put(`${prefix}${first}.ndjson.gz`, await compress(Buffer.from(text, 'latin1'), { level }));
});

async function s3() {
  const { S3Client, PutObjectCommand } = await import('@aws-sdk/client-s3');
  const client = new S3Client({
    endpoint,
    region: 'eu-central-1',
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
  });
  return (Key, Body) => client.send(new PutObjectCommand({ Bucket: bucket, Key, Body }));
}

async function gcs() {
  const { Storage } = await import('@google-cloud/storage');
  const to = new Storage({ apiEndpoint: endpoint, projectId: 'bare' }).bucket(bucket);
  return (name, bytes) => to.file(name).save(bytes, { resumable: false, validation: 'crc32c' });
}
