import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load-config.ts';
import type { KnownNode } from '../../src/trace/known-node.ts';
import { nodesElsewhere } from '../../src/trace/nodes-elsewhere.ts';
import type { TraceReader } from '../../src/trace/trace-reader.ts';
import { nodeReport } from '../support/node-reports.ts';

const signal = new AbortController().signal;

function known(node: string, writers: string[] | undefined): KnownNode {
  return { node, live: true, report: nodeReport(node, { ...(writers && { writers }) }) };
}

/** What is said over Kafka, of agents that tell this where WRITERS names first. */
async function saidOverKafka(
  writers: string,
  nodes: readonly KnownNode[] | Error,
): Promise<{ names: string[]; trouble: string | undefined; asked: string[] }> {
  const env = { WRITERS: writers, FILE_PATH: 'records.ndjson', S3_BUCKET: 'logs' };
  const { config, mistakes } = loadConfig({ env, cwd: '/', checks: { node: false, stateDir: false } });
  if (config === undefined) throw new Error(mistakes.join());
  const asked: string[] = [];
  const elsewhere = nodesElsewhere('kafka', config, (store) => {
    asked.push(store);
    const told = nodes instanceof Error ? Promise.reject(nodes) : Promise.resolve({ nodes });
    return Promise.resolve({ nodes: () => told, close: () => Promise.resolve() } as unknown as TraceReader);
  });
  const found = await elsewhere.nodes(signal);
  await elsewhere.close();
  return { names: found.nodes.map(({ node }) => node), trouble: found.trouble, asked };
}

describe('what agents tell one store, for another', () => {
  it('is what they tell etcd, or beside the file, or a bucket, where all of them write to the other too', async () => {
    const both = [known('n1', ['etcd', 'kafka']), known('n2', ['kafka', 'etcd'])];
    expect(await saidOverKafka('kafka,etcd', both)).toEqual({
      names: ['n1', 'n2'],
      trouble: undefined,
      asked: ['etcd'],
    });
    expect((await saidOverKafka('kafka,file', [known('n1', ['file', 'kafka'])])).asked).toEqual(['file']);
    const bucket = await saidOverKafka('kafka,s3', [known('n1', ['s3', 'kafka'])]);
    expect(bucket).toMatchObject({ names: ['n1'], asked: ['s3'] });
  });

  it('is nothing where one of them writes elsewhere, does not say where, or cannot be read', async () => {
    const n1 = known('n1', ['etcd', 'kafka']);
    for (const other of [
      known('n2', ['etcd']),
      known('n2', undefined),
      { ...n1, node: 'n2', report: undefined },
    ]) {
      expect(await saidOverKafka('etcd,kafka', [n1, other])).toMatchObject({
        names: [],
        trouble: 'n2 does not tell that it writes to kafka',
      });
    }
  });

  it('is told by those that are there: of one that is forgotten it does not matter where it wrote to', async () => {
    const gone = known('n2', ['etcd']);
    const forgotten = { ...gone, report: { ...gone.report!, forgotten: '2026-11-24T10:00:00Z' } };
    expect(await saidOverKafka('etcd,kafka', [known('n1', ['etcd', 'kafka']), forgotten])).toMatchObject({
      names: ['n1', 'n2'],
      trouble: undefined,
    });
  });

  it('is nothing, with a reason, where nobody is told or the store does not answer', async () => {
    expect(await saidOverKafka('kafka', [])).toMatchObject({
      names: [],
      asked: [],
      trouble: expect.stringContaining('WRITERS=etcd,kafka') as string,
    });
    expect(await saidOverKafka('etcd,kafka', new Error('no etcd answers'))).toMatchObject({
      names: [],
      trouble: 'etcd cannot be asked for the nodes: no etcd answers',
    });
  });
});
