import axe from 'axe-core';
import type { Page } from 'playwright-core';

/** WCAG's levels A and AA, up to 2.2. */
const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

/** What a page offends WCAG with, one line for each rule and element, by axe-core. */
export async function violations(page: Page): Promise<readonly string[]> {
  if (await page.evaluate(() => !('axe' in globalThis))) await page.evaluate(axe.source);
  const options = JSON.stringify({ runOnly: tags, resultTypes: ['violations', 'passes'] });
  const { violations: found, passes } = await page.evaluate<axe.AxeResults>(`axe.run(document, ${options})`);
  if (passes.length < 10) throw new Error(`Cannot judge ${page.url()}: only ${passes.length} rules applied`);
  return found.flatMap(({ id, help, nodes }) =>
    nodes.map(
      ({ target, failureSummary }) => `${id} (${help}): ${target.join(' ')}: ${failureSummary ?? ''}`,
    ),
  );
}
