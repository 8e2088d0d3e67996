/** What a list of pods says. @throws where it is none. */
export function readList(text: string): { readonly items: readonly unknown[]; readonly version: string } {
  const list = JSON.parse(text) as { readonly items?: unknown };
  const version = versionOf(list);
  // Go writes an empty slice that was never made as null.
  const items = list.items ?? [];
  if (version === undefined || !Array.isArray(items)) throw new TypeError('the API sent a list that is none');
  return { items, version };
}

/** The resource version of an object or a list. */
export function versionOf(object: unknown): string | undefined {
  const { metadata } = (object ?? {}) as { readonly metadata?: { readonly resourceVersion?: unknown } };
  const version = metadata?.resourceVersion;
  return typeof version === 'string' && version !== '' ? version : undefined;
}
