import type { Readable } from 'node:stream';
import { type ApiError, type Bucket, Storage } from '@google-cloud/storage';
import type { ObjectDestination } from '../config/config.ts';
import { orAborted } from '../util/or-aborted.ts';
import { RetryAfterError } from './log-writer.ts';
import { ObjectFailure } from './object-failure.ts';
import type { ObjectStore } from './object-store.ts';

/** How long an answer may take, in milliseconds: a frozen server answers never. */
const ANSWER_MS = 30_000;

/** A bucket of Google Cloud Storage. Credentials are the application's default ones; with an endpoint, none. */
export class GcsStore implements ObjectStore {
  readonly name: string;
  readonly #options: ObjectDestination;
  readonly #bucket: Bucket;

  constructor(options: ObjectDestination) {
    const { bucket, endpoint } = options;
    this.name = `gs://${bucket}`;
    this.#options = options;
    const storage = new Storage({
      ...(endpoint !== undefined && { apiEndpoint: endpoint, projectId: 'frostbeat' }),
      timeout: ANSWER_MS,
      // What is tried again, and when, is the agent's to decide.
      retryOptions: { autoRetry: false, maxRetries: 0 },
    });
    this.#bucket = storage.bucket(bucket);
  }

  async put(name: string, bytes: Buffer, signal: AbortSignal): Promise<void> {
    const saved = this.#bucket.file(name).save(bytes, {
      resumable: false,
      validation: 'crc32c',
      timeout: ANSWER_MS,
      metadata: { contentType: 'application/x-ndjson', contentEncoding: 'gzip' },
    });
    await this.#explained(saved, signal);
  }

  /** One name is asked for. Who may write and not list is no fault: the refusal comes from a server that knows him. */
  async check(signal: AbortSignal): Promise<void> {
    try {
      await orAborted(this.#bucket.getFiles({ maxResults: 1, autoPaginate: false }), signal);
    } catch (error) {
      if ((error as ApiError).code !== 403) throw this.#explain(error, signal);
    }
  }

  async *list(prefix: string, signal: AbortSignal): AsyncGenerator<string> {
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

  close(): void {
    // The client holds nothing open.
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
    if (status === 401) return say(`the credentials are refused: ${message}`);
    if (status === 403) {
      return say(
        'access is denied: the account needs storage.objects.create and storage.objects.delete (to overwrite) ' +
          'there, and storage.objects.list and storage.objects.get to read',
      );
    }
    if (/Could not load the default credentials/.test(message)) {
      return say(
        'no credentials are found: set GOOGLE_APPLICATION_CREDENTIALS, or give the pod a service account',
      );
    }
    const wait = Number(response?.headers['retry-after']);
    if ((status === 429 || status === 503) && wait > 0) {
      return new RetryAfterError(`${this.name} asks for a pause: ${message}`, wait * 1_000, { cause: error });
    }
    return say(`${message}${endpoint === undefined ? '' : `, at ${endpoint}`}`);
  }
}
