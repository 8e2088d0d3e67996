import { fork } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';

it('the pod API server runs as a child, does what it is told, and ends with its parent', async () => {
  const child = fork('test/support/kube-api/serve.ts', { stdio: 'inherit' });
  const [hello] = (await once(child, 'message')) as [{ url: string }];
  const order = async (id: number, call: string, ...args: unknown[]) => {
    child.send({ id, call, args });
    const [answer] = (await once(child, 'message')) as [unknown];
    return answer;
  };
  expect(await order(1, 'addPod', { namespace: 'demo', name: 'a' })).toEqual({ id: 1 });
  expect(await order(2, 'deletePod', 'demo', 'none')).toEqual({
    id: 2,
    error: expect.stringContaining('none'),
  });
  const list = (await (await fetch(`${hello.url}/api/v1/pods`)).json()) as { items: unknown[] };
  expect(list.items).toHaveLength(1);
  child.disconnect();
  const [code] = (await once(child, 'exit')) as [number];
  expect(code).toBe(0);
});
