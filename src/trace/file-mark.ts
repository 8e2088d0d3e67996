/** A mark in a file: which file it was, by its inode, and up to where it was read. */
export class FileMark {
  readonly ino: bigint;
  readonly offset: number;

  constructor(ino: bigint, offset: number) {
    this.ino = ino;
    this.offset = offset;
  }

  /** @returns undefined where the text is none. */
  static parse(text: string | undefined): FileMark | undefined {
    const [, ino, offset] = /^(\d{1,20})-(\d{1,15})$/.exec(text ?? '') ?? [];
    return ino === undefined ? undefined : new FileMark(BigInt(ino), Number(offset));
  }

  toString(): string {
    return `${this.ino}-${this.offset}`;
  }
}
