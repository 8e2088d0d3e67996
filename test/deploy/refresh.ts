// npm run manifests: writes what is derived in deploy/ anew.
import { readFile, writeFile } from 'node:fs/promises';
import { findHelm } from '../support/helm.ts';
import { generatedFiles } from './generated-files.ts';

for (const { path, make } of generatedFiles(await findHelm())) {
  const old = await readFile(path, 'utf8').catch(() => '');
  const text = await make();
  if (text !== old) await writeFile(path, text);
  process.stdout.write(`${path}: ${text === old ? 'up to date' : 'written anew'}\n`);
}
