import type { WriterOptions } from '../writers/log-writer.ts';

/** A writer to be tested, and the destination that it writes to. */
export interface Subject {
  /** The writer as it would stand in WRITERS: a module's path, absolute or as a `file:` URL, or a package's name. */
  readonly writer: string;
  /** The settings that it is given, by variable; read when a check runs, so it may be a getter. */
  readonly options?: WriterOptions;
  /** The JSON text of every record that the destination holds now, as often as it is there, in any order. */
  readonly stored: () => Promise<Iterable<string | Uint8Array>>;
  /**
   * What the writer promises of records that it is given again: they are there `once`; once where that is after a
   * `restart` (while it runs, the agent gives a record again only where its write has failed); once where it is the
   * same `batch` (after a restart the agent may make other batches); or maybe `again`.
   */
  readonly repeats: 'once' | 'restart' | 'batch' | 'again';
  /**
   * How it keeps a record: `bytes` as they are, or as the same `json`, where bytes that are no UTF-8 have become
   * U+FFFD. Default `bytes`.
   */
  readonly keeps?: 'bytes' | 'json';
  /** The server, where its faults can be caused: without it, outages are not tested. */
  readonly server?: ServerUnderTest;
  /** How the server is reached through a slow network: without it, a slow server is not tested. */
  readonly slow?: SlowWay;
  /** Members of JSON records that the destination refuses for good (`"status":{}`): without, that is not tested. */
  readonly refused?: readonly string[];
  /** Mistakes of the configuration: without them it is not tested how they are told. */
  readonly mistakes?: readonly Mistake[];
  /** Longest that anything may take which ends by itself, in milliseconds. Default 60,000. */
  readonly patienceMs?: number;
}

export interface ServerUnderTest {
  /** Ends it at once, as a crash does; its data stay. */
  kill(): Promise<void>;
  /** Starts it again, and resolves when it serves. */
  restart(): Promise<void>;
  /** It takes connections and answers nothing (SIGSTOP), until `thaw()`. */
  freeze?(): void;
  thaw?(): void;
}

/** The checks put a proxy in front of the server, through which everything arrives late. */
export interface SlowWay {
  /** Where the server listens for TCP: `host:port`, or a URL; read when a check runs. */
  readonly server: string;
  /** Settings that lead the writer to the proxy at this port of 127.0.0.1; laid over the subject's options. */
  readonly options: (port: number) => WriterOptions;
  /** The proxy's port, where the server itself must tell it to its clients. Default any that is free. */
  readonly port?: number;
  /**
   * How long the writer itself waits for an answer, in milliseconds; less than `patienceMs`. Without it, an answer that
   * comes later than that is not tested.
   */
  readonly timeoutMs?: number;
}

export interface Mistake {
  /** What is wrong: `a bucket that is not there`. */
  readonly title: string;
  /** Laid over the subject's options. */
  readonly options: WriterOptions;
  /** What the message must say. */
  readonly says: RegExp;
}
