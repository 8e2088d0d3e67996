/** A failed call of a bucket, said for people. It has no stack: what is wrong is at the other end. */
export class ObjectFailure extends Error {
  override readonly name = 'ObjectFailure';

  /** @param store `s3://bucket`. */
  constructor(store: string, why: string) {
    super(`Cannot use ${store}: ${why}`);
    delete this.stack;
  }
}
