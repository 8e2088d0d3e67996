import { expect, it } from 'vitest';
import { selectContainers } from '../../src/pods/select-containers.ts';

const names = ['app', 'app-2', 'istio-init', 'istio-proxy', 'log', '2fast'];

it.each<[string[], string[], string[]]>([
  [[], [], names],
  [['app'], [], ['app']],
  [['app*'], [], ['app', 'app-2']],
  [['app-?', 'l?g'], [], ['app-2', 'log']],
  [['*-*'], [], ['app-2', 'istio-init', 'istio-proxy']],
  [[], ['istio-*'], ['app', 'app-2', 'log', '2fast']],
  [['*'], ['*-proxy', 'app'], ['app-2', 'istio-init', 'log', '2fast']],
  [['2*'], [], ['2fast']],
  [['app'], ['app'], []],
])('CONTAINERS %j and EXCLUDE_CONTAINERS %j select %j', (containers, excludeContainers, selected) => {
  expect(names.filter(selectContainers({ containers, excludeContainers }))).toEqual(selected);
});
