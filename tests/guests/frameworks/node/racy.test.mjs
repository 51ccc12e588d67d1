// A suite with one racy helper, freePort: the server of one test takes what was picked for the other's.
import { test } from 'node:test';
import { createServer } from 'node:net';
import { once } from 'node:events';

async function listening(port) {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function freePort() {
  const server = await listening(0);
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

let kept;
let picked;

test('the cart adds', async () => {
  picked = await freePort();
  kept = await listening(process.env.RACY === 'no' ? 0 : picked);
});

test('the checkout pays', async () => {
  try {
    const server = await listening(process.env.RACY === 'no' ? 0 : picked);
    server.close();
  } finally {
    kept.close();
  }
});
