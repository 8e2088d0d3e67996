import { parseArgs } from 'node:util';
import { type StoreName, storeNames } from './stores/torture-store.ts';

export interface TortureOptions {
  /** One after the other, each for so many minutes. */
  readonly stores: readonly StoreName[];
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

/** @throws Error where an argument is not understood. */
export function parseTorture(args: readonly string[]): TortureOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      store: { type: 'string', default: 'etcd' },
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
  return {
    stores,
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
