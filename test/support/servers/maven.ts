import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** `groupId:artifactId:version`, with `:zip` behind it where it is no jar. */
export type Artifact = string;

/**
 * Java, for a server of the tests.
 *
 * @throws where there is none: what is missing and what to do.
 */
export async function findJava(): Promise<string> {
  const java = process.env['JAVA_HOME'] ? join(process.env['JAVA_HOME'], 'bin', 'java') : 'java';
  const { stderr } = await run(java, ['-version']).catch((cause: unknown) => {
    throw new Error('there is no Java; install a JDK, 17 or later, and Maven', { cause });
  });
  const version = Number(/version "(\d+)/.exec(stderr)?.[1]);
  if (version >= 17) return java;
  throw new Error(`${java} is Java ${version}: it must be 17 or later (JAVA_HOME names another)`);
}

/**
 * The artifacts, and all that they need, as files of one directory: from ~/.cache/frostbeat, else fetched once with
 * Maven.
 *
 * @param name of the directory: `kafka-4.3.1`.
 * @throws where Maven is missing or fails.
 */
export async function fetchArtifacts(name: string, artifacts: readonly Artifact[]): Promise<string> {
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'frostbeat');
  const directory = join(cache, name);
  if (existsSync(directory)) return directory;
  const work = join(cache, `${name}.${process.pid}`);
  await mkdir(work, { recursive: true });
  try {
    await writeFile(join(work, 'pom.xml'), pom(artifacts));
    process.stderr.write(`Fetching ${name} with Maven, once …\n`);
    const goal = ['-q', '-B', 'dependency:copy-dependencies', `-DoutputDirectory=${join(work, 'lib')}`];
    await run('mvn', [...goal, '-DincludeScope=runtime'], { cwd: work, timeout: 10 * 60_000 });
    // Whole or not at all: whoever sees the name sees all of it.
    await rename(join(work, 'lib'), directory).catch((error: unknown) => {
      // Somebody else was quicker.
      if (!existsSync(directory)) throw error;
    });
    return directory;
  } catch (cause) {
    throw new Error(`${name} could not be fetched with Maven (mvn)`, { cause });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** What is in a zip file: a directory beside it, made once. */
export async function unpackZip(zip: string): Promise<string> {
  const directory = `${zip}.unpacked`;
  if (existsSync(directory)) return directory;
  const work = `${directory}.${process.pid}`;
  await run('unzip', ['-q', zip, '-d', work]);
  await rename(work, directory);
  return directory;
}

function pom(artifacts: readonly Artifact[]): string {
  const dependencies = artifacts.map((artifact) => {
    const [group, id, version, type = 'jar'] = artifact.split(':');
    return (
      `<dependency><groupId>${group}</groupId><artifactId>${id}</artifactId>` +
      `<version>${version}</version><type>${type}</type></dependency>`
    );
  });
  return (
    '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>' +
    '<groupId>frostbeat</groupId><artifactId>test-server</artifactId><version>1</version>' +
    `<packaging>pom</packaging><dependencies>${dependencies.join('')}</dependencies></project>`
  );
}
