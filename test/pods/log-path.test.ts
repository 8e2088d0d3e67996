import { describe, expect, it } from 'vitest';
import { containerTarget, parsePodDirectory, podOf, podTarget } from '../../src/pods/log-path.ts';

describe('the name of a pod’s directory', () => {
  it('is read and built', () => {
    const pod = { namespace: 'demo-system', pod: 'web-7d9-x2', uid: '0a1b-2c' };
    const target = { ...pod, directory: '/var/log/pods/demo-system_web-7d9-x2_0a1b-2c' };
    expect(parsePodDirectory('/var/log/pods', 'demo-system_web-7d9-x2_0a1b-2c')).toEqual(target);
    expect(podTarget('/var/log/pods', pod)).toEqual(target);
  });

  it('of a container leads back to its pod', () => {
    const pod = podTarget('/logs', { namespace: 'n', pod: 'p', uid: 'u' });
    const container = containerTarget(pod, 'main');
    expect(container).toEqual({
      namespace: 'n',
      pod: 'p',
      uid: 'u',
      container: 'main',
      directory: '/logs/n_p_u/main',
    });
    expect(podOf(container)).toEqual(pod);
  });

  it.each(['', 'lost+found', 'a_b', 'a_b_c_d', '_b_c', 'a__c', 'a_b_'])('is not %j', (name) => {
    expect(parsePodDirectory('/logs', name)).toBeUndefined();
  });
});
