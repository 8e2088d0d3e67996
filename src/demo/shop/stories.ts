import type { Random } from '../random.ts';
import { product } from './products.ts';
import { StoryTeller, type Story } from './story.ts';

type Tell = (teller: StoryTeller) => Story;

const browse: Tell = (tell) => {
  const query = tell.random.pick(['tea', 'grüner tee', '抹茶', 'teapot', 'mug']);
  const path = `/products?q=${encodeURIComponent(query)}`;
  tell.say('INFO', 'gateway', 'request', { method: 'GET', path });
  tell.wait(3).say('DEBUG', 'catalog', 'search', { query, index: 'products-v7' });
  if (tell.random.chance(0.3)) tell.wait(12).say('INFO', 'catalog', 'cache miss', { query });
  tell.wait(6).say('INFO', 'catalog', 'search done', { query, hits: tell.random.int(0, 60) });
  return tell.answer('GET', path, 200);
};

const addToCart: Tell = (tell) => {
  const { sku, name } = product(tell.random);
  tell.say('INFO', 'gateway', 'request', { method: 'POST', path: '/cart/items' });
  tell.wait(3).say('INFO', 'cart', 'add item', { sku, name, quantity: tell.random.int(1, 4) });
  tell.wait(4).say('DEBUG', 'stock', 'availability', { sku, available: tell.random.int(1, 250) });
  tell.wait(2).say('INFO', 'cart', 'cart saved', { items: tell.random.int(1, 7) });
  return tell.answer('POST', '/cart/items', 201);
};

/** The common beginning of every order. */
function beginCheckout(tell: StoryTeller) {
  const order = `A-${tell.random.int(100_000, 999_999)}`;
  const { sku, name, price } = product(tell.random);
  tell.say('INFO', 'gateway', 'request', { method: 'POST', path: '/checkout' });
  tell.wait(4).say('INFO', 'orders', 'order received', { order, items: 1 });
  tell.wait(3).say('DEBUG', 'cart', 'cart read', { order, first: name });
  return { order, sku, price };
}

const checkout: Tell = (tell) => {
  const { order, sku, price } = beginCheckout(tell);
  tell.wait(5).say('INFO', 'stock', 'reserved', { order, sku });
  tell.wait(8).say('INFO', 'payments', 'charge', { order, amount: price, currency: 'EUR' });
  if (tell.random.chance(0.15)) {
    tell
      .wait(90)
      .say('WARN', 'payments', 'card provider is slow', { order, waitedMs: tell.random.int(60, 140) });
  }
  tell.wait(40).say('INFO', 'payments', 'charge accepted', { order, provider: 'nordpay' });
  tell.wait(3).say('INFO', 'orders', 'order placed', { order, durationMs: tell.elapsedMs });
  return tell.answer('POST', '/checkout', 201);
};

/** What the customer sees is a 503 of the gateway; why is in the log of `stock` alone. */
const checkoutFindsALock: Tell = (tell) => {
  const { order, sku } = beginCheckout(tell);
  tell.wait(4).say('DEBUG', 'stock', 'reservation waits for a row lock', { order, sku });
  tell
    .wait(150)
    .say('WARN', 'orders', 'stock has not answered, trying again', { order, attempt: 1, timeoutMs: 150 });
  tell.wait(120).say('ERROR', 'stock', 'gave up waiting for the row lock', {
    order,
    sku,
    lockedBy: 'nightly-import (pid 4711), since 03:00',
    error: 'deadlock_timeout: table "inventory", tuple (812,7)',
  });
  tell
    .wait(30)
    .say('ERROR', 'orders', 'cannot reserve the items', { order, attempt: 2, cause: 'stock: 500' });
  tell.wait(3).say('INFO', 'orders', 'order cancelled', { order, state: 'cancelled' });
  return tell.answer('POST', '/checkout', 503);
};

/** The same for a person who looks at the gateway, and another cause in another pod. */
const checkoutFindsAnExpiredCertificate: Tell = (tell) => {
  const { order, sku, price } = beginCheckout(tell);
  tell.wait(5).say('INFO', 'stock', 'reserved', { order, sku });
  tell.wait(6).say('INFO', 'payments', 'charge', { order, amount: price, currency: 'EUR' });
  tell.wait(25).say('ERROR', 'payments', 'cannot reach the card provider: its certificate has expired', {
    order,
    provider: 'api.nordpay.example:443',
    stack:
      'TLSError: certificate has expired\n    at TLSSocket.onSecure (provider.go:212)\n    at charge (charge.go:88)',
  });
  tell.wait(4).say('WARN', 'orders', 'payment failed', { order, cause: 'payments: 502' });
  tell.wait(3).say('INFO', 'stock', 'reservation released', { order, sku });
  return tell.answer('POST', '/checkout', 502);
};

/** Lines far longer than what a runtime writes as one. */
const exportCatalog: Tell = (tell) => {
  const products = Array.from({ length: tell.random.int(300, 700) }, () => product(tell.random));
  tell.say('INFO', 'gateway', 'request', { method: 'GET', path: '/catalog/export' });
  tell.wait(20).say('DEBUG', 'catalog', 'response body', { count: products.length, products });
  return tell.answer('GET', '/catalog/export', 200);
};

/** How often each story is told, in parts of the sum. */
const stories: readonly (readonly [weight: number, tell: Tell])[] = [
  [40, browse],
  [24, addToCart],
  [24, checkout],
  [4, checkoutFindsALock],
  [4, checkoutFindsAnExpiredCertificate],
  [2, exportCatalog],
];
const sum = stories.reduce((total, [weight]) => total + weight, 0);

/** What one request to the shop leaves in the logs. */
export function tellStory(random: Random): Story {
  let left = random.next() * sum;
  const [, tell] = stories.find(([weight]) => (left -= weight) < 0) ?? [1, browse];
  return tell(new StoryTeller(random));
}
