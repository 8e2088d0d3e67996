import { describe, expect, it } from 'vitest';
import { KnownPods } from '../../src/pods/known-pods.ts';
import { RecordingListener } from '../support/recording-listener.ts';

describe('KnownPods', () => {
  it('takes annotations that are null, as some servers write an empty map, for none', () => {
    const listener = new RecordingListener();
    const pods = new KnownPods('/var/log/pods', listener);
    pods.replaceAll([{ metadata: { namespace: 'demo', name: 'web-1', uid: 'uid-1', annotations: null } }]);
    expect(listener.names).toEqual(['web-1']);
  });
});
