import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { settings } from '../../src/config/settings.ts';

const readme = await readFile('README.md', 'utf8');

test('the table of settings is that of the code', () => {
  const table = /<!-- settings:.*-->\n([\s\S]*?)<!-- \/settings -->/.exec(readme)?.[1]?.trim();
  const rows = Object.values(settings).map(
    (setting) => `| ${setting.variable} | ${setting.default === '' ? '—' : `\`${setting.default}\``} | ${setting.meaning} |`,
  );
  expect(table).toBe(['| Variable | Default | Meaning |', '|---|---|---|', ...rows].join('\n'));
});
