const M = 0x5bd1e995;
const SEED = 0x9747b28c;

/**
 * Kafka's hash of a key, by which its clients choose the partition (`Utils.murmur2` of org.apache.kafka:kafka-clients).
 * The one in @platformatic/kafka counts in BigInt, which takes as long as all else that a message needs.
 *
 * @returns a 32-bit integer, which may be negative.
 */
export function murmur2(key: Buffer): number {
  const { length } = key;
  let hash = SEED ^ length;
  let at = 0;
  for (; at + 4 <= length; at += 4) {
    let word = Math.imul(key.readInt32LE(at), M);
    word = Math.imul(word ^ (word >>> 24), M);
    hash = Math.imul(hash, M) ^ word;
  }
  if (at < length) {
    for (let i = length - 1; i >= at; i--) hash ^= key[i]! << (8 * (i - at));
    hash = Math.imul(hash, M);
  }
  hash = Math.imul(hash ^ (hash >>> 13), M);
  return hash ^ (hash >>> 15);
}
