/** The page: one document for all views, with nothing in it that comes from the logs. */
export const pageHtml = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Traces · Frostbeat</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="page.css">
<script type="module" src="serve/page/main.js"></script>
</head>
<body>
<a class="skip" href="#main">To the content</a>
<header>
  <h1><a href=".">Frostbeat</a></h1>
  <form role="search">
    <label for="trace">Trace ID</label>
    <input id="trace" name="trace" type="search" autocomplete="off" spellcheck="false" placeholder="4bf92f3577b34da6…">
    <button>Open</button>
  </form>
</header>
<main id="main" tabindex="-1"></main>
<noscript>This page needs JavaScript. «frostbeat trace ID» shows the same on a terminal.</noscript>
</body>
</html>
`;
