import { mkdir } from 'node:fs/promises';
import { Health } from '../../src/ops/health.ts';
import { serveHttp } from '../../src/ops/http.ts';
import { createMetrics } from '../../src/ops/metrics.ts';
import { launchBrowser } from './browser.ts';
import { aBadNight, aStatus } from './statuses.ts';

/**
 * `npm run screenshot [-- <address>]`: makes README's pictures anew: of the status page, and, where the address of the
 * page is given that a running `npm start` ends with, of the newest trace there that waited for a lock.
 */
const night = aBadNight(6);
const waiting = night.containers.filter(({ state }) => state === 'waiting');
const status = { ...night, gaps: [], containers: [...waiting, ...aStatus().containers.slice(1, 2)] };
const server = await serveHttp({
  port: 0,
  health: new Health(),
  metrics: createMetrics(),
  status: async () => status,
  repeated: { problem: () => undefined },
});
const browser = await launchBrowser();
const page = await browser.newPage({ viewport: { width: 1340, height: 1060 }, colorScheme: 'light' });
await page.goto(`http://127.0.0.1:${server.port}/`);
await mkdir('docs/images', { recursive: true });
await page.screenshot({ path: 'docs/images/status-page.png' });
await server.close();
const [, , address] = process.argv;
if (address !== undefined) {
  const traces = await browser.newPage({ viewport: { width: 1280, height: 830 }, colorScheme: 'light' });
  await traces.goto(address);
  await traces
    .getByRole('row', { name: /row lock/ })
    .first()
    .getByRole('link')
    .click();
  await traces.getByText('Complete', { exact: true }).waitFor();
  await traces.screenshot({ path: 'docs/images/trace-page.png' });
}
await browser.close();
