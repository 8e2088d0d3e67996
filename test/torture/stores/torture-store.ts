import type { Differences, RecordBook } from '../record-book.ts';

/** Stores that the agent can be tortured with. */
export const storeNames = ['etcd', 'file', 'kafka', 'opensearch', 'elasticsearch', 's3', 'gcs'] as const;
export type StoreName = (typeof storeNames)[number];

/** A server that faults are caused on. */
export interface Breakable {
  /** It takes connections and answers nothing. */
  freeze(): void;
  thaw(): void;
  /** Ends it as a crash would. */
  kill(): Promise<void>;
  restart(): Promise<void>;
}

/** A real store that the agent writes to under torture. */
export interface TortureStore extends AsyncDisposable {
  /** How the agent reaches it. */
  readonly env: Readonly<Record<string, string>>;
  /** Undefined where no server is in between. */
  readonly server: Breakable | undefined;
  /** Whether records survive that hold bytes which are no valid UTF-8. */
  readonly keepsBytes: boolean;
  judge(book: RecordBook, differences: Differences): StoreJudge;
}

/** Compares what is in a store with what was written. */
export interface StoreJudge {
  readonly complaints: readonly string[];
  /** For the table that a run ends with. */
  readonly counts: ReadonlyMap<string, number>;
  /**
   * What has to be done while the agent runs.
   *
   * @param ending aborts when nothing more is written and no fault is caused.
   * @param over aborts when the agent has come to rest.
   */
  run(ending: AbortSignal, over: AbortSignal): Promise<void>;
  /** Looks at everything that is there. */
  finish(): Promise<void>;
}

type Start = (directory: string) => Promise<TortureStore>;

/** Only what a store needs is loaded. */
const starts: Readonly<Record<StoreName, Start>> = {
  etcd: async () => await (await import('./etcd-store.ts')).startEtcdStore(),
  file: async (directory) => (await import('./file-store.ts')).fileStore(directory),
  kafka: async () => await (await import('./kafka-store.ts')).startKafkaStore(),
  opensearch: async () => await (await import('./search-store.ts')).startSearchStore('opensearch'),
  elasticsearch: async () => await (await import('./search-store.ts')).startSearchStore('elasticsearch'),
  s3: async () => await (await import('./object-store.ts')).startObjectStore('s3'),
  gcs: async () => await (await import('./object-store.ts')).startObjectStore('gcs'),
};

/** Starts a store. @param directory of the run. */
export async function startStore(name: StoreName, directory: string): Promise<TortureStore> {
  return await starts[name](directory);
}
