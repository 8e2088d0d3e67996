import { execFile } from 'node:child_process';
import { chmod } from 'node:fs/promises';
import { promisify } from 'node:util';

/**
 * Builds dist/ once, before any test: the integration tests run the agent as it is installed. Types are not
 * checked here, so that a fault in one file does not keep the tests of the others from running.
 */
export async function setup(): Promise<void> {
  const tsc = 'node_modules/typescript/bin/tsc';
  for (const project of ['tsconfig.build.json', 'src/serve/page']) {
    await promisify(execFile)(process.execPath, [tsc, '-p', project, '--noCheck']);
  }
  // WebAssembly, of AssemblyScript.
  const asc = 'node_modules/assemblyscript/bin/asc.js';
  await promisify(execFile)(process.execPath, [asc, '--config', 'src/record/wasm/asconfig.json']);
  await chmod('dist/main.js', 0o755);
}
