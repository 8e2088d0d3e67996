import { setTimeout as sleep } from 'node:timers/promises';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Consumer } from '@platformatic/kafka';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ownText } from '../integration/node.ts';
import { makeCertificates } from '../support/certificates.ts';
import { type KafkaServer, startKafka } from '../support/servers/kafka.ts';
import { until } from '../support/until.ts';
import { directoryNode, writeThroughFaults } from './agent-run.ts';
import { readingSuite } from './reading-suite.ts';
import { startSlowProxy } from '../../src/testing/slow-proxy.ts';
import { loadWriter } from '../../src/testing/workbench.ts';
import { record } from '../support/records.ts';
import { conformanceSuite, delivers, tells, traceLines } from './suite.ts';
import { tryCanaries } from './canary-run.ts';

let server: KafkaServer;
beforeAll(async () => {
  server = await startKafka();
  await server.createTopic('conformance', { partitions: 5 });
  await server.createTopic('small', { config: { 'max.message.bytes': '2000' } });
  await server.createTopic('agent', { partitions: 3 });
  await server.createTopic('reading', { partitions: 3 });
});
afterAll(() => server?.[Symbol.asyncDispose]());

interface Message {
  readonly key: string;
  readonly value: Buffer;
  readonly partition: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** Every message of a topic, as another program would read it: by a consumer group, from the beginning. */
async function messages(topic: string): Promise<Message[]> {
  const consumer = new Consumer({
    clientId: 'test',
    groupId: `test-${Math.random()}`,
    bootstrapBrokers: [server.broker],
    retries: 20,
    retryDelay: 300,
  });
  try {
    const ends = (await consumer.listOffsets({ topics: [topic], timestamp: -1n })).get(topic) ?? [];
    let left = Number(ends.reduce((sum, end) => sum + end, 0n));
    const found: Message[] = [];
    if (left === 0) return found;
    const stream = await consumer.consume({ topics: [topic], mode: 'earliest', maxWaitTime: 200 });
    for await (const { key, value, partition, headers } of stream) {
      const named = [...headers].map(([name, text]) => [String(name), String(text)] as const);
      found.push({ key: String(key), value, partition, headers: Object.fromEntries(named) });
      if (--left === 0) break;
    }
    await stream.close();
    return found;
  } finally {
    await consumer.close(true);
  }
}

const envOf = (topic: string): Record<string, string> => ({
  WRITERS: 'kafka',
  KAFKA_BROKERS: server.broker,
  KAFKA_TOPIC: topic,
});

describe('conformance', () => {
  conformanceSuite(
    {
      writer: 'kafka',
      get options() {
        return envOf('conformance');
      },
      stored: async () => (await messages('conformance')).map(({ value }) => value),
      repeats: 'again',
      slow: {
        get server() {
          return server.proxied.server;
        },
        get port() {
          return server.proxied.port;
        },
        options: (port) => ({ KAFKA_BROKERS: `127.0.0.1:${port}` }),
      },
      mistakes: [
        {
          title: 'a topic that is not there',
          options: { KAFKA_TOPIC: 'nowhere' },
          says: /^the topic nowhere is not there, and the brokers do not make it: create it/,
        },
        {
          title: 'a broker that is not there',
          options: { KAFKA_BROKERS: '127.0.0.1:1' },
          says: /^no connection \(ECONNREFUSED\)$/,
        },
        {
          title: 'a user where the broker knows none',
          options: { KAFKA_SASL_MECHANISM: 'PLAIN', KAFKA_USERNAME: 'me', KAFKA_PASSWORD: 'no' },
          says: /^it (closes the connection|does not know the mechanism|refuses the user)/,
        },
      ],
    },
    () => server,
  );
});

readingSuite('kafka', () => envOf('reading'));

it('a topic that is not there is told from the start, and nothing is lost until it is', async () => {
  const node = directoryNode(envOf('late'));
  const written = node.write(3, 'late');
  await tells(node, {}, /the topic late is not there, and the brokers do not make it: create it/);
  await server.createTopic('late');
  await delivers(node, 3);
  const lines = await traceLines(['late'], envOf('late'));
  expect(lines.map((line) => ownText(Buffer.from(line)))).toEqual(written);
}, 180_000);

it('a request whose answer comes later than the client waits is sent again under its sequence number, and stored once', async () => {
  await server.createTopic('unanswered');
  const proxy = await startSlowProxy(server.proxied.server, server.proxied.port);
  const env = { ...envOf('unanswered'), KAFKA_BROKERS: `127.0.0.1:${proxy.port}` };
  const writer = await loadWriter({ writer: 'kafka', options: env });
  const { signal } = new AbortController();
  try {
    await writer.writeBatch([record('{"n":1}')], signal);
    proxy.hold();
    let settled = false;
    const writing = writer.writeBatch([record('{"n":2}')], signal).finally(() => (settled = true));
    // The client gives an answer up after 10 s.
    await sleep(12_000);
    expect(settled).toBe(false);
    proxy.release();
    await writing;
    expect((await messages('unanswered')).map(({ value }) => String(value))).toHaveLength(2);
  } finally {
    await writer.close?.();
    await proxy.close();
  }
}, 120_000);

it('records that are too large for the topic become dead letters, each by itself, and the others are written', async () => {
  const node = directoryNode({ ...envOf('small'), KAFKA_COMPRESSION: 'none' });
  node.write(40, 'a');
  node.write(1, 'x'.repeat(2_500));
  node.write(40, 'b');
  const agent = await node.startAgent();
  const isDone = async (): Promise<boolean> => {
    const { delivered, deadLettered, inFlight } = (await agent.ledger()) ?? {};
    return delivered === 80 && deadLettered === 1 && inFlight === 0;
  };
  await until(isDone, { timeoutMs: 60_000, what: 'what fits, and a dead letter' });
  expect((await agent.stop()).code).toBe(0);
  expect(await messages('small')).toHaveLength(80);
}, 120_000);

it('an agent whose server is killed, frozen and stopped, and that is killed itself, loses nothing; what is there twice is told by its header', async () => {
  const node = directoryNode(envOf('agent'));
  const written = await writeThroughFaults(node, server);
  const all = await messages('agent');
  const once = new Map(all.map((message) => [message.headers['frostbeat-id'], message]));
  expect([...once.values()].map(({ value }) => ownText(value)).toSorted()).toEqual(written.toSorted());
  process.stderr.write(`kafka: ${all.length - once.size} of ${once.size} records are there twice\n`);
  expect(new Set(all.map(({ partition }) => partition)).size).toBe(1);
  expect(all[0]).toMatchObject({
    key: 'trace',
    headers: {
      'frostbeat-namespace': 'shop',
      'frostbeat-pod': 'web-0',
      'frostbeat-container': 'app',
      'frostbeat-node': 'node-1',
      'frostbeat-time': expect.stringMatching(/^\d{19}$/) as string,
    },
  });
  // In order, each once, byte for byte.
  expect((await traceLines(['trace'], envOf('agent'))).map((line) => ownText(Buffer.from(line)))).toEqual(
    written,
  );
}, 300_000);

it('comes by TLS with a user, and says what is wrong with either', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'frostbeat-kafka-tls-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const certificates = await makeCertificates(directory);
  const user = { username: 'me', password: 's3cret' };
  await using secured = await startKafka({
    secured: { certificate: certificates.server, caFile: certificates.caFile, ...user },
  });
  const brokers = { WRITERS: 'kafka', KAFKA_BROKERS: secured.broker.replace('127.0.0.1', 'localhost') };
  const tls = { ...brokers, KAFKA_CA_FILE: certificates.caFile };
  const sasl = { KAFKA_SASL_MECHANISM: 'PLAIN', KAFKA_USERNAME: 'me', KAFKA_PASSWORD: 's3cret' };
  const node = directoryNode({});
  node.write(5, 'secured');
  await tells(node, { ...brokers, ...sasl, KAFKA_TLS: 'true' }, /not signed by an authority.* KAFKA_CA_FILE/);
  await tells(node, { ...tls, ...sasl, KAFKA_PASSWORD: 'no' }, /refuses the user or the password/);
  await tells(node, { ...tls, ...sasl, KAFKA_SASL_MECHANISM: 'SCRAM-SHA-256' }, /check KAFKA_SASL_MECHANISM/);

  await delivers(node, 5, { ...tls, ...sasl });
  expect(await traceLines(['secured'], { ...tls, ...sasl })).toHaveLength(5);
}, 480_000);

