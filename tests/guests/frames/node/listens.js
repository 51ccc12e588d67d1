// Each call stands in a function of its own, in a line that says "call NAME".
const net = require('net');
const http = require('http');
const dgram = require('dgram');

const servers = [];
function keep(server) {
  servers.push(server);
  return new Promise((resolve) => server.on('listening', resolve).on('error', resolve));
}

const calls = {
  plain() { return keep(net.createServer().listen(0)); }, // call plain
  byAddress() { return keep(net.createServer().listen(0, '127.0.0.1')); }, // call byAddress
  byName() { return keep(net.createServer().listen(0, 'localhost')); }, // call byName
  byOptions() { return keep(net.createServer().listen({ port: 0, host: '127.0.0.1' })); }, // call byOptions
  web() { return keep(http.createServer().listen(0, '127.0.0.1')); }, // call web
  refused() { return keep(net.createServer().listen(servers[0].address().port)); }, // call refused
  datagram() { return keep(dgram.createSocket('udp4').bind(0, '127.0.0.1')); }, // call datagram
  datagramByName() { return keep(dgram.createSocket('udp4').bind(0, 'localhost')); }, // call datagramByName
  async awaited() { await null; await keep(net.createServer().listen(0)); }, // call awaited
  sends() {
    return new Promise((resolve) => {
      const socket = dgram.createSocket('udp4');
      servers.push(socket);
      socket.send('x', 9, '127.0.0.1', resolve); // call sends
    });
  },
  connects() {
    return new Promise((resolve) => {
      const socket = net.connect(servers[0].address().port, '127.0.0.1', resolve); // call connects
      servers.push({ close: () => socket.destroy() });
    });
  },
  connectsByName() {
    return new Promise((resolve) => {
      const socket = net.connect({ port: servers[0].address().port, host: 'localhost' }); // call connectsByName
      socket.on('connect', resolve);
      servers.push({ close: () => socket.destroy() });
    });
  },
};

(async () => {
  for (const name of Object.keys(calls)) await calls[name]();
  for (const server of servers) try { server.close(); } catch { /* was refused */ }
})();
