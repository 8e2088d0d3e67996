import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DockerLog } from '../support/sim/docker-log.ts';

const clock = () => 1_795_388_899_000_000_000n;

describe("a log of Docker's", () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'frostbeat-docker-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it.each([
    [false, ['json.log', 'json.log.1', 'json.log.2']],
    [true, ['json.log', 'json.log.1.gz', 'json.log.2.gz']],
  ])('is behind a symlink and is rotated by number, the newest first; compressed: %s', (compress, names) => {
    const linkPath = join(directory, 'pods', 'ns_p_u', 'app', '0.log');
    const containersDir = join(directory, 'containers');
    const log = new DockerLog({ linkPath, containersDir, id: 'abc', clock, maxFiles: 3, compress });
    log.print('!');
    for (const text of ['!one', '!two', '!three', '!four']) {
      if (text !== '!one') log.rotate();
      log.print(`${text.slice(1)}\n`);
      // The beginning of the next line: it goes where its end goes.
      log.print('!');
    }
    log.end();
    expect(lstatSync(linkPath).isSymbolicLink()).toBe(true);
    expect(readFileSync(linkPath, 'utf8')).toBe(
      '{"log":"!four\\n","stream":"stdout","time":"2026-11-22T23:08:19Z"}\n' +
        '{"log":"!","stream":"stdout","time":"2026-11-22T23:08:19Z"}\n',
    );
    const files = readdirSync(dirname(log.path)).toSorted();
    expect(files).toEqual(names.map((name) => `abc-${name}`));
    const contents = files.map((name) => readFileSync(join(dirname(log.path), name)));
    const texts = contents.map((bytes, i) => (compress && i > 0 ? gunzipSync(bytes) : bytes).toString());
    expect(texts.map((text) => /"log":"!(\w+)/.exec(text)?.[1])).toEqual(['four', 'three', 'two']);
  });
});
