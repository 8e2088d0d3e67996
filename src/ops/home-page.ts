/** The page at `/`: what this port serves. */
export const homePage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>Frostbeat</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem }
  dt { font-family: ui-monospace, monospace }
  dd { margin: 0 0 .75rem }
</style>
<h1>Frostbeat</h1>
<p>The log agent of this node.</p>
<dl>
  <dt><a href="readyz">/readyz</a></dt>
  <dd>Does it collect and deliver now? If not, what is missing.</dd>
  <dt><a href="healthz">/healthz</a></dt>
  <dd>Does it still move? If not, which part is stuck.</dd>
  <dt><a href="metrics">/metrics</a></dt>
  <dd>Its numbers, for Prometheus.</dd>
</dl>
</html>
`;