it('comes with a token, which is read anew while it runs, and says what is wrong with it', async () => {
  await server.createTopic('tokens');
  const directory = mkdtempSync(join(tmpdir(), 'frostbeat-kafka-token-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'token');
  const put = (seconds: number): void => writeFileSync(file, `${unsignedToken(seconds)}\n`);
  const env = {
    ...envOf('tokens'),
    KAFKA_BROKERS: server.byToken,
    KAFKA_SASL_MECHANISM: 'OAUTHBEARER',
    KAFKA_TOKEN_FILE: file,
  };
  const node = directoryNode(env);
  node.write(3, 'tokens');
  put(-3_600);
  await tells(
    node,
    {},
    /it refuses the token in KAFKA_TOKEN_FILE \(\/.*\), which expired at \d{4}-.*: invalid_token/,
  );
  writeFileSync(file, 'no.token.this');
  await tells(node, {}, /it refuses the token in KAFKA_TOKEN_FILE \(\/.*\/token\): invalid_token/);
  writeFileSync(file, '\n');
  await tells(node, {}, /Cannot use KAFKA_TOKEN_FILE: \/.*\/token is empty/);

  put(6);
  const agent = await node.startAgent();
  let written = 3;
  const allDelivered = async (): Promise<unknown> =>
    await until(async () => (await agent.ledger())?.delivered === written, {
      timeoutMs: 30_000,
      what: `${written} records`,
    });
  await allDelivered();
  // Its token ends soon; there is another before that, as Kubernetes does it.
  const end = Date.now() + 8_000;
  put(3_600);
  while (Date.now() < end) {
    written += node.write(1, 'tokens').length;
    await allDelivered();
  }
  expect(agent.text).not.toContain('fails');
  // One that is of no use is told, and mended without a restart.
  put(-1);
  await until(async () => /which expired at/.test((await agent.readiness()).text), {
    timeoutMs: 60_000,
    what: 'an agent that tells of its token',
  });
  put(3_600);
  written += node.write(1, 'tokens').length;
  await allDelivered();
  await agent.ready(60_000);
  expect((await agent.stop()).code).toBe(0);
  expect(await traceLines(['tokens'], env)).toHaveLength(written);
}, 240_000);

it('canaries of an agent come back, are lost while the broker is frozen, and are in no list', async () => {
  await server.createTopic('canary', { partitions: 3 });
  expect(await tryCanaries(directoryNode(envOf('canary')), server, envOf('canary'))).toEqual(['no-canary']);
}, 240_000);

/** A JWT that nobody has signed, as brokers take it where nothing is set up. @param seconds until it expires. */
function unsignedToken(seconds: number): string {
  const exp = Math.floor(Date.now() / 1_000) + seconds;
  return [{ alg: 'none' }, { sub: 'frostbeat', iat: exp - 7_200, exp }]
    .map((part) => `${Buffer.from(JSON.stringify(part)).toString('base64url')}.`)
    .join('');
}
