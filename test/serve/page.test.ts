import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { serveTraces, type TraceServer } from '../../src/serve/serve-traces.ts';
import { FileTraceReader } from '../../src/trace/file-trace-reader.ts';
import { lostGap, nodeReport, tellFile } from '../support/node-reports.ts';
import { violations } from '../support/axe.ts';
import { launchBrowser } from '../support/browser.ts';
import { lowestContrast } from '../support/contrast.ts';
import { orSkip } from '../support/unavailable.ts';
import { until } from '../support/until.ts';

const browser = await orSkip(launchBrowser(), 'the page of traces, in a browser');
afterAll(async () => await browser?.close());

const hostile = '<img src=x onerror=alert(1)><script>alert(2)</script>';

describe.skipIf(browser === undefined)('the page of traces', () => {
  let directory: string;
  let path: string;
  let server: TraceServer;
  let pages: Page[];
  /** What the browser complained of, and whatever it asked of anybody else. */
  let complaints: string[];
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'frostbeat-test-'));
    path = join(directory, 'records.ndjson');
    await writeFile(path, failedRequest);
    pages = [];
    complaints = [];
    server = await serveTraces({
      reader: new FileTraceReader(path, { livesOn: true }),
      host: '127.0.0.1',
      port: 0,
      access: { onlyLocal: true },
      graceMs: 5_000,
      log: { warn: () => undefined, error: () => undefined },
    });
  });
  afterEach(async () => {
    for (const page of pages) await page.context().close();
    await server.close();
    await rm(directory, { recursive: true, force: true });
    if (complaints.length > 0) throw new Error(`The browser complains: ${complaints.join('; ')}`);
  });

  it('leads from the list of traces to the cause of a failure, and to its JSON', async () => {
    const page = await open('/');
    const row = page.getByRole('row', { name: /ERROR/ });
    expect(await row.innerText()).toContain('row lock');
    await row.getByRole('link').click();
    const cause = page.getByRole('region', { name: 'What went wrong first' });
    expect(await cause.innerText()).toMatch(
      /row lock[\s\S]*stock-1\/stock at \+120 ms · the first of 2 errors[\s\S]*nightly-import/,
    );
    await cause.getByRole('button').click();
    const opened = page.getByRole('region', { name: 'The line' });
    expect(await opened.locator('pre').last().innerText()).toContain('"lockedBy": "nightly-import"');
    expect(await opened.innerText()).toContain('at lock (db.go:12)');
    await page.keyboard.press('Escape');
    expect(await opened.count()).toBe(0);
    await page.goBack();
    await row.waitFor();
    expect(await row.count()).toBe(1);
  });

  it('shows what is in the logs as the text that it is', async () => {
    await appendFile(path, line(hostile, 0, 'error', hostile, { [hostile]: hostile, pod: hostile }));
    const page = await open(`/?trace=${encodeURIComponent(hostile)}`);
    await page.getByRole('listbox').getByRole('option').first().click();
    expect(await page.getByRole('heading', { level: 2 }).innerText()).toBe(`Trace ${hostile}`);
    expect(await page.locator('main img, main script').count()).toBe(0);
    expect(await page.getByRole('region', { name: 'The line' }).locator('.text').innerText()).toBe(hostile);
  });

  it('filters as you type, and a link shows the same to somebody else', async () => {
    const page = await open('/?trace=bad');
    await page.getByLabel('Filter the lines').fill('STOCK lock');
    await until(async () => (await page.getByRole('listbox').getByRole('option').count()) === 1, {
      what: 'one line',
    });
    await page.getByLabel('Least level').selectOption('ERROR');
    const other = await open(new URL(page.url()).search.replace(/^/, '/'));
    expect(await other.getByRole('listbox').getByRole('option').allInnerTexts()).toEqual([
      expect.stringContaining('row lock'),
    ]);
  });

  it('is used by the keyboard alone', async () => {
    const page = await open('/?trace=bad');
    await page.getByRole('listbox', { name: 'Lines of the trace' }).focus();
    await page.keyboard.press('End');
    await page.keyboard.press('ArrowUp');
    const active = page.getByRole('listbox').getByRole('option', { selected: true });
    expect(await active.getAttribute('aria-posinset')).toBe('3');
    expect(await page.getByRole('listbox').getAttribute('aria-activedescendant')).toBe(
      await active.getAttribute('id'),
    );
    await page.keyboard.press('Enter');
    expect(await page.getByRole('region', { name: 'The line' }).count()).toBe(1);
  });

  it('says at the top whether all of the trace is there, and what to do, and is told when that changes', async () => {
    const lastMs = 1_700_000_000_140;
    const silent = { published: new Date(lastMs).toISOString(), watermark: new Date(lastMs).toISOString() };
    await tellFile(path, nodeReport('n1', { watermark: null }));
    await tellFile(
      path,
      nodeReport(hostile, { ...silent, gaps: [{ ...lostGap, start: null, pod: hostile }] }),
    );
    const page = await open('/?trace=bad');
    const said = page.getByRole('region', { name: 'Whether it is complete' });
    await until(async () => (await said.innerText()).startsWith('Incomplete'), { what: 'the state' });
    expect(await said.innerText()).toContain(
      `Lost on ${hostile}: shop/${hostile}/main, 0.log bytes 0 to 4096`,
    );
    expect(await said.innerText()).toContain(`frostbeat nodes --forget ${hostile}`);
    await rm(`${path}.nodes`, { recursive: true });
    await tellFile(path, nodeReport('n1', { watermark: null }));
    await said.getByText('n1 has just started').waitFor();
    await tellFile(path, nodeReport('n1'));
    await said.getByText('n1 has stored everything up to').waitFor();
    await said.getByText(/^1 node: all have stored everything/).click();
    expect(await said.getByRole('row', { name: /n1/ }).innerText()).toMatch(/live/);
  });

  it('is live: lines that are stored appear, in the order of time', async () => {
    const page = await open('/?trace=bad');
    await page.locator('.live.on').waitFor();
    await appendFile(path, line('bad', 60, 'warn', 'came late'));
    await page.getByRole('listbox').getByRole('option', { name: 'came late' }).waitFor();
    expect(await page.getByRole('listbox').getByRole('option').nth(1).innerText()).toContain('came late');
    expect(await page.getByRole('listbox').getByRole('option').count()).toBe(5);
  });

  it('takes 10,000 lines, and has few of them in the page at a time', async () => {
    const many = Array.from({ length: 10_000 }, (_, n) =>
      line('many', n, n % 997 === 7 ? 'error' : 'info', `line ${n}`),
    );
    await appendFile(path, many.join(''));
    const page = await open('/?trace=many');
    await page.getByText('10,000 lines', { exact: true }).waitFor();
    await page.getByRole('listbox').focus();
    await page.keyboard.press('End');
    await page.getByRole('listbox').getByRole('option', { name: 'line 9999' }).waitFor();
    expect(await page.getByRole('listbox').getByRole('option').count()).toBeLessThan(100);
  });

  it.each(['light', 'dark'] as const)(
    'draws the timeline in the colours of the levels (%s)',
    async (colorScheme) => {
      const page = await open('/?trace=bad', colorScheme);
      const hasColour = async () =>
        await page.evaluate(`(() => {
        const canvas = document.querySelector('canvas');
        if (canvas.width === 0) return false;
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        for (let at = 0; at < data.length; at += 4) if (data[at] > 150 && data[at] > data[at + 2] + 60) return true;
        return false;
      })()`);
      await until(async () => (await hasColour()) === true, { what: 'a red mark' });
      expect(await hasColour()).toBe(true);
    },
  );

  it.each(['light', 'dark'] as const)('is readable when %s, wide and narrow', async (colorScheme) => {
    for (const [address, width] of [
      ['/', 1_280],
      ['/', 360],
      ['/?trace=bad', 1_280],
      ['/?trace=bad', 360],
    ] as const) {
      const page = await open(address, colorScheme, width);
      const seen = `${address} ${width}`;
      expect(await page.evaluate('document.documentElement.scrollWidth'), seen).toBeLessThanOrEqual(width);
      expect(await page.evaluate(lowestContrast), seen).toBeGreaterThanOrEqual(4.5);
    }
  });

  it.each(['light', 'dark'] as const)(
    'offends no rule of WCAG 2 A and AA when %s',
    async (colorScheme) => {
      const lastMs = 1_700_000_000_140;
      const silent = { published: new Date(lastMs).toISOString(), watermark: new Date(lastMs).toISOString() };
      await tellFile(path, nodeReport('n1'));
      await tellFile(path, nodeReport('n2', { ...silent, gaps: [{ ...lostGap, start: null }] }));
      // Every colour there is, and more than fits, upwards and aside.
      const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', ''];
      const pods = Array.from({ length: 28 }, (_, n) =>
        line('bad', 200 + n, levels[n % levels.length]!, `line ${n}`, { pod: `${'pod'.repeat(9)}-${n}` }),
      );
      const long = { stack: 'at a\n'.repeat(200), 'a b': 'x'.repeat(2_000) };
      await appendFile(path, [...pods, line('bad', 121, 'error', 'a long one', long)].join(''));
      for (const width of [1_280, 360]) {
        expect(await violations(await open('/', colorScheme, width)), `the list, ${width}`).toEqual([]);
        const trace = await open('/?trace=bad', colorScheme, width);
        await trace.getByText(/^2 nodes/).click();
        expect(await violations(trace), `a trace, ${width}`).toEqual([]);
        for (const words of ['a long one', ...levels.map((_, n) => `line ${n}`)]) {
          await trace.getByLabel('Filter the lines').fill(words);
          await trace.getByRole('listbox').getByRole('option', { name: words }).first().click();
          await trace.getByRole('region', { name: 'The line' }).getByText(words).first().waitFor();
          expect(await violations(trace), `«${words}», ${width}`).toEqual([]);
        }
      }
    },
    180_000,
  );

  it('shows what matters on a narrow screen without scrolling aside: what a trace says, its link, the containers', async () => {
    const pod = 'stock-service-of-the-shop-7d9f8b6c5-x2x4z';
    await appendFile(path, line('long', 0, 'info', 'hello', { pod }));
    const page = await open('/', 'light', 360);
    const row = page.getByRole('row', { name: /row lock/ });
    for (const part of [row.locator('.says'), row.getByRole('link'), row.locator('.there')]) {
      const box = await part.boundingBox();
      expect(box!.x + Math.min(box!.width, 300)).toBeLessThanOrEqual(360);
    }
    await page.getByRole('link', { name: /^Trace long/ }).click();
    await page.getByRole('listbox').getByRole('option').waitFor();
    const cut = `[...document.querySelectorAll('.lane')].map(({ children: [pod, own] }) =>
      [pod.scrollWidth > pod.clientWidth, own.scrollWidth > own.clientWidth, own.textContent])`;
    expect(await page.evaluate(cut)).toEqual([
      [true, false, '/stock'],
      [true, false, '/stock'],
    ]);
  });

  async function open(
    address: string,
    colorScheme: 'light' | 'dark' = 'light',
    width = 1_280,
  ): Promise<Page> {
    const context = await browser!.newContext({ viewport: { width, height: 900 }, colorScheme });
    const page = await context.newPage();
    pages.push(page);
    const base = `http://127.0.0.1:${server.port}`;
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    page.on('dialog', (dialog) => complaints.push(`dialog: ${dialog.message()}`));
    page.on('request', (request) => {
      if (!request.url().startsWith(base) && request.url() !== 'data:,') complaints.push(request.url());
    });
    await page.goto(base + address);
    await page.locator('.row, .recent tbody tr').first().waitFor();
    return page;
  }
});

const failedRequest = [
  line('good', 0, 'info', 'hello'),
  line('bad', 0, 'info', 'request', { pod: 'gateway-1' }),
  line('bad', 130, 'error', 'cannot reserve', { pod: 'orders-1' }),
  line('bad', 120, 'error', 'gave up waiting for the row lock', {
    pod: 'stock-1',
    lockedBy: 'nightly-import',
    stack: 'Error: lock\n    at lock (db.go:12)',
  }),
  line('bad', 140, 'info', 'answered', { pod: 'gateway-1' }),
].join('');

function line(
  traceId: string,
  ms: number,
  level: string,
  msg: string,
  more: Record<string, string> = {},
): string {
  const { pod = 'shop-1', ...fields } = more;
  const kubernetes = { namespace: 'shop', pod, container: pod.split('-')[0], node: 'n1' };
  const timestamp = 1_700_000_000_000_000n * 1_000n + BigInt(ms) * 1_000_000n;
  return `{"timestamp":${timestamp},"traceId":${JSON.stringify(traceId)},"log":${JSON.stringify({ level, msg, ...fields, kubernetes })}}\n`;
}
