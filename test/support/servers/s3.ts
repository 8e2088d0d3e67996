import { mkdirSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { lastingPort } from '../free-ports.ts';
import { findGoProgram } from '../go-program.ts';
import { startServer, type TestServer } from './server-process.ts';

export interface TestS3 extends TestServer {
  /** `http://127.0.0.1:<port>`. */
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Makes a bucket. */
  makeBucket(name: string): Promise<void>;
}

/** Finds Versity's S3 gateway, which keeps objects as files; built with Go where there is none. */
export async function findS3Server(): Promise<string> {
  return await findGoProgram({
    name: 'versitygw',
    package: 'github.com/versity/versitygw/cmd/versitygw',
    version: 'v1.8.0',
    variable: 'VERSITYGW_BIN',
    probe: ['--version'],
  });
}

/** Starts an S3 server without any bucket. */
export async function startS3(): Promise<TestS3> {
  const program = await findS3Server();
  const port = await lastingPort();
  const endpoint = `http://127.0.0.1:${port}`;
  const access = { accessKeyId: 'frostbeat', secretAccessKey: 'not-a-secret', region: 'eu-central-1' };
  const server = await startServer({
    name: 's3',
    command: (directory) => {
      const buckets = join(directory, 'buckets');
      mkdirSync(buckets, { recursive: true });
      return [program, '--port', `127.0.0.1:${port}`, 'posix', buckets];
    },
    env: {
      ROOT_ACCESS_KEY_ID: access.accessKeyId,
      ROOT_SECRET_ACCESS_KEY: access.secretAccessKey,
      VGW_REGION: access.region,
    },
    // Without a signature it refuses, and so it serves.
    ready: async () => (await fetch(endpoint)).status === 403,
  });
  return Object.assign(server, {
    ...access,
    endpoint,
    makeBucket: async (name: string) => {
      await mkdir(join(server.directory, 'buckets', name));
    },
  });
}
