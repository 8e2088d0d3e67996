import { readdir, readFile } from 'node:fs/promises';
import { pageHtml } from './page-html.ts';
import { pageStyle } from './page-style.ts';

export interface PageFile {
  readonly type: string;
  readonly bytes: Buffer;
}

/** What the build makes, seen from the sources and from dist/ alike. */
const built = new URL('../../dist/', import.meta.url);

/** Modules that the page shares with the commands. */
const shared = ['trace/levels.js', 'trace/record-view.js', 'trace/relative-time.js'];

/**
 * The files of the page by their paths: a document, a style, and the modules as the compiler makes them.
 *
 * @throws Error where they are not built.
 */
export async function pageFiles(): Promise<ReadonlyMap<string, PageFile>> {
  const files = new Map<string, PageFile>([
    ['/', { type: 'text/html; charset=utf-8', bytes: Buffer.from(pageHtml) }],
    ['/page.css', { type: 'text/css; charset=utf-8', bytes: Buffer.from(pageStyle) }],
  ]);
  try {
    const names = await readdir(new URL('serve/page/', built));
    const modules = names.filter((name) => name.endsWith('.js')).map((name) => `serve/page/${name}`);
    for (const path of [...modules, ...shared]) {
      const bytes = await readFile(new URL(path, built));
      files.set(`/${path}`, { type: 'text/javascript; charset=utf-8', bytes });
    }
  } catch (cause) {
    throw new Error("Cannot read the page's modules in dist/: «npm run build» makes them", { cause });
  }
  return files;
}
