import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { GAP_REASONS } from '../../src/offsets/offsets-file.ts';
import { findPromtool, promtool } from '../support/promtool.ts';
import { orSkip } from '../support/unavailable.ts';
import { labelsIn, servedSeries, seriesIn } from './observability.ts';

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: Readonly<Record<'summary' | 'description' | 'runbook_url', string>>;
}

interface Cases {
  readonly tests: readonly {
    readonly alert_rule_test: readonly {
      readonly alertname: string;
      readonly exp_alerts: readonly unknown[];
    }[];
  }[];
}

const rules = 'deploy/chart/files/alerts.yaml';
const cases = 'test/deploy/alerts.promtool.yaml';
const { groups } = parse(await readFile(rules, 'utf8')) as { groups: readonly { rules: readonly Alert[] }[] };
const alerts = groups.flatMap((group) => group.rules);
const runbook = await readFile('docs/runbook.md', 'utf8');

/** What is said of an alert, or of anything else that has a heading. */
function part(heading: string): string | undefined {
  return runbook.split(/^## /m).find((text) => text.startsWith(`${heading}\n`));
}

const tool = await orSkip(findPromtool(), 'the alerts');

describe.runIf(tool)('promtool', () => {
  let program: string;
  beforeAll(() => {
    program = tool ?? '';
  });

  test('takes the rules', async () => {
    const { code, said } = await promtool(program, ['check', 'rules', '--lint=all', rules]);
    expect(said).toContain(`SUCCESS: ${alerts.length} rules found`);
    expect(code).toBe(0);
  });

  test('sees each alert fire where it should, and only there', async () => {
    const { code, said } = await promtool(program, ['test', 'rules', cases]);
    expect(said).toContain('SUCCESS');
    expect(code).toBe(0);
  });
});

test('each alert is tested where it fires and where it does not', async () => {
  const { tests } = parse(await readFile(cases, 'utf8')) as Cases;
  const tried = tests.flatMap((each) => each.alert_rule_test);
  const named = (fires: boolean) =>
    new Set(
      tried.filter(({ exp_alerts: fired }) => fired.length > 0 === fires).map(({ alertname }) => alertname),
    );
  const names = alerts.map(({ alert }) => alert);
  expect(names).toHaveLength(new Set(names).size);
  expect([...named(true)].toSorted()).toEqual(names.toSorted());
  expect(names.filter((name) => !named(false).has(name))).toEqual([]);
});

test.each(alerts.map((alert) => [alert.alert, alert] as const))(
  '%s asks for series that the agent serves',
  async (_, { expr }) => {
    const served = await servedSeries();
    const used = seriesIn(expr);
    expect(used.length).toBeGreaterThan(0);
    expect(used.filter((name) => !served.has(name))).toEqual([]);
    const labels = new Set(['node', 'instance', ...used.flatMap((name) => served.get(name) ?? [])]);
    expect(labelsIn(expr).filter((label) => !labels.has(label))).toEqual([]);
  },
);

test.each(alerts.map((alert) => [alert.alert, alert] as const))(
  '%s is explained: what it means, what to look at, what to do',
  (name, { annotations, labels }) => {
    expect(annotations.runbook_url).toBe(`docs/runbook.md#${name.toLowerCase()}`);
    expect(annotations.summary).not.toBe('');
    expect(annotations.description).not.toBe('');
    expect(['warning', 'critical']).toContain(labels.severity);
    const text = part(name);
    for (const word of ['**Meaning.**', '**Look at**', '**Do']) expect(text).toContain(word);
  },
);

test('the runbook explains no alert that is none', () => {
  const headings = [...runbook.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
  expect(headings).toEqual(alerts.map(({ alert }) => alert));
});

test('the runbook names series that the agent serves, and every reason of a gap', async () => {
  const served = await servedSeries();
  expect(seriesIn(runbook).filter((name) => !served.has(name))).toEqual([]);
  for (const reason of GAP_REASONS) expect(part('FrostbeatGaps')).toContain(`| \`${reason}\` |`);
});

test('the links of the runbook lead to parts of it', () => {
  const targets = [...runbook.matchAll(/\]\(#([\w-]+)\)/g)].map(([, target]) => target);
  const anchors = [...runbook.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading?.toLowerCase());
  expect(targets.filter((target) => !anchors.includes(target))).toEqual([]);
});
