import http from 'node:http';
import { both, waitFor } from './turns.mjs';

export async function serve(port) {
  const server = http.createServer((request, response) => response.end('ok'));
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, resolve);
  });
  return server;
}

// Picks a port, waits until the other test has, serves on it, and waits until the other has tried to.
export async function service(pick, me, other) {
  if (me === 'checkout') await waitFor('picked', other);
  const port = process.env.RACY === '0' ? 0 : await pick();
  await both('picked', me, other);
  let server;
  try {
    server = await serve(port);
  } finally {
    await both('served', me, other);
    server?.close();
  }
}
