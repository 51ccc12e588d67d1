// A test runner looks for the first free port from 8000 on by listening and closing, and starts its server there
// later. Each step is asked for by a line, so that two runners can take turns.
const net = require('net');

let port;
const free = (number) => {
  const probe = net.createServer();
  probe.once('error', () => free(number + 1));
  probe.listen(number, '127.0.0.1', () => probe.close(() => { port = number; console.log(number); }));
};
const start = () => {
  const server = net.createServer();
  server.once('error', (error) => { console.log(error.code); process.exit(1); });
  server.listen(port, '127.0.0.1', () => console.log('up'));
};
process.stdin.on('data', (line) => (String(line) === 'probe\n' ? free(8000) : start()));
process.stdin.on('end', () => process.exit(0));
