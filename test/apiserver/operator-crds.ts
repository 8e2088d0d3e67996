import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const MODULE = 'github.com/prometheus-operator/prometheus-operator@v0.92.0';

/**
 * The definitions of the resources of the Prometheus operator that the chart makes, from the operator's Go module.
 *
 * @throws where Go cannot download it.
 */
export async function operatorCrds(): Promise<string> {
  const { stdout } = await run('go', ['mod', 'download', '-json', MODULE], { cwd: tmpdir() });
  const { Dir: directory } = JSON.parse(stdout) as { Dir: string };
  const definitions = ['podmonitors', 'prometheusrules'].map((resource) =>
    readFile(
      join(directory, 'example', 'prometheus-operator-crd', `monitoring.coreos.com_${resource}.yaml`),
      'utf8',
    ),
  );
  return (await Promise.all(definitions)).join('\n---\n');
}
