// All that a program can find out about itself, and the stacks of what goes wrong.
const net = require('net');
const dns = require('dns');
const util = require('util');

const port = net.createServer();
const say = (name, value) => console.log(`${name}:`, typeof value === 'string' ? value
  : util.inspect(value, { showHidden: true, maxArrayLength: null, depth: 1 }));
const own = /^(PORTWITNESS_|LD_PRELOAD$|_$)/;
const stack = (error) => error.stack.replaceAll(String(port.address().port), 'PORT');

say('variables', Object.entries(process.env).filter(([name]) => !own.test(name)).join('\n'));
say('options', [process.execArgv, process.argv.slice(2), process._preload_modules, process.argv0]);
say('files', [Object.keys(require.cache), Object.keys(require('module')._pathCache), module.children]);
say('names', [net.Server.prototype, net.Socket.prototype, dns, globalThis, process, Error]
  .map((object) => Object.getOwnPropertyNames(object).join()));
for (const [object, name] of [[net.Server.prototype, 'listen'], [net.Socket.prototype, 'connect'], [dns, 'lookup']])
  say(name, [`${object[name]}`, object[name].name, object[name].length,
    Object.getOwnPropertyDescriptor(object, name).writable]);
for (const act of [() => net.createServer().listen(-1), () => dns.lookup(5, () => {}), () => dns.lookup('x'),
  () => net.createServer().listen({ port: 1, host: 5 }), () => net.connect({ port: 9, host: 5 }),
  () => require('dgram').createSocket('udp4').bind({ port: -2 })])
  try {
    say('no error', act());
  } catch (error) {
    say('error', error.stack);
  }
port.listen(0, '127.0.0.1', () => {
  net.createServer().listen(port.address().port, '127.0.0.1').on('error', (address) => {
    say('by address', stack(address));
    net.createServer().listen(port.address().port, 'localhost').on('error', (name) => {
      say('by name', stack(name));
      dns.lookup('localhost', { family: 4 }, (error, found) => {
        say('looked up', found + new Error('here').stack);
        util.promisify(dns.lookup)('127.0.0.1').then((both) => {
          say('promised', both);
          say('Error', [Error.stackTraceLimit, Object.getOwnPropertyNames(Error)]);
          process.exit();
        });
      });
    });
  });
});
