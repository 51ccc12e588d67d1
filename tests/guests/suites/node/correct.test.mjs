// The same tests; the server listens on port 0 and is asked for its address.
import assert from 'node:assert';
import http from 'node:http';
import { test } from 'node:test';

const prepare = () => new Promise((resolve) => setTimeout(resolve, 20));

for (const path of ['/', '/health', '/version']) {
  test(`the service answers ${path}`, async () => {
    await prepare();
    const server = http.createServer((request, response) => response.end(request.url));
    await new Promise((resolve, reject) => {
      server.on('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    const { port } = server.address();
    const answer = await fetch(`http://127.0.0.1:${port}${path}`);
    assert.strictEqual(await answer.text(), path);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
}
