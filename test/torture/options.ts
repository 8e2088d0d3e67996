import { parseArgs } from 'node:util';
import { type StoreName, storeNames } from './stores/torture-store.ts';

export interface TortureOptions {
  /** Each for so many minutes. */
  readonly stores: readonly [StoreName, ...StoreName[]];
  /** So many stores at a time. */
  readonly atOnce: number;
  readonly minutes: number;
  readonly seed: number;
  /** Mean time between two ends of the agent, in seconds; the other faults follow it. */
  readonly killEvery: number;
  /** Pods that live long. */
  readonly pods: number;
  readonly linesPerSecond: number;
  /** Mean time between two rounds in which the kubelet rotates what is too large, in seconds. */
  readonly rotateEvery: number;
  /** So many files the kubelet keeps of a run of a container. */
  readonly keptFiles: number;
  /** Mean time between two restarts, deaths, changes of labels and the like on the whole node, in seconds. */
  readonly befallEvery: number;
  /** Keep the directory also where nothing was wrong. */
  readonly keep: boolean;
}

/** What `--help` prints. */
export const usage = `npm run torture -- [--option value]…

A simulated node, the built agent as a process, a real store, and faults on all three at random. Ends with a table and
exit code 0, or keeps its directory and ends with 1 where a record was lost, twice, altered or out of place.

  --minutes 2            how long lines are written
  --seed N               repeats the same faults (another one each time by default; it is printed)
  --store etcd           or ${storeNames.filter((name) => name !== 'etcd').join(', ')}; several with commas
  --at-once 1            so many of several stores at a time
  --pods 8               pods that live long
  --lines-per-second 1500
  --kill-every 5         seconds between two ends of the agent, on average; other faults follow it
  --rotate-every 3       seconds between two rotations by the kubelet
  --kept-files 15        files that the kubelet keeps of a run of a container
  --befall-every 3       seconds between two restarts, deaths or changes of labels on the node
  --keep                 keep the directory in any case
`;

/** @throws Error where an argument is not understood. */
export function parseTorture(args: readonly string[]): TortureOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      store: { type: 'string', default: 'etcd' },
      'at-once': { type: 'string', default: '1' },
      minutes: { type: 'string', default: '2' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 32)) },
      'kill-every': { type: 'string', default: '5' },
      pods: { type: 'string', default: '8' },
      'lines-per-second': { type: 'string', default: '1500' },
      'rotate-every': { type: 'string', default: '3' },
      'kept-files': { type: 'string', default: '15' },
      'befall-every': { type: 'string', default: '3' },
      keep: { type: 'boolean', default: false },
    },
  });
  const positive = (name: Exclude<keyof typeof values, 'store' | 'keep'>) => {
    const value = Number(values[name]);
    if (Number.isFinite(value) && value >= 0) return value;
    throw new Error(`Cannot read --${name}: «${values[name]}» is no number`);
  };
  const stores = values.store.split(',').map((name) => {
    const known = storeNames.find((one) => one === name);
    if (known !== undefined) return known;
    throw new Error(`Cannot read --store: «${name}» is none of ${storeNames.join(', ')}`);
  });
  const atOnce = positive('at-once');
  if (!Number.isInteger(atOnce) || atOnce === 0)
    throw new Error(`Cannot read --at-once: «${atOnce}» is no number of stores`);
  return {
    stores: stores as [StoreName, ...StoreName[]],
    atOnce,
    minutes: positive('minutes'),
    seed: positive('seed'),
    killEvery: positive('kill-every'),
    pods: positive('pods'),
    linesPerSecond: positive('lines-per-second'),
    rotateEvery: positive('rotate-every'),
    keptFiles: positive('kept-files'),
    befallEvery: positive('befall-every'),
    keep: values.keep,
  };
}
