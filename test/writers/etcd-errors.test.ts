import { GRPCDeadlineExceededError, GRPCUnavailableError } from 'etcd3';
import { describe, expect, it } from 'vitest';
import { EtcdFailure } from '../../src/writers/etcd-errors.ts';

/** The server's texts (etcd `api/v3rpc/rpctypes/error.go`), and what the writer makes of them. */
const failures = [
  ['etcdserver: requested lease not found', 'lease-gone', false],
  ['etcdserver: request is too large', 'too-large', false],
  ['etcdserver: too many operations in txn request', 'too-large', false],
  ['8 RESOURCE_EXHAUSTED: Received message larger than max (3000000 vs. 2097152)', 'too-large', false],
  ['etcdserver: mvcc: database space exceeded', 'slowly', false],
  ['etcdserver: permission denied', 'slowly', false],
  ['etcdserver: authentication failed, invalid user ID or password', 'slowly', true],
  ['etcdserver: user name is empty', 'slowly', true],
  ['etcdserver: authentication is not enabled', 'slowly', true],
  ['etcdserver: revision of auth store is old', 'new-client', true],
  ['etcdserver: invalid auth token', 'new-client', true],
  ['etcdserver: too many requests', 'again', false],
  ['etcdserver: no leader', 'again', true],
  ['etcdserver: leader changed', 'again', true],
  ['etcdserver: request timed out', 'again', true],
  ['etcdserver: request timed out, possibly due to previous leader failure', 'again', true],
  ['etcdserver: server stopped', 'again', true],
  ['etcdserver: something that nobody has seen before', 'again', true],
] as const;

describe('a failure of etcd', () => {
  it.each(failures)('«%s» asks for: %s', (text, remedy, moveOn) => {
    expect(new EtcdFailure(new Error(text))).toMatchObject({ remedy, moveOn });
  });

  it('is tried again when the server is not there or does not answer in time', () => {
    expect(new EtcdFailure(new GRPCDeadlineExceededError('Deadline exceeded after 5s'))).toMatchObject({
      remedy: 'again',
      moveOn: true,
      message: 'no answer in time',
    });
    expect(new EtcdFailure(new GRPCUnavailableError('14 UNAVAILABLE: x'))).toMatchObject({ remedy: 'again' });
  });

  it.each(failures.filter(([, remedy]) => remedy === 'slowly'))('«%s» names a pause', (text) => {
    expect(new EtcdFailure(new Error(text)).delayMs).toBeGreaterThanOrEqual(5_000);
  });

  it('that is not known keeps the words of the server', () => {
    expect(new EtcdFailure(new Error('etcdserver: something new')).message).toBe('something new');
  });
});
