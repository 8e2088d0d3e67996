/** Names of containers, with `*` for any characters and `?` for one. */
export interface ContainerPatterns {
  /** Empty selects all. */
  readonly containers: readonly string[];
  /** Left out, whatever is selected. */
  readonly excludeContainers: readonly string[];
}

/** Which containers are wanted, by their names. */
export function selectContainers({
  containers,
  excludeContainers,
}: ContainerPatterns): (name: string) => boolean {
  const wanted = containers.map(expression);
  const unwanted = excludeContainers.map(expression);
  return (name) =>
    (wanted.length === 0 || wanted.some((each) => each.test(name))) &&
    !unwanted.some((each) => each.test(name));
}

function expression(pattern: string): RegExp {
  const source = RegExp.escape(pattern)
    .replaceAll(String.raw`\*`, '.*')
    .replaceAll(String.raw`\?`, '.');
  return new RegExp(`^${source}$`);
}
