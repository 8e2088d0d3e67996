/** A failed call of Kafka, said for people. It has no stack: what is wrong is at the other end. */
export class KafkaFailure extends Error {
  override readonly name = 'KafkaFailure';

  readonly #answers: readonly PartitionAnswer[];

  constructor(error: unknown, topic: string) {
    super(wordsOf(error, topic));
    delete this.stack;
    this.#answers = [...answersIn(error)];
  }

  /** All that brokers answered of partitions, in all attempts of a call that failed in the end. */
  get answers(): readonly PartitionAnswer[] {
    return this.#answers;
  }
}

/** What a broker says of the records of one partition. */
export interface PartitionAnswer {
  readonly partition: number;
  /** Kafka's code; 0 is none. */
  readonly code: number;
}

/** Codes of what can never be stored as it is: a message, or a batch of them, that is too large, or is no record. */
const refusals: Readonly<Record<number, string>> = {
  10: 'MESSAGE_TOO_LARGE: it is larger than the topic takes (max.message.bytes)',
  18: 'RECORD_LIST_TOO_LARGE: it is larger than a segment of the topic (segment.bytes)',
  87: 'INVALID_RECORD: the topic does not take such records',
};

/** Why a record with this code can never be stored; undefined where it may be, later. */
export function refusalOf(code: number): string | undefined {
  return refusals[code];
}

function* answersIn(error: unknown): Generator<PartitionAnswer, void> {
  for (const one of allOf(error)) {
    const { response, produced } = one as { response?: unknown; produced?: { offsets?: unknown } };
    for (const { partition } of (produced?.offsets ?? []) as { partition: number }[])
      yield { partition, code: 0 };
    const { responses } = (response ?? {}) as {
      responses?: readonly {
        partitionResponses?: readonly { index: number; errorCode: number }[];
      }[];
    };
    for (const { partitionResponses = [] } of responses ?? [])
      for (const { index, errorCode } of partitionResponses) yield { partition: index, code: errorCode };
  }
}

interface Rule {
  readonly when: RegExp;
  /** @param text of the error that it fits. */
  readonly say: (topic: string, text: string) => string;
}

/** The first that fits any of the errors counts. */
const rules: readonly Rule[] = [
  {
    when: /Unknown topic|UNKNOWN_TOPIC_OR_PARTITION/,
    say: (topic) =>
      `the topic ${topic} is not there, and the brokers do not make it: create it ` +
      `(kafka-topics.sh --create --topic ${topic}), or name another in KAFKA_TOPIC`,
  },
  { when: /KAFKA_TOKEN_FILE/, say: (_, text) => text },
  {
    when: /suitable SASL mechanism|UNSUPPORTED_SASL_MECHANISM/,
    say: () => 'it does not know the mechanism: check KAFKA_SASL_MECHANISM',
  },
  {
    when: /SASL authentication failed|SASL_AUTHENTICATION_FAILED/,
    say: () =>
      'it refuses the user or the password: check KAFKA_USERNAME and KAFKA_PASSWORD or KAFKA_PASSWORD_FILE',
  },
  {
    when: /TOPIC_AUTHORIZATION_FAILED/,
    say: (topic) => `the user may not use the topic ${topic}: writing needs WRITE and DESCRIBE, reading READ`,
  },
  {
    when: /CLUSTER_AUTHORIZATION_FAILED/,
    say: () => 'the user may not write idempotently: brokers before Kafka 3.0 ask for IDEMPOTENT_WRITE',
  },
  {
    when: /NOT_ENOUGH_REPLICAS/,
    say: (topic) => `fewer replicas of ${topic} are in step than its min.insync.replicas asks for`,
  },
  { when: /KAFKA_STORAGE_ERROR/, say: () => 'a broker cannot write to its disk' },
  {
    when: /unable to verify|unable to get .*issuer|self[- ]signed/i,
    say: () => 'its certificate is not signed by an authority that is known: check KAFKA_CA_FILE',
  },
  { when: /altname/i, say: () => 'its certificate is for another name' },
  {
    when: /wrong version number|packet length too long/i,
    say: () => 'no TLS connection: is KAFKA_TLS meant?',
  },
  {
    when: /alert (bad certificate|certificate required|unknown ca|handshake failure)/i,
    say: () => "it refuses the agent's certificate: check KAFKA_CERT_FILE and KAFKA_KEY_FILE",
  },
  { when: /ENOTFOUND|EAI_AGAIN/, say: () => 'no connection: the name of a broker is not known' },
  { when: /ECONNREFUSED/, say: () => 'no connection (ECONNREFUSED)' },
  { when: /timed? ?out/i, say: () => 'no answer in time' },
  {
    when: /connection closed|ECONNRESET|closed/i,
    say: () => 'it closes the connection: is TLS or a user asked for?',
  },
];

function wordsOf(error: unknown, topic: string): string {
  const texts = allOf(error).map((one) => {
    const { message, apiId, code } = one as { message?: string; apiId?: string; code?: string };
    return [apiId, code, message].filter((part) => part !== undefined).join(' ');
  });
  for (const { when, say } of rules) {
    const text = texts.find((one) => when.test(one));
    if (text !== undefined) return say(topic, text);
  }
  return (texts.at(-1) ?? String(error)).replace(/^PLT_KFK_\w+ /, '');
}

/** The error and all that it has in it, the outermost first. */
function allOf(error: unknown): unknown[] {
  if (typeof error !== 'object' || error === null) return [];
  const { errors = [], cause } = error as { errors?: readonly unknown[]; cause?: unknown };
  return [error, ...errors.flatMap(allOf), ...allOf(cause)];
}
