import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Admin } from '@platformatic/kafka';
import type { KeyPair } from '../certificates.ts';
import { lastingPort } from '../free-ports.ts';
import { fetchArtifacts, findJava } from './maven.ts';
import { startServer, type TestServer } from './server-process.ts';

const run = promisify(execFile);
const version = '4.3.1';
const bearer = 'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule';

export interface KafkaServer extends TestServer {
  /** `127.0.0.1:<port>`. */
  readonly broker: string;
  /**
   * The same broker, for clients that come through a proxy: where it listens for that, and the port of 127.0.0.1 that
   * it tells them, which the proxy must have. Not where it is secured.
   */
  readonly proxied: { readonly server: string; readonly port: number };
  /** The same broker, for clients that come with a token of OAUTHBEARER, by which it knows them for 5 s. Not where it is secured. */
  readonly byToken: string;
  /** Runs one of Kafka's own tools against it (`org.apache.kafka.tools.TopicCommand`), and gives what it says. */
  tool(className: string, ...args: string[]): Promise<string>;
  createTopic(name: string, options?: TopicOptions): Promise<void>;
}

export interface TopicOptions {
  readonly partitions?: number;
  readonly config?: Readonly<Record<string, string>>;
}

export interface KafkaOptions {
  /** More of the broker's own settings. */
  readonly settings?: Readonly<Record<string, string>>;
  /**
   * Clients must come by TLS, to a broker with this certificate, and name a user; then topics are made when they are
   * asked for, since the tools do not come by TLS.
   */
  readonly secured?: {
    readonly certificate: KeyPair;
    readonly caFile: string;
    readonly username: string;
    readonly password: string;
  };
}

/** Starts a Kafka of one node, in KRaft mode. */
export async function startKafka({ settings = {}, secured }: KafkaOptions = {}): Promise<KafkaServer> {
  const java = await findJava();
  const lib = await fetchArtifacts(`kafka-${version}`, [
    `org.apache.kafka:kafka_2.13:${version}`,
    `org.apache.kafka:kafka-tools:${version}`,
    'org.slf4j:slf4j-simple:1.7.36',
  ]);
  const [port, controller] = [await lastingPort(), await lastingPort()];
  const broker = `127.0.0.1:${port}`;
  const proxied = { server: `127.0.0.1:${await lastingPort()}`, port: await lastingPort() };
  const byToken = `127.0.0.1:${await lastingPort()}`;
  const classPath = ['-cp', join(lib, '*')];
  const heap = ['-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
  const quiet = '-Dorg.slf4j.simpleLogger.defaultLogLevel=error';
  const tool = async (className: string, ...args: string[]): Promise<string> => {
    const all = [...heap, quiet, ...classPath, className, ...args];
    return (await run(java, all, { timeout: 60_000 })).stdout;
  };
  const server = await startServer({
    name: 'kafka',
    command: (directory) => {
      const properties = join(directory, 'server.properties');
      const script = [
        `${java} ${heap.join(' ')} ${quiet} -cp "$LIB/*" kafka.tools.StorageTool format --ignore-formatted -t AAAAAAAAAAAAAAAAAAAAAQ -c ${properties}`,
        `exec ${java} ${heap.join(' ')} -cp "$LIB/*" kafka.Kafka ${properties}`,
      ].join(' && ');
      if (!existsSync(properties)) {
        const all = {
          'process.roles': 'broker,controller',
          'node.id': '1',
          'controller.quorum.voters': `1@127.0.0.1:${controller}`,
          listeners: `PLAINTEXT://${broker},PROXIED://${proxied.server},TOKEN://${byToken},CONTROLLER://127.0.0.1:${controller}`,
          'advertised.listeners': `PLAINTEXT://${broker},PROXIED://127.0.0.1:${proxied.port},TOKEN://${byToken}`,
          'listener.security.protocol.map':
            'PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,TOKEN:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT',
          'listener.name.token.sasl.enabled.mechanisms': 'OAUTHBEARER',
          'listener.name.token.connections.max.reauth.ms': '5000',
          // Without a handler of its own it takes JWTs that nobody has signed.
          'listener.name.token.oauthbearer.sasl.jaas.config': `${bearer} required unsecuredLoginStringClaim_sub="broker";`,
          'controller.listener.names': 'CONTROLLER',
          'log.dirs': join(directory, 'data'),
          'offsets.topic.replication.factor': '1',
          'transaction.state.log.replication.factor': '1',
          'transaction.state.log.min.isr': '1',
          'share.coordinator.state.topic.replication.factor': '1',
          'share.coordinator.state.topic.min.isr': '1',
          'auto.create.topics.enable': 'false',
          'group.initial.rebalance.delay.ms': '0',
          // Half a minute less to wait for one that was killed.
          'broker.session.timeout.ms': '2000',
          'broker.heartbeat.interval.ms': '500',
          ...(secured && securedSettings(secured, { directory, broker, controller })),
          ...settings,
        };
        const lines = Object.entries(all).map(([name, value]) => `${name}=${value}`);
        writeFileSync(properties, `${lines.join('\n')}\n`);
      }
      return ['bash', '-c', script];
    },
    env: { LIB: lib },
    ready: async () => {
      const { username = '', password = '' } = secured ?? {};
      const asking = new Admin({
        clientId: 'ready',
        bootstrapBrokers: [broker],
        retries: 0,
        timeout: 2_000,
        ...(secured && {
          tls: { rejectUnauthorized: false },
          sasl: { mechanism: 'PLAIN', username, password },
        }),
      });
      try {
        return (await asking.metadata({ topics: [], forceUpdate: true })).brokers.size > 0;
      } finally {
        await asking.close();
      }
    },
  });
  const createTopic = async (
    name: string,
    { partitions = 4, config = {} }: TopicOptions = {},
  ): Promise<void> => {
    const configs = Object.entries(config).flatMap(([key, value]) => ['--config', `${key}=${value}`]);
    const where = ['--bootstrap-server', broker, '--create', '--topic', name];
    await tool(
      'org.apache.kafka.tools.TopicCommand',
      ...where,
      '--partitions',
      String(partitions),
      ...configs,
    );
  };
  // Copied by description: what a getter tells changes.
  return Object.defineProperties(server, {
    broker: { value: broker },
    proxied: { value: proxied },
    byToken: { value: byToken },
    tool: { value: tool },
    createTopic: { value: createTopic },
  }) as KafkaServer;
}

function securedSettings(
  { certificate, caFile, username, password }: NonNullable<KafkaOptions['secured']>,
  { directory, broker, controller }: { directory: string; broker: string; controller: number },
): Record<string, string> {
  const store = join(directory, 'broker.pem');
  const pems = [certificate.keyFile, certificate.certFile].map((path) => readFileSync(path, 'utf8'));
  writeFileSync(store, pems.join(''));
  const own = 'username="broker" password="broker" user_broker="broker"';
  return {
    listeners: `CLIENT://${broker},CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': `CLIENT://${broker.replace('127.0.0.1', 'localhost')}`,
    'listener.security.protocol.map': 'CLIENT:SASL_SSL,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'CLIENT',
    'sasl.enabled.mechanisms': 'PLAIN',
    'sasl.mechanism.inter.broker.protocol': 'PLAIN',
    'listener.name.client.plain.sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required ${own} user_${username}="${password}";`,
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': store,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': caFile,
    'auto.create.topics.enable': 'true',
  };
}
