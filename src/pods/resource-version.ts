/**
 * Whether one resource version of the API is older than another. They are decimal numbers that grow
 * (Kubernetes KEP 5504); where they are not, nobody knows, and neither is taken to be older.
 */
export function isOlder(one: string, other: string): boolean {
  return isNumber(one) && isNumber(other) && BigInt(one) < BigInt(other);
}

function isNumber(version: string): boolean {
  return /^\d{1,30}$/.test(version);
}
