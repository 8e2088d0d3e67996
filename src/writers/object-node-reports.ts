import { gunzipSync, gzipSync } from 'node:zlib';
import { encodeNodeReport, nodeObject, type NodeReport, parseNodeReport } from './node-report.ts';
import type { NodeReports } from './node-reports.ts';
import { ObjectFailure } from './object-failure.ts';
import type { ObjectStore } from './object-store.ts';

/** Each report is a request that is paid for; a name may be written once a second at most in Google's buckets. */
const LEAST_MS = 1_000;
const MOST_MS = 60_000;

/** Behind the name of a report: no reader takes such an object for one. */
const TRIED = '.tried';

export interface ObjectNodeReportsOptions {
  readonly name: string;
  readonly store: ObjectStore;
  /** What the names of objects begin with. */
  readonly prefix: string;
  /** How long records wait for their object, in milliseconds: to tell more often says little more. */
  readonly objectAgeMs: number;
}

/** Keeps the report of the node in an object of its bucket, which is overwritten. */
export class ObjectNodeReports implements NodeReports {
  readonly name: string;
  readonly everyMs: number;
  readonly #store: ObjectStore;
  readonly #prefix: string;

  constructor({ name, store, prefix, objectAgeMs }: ObjectNodeReportsOptions) {
    this.name = name;
    this.everyMs = Math.min(MOST_MS, Math.max(LEAST_MS, objectAgeMs));
    this.#store = store;
    this.#prefix = prefix;
  }

  async last(node: string, signal: AbortSignal): Promise<NodeReport | undefined> {
    const bytes = await this.#store.find(nodeObject(this.#prefix, node), signal);
    return bytes && decodeNodeObject(bytes);
  }

  async publish(report: NodeReport, signal: AbortSignal): Promise<void> {
    await this.#store.put(nodeObject(this.#prefix, report.node), gzipSync(encodeNodeReport(report)), signal);
  }

  /** By a write that is never made: see `ObjectStore`. */
  async check(node: string, signal: AbortSignal): Promise<string | undefined> {
    await this.#store.check(signal);
    const name = nodeObject(this.#prefix, node);
    const bytes = await this.#store.find(name, signal);
    // What may not be read may be there: a server that does not know conditions must not lose it.
    const may = await (bytes === undefined
      ? this.#store.mayPut(`${name}${TRIED}`, gzipSync(''), signal)
      : this.#store.mayPut(name, bytes, signal));
    if (may === false) throw new ObjectFailure(this.#store.name, `access is denied to write ${name}`);
    return may === undefined ? `whether ${name} may be written cannot be tried here` : undefined;
  }

  async close(): Promise<void> {
    this.#store.close();
  }
}

/** @returns undefined where it is no report, or one of a later version. */
export function decodeNodeObject(bytes: Buffer): NodeReport | undefined {
  try {
    return parseNodeReport(gunzipSync(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}
