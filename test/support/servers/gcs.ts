import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { lastingPort } from '../free-ports.ts';
import { findGoProgram } from '../go-program.ts';
import { startServer, type TestServer } from './server-process.ts';

export interface TestGcs extends TestServer {
  /** `http://127.0.0.1:<port>`. */
  readonly endpoint: string;
  /** Makes a bucket. */
  makeBucket(name: string): Promise<void>;
}

/** Finds fake-gcs-server, which keeps objects as files; built with Go where there is none. */
export async function findGcsServer(): Promise<string> {
  return await findGoProgram({
    name: 'fake-gcs-server',
    package: 'github.com/fsouza/fake-gcs-server',
    version: 'v1.56.1',
    variable: 'FAKE_GCS_SERVER_BIN',
    probe: ['-help'],
  });
}

/** Starts a GCS server with the buckets of these names. */
export async function startGcs(buckets: readonly string[]): Promise<TestGcs> {
  const program = await findGcsServer();
  const port = await lastingPort();
  const endpoint = `http://127.0.0.1:${port}`;
  const server = await startServer({
    name: 'gcs',
    command: (directory) => [
      program,
      '-scheme=http',
      '-host=127.0.0.1',
      `-port=${port}`,
      `-public-host=127.0.0.1:${port}`,
      `-external-url=${endpoint}`,
      '-backend=filesystem',
      `-filesystem-root=${join(directory, 'buckets')}`,
    ],
    ready: async () => (await fetch(`${endpoint}/storage/v1/b?project=test`)).ok,
  });
  const makeBucket = async (name: string): Promise<void> => {
    await mkdir(join(server.directory, 'buckets', name), { recursive: true });
  };
  for (const bucket of buckets) await makeBucket(bucket);
  return Object.assign(server, { endpoint, makeBucket });
}
