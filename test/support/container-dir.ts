import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** The log directory of one container, written as the kubelet and the runtime do. Records are numbered. */
export class ContainerDir {
  readonly root = mkdtempSync(join(tmpdir(), 'frostbeat-tail-'));
  readonly path = join(this.root, 'ns_pod_uid', 'app');
  /** Trace IDs of all records made, in order. */
  readonly written: string[] = [];
  /** Bytes that were put. */
  bytes = 0;
  #time = 1_763_876_000_000_000_000n;
  #stamp = 53_057;

  constructor() {
    mkdirSync(this.path, { recursive: true });
  }

  file(name: string): string {
    return join(this.path, name);
  }

  /** One more record's JSON. */
  record(extra: object = {}): string {
    const traceId = `t${this.written.length}`;
    this.written.push(traceId);
    return JSON.stringify({ traceId, time: '2026-11-23T05:30:57.5Z', ...extra });
  }

  /** A record's JSON that is not among `written`. */
  unlisted(traceId: string): string {
    return JSON.stringify({ traceId, time: '2026-11-23T05:30:57.5Z' });
  }

  /** A CRI line; its time is one that no other line has. */
  cri(content: string, tag = 'F', stream = 'stdout'): string {
    this.#time += 1_000n;
    const seconds = new Date(Number(this.#time / 1_000_000n)).toISOString().slice(0, 19);
    const nanos = String(this.#time % 1_000_000_000n).padStart(9, '0');
    return `${seconds}.${nanos}Z ${stream} ${tag} ${content}\n`;
  }

  /** So many lines with a record each. */
  lines(count = 1): string {
    return Array.from({ length: count }, () => this.cri(this.record())).join('');
  }

  /** Appends text (latin1: one character a byte). */
  put(name: string, text: string): void {
    this.bytes += text.length;
    appendFileSync(this.file(name), text, 'latin1');
  }

  /** Renames the live file as the kubelet does; returns the new name. */
  rename(live = '0.log'): string {
    const name = `${live}.20261123-0${this.#stamp++}`;
    renameSync(this.file(live), this.file(name));
    return name;
  }

  /** Copies the live file as logrotate's copytruncate does, under a name as if it were rotated. */
  copy(live = '0.log'): string {
    const name = `${live}.20261123-0${this.#stamp++}`;
    copyFileSync(this.file(live), this.file(name));
    return name;
  }

  move(from: string, to: string): void {
    renameSync(this.file(from), this.file(to));
  }

  /** Compresses as the kubelet does: `X.tmp`, then `X.gz`, then X goes. Returns the new name. */
  compress(name: string): string {
    writeFileSync(this.file(`${name}.tmp`), gzipSync(readFileSync(this.file(name))));
    this.move(`${name}.tmp`, `${name}.gz`);
    this.remove(name);
    return `${name}.gz`;
  }

  truncate(name: string, size = 0): void {
    truncateSync(this.file(name), size);
  }

  remove(name: string): void {
    rmSync(this.file(name));
  }

  removeAll(): void {
    rmSync(join(this.root, 'ns_pod_uid'), { recursive: true });
  }

  cleanUp(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
