import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { installDebianPackage } from './debian-package.ts';

/**
 * Starts Chromium: CHROMIUM_BIN, else the one on the PATH, else Debian's, which is installed. The caller closes it.
 *
 * @throws where there is none and none can be installed.
 */
export async function launchBrowser(): Promise<Browser> {
  if (find() === undefined) await installDebianPackage('chromium');
  const executablePath = find();
  if (executablePath === undefined) throw new Error('Cannot find Chromium: set CHROMIUM_BIN to its program');
  return await chromium.launch({
    executablePath,
    // Root, as CI is, may not have the sandbox; and what Chromium does by itself would look for the Internet.
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

function find(): string | undefined {
  const named = process.env['CHROMIUM_BIN'];
  if (named !== undefined && named !== '') return named;
  const directories = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin'];
  const programs = ['chromium', 'chromium-browser', 'google-chrome'];
  return directories
    .flatMap((directory) => programs.map((program) => join(directory, program)))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
