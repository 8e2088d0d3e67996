import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Clock } from '../../../src/demo/clock.ts';
import type { LineFormat, Stream } from '../../../src/demo/line-format.ts';
import { dockerFormat } from './docker-format.ts';

export interface DockerLogOptions {
  /** Where the pod's log is looked for, `…/<container>/<n>.log`: a symlink that cri-dockerd makes. */
  readonly linkPath: string;
  /** Docker's own directory of containers, `/var/lib/docker/containers` on a node. */
  readonly containersDir: string;
  /** 64 hexadecimal digits on a node. */
  readonly id: string;
  readonly clock: Clock;
  /** Most files, the live one counted; `max-file`. */
  readonly maxFiles: number;
  /** `compress`: rotated files are `.1.gz` and so on. */
  readonly compress: boolean;
}

/** The log of a container under Docker's json-file driver, which rotates by itself (moby loggerutils/logfile.go). */
export class DockerLog {
  readonly path: string;
  readonly #options: DockerLogOptions;
  readonly #format: LineFormat;

  constructor(options: DockerLogOptions) {
    const { containersDir, id, linkPath, clock } = options;
    this.#options = options;
    this.path = join(containersDir, id, `${id}-json.log`);
    for (const path of [this.path, linkPath]) mkdirSync(dirname(path), { recursive: true });
    this.#format = dockerFormat({ clock });
    this.#append(Buffer.alloc(0));
    symlinkSync(this.path, linkPath);
  }

  print(output: Buffer | string, stream: Stream = 'stdout'): void {
    this.#append(this.#format.output(stream, typeof output === 'string' ? Buffer.from(output) : output));
  }

  /** The file becomes `.1`, `.1` becomes `.2`, and the last goes. An unterminated line goes whole to the new file. */
  rotate(): void {
    const { maxFiles, compress } = this.#options;
    const extension = compress ? '.gz' : '';
    const nth = (n: number) => `${this.path}.${n}${extension}`;
    rmSync(nth(maxFiles - 1), { force: true });
    for (let n = maxFiles - 2; n >= 1; n--) if (existsSync(nth(n))) renameSync(nth(n), nth(n + 1));
    renameSync(this.path, `${this.path}.1`);
    this.#append(Buffer.alloc(0));
    if (!compress) return;
    writeFileSync(`${nth(1)}.tmp`, gzipSync(readFileSync(`${this.path}.1`)));
    renameSync(`${nth(1)}.tmp`, nth(1));
    rmSync(`${this.path}.1`);
  }

  end(): void {
    this.#append(this.#format.flush());
  }

  #append(bytes: Buffer): void {
    appendFileSync(this.path, bytes, { mode: 0o640 });
  }
}
