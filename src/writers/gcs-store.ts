import type { Readable } from 'node:stream';
import { type ApiError, type Bucket, Storage } from '@google-cloud/storage';
import type { ObjectDestination } from '../config/config.ts';
import { orAborted } from '../util/or-aborted.ts';
import { RetryAfterError } from './log-writer.ts';
import { ObjectFailure } from './object-failure.ts';
import type { ObjectStore } from './object-store.ts';

/** How long an answer may take, in milliseconds: a frozen server answers never. */
const ANSWER_MS = 30_000;
/** Generations are times in microseconds: no object has it. */
const NO_GENERATION = 1;
/** How objects are stored. */
const SAVED = {
  resumable: false,
  validation: 'crc32c',
  timeout: ANSWER_MS,
  metadata: { contentType: 'application/x-ndjson', contentEncoding: 'gzip' },
} as const;

/** A bucket of Google Cloud Storage. Credentials are the application's default ones; with an endpoint, none. */
export class GcsStore implements ObjectStore {
  readonly name: string;
  readonly #options: ObjectDestination;
  /** With the token that it got, and the key that it read. */
  #bucket: Bucket;

  constructor(options: ObjectDestination) {
    this.name = `gs://${options.bucket}`;
    this.#options = options;
    this.#bucket = openBucket(options);
  }

  async put(name: string, bytes: Buffer, signal: AbortSignal): Promise<void> {
    await this.#authorize(signal);
    await this.#explained(this.#bucket.file(name).save(bytes, SAVED), signal);
  }

  async mayPut(name: string, bytes: Buffer, signal: AbortSignal): Promise<boolean> {
    await this.#authorize(signal);
    try {
      const preconditionOpts = { ifGenerationMatch: NO_GENERATION };
      await orAborted(this.#bucket.file(name).save(bytes, { ...SAVED, preconditionOpts }), signal);
      return true;
    } catch (error) {
      const status = Number((error as ApiError).code);
      if (status === 412) return true;
      if (status === 403) return false;
      throw this.#explain(error, signal);
    }
  }

  /** One name is asked for. Who may write and not list is no fault: the refusal comes from a server that knows him. */
  async check(signal: AbortSignal): Promise<void> {
    await this.#authorize(signal);
    try {
      await orAborted(this.#bucket.getFiles({ maxResults: 1, autoPaginate: false }), signal);
    } catch (error) {
      if ((error as ApiError).code !== 403) throw this.#explain(error, signal);
    }
  }

  async *list(prefix: string, signal: AbortSignal): AsyncGenerator<string> {
    await this.#authorize(signal);
    let pageToken: string | undefined;
    do {
      const page = this.#bucket.getFiles({ prefix, autoPaginate: false, ...(pageToken && { pageToken }) });
      const [files, next] = await this.#explained(page, signal);
      for (const { name } of files) yield name;
      pageToken = (next as { pageToken?: string } | null)?.pageToken;
    } while (pageToken !== undefined);
  }

  async read(name: string, signal: AbortSignal): Promise<Readable> {
    signal.throwIfAborted();
    return this.#bucket.file(name).createReadStream({ decompress: false, validation: false });
  }

  async find(name: string, signal: AbortSignal): Promise<Buffer | undefined> {
    await this.#authorize(signal);
    try {
      const file = this.#bucket.file(name).download({ decompress: false, validation: false });
      const [bytes] = await orAborted(file, signal);
      return bytes;
    } catch (error) {
      if ([403, 404].includes(Number((error as ApiError).code))) return undefined;
      throw this.#explain(error, signal);
    }
  }

  close(): void {
    // The client holds nothing open.
  }

  /** Asks for a token, where there is none yet: without one an upload says only that its stream was destroyed. */
  async #authorize(signal: AbortSignal): Promise<void> {
    if (this.#bucket.storage.customEndpoint) return;
    try {
      await orAborted(this.#bucket.storage.authClient.getAccessToken(), signal);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      this.#renew();
      throw new ObjectFailure(this.name, whyNoToken((error as Error).message));
    }
  }

  /** What was renewed meanwhile is read by the next call. */
  #renew(): void {
    this.#bucket = openBucket(this.#options);
  }

  /** The client's calls cannot be aborted: one that is not waited for any more settles nothing. */
  async #explained<T>(call: Promise<T>, signal: AbortSignal): Promise<T> {
    try {
      return await orAborted(call, signal);
    } catch (error) {
      throw this.#explain(error, signal);
    }
  }

  #explain(error: unknown, signal: AbortSignal): unknown {
    if (signal.aborted) return signal.reason;
    const { code, message, response } = error as ApiError;
    const say = (text: string): Error => new ObjectFailure(this.name, text);
    const { endpoint, bucket } = this.#options;
    const status = Number(code);
    if (status === 404) return say(`there is no such bucket; GCS_BUCKET (--gcs-bucket) is "${bucket}"`);
    if (status === 401) {
      this.#renew();
      return say(`the credentials are refused: ${message}; ${whoseTheyAre()}`);
    }
    if (status === 403) {
      return say(
        'access is denied: the account needs storage.objects.create and storage.objects.delete (to overwrite) ' +
          'there, and storage.objects.list and storage.objects.get to read',
      );
    }
    const wait = Number(response?.headers['retry-after']);
    if ((status === 429 || status === 503) && wait > 0) {
      return new RetryAfterError(`${this.name} asks for a pause: ${message}`, wait * 1_000, { cause: error });
    }
    return say(`${message}${endpoint === undefined ? '' : `, at ${endpoint}`}`);
  }
}

function openBucket({ bucket, endpoint }: ObjectDestination): Bucket {
  const storage = new Storage({
    ...(endpoint !== undefined && { apiEndpoint: endpoint, projectId: 'frostbeat' }),
    timeout: ANSWER_MS,
    // What is tried again, and when, is the agent's to decide.
    retryOptions: { autoRetry: false, maxRetries: 0 },
  });
  return storage.bucket(bucket);
}

/** OAuth's own errors are such as `invalid_grant: account not found`. */
function whyNoToken(message: string): string {
  if (/Could not load the default credentials/.test(message))
    return 'no credentials are found: set GOOGLE_APPLICATION_CREDENTIALS, or give the pod a service account';
  const what = /^(Error code )?(invalid|unauthorized)_/.test(message)
    ? 'the credentials are refused'
    : 'the credentials give no token';
  return `${what}: ${message}; ${whoseTheyAre()}`;
}

function whoseTheyAre(): string {
  const file = process.env['GOOGLE_APPLICATION_CREDENTIALS'];
  if (file !== undefined) return `GOOGLE_APPLICATION_CREDENTIALS names their file, ${file}`;
  return "they are the pod's, or the instance's";
}
