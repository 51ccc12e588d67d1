import { test } from 'node:test';
import { freePort } from './free_port.mjs';
import { service } from './service.mjs';

test('the cart takes an item', async () => {
  await service(freePort, 'cart', 'checkout');
});
