import { Readable } from 'node:stream';
import type { ObjectStore } from '../../src/writers/object-store.ts';

/** A bucket in memory, whose objects are at hand. @param broken what it does otherwise. */
export function memoryStore(broken: Partial<ObjectStore> = {}): ObjectStore & {
  readonly objects: Map<string, Buffer>;
} {
  const objects = new Map<string, Buffer>();
  return {
    name: 'mem://logs',
    objects,
    put: async (name, bytes) => void objects.set(name, bytes),
    check: async () => await Promise.resolve(),
    mayPut: async () => await Promise.resolve(true),
    list: (prefix) => Readable.from([...objects.keys()].filter((name) => name.startsWith(prefix))),
    read: async (name) => await Promise.resolve(Readable.from([objects.get(name)])),
    find: async (name) => await Promise.resolve(objects.get(name)),
    close: () => undefined,
    ...broken,
  };
}
