import { expect, it } from 'vitest';
import { nearMisses } from '../../src/config/near-miss.ts';

it('warns of variables that are ours but for underscores, case or a prefix', () => {
  expect(nearMisses({ BATCHSIZE: '1', batch_period: '1s', FROSTBEAT_TTL: '1h' })).toEqual([
    'BATCHSIZE is set and means nothing: the setting is called BATCH_SIZE, and is not set',
    'batch_period is set and means nothing: the setting is called BATCH_PERIOD, and is not set',
    'FROSTBEAT_TTL is set and means nothing: the setting is called TTL, and is not set',
  ]);
});

it('says nothing where the real one is set, nor of others that look alike', () => {
  expect(
    nearMisses({
      BATCHSIZE: '1',
      BATCH_SIZE: '1',
      BATCH_SIZES: '3',
      ETCD_SERVICE_HOST: '10.0.0.1',
      FROSTBEAT_PORT: 'tcp://10.0.0.2:8080',
    }),
  ).toEqual([]);
});
