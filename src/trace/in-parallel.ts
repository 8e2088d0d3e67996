/** Makes one of each, at most so many at once, and keeps the order. What one throws ends it. */
export async function inParallel<T, R>(
  items: readonly T[],
  atOnce: number,
  make: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++;
      results[index] = await make(items[index]!);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return results;
}
