import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { containerdFormat } from '../../src/demo/containerd-format.ts';
import { rotateAsKubelet } from '../../src/demo/kubelet-rotation.ts';
import { SimulatedPod } from '../../src/demo/simulated-pod.ts';

const clock = () => 1_795_388_899_000_000_000n;

describe('a simulated pod', () => {
  let podLogDir: string;
  let pod: SimulatedPod;
  const files = (path: string) => readdirSync(join(podLogDir, path)).toSorted();

  beforeEach(() => {
    podLogDir = mkdtempSync(join(tmpdir(), 'frostbeat-pod-'));
    pod = new SimulatedPod(podLogDir, { namespace: 'shop', pod: 'cart-1', uid: 'u-1' }, () =>
      containerdFormat({ clock }),
    );
  });
  afterEach(() => {
    pod.end();
    rmSync(podLogDir, { recursive: true });
  });

  it('has a directory as the kubelet names it, and one in it for each container', () => {
    pod.container('cart').log.print('hello\n');
    pod.container('proxy');
    expect(pod.container('cart')).toBe(pod.containers[0]);
    expect(files('.')).toEqual(['shop_cart-1_u-1']);
    expect(files('shop_cart-1_u-1')).toEqual(['cart', 'proxy']);
    expect(readFileSync(join(podLogDir, 'shop_cart-1_u-1/cart/0.log'), 'utf8')).toBe(
      '2026-11-22T23:08:19Z stdout F hello\n',
    );
  });

  it('numbers its files by restart, and removes those of a dead run with its rotated ones', async () => {
    const cart = pod.container('cart');
    await rotateAsKubelet(cart.log, { maxFiles: 5, clock });
    cart.log.print('no end');
    cart.restart();
    cart.restart();
    expect(files('shop_cart-1_u-1/cart')).toEqual(['0.log', '0.log.20261122-230819', '1.log', '2.log']);
    expect(readFileSync(join(cart.target.directory, '0.log'), 'utf8')).toContain(' stdout P no end\n');
    cart.restart();
    expect(files('shop_cart-1_u-1/cart')).toEqual(['1.log', '2.log', '3.log']);
    cart.restart(0);
    expect(files('shop_cart-1_u-1/cart')).toEqual(['4.log']);
    expect(cart.restarts).toBe(4);
  });

  it('leaves its files when it ends, and takes its directory with it when it is removed', () => {
    pod.container('cart');
    pod.end();
    expect(existsSync(pod.target.directory)).toBe(true);
    pod.remove();
    expect(files('.')).toEqual([]);
  });
});
