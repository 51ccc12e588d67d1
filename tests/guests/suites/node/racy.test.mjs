// Tests of a server whose port is chosen beforehand, as get-port and its like do.
import assert from 'node:assert';
import http from 'node:http';
import net from 'node:net';
import { test } from 'node:test';

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = net.createServer();
    probe.on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

// What an application does before it listens: reads its settings, connects to its database.
const prepare = () => new Promise((resolve) => setTimeout(resolve, 20));

for (const path of ['/', '/health', '/version']) {
  test(`the service answers ${path}`, async () => {
    const port = await freePort();
    await prepare();
    const server = http.createServer((request, response) => response.end(request.url));
    await new Promise((resolve, reject) => {
      server.on('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    const answer = await fetch(`http://127.0.0.1:${port}${path}`);
    assert.strictEqual(await answer.text(), path);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
}
