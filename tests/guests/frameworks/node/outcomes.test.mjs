import { describe, it, test } from 'node:test';
import { createServer } from 'node:net';
import { once } from 'node:events';

test('good', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.close();
});
test('bad', async () => {
  throw new Error('bad');
});
test('left out', (t) => t.skip('not now'));
describe('suite', () => {
  it('inner', () => {});
});
test('outer', async (t) => {
  await t.test('sub', () => {});
});
