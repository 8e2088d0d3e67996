import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Health } from '../../src/ops/health.ts';
import { type HttpServer, serveHttp } from '../../src/ops/http.ts';
import { createMetrics } from '../../src/ops/metrics.ts';
import type { Status } from '../../src/ops/status.ts';
import { violations } from '../support/axe.ts';
import { launchBrowser } from '../support/browser.ts';
import { lowestContrast } from '../support/contrast.ts';
import { aBadNight, aContainer, aStatus } from '../support/statuses.ts';
import { orSkip } from '../support/unavailable.ts';
import { until } from '../support/until.ts';

const browser = await orSkip(launchBrowser(), 'the status page, in a browser');
afterAll(async () => await browser?.close());

const banner = async (page: Page) => await page.getByRole('status').innerText();

describe.skipIf(browser === undefined)('the status page', () => {
  let status: Status;
  let server: HttpServer;
  let pages: Page[];
  /** What the browser complained of, and whatever it asked of anybody else. */
  let complaints: string[];

  const serve = async (port = 0) =>
    await serveHttp({
      port,
      health: new Health(),
      metrics: createMetrics(),
      status: async () => status,
      repeated: {
        problem: (_key, message, details) => void complaints.push(message + String(details?.['err'])),
      },
    });
  beforeEach(async () => {
    status = aStatus();
    complaints = [];
    pages = [];
    server = await serve();
  });
  afterEach(async () => {
    for (const page of pages) await page.context().close();
    await server.close();
    if (complaints.length > 0) throw new Error(`The browser complains: ${complaints.join('; ')}`);
  });

  async function open(path = '/', options: BrowserContextOptions = {}): Promise<Page> {
    const context = await browser!.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    const page = await context.newPage();
    pages.push(page);
    const base = `http://127.0.0.1:${server.port}`;
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error' && !message.text().includes('ERR_CONNECTION'))
        complaints.push(message.text());
    });
    page.on('dialog', (dialog) => complaints.push(`dialog: ${dialog.message()}`));
    page.on('request', (request) => {
      if (!request.url().startsWith(base) && request.url() !== 'data:,') complaints.push(request.url());
    });
    await page.goto(base + path);
    return page;
  }

  it('says that all is well where it is, and what runs where', async () => {
    const page = await open();
    expect(await banner(page)).toMatch(/^All is well/);
    expect(await page.title()).toBe('Frostbeat on node-1');
    const table = page.getByRole('table', { name: 'Containers that are followed' });
    expect(await table.getByRole('row').count()).toBe(4);
    expect(await table.getByRole('row', { name: /cart-6bd5f7c9d8-9kq2n/ }).innerText()).toContain('quiet');
  });

  it('begins with what is wrong and what to do, the cause first, and puts containers in trouble first', async () => {
    status = aBadNight(6);
    const page = await open();
    expect(await page.title()).toMatch(/^✖ /);
    expect(await banner(page)).toBe('The writer etcd does not work, and 4 more to look after.');
    const list = await page.locator('.problems li').allInnerTexts();
    expect(list[0]).toMatch(/ECONNREFUSED[\s\S]*Nothing is lost.*Bring the destination back/);
    expect(list[1]).toMatch(/about to delete[\s\S]*goes in 7 min/);
    const states = await page.locator('tbody .state').allInnerTexts();
    expect(states.slice(2)).toEqual(['failing', 'waiting', 'waiting', 'waiting', 'no records', 'held']);
  });

  it('says how canaries fare, and that they are lost where the writer seems to work', async () => {
    const well = { sent: 40, received: 39, lost: 0, late: 0, losing: false, lastSeconds: 0.71 };
    const lastAt = aStatus().now;
    status = aStatus({ canaries: [{ destination: 'etcd', ...well, lastAt }] });
    const page = await open();
    expect(await banner(page)).toMatch(/^All is well/);
    const row = page.getByRole('row', { name: /^Canary, etcd/ });
    expect(await row.innerText()).toMatch(/comes back\s+40 sent, 0 lost, the last in 0.7 s/);
    const bad = { ...well, received: 36, lost: 3, late: 1, losing: true };
    status = aStatus({ canaries: [{ destination: 'etcd', ...bad, lastAt }] });
    await page.reload();
    expect(await banner(page)).toBe('Canaries do not come back from etcd.');
    expect(await row.innerText()).toMatch(/lost\s+40 sent, 3 lost \(1 came late\)/);
  });

  it('shows hostile text and does nothing else with it', async () => {
    const evil = '"><img src=x onerror="window.hacked=1"></script><script>window.hacked=1</script>\u202e&lt;';
    const pod = 'x"><svg onload=alert(1)>';
    status = aStatus({
      containers: [
        aContainer({
          pod,
          container: "a'onclick='alert(1)",
          why: evil,
          state: 'failing',
          samples: [{ reason: 'not_json', text: evil, at: '2026-11-24T02:00:00.000Z' }],
          files: [{ name: evil, offset: 1, read: 1, size: 1, state: 'reading' }],
        }),
      ],
      writers: [{ ...aStatus().writers[0]!, failure: evil }],
      ready: { ok: false, reasons: [{ part: `writer ${evil}`, reason: evil }] },
      notFollowed: [{ directory: evil, why: evil }],
      gaps: [{ container: evil, file: evil, reason: evil, bytes: 1, until: '2026-11-24T02:00:00.000Z' }],
      troubles: [
        { time: '2026-11-24T02:00:00.000Z', level: 'warn', message: evil, details: { [evil]: evil } },
      ],
    });
    const page = await open();
    const check = async () => {
      expect(await page.evaluate('window.hacked')).toBeUndefined();
      expect(await page.locator('img, svg, [onload], [onerror], [onclick]').count()).toBe(0);
      const text = await page.locator('#live').innerText();
      expect(text).toContain('"><img src=x onerror="window.hacked=1"></script>');
      expect(text).toContain('\\u202e&lt;');
      expect(text).not.toContain('\u202e');
    };
    await check();
    await page.getByRole('link', { name: pod }).click();
    await page.locator('pre').waitFor();
    expect(await page.locator('h2').first().innerText()).toContain(pod);
    await check();
  });

  it('keeps itself up to date without a flicker: elements, focus, selection and what is open stay', async () => {
    const page = await open();
    await page.getByText('1 directory under').click();
    await page.getByRole('link', { name: /cart-/ }).focus();
    await page.evaluate(`document.querySelector('[data-key*="cart-"]').mine = true`);
    status = aBadNight(3);
    status = { ...status, containers: [...status.containers, ...aStatus().containers] };
    await page.getByText('The writer etcd does not work, and').waitFor();
    expect(await page.evaluate(`document.querySelector('[data-key*="cart-"]').mine`)).toBe(true);
    expect(await page.evaluate('document.activeElement.textContent')).toMatch(/^cart-/);
    expect(await page.evaluate(`document.querySelector('details').open`)).toBe(true);
    status = aStatus();
    await page.getByText('All is well').waitFor();
    expect(await page.evaluate('document.activeElement.textContent')).toMatch(/^cart-/);
    expect(await page.locator('.problems').count()).toBe(0);
  });

  it('says when the agent does not answer, and goes on when it does', async () => {
    const page = await open();
    const { port } = server;
    await server.close();
    await page.getByRole('alert').waitFor({ timeout: 20_000 });
    expect(await page.getByRole('alert').innerText()).toMatch(/^The agent has not answered since \d/);
    server = await serve(port);
    await page.getByRole('alert').waitFor({ state: 'hidden', timeout: 20_000 });
  });

  it('can be paused', async () => {
    const page = await open();
    const pause = page.getByRole('button', { name: 'Pause updates' });
    await pause.press('Enter');
    expect(await pause.getAttribute('aria-pressed')).toBe('true');
    status = aBadNight(3);
    let asked = 0;
    page.on('request', () => asked++);
    await page.waitForTimeout(4_000);
    expect([asked, await banner(page)]).toEqual([0, expect.stringMatching(/^All is well/)]);
    await pause.press('Enter');
    await page.getByText('The writer etcd does not work, and').waitFor();
  });

  it('is used by keyboard: find a container as one types, open it, see the skipped line, go back', async () => {
    status = aBadNight(500);
    const page = await open();
    expect(await page.locator('tbody tr').count()).toBe(2 + 300 + 1 + 1);
    expect(await page.locator('#live').innerText()).toContain('200 more; find them by name.');
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('To the content');
    for (let tabs = 0; tabs < 20; tabs++) {
      await page.keyboard.press('Tab');
      if ((await page.evaluate('document.activeElement.name')) === 'q') break;
    }
    await page.keyboard.type('service-432');
    const row = page.getByRole('table', { name: 'Containers that are followed' }).getByRole('row');
    await until(async () => (await row.count()) === 2, { what: 'one row' });
    expect(page.url()).toContain('q=service-432');
    expect(await page.evaluate('document.activeElement.value')).toBe('service-432');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByText('Listening on port 8080').waitFor();
    expect(await page.getByRole('table', { name: 'The log files' }).innerText()).toContain('10,485,760');
    await page.getByRole('link', { name: 'All containers' }).press('Enter');
    await page.getByRole('search').waitFor();
  });

  it('shows the containers of one state', async () => {
    status = aBadNight(6);
    const page = await open();
    await page.getByLabel('State').selectOption('no records');
    const rows = page.getByRole('table', { name: 'Containers that are followed' }).getByRole('row');
    await until(async () => (await rows.count()) === 2, { what: 'one row' });
    expect(await rows.last().innerText()).toContain('service-002');
  });

  it('says why a container is not there', async () => {
    const page = await open('/?container=kube-system_kube-proxy-abcde_uid/kube-proxy');
    expect(await banner(page)).toMatch(
      /is not followed\. NAMESPACE is shop: its namespace is kube-system\.$/,
    );
  });

  it('works without scripts', async () => {
    status = aBadNight(6);
    const page = await open('/?q=service-002', { javaScriptEnabled: false });
    expect(await banner(page)).toMatch(/^The writer etcd/);
    expect(
      await page.getByRole('table', { name: 'Containers that are followed' }).getByRole('row').count(),
    ).toBe(2);
    expect(await page.getByRole('button', { name: 'Show' }).isVisible()).toBe(true);
    expect(await page.getByRole('button', { name: 'Pause' }).count()).toBe(0);
  });

  it.each(['light', 'dark'] as const)('is readable when %s, wide and narrow', async (colorScheme) => {
    status = aBadNight(6);
    for (const width of [1280, 360]) {
      const page = await open('/', { colorScheme, viewport: { width, height: 800 } });
      expect(await page.evaluate('document.documentElement.scrollWidth'), `${width}`).toBeLessThanOrEqual(
        width,
      );
      expect(await page.evaluate(lowestContrast)).toBeGreaterThanOrEqual(4.5);
    }
  });

  it.each(['light', 'dark'] as const)(
    'offends no rule of WCAG 2 A and AA when %s',
    async (colorScheme) => {
      for (const one of [aStatus(), aBadNight(6)]) {
        status = one;
        for (const width of [1280, 360]) {
          const page = await open('/', { colorScheme, viewport: { width, height: 800 } });
          expect(await violations(page), `${width}`).toEqual([]);
          for (const details of await page.locator('summary').all()) await details.click();
          await page
            .getByRole('table', { name: 'Containers that are followed' })
            .getByRole('link')
            .first()
            .click();
          expect(await violations(page), `a container, ${width}`).toEqual([]);
        }
      }
    },
    180_000,
  );
});
