// One source listens on 0.0.0.0:8888, the other on [::]:8888, as a log collector's configuration has them. The
// second takes IPv4 as well, unless it is told not to.
const net = require('net');

net.createServer().listen(8888, '0.0.0.0', () => {
  net.createServer()
    .on('error', (error) => process.exit(error.code === 'EADDRINUSE' ? 1 : 99))
    .listen(8888, '::', () => process.exit(99));
});
