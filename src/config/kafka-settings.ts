import type { KafkaAccess } from './config.ts';
import { boolean, oneOf, optionalFile, optionalText, type Parsed } from './parse.ts';
import { setting } from './setting.ts';

const group = 'Kafka';
const mechanisms = ['', 'PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'] as const;

/** The settings of the writer `kafka`. */
export const kafkaSettings = {
  kafkaBrokers: setting({
    variable: 'KAFKA_BROKERS',
    group,
    default: 'localhost:9092',
    parse: brokers,
    placeholder: 'brokers',
    meaning: 'Comma-separated brokers to begin with, host:port',
  }),
  kafkaTopic: setting({
    variable: 'KAFKA_TOPIC',
    group,
    default: 'frostbeat',
    parse: topic,
    placeholder: 'name',
    meaning: 'Topic; made by itself only where the brokers do that (auto.create.topics.enable)',
  }),
  kafkaCompression: setting({
    variable: 'KAFKA_COMPRESSION',
    group,
    default: 'zstd',
    parse: oneOf('none', 'gzip', 'snappy', 'lz4', 'zstd'),
    placeholder: 'name',
    meaning: 'Compression of batches: none, gzip, snappy, lz4 or zstd',
  }),
  kafkaTls: setting({
    variable: 'KAFKA_TLS',
    group,
    default: 'false',
    parse: boolean,
    placeholder: 'true|false',
    meaning: 'Connect by TLS; KAFKA_CA_FILE and KAFKA_CERT_FILE say so too',
  }),
  kafkaCaFile: setting({
    variable: 'KAFKA_CA_FILE',
    group,
    default: '',
    parse: optionalFile,
    placeholder: 'path',
    meaning: "PEM of the authority that signed the brokers' certificates",
  }),
  kafkaCertFile: setting({
    variable: 'KAFKA_CERT_FILE',
    group,
    default: '',
    parse: optionalFile,
    placeholder: 'path',
    meaning: "PEM of the client's certificate, for mutual TLS",
  }),
  kafkaKeyFile: setting({
    variable: 'KAFKA_KEY_FILE',
    group,
    default: '',
    parse: optionalFile,
    placeholder: 'path',
    meaning: "PEM of the client's key, for mutual TLS",
  }),
  kafkaSaslMechanism: setting({
    variable: 'KAFKA_SASL_MECHANISM',
    group,
    default: '',
    parse: oneOf(...mechanisms),
    placeholder: 'name',
    meaning: 'PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER, where the brokers ask who comes',
  }),
  kafkaUsername: setting({
    variable: 'KAFKA_USERNAME',
    group,
    default: '',
    parse: optionalText,
    placeholder: 'name',
    meaning: 'The user, with PLAIN and SCRAM',
  }),
  kafkaPassword: setting({
    variable: 'KAFKA_PASSWORD',
    group,
    default: '',
    parse: optionalText,
    placeholder: 'password',
    meaning: 'Its password; better KAFKA_PASSWORD_FILE',
    mask: () => '********',
    verbatim: true,
  }),
  kafkaPasswordFile: setting({
    variable: 'KAFKA_PASSWORD_FILE',
    group,
    default: '',
    parse: optionalFile,
    placeholder: 'path',
    meaning: 'File that holds the password',
  }),
  kafkaTokenFile: setting({
    variable: 'KAFKA_TOKEN_FILE',
    group,
    default: '',
    parse: optionalFile,
    placeholder: 'path',
    meaning: 'File that holds the token, with OAUTHBEARER; read for each connection',
  }),
};

type ValueOf<S> = S extends { parse: (text: string, cwd: string) => Parsed<infer T> } ? T : never;
type KafkaValues = {
  readonly [K in keyof typeof kafkaSettings]: ValueOf<(typeof kafkaSettings)[K]>;
};

