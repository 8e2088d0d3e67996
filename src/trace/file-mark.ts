/** A mark in the file writer's output: of each file that is written to, by its inode, up to where it was read. */
export class FileMark {
  /** Offsets in bytes, by inode. */
  readonly offsets: ReadonlyMap<bigint, number>;

  constructor(offsets: ReadonlyMap<bigint, number>) {
    this.offsets = offsets;
  }

  /** @returns undefined where the text is none. */
  static parse(text: string | undefined): FileMark | undefined {
    if (text === undefined || !/^(?:\d{1,20}-\d{1,15}(?:\.|$))*$/.test(text)) return undefined;
    const parts = text.split('.').filter((part) => part !== '');
    return new FileMark(
      new Map(
        parts.map((part) => {
          const [ino = '', offset = ''] = part.split('-');
          return [BigInt(ino), Number(offset)];
        }),
      ),
    );
  }

  toString(): string {
    return [...this.offsets].map(([ino, offset]) => `${ino}-${offset}`).join('.');
  }
}
