const MEMBER = Buffer.from(',"kubernetes":{');
/** Longest name of a node in Kubernetes. What is longer is none: records are hostile, and names are kept. */
const LONGEST = 253;
/** An added member is shorter, whatever its names: to parse a large one takes long. */
const MOST_BYTES = 16 * 1024;

/**
 * The node that a stored record says it is of, by the member that its agent added at its end; empty where that node
 * has no name.
 *
 * @returns undefined where it does not say: KUBERNETES_METADATA is off, or the record has a member `kubernetes` of
 *   its own, of another form.
 */
export function nodeOfRecord(bytes: Buffer): string | undefined {
  const at = bytes.lastIndexOf(MEMBER);
  if (at < 0 || bytes.length - at > MOST_BYTES) return undefined;
  let found: unknown;
  try {
    found = JSON.parse(`{${bytes.toString('utf8', at + 1)}`);
  } catch {
    return undefined; // It is within another member.
  }
  // Of members with one name the last counts, which may be null.
  const { kubernetes } = found as { kubernetes: Record<string, unknown> | null };
  const { namespace, pod, container, node, ...others } = kubernetes ?? {};
  const isAdded =
    [namespace, pod, container].every((text) => typeof text === 'string') && Object.keys(others).length === 0;
  return isAdded && typeof node === 'string' && node.length <= LONGEST ? node : undefined;
}
