import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface GoProgram {
  /** Its command. */
  readonly name: string;
  /** The path of its package. */
  readonly package: string;
  /** `v1.2.3`: what is built where there is none. */
  readonly version: string;
  /** An environment variable that names one. */
  readonly variable: string;
  /** How it is asked whether it is there: it must succeed. */
  readonly probe: readonly string[];
}

/** The longest that a build may take: Helm took two minutes of an idle machine of two cores, and six of a busy one. */
export const GO_BUILD_LIMIT_MS = 20 * 60_000;

/**
 * Finds a program: where its environment variable says, else on PATH, else built once with Go into
 * ~/.cache/frostbeat.
 *
 * @returns a command or a path.
 * @throws where the variable names no such program, or there is none and none can be built.
 */
export async function findGoProgram(program: GoProgram): Promise<string> {
  const named = process.env[program.variable];
  if (named !== undefined && named !== '') {
    if (await runs(named, program.probe)) return named;
    throw new Error(
      `Cannot run ${program.name}: ${program.variable} is ${named}, which is no ${program.name}`,
    );
  }
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const directory = join(cache, 'frostbeat', `${program.name}-${program.version}`);
  const built = join(directory, program.name);
  for (const candidate of [program.name, built]) if (await runs(candidate, program.probe)) return candidate;
  await build(program, directory);
  return built;
}

async function build(
  { name, package: path, version, variable }: GoProgram,
  directory: string,
): Promise<void> {
  const advice = `Put ${name} on PATH, set ${variable}, or install Go, with which it is built`;
  await run('go', ['version']).catch((cause: unknown) => {
    throw new Error(`Cannot run ${name}: there is none, and no Go. ${advice}`, { cause });
  });
  await mkdir(directory, { recursive: true });
  process.stderr.write(`Building ${name} ${version} with Go, once; it may take minutes …\n`);
  // One at a time: test files run side by side. Who waited finds it built, and Go does nothing.
  await run('flock', [join(directory, 'lock'), 'go', 'install', `${path}@${version}`], {
    env: { ...process.env, GOBIN: directory, GOFLAGS: '', CGO_ENABLED: '0' },
    timeout: GO_BUILD_LIMIT_MS,
    maxBuffer: 64 * 2 ** 20,
  }).catch((cause: unknown) => {
    throw new Error(`Cannot run ${name}: Go could not build it. ${advice}`, { cause });
  });
}

async function runs(command: string, probe: readonly string[]): Promise<boolean> {
  return await run(command, [...probe]).then(
    () => true,
    () => false,
  );
}
