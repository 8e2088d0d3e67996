import { mkdir } from 'node:fs/promises';
import { Health } from '../../src/ops/health.ts';
import { serveHttp } from '../../src/ops/http.ts';
import { createMetrics } from '../../src/ops/metrics.ts';
import { launchBrowser } from './browser.ts';
import { aBadNight } from './statuses.ts';

/** `npm run screenshot`: makes docs/images/status-page.png, README's picture of the status page, anew. */
const server = await serveHttp({
  port: 0,
  health: new Health(),
  metrics: createMetrics(),
  status: async () => aBadNight(6),
  repeated: { problem: () => undefined },
});
const browser = await launchBrowser();
const page = await browser.newPage({ viewport: { width: 1060, height: 800 }, colorScheme: 'light' });
await page.goto(`http://127.0.0.1:${server.port}/`);
await mkdir('docs/images', { recursive: true });
await page.screenshot({ path: 'docs/images/status-page.png' });
await browser.close();
await server.close();
