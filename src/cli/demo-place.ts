import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Texts } from '../config/load-config.ts';
import { freePort } from '../demo/free-port.ts';

/** Where a demo lives, and the settings that its agent is given. */
export interface DemoPlace {
  readonly directory: string;
  readonly podLogDir: string;
  readonly agentLog: string;
  readonly httpPort: number;
  /** Where the records go: the file, or the etcd that the user named. */
  readonly store: { readonly kind: 'file' | 'etcd'; readonly name: string };
  /** What the demo sets; the user's own environment holds for the rest. */
  readonly settings: Readonly<Record<string, string>>;
  /** The settings that `frostbeat trace` needs to find the records, as its flags. */
  readonly traceFlags: string;
}

/** Makes the directories and chooses a port. ETCD_SERVERS in the environment chooses the store. */
export async function makeDemoPlace(env: Texts): Promise<DemoPlace> {
  const directory = await mkdtemp(join(tmpdir(), 'frostbeat-demo-'));
  const [podLogDir, stateDir] = [join(directory, 'pods'), join(directory, 'state')];
  for (const path of [podLogDir, stateDir]) await mkdir(path);
  const servers = env['ETCD_SERVERS']?.trim() ?? '';
  const filePath = join(directory, 'records.ndjson');
  const httpPort = await freePort();
  const etcd = servers !== '';
  return {
    directory,
    podLogDir,
    agentLog: join(directory, 'agent.log'),
    httpPort,
    store: etcd ? { kind: 'etcd', name: servers } : { kind: 'file', name: filePath },
    settings: {
      POD_SOURCE: 'directory',
      POD_LOG_DIR: podLogDir,
      NAMESPACE: 'demo-system',
      NODE_NAME: 'demo-node',
      STATE_DIR: stateDir,
      HTTP_PORT: String(httpPort),
      WRITERS: etcd ? 'etcd' : 'file',
      FILE_PATH: filePath,
      // A person waits for what is to be seen, and wants no litter in an etcd of other use.
      BATCH_PERIOD: env['BATCH_PERIOD'] ?? '500ms',
      TTL: env['TTL'] ?? '1h',
    },
    traceFlags: etcd ? `--from etcd --etcd-servers ${servers}` : `--from file --file-path ${filePath}`,
  };
}

/** The program that runs now, as arguments for another process: node and main.js, or main.ts. */
export function ownCommand(): [string, string] {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return [process.execPath, fileURLToPath(new URL(`../main.${extension}`, import.meta.url))];
}

/** What a person types to run it: npx finds the right Node where the machine's own is another. */
export function typedCommand(cwd: string): string {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  if (relative(root, cwd) === '') return 'npx frostbeat';
  return ownCommand().join(' ');
}
