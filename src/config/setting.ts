import type { Parse } from './parse.ts';

/** One setting: an environment variable, and a flag of the same name. */
export interface Setting<T> {
  readonly variable: string;
  readonly group: (typeof groups)[number];
  /** Text as a user would write it; empty is none. `<STATE_DIR>` in it stands for that setting's value. */
  readonly default: string;
  readonly parse: Parse<T>;
  /** One line, for the help and for README's table. */
  readonly meaning: string;
  /** What the value is, in the help. */
  readonly placeholder: string;
  /** What may be shown of a text that holds a secret. */
  readonly mask?: (text: string) => string;
  /** Spaces around the text belong to it. */
  readonly verbatim?: true;
}

/** The headings of the help, in its order. */
export const groups = [
  'What is collected',
  'Delivery',
  'etcd',
  'file',
  's3',
  'gcs',
  'Elasticsearch',
  'OpenSearch',
  'Kafka',
  'The agent itself',
  'Reading',
  'serve',
] as const;

/** Keeps the type of a setting's value. */
export function setting<T>(definition: Setting<T>): Setting<T> {
  return definition;
}
