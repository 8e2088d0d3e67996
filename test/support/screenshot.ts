import { mkdir } from 'node:fs/promises';
import { Health } from '../../src/ops/health.ts';
import { serveHttp } from '../../src/ops/http.ts';
import { createMetrics } from '../../src/ops/metrics.ts';
import { launchBrowser } from './browser.ts';
import { aBadNight, aStatus } from './statuses.ts';

/** `npm run screenshot`: makes docs/images/status-page.png, README's picture of the status page, anew. */
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
const page = await browser.newPage({ viewport: { width: 1200, height: 1060 }, colorScheme: 'light' });
await page.goto(`http://127.0.0.1:${server.port}/`);
await mkdir('docs/images', { recursive: true });
await page.screenshot({ path: 'docs/images/status-page.png' });
await browser.close();
await server.close();
