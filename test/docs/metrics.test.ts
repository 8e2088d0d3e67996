import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { createMetrics } from '../../src/ops/metrics.ts';

test('the table of metrics in docs/metrics.md is that of the code', async () => {
  const { registry } = createMetrics();
  const rows = (await registry.getMetricsAsJSON()).map(({ name, type, help }) => {
    const { labelNames } = registry.getSingleMetric(name) as unknown as { readonly labelNames: string[] };
    return `| \`${name}\` | ${String(type)} | ${labelNames.join(', ')} | ${help} |`;
  });
  const text = await readFile('docs/metrics.md', 'utf8');
  const table = /<!-- metrics:.*-->\n([\s\S]*?)<!-- \/metrics -->/.exec(text)?.[1]?.trim();
  expect(table).toBe(['| Metric | Type | Labels | Meaning |', '|---|---|---|---|', ...rows].join('\n'));
});
