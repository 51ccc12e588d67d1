// Two tests of one process start the app on 3000; the first never closes it.
const test = require('node:test');
const http = require('http');

const start = () => new Promise((done, failed) => {
  const app = http.createServer((request, response) => response.end('hello'));
  app.on('error', failed).listen(3000, () => { app.unref(); done(app); });
});
test('says hello', async () => { await start(); });
test('says it again', async () => { await start(); });
