import type { Readable } from 'node:stream';
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  paginateListObjectsV2,
  PutObjectCommand,
  S3Client,
  type S3ServiceException,
} from '@aws-sdk/client-s3';
import type { S3Destination } from '../config/config.ts';
import { RetryAfterError } from './log-writer.ts';
import { ObjectFailure } from './object-failure.ts';
import type { ObjectStore } from './object-store.ts';

/** How long a connection and an answer may take, in milliseconds: a frozen server answers never. */
const CONNECT_MS = 5_000;
const ANSWER_MS = 30_000;
/** No object has it. */
const NO_ETAG = '"frostbeat"';

/** A bucket of S3, or of what speaks its protocol. Credentials come by the SDK's own chain. */
export class S3Store implements ObjectStore {
  readonly name: string;
  readonly #options: S3Destination;
  readonly #client: S3Client;

  constructor(options: S3Destination) {
    const { bucket, endpoint, pathStyle, region } = options;
    this.name = `s3://${bucket}`;
    this.#options = options;
    this.#client = new S3Client({
      ...(region !== undefined && { region }),
      // A server of one's own seldom has regions, and the signature needs one.
      ...(endpoint !== undefined && { endpoint, region: region ?? 'us-east-1' }),
      forcePathStyle: pathStyle,
      // What is tried again, and when, is the agent's to decide.
      maxAttempts: 1,
      requestHandler: {
        connectionTimeout: CONNECT_MS,
        requestTimeout: ANSWER_MS,
        throwOnRequestTimeout: true,
      },
      // Other servers than Amazon's may not know the SDK's newer checksums.
      ...(endpoint !== undefined && {
        requestChecksumCalculation: 'WHEN_REQUIRED',
        responseChecksumValidation: 'WHEN_REQUIRED',
      }),
    });
  }

  async put(name: string, bytes: Buffer, signal: AbortSignal): Promise<void> {
    const command = new PutObjectCommand(this.#object(name, bytes));
    await this.#explained(this.#client.send(command, { abortSignal: signal }), signal);
  }

  /** With a condition a write needs s3:GetObject too: a refusal says nothing of who may not read. */
  async mayPut(name: string, bytes: Buffer, signal: AbortSignal): Promise<boolean | undefined> {
    const command = new PutObjectCommand({ ...this.#object(name, bytes), IfMatch: NO_ETAG });
    try {
      await this.#client.send(command, { abortSignal: signal });
      return true;
    } catch (error) {
      const { name: why } = error as S3ServiceException;
      if (why === 'PreconditionFailed' || why === 'NoSuchKey') return true;
      if (why === 'NotImplemented') return undefined;
      if (why !== 'AccessDenied') throw this.#explain(error, signal);
      return (await this.#mayRead(name, signal)) ? false : undefined;
    }
  }

  /** One key is asked for. Who may write and not list is no fault: the refusal comes from a server that knows him. */
  async check(signal: AbortSignal): Promise<void> {
    const command = new ListObjectsV2Command({ Bucket: this.#options.bucket, MaxKeys: 1 });
    try {
      await this.#client.send(command, { abortSignal: signal });
    } catch (error) {
      if ((error as Error).name !== 'AccessDenied') throw this.#explain(error, signal);
    }
  }

  async *list(prefix: string, signal: AbortSignal): AsyncGenerator<string> {
    const input = { Bucket: this.#options.bucket, Prefix: prefix };
    try {
      const pages = paginateListObjectsV2({ client: this.#client }, input, { abortSignal: signal });
      for await (const { Contents = [] } of pages) for (const { Key } of Contents) if (Key) yield Key;
    } catch (error) {
      throw this.#explain(error, signal);
    }
  }

  async read(name: string, signal: AbortSignal): Promise<Readable> {
    const command = new GetObjectCommand({ Bucket: this.#options.bucket, Key: name });
    const { Body } = await this.#explained(this.#client.send(command, { abortSignal: signal }), signal);
    return Body as Readable;
  }

  async find(name: string, signal: AbortSignal): Promise<Buffer | undefined> {
    const command = new GetObjectCommand({ Bucket: this.#options.bucket, Key: name });
    try {
      const { Body } = await this.#client.send(command, { abortSignal: signal });
      return Body && Buffer.from(await Body.transformToByteArray());
    } catch (error) {
      if (['NoSuchKey', 'AccessDenied'].includes((error as Error).name)) return undefined;
      throw this.#explain(error, signal);
    }
  }

  close(): void {
    this.#client.destroy();
  }

  #object(name: string, bytes: Buffer) {
    const kind = { ContentType: 'application/x-ndjson', ContentEncoding: 'gzip' };
    return { Bucket: this.#options.bucket, Key: name, Body: bytes, ...kind };
  }

  async #mayRead(name: string, signal: AbortSignal): Promise<boolean> {
    const command = new HeadObjectCommand({ Bucket: this.#options.bucket, Key: name });
    try {
      await this.#client.send(command, { abortSignal: signal });
      return true;
    } catch (error) {
      const { $metadata } = error as S3ServiceException;
      if ($metadata?.httpStatusCode === 404) return true;
      if ($metadata?.httpStatusCode === 403) return false;
      throw this.#explain(error, signal);
    }
  }

  async #explained<T>(call: Promise<T>, signal: AbortSignal): Promise<T> {
    try {
      return await call;
    } catch (error) {
      throw this.#explain(error, signal);
    }
  }

  #explain(error: unknown, signal: AbortSignal): unknown {
    if (signal.aborted) return signal.reason;
    const { name, message, $response, $metadata } = error as S3ServiceException;
    const say = (text: string): Error => new ObjectFailure(this.name, text);
    const { endpoint, bucket } = this.#options;
    switch (name) {
      case 'NoSuchBucket':
        return say(`there is no such bucket; S3_BUCKET (--s3-bucket) is "${bucket}"`);
      case 'PermanentRedirect':
      case 'AuthorizationHeaderMalformed':
        return say(`it is in another region than S3_REGION (--s3-region) says: ${message}`);
      case 'InvalidAccessKeyId':
        return say('the server does not know the access key (AWS_ACCESS_KEY_ID, the profile, or the role)');
      case 'SignatureDoesNotMatch':
        return say('the secret of the access key is wrong (AWS_SECRET_ACCESS_KEY, or the profile)');
      case 'ExpiredToken':
        return say(`the credentials have expired: ${message}`);
      case 'AccessDenied':
        return say(
          'access is denied: the credentials need s3:PutObject there, and s3:ListBucket and s3:GetObject to read',
        );
      case 'CredentialsProviderError':
        return say(
          'no credentials are found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the pod a role',
        );
      default:
    }
    if (message.startsWith('Region is missing'))
      return say('the region is not known: set S3_REGION (--s3-region)');
    const status = $metadata?.httpStatusCode;
    const wait = Number($response?.headers['retry-after']);
    if ((status === 429 || status === 503) && wait > 0) {
      return new RetryAfterError(`${this.name} asks for a pause: ${message}`, wait * 1_000, { cause: error });
    }
    const where = endpoint === undefined ? '' : ` at ${endpoint}`;
    return say(`${name}${where}: ${message}`);
  }
}
