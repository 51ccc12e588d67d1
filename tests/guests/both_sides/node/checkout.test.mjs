import { test } from 'node:test';
import { freePort } from './free_port.mjs';
import { service } from './service.mjs';

test('the checkout takes the money', async () => {
  await service(freePort, 'checkout', 'cart');
});
