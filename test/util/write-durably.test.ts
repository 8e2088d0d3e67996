import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { type DurableFs, writeDurably } from '../../src/util/write-durably.ts';

interface Inode {
  content: string;
  synced: string | undefined;
}

/** A disk that loses power at a given call, and with it what was not synced. Unsynced names go or stay, by chance. */
class LossyDisk implements DurableFs {
  calls = 0;
  readonly #lossAt: number;
  #names = new Map<string, Inode>();
  #syncedNames = new Map<string, Inode>();

  constructor(path: string, content: string, lossAt: number) {
    const inode = { content, synced: content };
    this.#names.set(path, inode);
    this.#syncedNames.set(path, inode);
    this.#lossAt = lossAt;
  }

  readonly open = ((path: string, flags: string) => {
    this.#call();
    if (flags !== 'w')
      return Promise.resolve(this.#handle({ sync: () => (this.#syncedNames = new Map(this.#names)) }));
    const inode: Inode = { content: '', synced: undefined };
    this.#names.set(path, inode);
    return Promise.resolve(
      this.#handle({
        writeFile: (text: string) => (inode.content = text),
        sync: () => (inode.synced = inode.content),
      }),
    );
  }) as unknown as DurableFs['open'];

  readonly rename = ((from: string, to: string) => {
    this.#call();
    if (dirname(from) !== dirname(to)) throw new Error('EXDEV: the other directory may be another disk');
    this.#names.set(to, this.#names.get(from)!);
    this.#names.delete(from);
    return Promise.resolve();
  }) as unknown as DurableFs['rename'];

  /** Everything that the next start may find under the path. */
  *found(path: string): Generator<string | undefined> {
    for (const names of [this.#names, this.#syncedNames]) {
      const inode = names.get(path);
      if (inode === undefined) yield undefined;
      else if (inode.synced !== undefined) yield inode.synced;
      else yield* ['', inode.content.slice(0, inode.content.length / 2), '\0'.repeat(inode.content.length)];
    }
  }

  #handle(methods: Record<string, (text: string) => unknown>): object {
    return Object.fromEntries(
      Object.entries<(text: string) => unknown>({ close: () => undefined, ...methods }).map(([name, run]) => [
        name,
        (text: string) => {
          this.#call();
          run(text);
          return Promise.resolve();
        },
      ]),
    );
  }

  #call(): void {
    if (this.calls++ === this.#lossAt) throw new Error('the power is gone');
  }
}

it('leaves the old content or the new one when power is lost between any two of its calls', async () => {
  let calls = 0;
  for (let lossAt = 0; lossAt <= calls; lossAt++) {
    const disk = new LossyDisk('/state/offsets.json', 'old', lossAt);
    const written = await writeDurably('/state/offsets.json', 'new content', disk).then(
      () => true,
      () => false,
    );
    calls = Math.max(calls, disk.calls);
    for (const content of disk.found('/state/offsets.json')) {
      expect(written ? ['new content'] : ['old', 'new content']).toContain(content);
    }
  }
  expect(calls).toBeGreaterThanOrEqual(8);
});

it('replaces a real file and leaves nothing beside it', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'frostbeat-durable-'));
  const path = join(directory, 'file');
  await writeDurably(path, 'one');
  await writeDurably(path, 'two');
  expect(readFileSync(path, 'utf8')).toBe('two');
  expect(readdirSync(directory)).toEqual(['file']);
  rmSync(directory, { recursive: true });
});
