const net = require('net');

test('good', (done) => {
  const server = net.createServer().listen(0, '127.0.0.1', () => server.close(done));
});
describe('suite', () => {
  test('bad', () => {
    expect(1).toBe(2);
  });
  test.skip('left out', () => {});
});
test.todo('later');
