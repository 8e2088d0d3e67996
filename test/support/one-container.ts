import { onTestFinished } from 'vitest';
import { ContainerDir } from './container-dir.ts';
import { Pipeline, type PipelineOptions } from './pipeline.ts';

/** A container's log directory that is gone with the test. */
export function containerDir(): ContainerDir {
  const dir = new ContainerDir();
  onTestFinished(() => dir.cleanUp());
  return dir;
}

/** A pipeline over a container's log directory, killed when the test is over; later ones before earlier ones. */
export function startPipeline(path: string, options: PipelineOptions = {}): Pipeline {
  const pipeline = new Pipeline(path, options);
  onTestFinished(async () => void (await pipeline.kill()));
  return pipeline;
}
