import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GcsStore } from '../../src/writers/gcs-store.ts';
import { startGcs, type TestGcs } from '../support/servers/gcs.ts';
import { until } from '../support/until.ts';
import { startGoogle } from '../support/servers/google.ts';
import { directoryNode } from './agent-run.ts';
import { objectSuite } from './object-suite.ts';
import { recordsIn } from '../support/servers/objects.ts';
import { conformanceSuite, tells, traceLines } from './suite.ts';

let server: TestGcs;
beforeAll(async () => {
  server = await startGcs(['logs']);
});
afterAll(() => server[Symbol.asyncDispose]());

const bucket = (): GcsStore =>
  new GcsStore({
    bucket: 'logs',
    prefix: '',
    endpoint: server.endpoint,
    objectBytes: 1,
    objectAgeMs: 1,
    gzipLevel: 1,
  });

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
    timeoutMs: 30_000,
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

  it('an account that Google does not know, or lets do nothing, is told at the start, and nothing is lost until it is mended', async () => {
    await server.makeBucket('guarded');
    await using google = await startGoogle(server.endpoint);
    const env = { WRITERS: 'gcs', GCS_BUCKET: 'guarded', GCS_OBJECT_AGE: '500ms', ...google.env };
    const node = directoryNode(env);
    node.write(3, 'guarded');
    google.state = 'disabled';
    await tells(
      node,
      {},
      /refused: invalid_grant: .*account not found; GOOGLE_APPLICATION_CREDENTIALS names their file, \//,
    );
    google.state = 'without rights';
    await tells(node, {}, /access is denied: the account needs storage\.objects\.create/);
    const missing = { GOOGLE_APPLICATION_CREDENTIALS: '/nowhere/account.json' };
    await tells(
      node,
      missing,
      /give no token: .*ENOENT.*; GOOGLE_APPLICATION_CREDENTIALS names .*\/nowhere\/account\.json/,
    );
    google.state = 'revoked';
    await tells(node, {}, /the credentials are refused: Invalid Credentials; GOOGLE_/);
    const agent = await node.startAgent();
    await until(async () => (await agent.readiness()).text.includes('Invalid Credentials'), {
      timeoutMs: 30_000,
      what: 'an agent whose token is refused',
    });
    // It asks for another token, without a restart.
    google.state = 'works';
    await until(async () => (await agent.ledger())?.delivered === 3, {
      timeoutMs: 60_000,
      what: 'three records',
    });
    expect((await agent.stop()).code).toBe(0);
    expect(await traceLines(['guarded', '--since', '1h'], env)).toHaveLength(3);
  }, 240_000);
});
