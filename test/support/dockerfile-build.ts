import { DockerfileParser, Copy, From, type Instruction } from 'dockerfile-ast';
import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, stat, symlink } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

interface Stage {
  readonly name: string;
  /** The folder that stands for the stage's `/`. */
  readonly root: string;
  workdir: string;
}

/**
 * Carries out a Dockerfile without Docker: each stage gets a folder for its `/`, FROM brings nothing but
 * Node and npm, and COPY, RUN and WORKDIR do what they do there. It knows what our Dockerfile uses and refuses
 * the rest.
 *
 * @param scratch an empty folder.
 * @returns the folder that stands for the last stage's `/`.
 */
export async function buildDockerfile(context: string, scratch: string): Promise<string> {
  // Node of the version we run, the machine's npm, and nothing of node_modules/.bin.
  const bin = join(scratch, 'bin');
  await mkdir(bin);
  await symlink(process.execPath, join(bin, 'node'));
  const searched = `${bin}:/usr/local/bin:/usr/bin:/bin`;

  const ignored = await readDockerignore(context);
  const stages: Stage[] = [];
  const text = await readFile(join(context, 'Dockerfile'), 'utf8');
  for (const instruction of DockerfileParser.parse(text).getInstructions()) {
    if (instruction instanceof From) {
      const name = instruction.getBuildStage() ?? String(stages.length);
      const root = join(scratch, name);
      await mkdir(root);
      stages.push({ name, root, workdir: '/' });
      continue;
    }
    const stage = stages.at(-1);
    if (stage === undefined) throw new Error(`Cannot build: ${instruction.toString()} comes before FROM`);
    await apply(instruction, stage);
  }
  const last = stages.at(-1);
  if (last === undefined) throw new Error('Cannot build: the Dockerfile has no FROM');
  return last.root;

  async function apply(instruction: Instruction, stage: Stage): Promise<void> {
    const argument = instruction.getRawArgumentsContent() ?? '';
    switch (instruction.getKeyword()) {
      case 'WORKDIR':
        stage.workdir = argument;
        await mkdir(join(stage.root, argument), { recursive: true });
        return;
      case 'RUN':
        await run('sh', ['-ec', argument], {
          cwd: join(stage.root, stage.workdir),
          env: { ...process.env, NODE_ENV: undefined, PATH: searched, npm_config_prefer_offline: 'true' },
        });
        return;
      case 'COPY':
        return copy(instruction, stage);
      case 'ENV':
      case 'ARG':
      case 'LABEL':
      case 'USER':
      case 'EXPOSE':
      case 'STOPSIGNAL':
      case 'ENTRYPOINT':
      case 'CMD':
        return;
      default:
        throw new Error(`Cannot build: ${instruction.toString()} is not known here`);
    }
  }

  async function copy(instruction: Instruction, stage: Stage): Promise<void> {
    if (!(instruction instanceof Copy)) throw new Error(`Cannot copy: ${instruction.toString()}`);
    const source = instruction.getFromFlag()?.getValue();
    const from = source === undefined ? context : stages.find(({ name }) => name === source)?.root;
    if (from === undefined) throw new Error(`Cannot copy from ${source}: there is no such stage`);
    const paths = instruction.getArguments().map((argument) => argument.getValue());
    const target = paths.pop() ?? '';
    for (const path of paths) {
      if (source === undefined && ignored(path)) throw new Error(`Cannot copy ${path}: .dockerignore has it`);
      const full = join(from, path);
      const into = resolve(join(stage.root, stage.workdir), target);
      // A folder's content goes into the target; a file becomes the target, or goes into it.
      const isFolder = (await stat(full)).isDirectory();
      await cp(full, isFolder || !target.endsWith('/') ? into : join(into, basename(path)), {
        recursive: true,
        verbatimSymlinks: true,
      });
    }
  }
}

/** Reads a .dockerignore of the form «nothing, except these names». */
async function readDockerignore(context: string): Promise<(path: string) => boolean> {
  const lines = (await readFile(join(context, '.dockerignore'), 'utf8')).trim().split('\n');
  const [all, ...others] = lines;
  if (all !== '*' || others.some((line) => !/^![\w.-]+$/.test(line))) {
    throw new Error('Cannot read .dockerignore: it is no list of exceptions after *');
  }
  const kept = new Set(others.map((line) => line.slice(1)));
  return (path) => !kept.has(path.split('/')[0] ?? '');
}
