import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { findPromtool, promtool } from '../support/promtool.ts';
import { orSkip } from '../support/unavailable.ts';
import { labelsIn, servedSeries, seriesIn } from './observability.ts';

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
  readonly gridPos: Readonly<Record<'x' | 'y' | 'w' | 'h', number>>;
}

interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
}

const dashboard = JSON.parse(await readFile('deploy/chart/files/dashboard.json', 'utf8')) as Dashboard;
const panels = dashboard.panels.filter(({ type }) => type !== 'row');
const queries = panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr, legendFormat }) => ({ title, expr, legendFormat })),
);

test('every panel asks for series that the agent serves, by labels that they have', async () => {
  const served = await servedSeries();
  expect(panels.length).toBeGreaterThan(20);
  const unknown = queries.flatMap(({ title, expr, legendFormat }) => {
    const used = seriesIn(expr);
    const labels = new Set(['node', 'instance', ...used.flatMap((name) => served.get(name) ?? [])]);
    const named = [...labelsIn(expr), ...(legendFormat.match(/(?<=\{\{)\w+(?=\}\})/g) ?? [])];
    return [
      ...used.filter((name) => !served.has(name)).map((name) => `${title}: ${name}`),
      ...named.filter((label) => !labels.has(label)).map((label) => `${title}: ${label}`),
      ...(used.length === 0 ? [`${title}: no series`] : []),
    ];
  });
  expect(unknown).toEqual([]);
});

test('it shows every metric by which the agent tells of trouble', async () => {
  const shown = new Set(queries.flatMap(({ expr }) => seriesIn(expr)));
  const left = [...(await servedSeries()).keys()].filter(
    (name) => name.startsWith('frostbeat_') && !shown.has(name),
  );
  expect(
    left.filter((name) =>
      /gaps_total|dead_letters_total|errors_total|_up$|behind|skipped|retries/.test(name),
    ),
  ).toEqual(['frostbeat_directory_watch_errors_total']);
});

test('every panel says what it shows, has an id of its own, and lies on no other', () => {
  expect(panels.filter(({ description }) => description === undefined || description === '')).toEqual([]);
  const ids = dashboard.panels.map(({ id }) => id);
  expect(ids).toHaveLength(new Set(ids).size);
  const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`),
  );
  expect(cells).toHaveLength(new Set(cells).size);
});

const tool = await orSkip(findPromtool(), "the dashboard's queries");

test.runIf(tool)('Prometheus understands every query', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'frostbeat-dashboard-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const rules = queries.map(({ expr }, index) => ({
    record: `panel:${index}`,
    expr: expr.replaceAll('$__rate_interval', '5m').replaceAll('$node', '.*'),
  }));
  const path = join(directory, 'rules.yaml');
  await writeFile(path, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }));
  const { code, said } = await promtool(tool ?? '', ['check', 'rules', path]);
  expect(said).toContain(`SUCCESS: ${queries.length} rules found`);
  expect(code).toBe(0);
});
