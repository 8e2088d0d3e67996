import { describe, expect, it } from 'vitest';
import { selector } from '../../src/config/selector.ts';

describe('a label selector', () => {
  it.each([
    '',
    'app',
    '!app',
    '! app',
    'app=snowplow',
    'app==snowplow',
    'app = snowplow',
    'app=',
    'app!=snowplow',
    'app in (a,b)',
    'app notin ( a , b )',
    'app in (a,)',
    'a=b,c in (d,e),!f,g notin (h)',
    'app.kubernetes.io/name=x',
    'in in (in)',
    'replicas>3',
    'replicas < 10',
  ])('may be %j', (text) => {
    expect(selector(text)).toEqual({ value: text });
  });

  it.each([
    ',',
    'a,',
    ',a',
    'a=b,,c',
    'app=snow plow',
    'app in',
    'app in a',
    'app in (a',
    'app in ()',
    'app in (a))',
    'a==b==c',
    'a=!b',
    '!a=b',
    '-a=b',
    'a=b-',
    'a=/b',
    'a/b/c=d',
    'A_B/c=d',
    '/c=d',
    `${'x'.repeat(64)}=y`,
    `x=${'y'.repeat(64)}`,
    'replicas>many',
    'ä=b',
    'a=b;c=d',
  ])('may not be %j', (text) => {
    expect(selector(text)).toEqual({ mustBe: expect.stringContaining('a label selector') });
  });
});