/** What the settings say together. */
export function kafkaAccess(values: KafkaValues): KafkaAccess {
  return {
    brokers: values.kafkaBrokers,
    topic: values.kafkaTopic,
    compression: values.kafkaCompression,
    tls: values.kafkaTls || values.kafkaCaFile !== undefined || values.kafkaCertFile !== undefined,
    caFile: values.kafkaCaFile,
    certFile: values.kafkaCertFile,
    keyFile: values.kafkaKeyFile,
    saslMechanism: values.kafkaSaslMechanism === '' ? undefined : values.kafkaSaslMechanism,
    username: values.kafkaUsername,
    password: values.kafkaPassword,
    passwordFile: values.kafkaPasswordFile,
    tokenFile: values.kafkaTokenFile,
  };
}

/** The values of all other settings. */
export function withoutKafka<T extends object>(values: T): Omit<T, keyof KafkaValues> {
  return Object.fromEntries(
    Object.entries(values).filter(([key]) => !Object.hasOwn(kafkaSettings, key)),
  ) as Omit<T, keyof KafkaValues>;
}

/** What only shows when they are seen together. */
export function checkKafka(
  values: Partial<KafkaValues>,
  say: (variable: string, text: string) => unknown,
): void {
  const isAbsent = (key: keyof KafkaValues): boolean => key in values && values[key] === undefined;
  const { kafkaSaslMechanism: mechanism } = values;
  if (values.kafkaPassword !== undefined && values.kafkaPasswordFile !== undefined)
    say('KAFKA_PASSWORD_FILE', 'is set: it must not be set together with KAFKA_PASSWORD');
  if (mechanism === 'OAUTHBEARER') {
    if (isAbsent('kafkaTokenFile'))
      say(
        'KAFKA_TOKEN_FILE',
        'is not set: with KAFKA_SASL_MECHANISM=OAUTHBEARER it must be the file of the token',
      );
    const useless = {
      KAFKA_USERNAME: values.kafkaUsername,
      KAFKA_PASSWORD: values.kafkaPassword,
      KAFKA_PASSWORD_FILE: values.kafkaPasswordFile,
    };
    for (const [variable, value] of Object.entries(useless))
      if (value !== undefined)
        say(
          variable,
          'is set: with KAFKA_SASL_MECHANISM=OAUTHBEARER it must not be: the token says who it is',
        );
  } else if (mechanism) {
    if (isAbsent('kafkaUsername'))
      say('KAFKA_USERNAME', 'is not set: with KAFKA_SASL_MECHANISM it must be the name of the user');
    if (isAbsent('kafkaPassword') && isAbsent('kafkaPasswordFile'))
      say(
        'KAFKA_PASSWORD_FILE',
        'is not set: with KAFKA_SASL_MECHANISM it must be a file, or KAFKA_PASSWORD be set',
      );
  }
  if (mechanism === '' && values.kafkaUsername !== undefined)
    say(
      'KAFKA_SASL_MECHANISM',
      'is not set: with KAFKA_USERNAME it must be one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512',
    );
  if (mechanism !== undefined && mechanism !== 'OAUTHBEARER' && values.kafkaTokenFile !== undefined)
    say('KAFKA_SASL_MECHANISM', `is ${mechanism || 'not set'}: with KAFKA_TOKEN_FILE it must be OAUTHBEARER`);
  if (values.kafkaCertFile !== undefined && isAbsent('kafkaKeyFile'))
    say('KAFKA_KEY_FILE', 'is not set: with KAFKA_CERT_FILE it must be the file of its key');
  if (values.kafkaKeyFile !== undefined && isAbsent('kafkaCertFile'))
    say('KAFKA_CERT_FILE', 'is not set: with KAFKA_KEY_FILE it must be the file of its certificate');
}

function brokers(text: string): Parsed<readonly string[]> {
  const items = text.split(',').map((item) => item.trim());
  const wrong = items.find((item) => {
    const [, host = '', port = ''] = /^(.+):(\d{1,5})$/.exec(item) ?? [];
    return !/^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])$/.test(host) || Number(port) < 1 || Number(port) > 65_535;
  });
  return wrong === undefined
    ? { value: items }
    : { mustBe: `host:port, several with commas between them; «${wrong}» is none` };
}

function topic(text: string): Parsed<string> {
  return /^[A-Za-z0-9._-]{1,249}$/.test(text) && text !== '.' && text !== '..'
    ? { value: text }
    : { mustBe: 'the name of a topic: letters, digits, - _ and ., 249 at most' };
}
