// The same as verbs.py, in Node, which binds and listens in one call, and sets SO_REUSEADDR itself for TCP. It
// neither forks nor passes descriptors between programs of other languages.
'use strict';
const net = require('net');
const dgram = require('dgram');
const fs = require('fs');
const { spawn } = require('child_process');

const languages = { python: ['/usr/bin/python3', 'verbs.py'], c: ['./verbs'], perl: ['perl', 'verbs.pl'], node: ['node', 'verbs.js'] };
const sockets = {};
const accepted = {};
const say = (...words) => fs.writeSync(1, `${words.join(' ')}\n`);

function bindTcp(name, address, port, options) {
  const server = net.createServer({ pauseOnConnect: true }, (peer) => {
    peer.on('error', () => {});
    (accepted[name] ??= []).push(peer);
  });
  server.on('error', (error) => say(error.code));
  server.listen({ port, host: address, ipv6Only: options.includes('v6only') }, () => {
    sockets[name] = server;
    say('ok', server.address().port);
  });
}

function bindUdp(name, address, port, options) {
  const one = dgram.createSocket({ type: address.includes(':') ? 'udp6' : 'udp4', reuseAddr: options.includes('reuseaddr') });
  one.on('error', (error) => say(error.code));
  one.bind(port, address, () => {
    sockets[name] = one;
    if (options.includes('group')) one.addMembership('224.0.0.99', '127.0.0.1');
    say('ok', one.address().port);
  });
}

const verbs = {
  bind: (name, protocol, address, port, ...options) =>
    (protocol === 'tcp' ? bindTcp : bindUdp)(name, address, Number(port), options),
  listen: () => say('ok'), // it listens already
  connect: (name, address, port) => {
    const one = net.connect({ host: address, port: Number(port) });
    one.on('error', (error) => say(error.code));
    one.on('connect', () => { sockets[name] = one; say('ok', one.localPort); });
  },
  close: (name) => {
    for (const peer of accepted[name] ?? []) peer.destroy();
    if (sockets[name].closed) say('ok'); // as the other end did
    else if (sockets[name] instanceof net.Socket) sockets[name].on('close', () => say('ok')).destroy();
    else sockets[name].close(() => say('ok'));
  },
  spawn: (name, language, inherited) => {
    const [program, ...words] = languages[language];
    const stdio = [fs.openSync(`${name}.in`, 'r'), fs.openSync(`${name}.out`, 'r+'), 'inherit'];
    if (inherited) stdio.push(sockets[inherited]._handle.fd);
    spawn(program, [...words, name], { stdio }).on('spawn', () => say('ok'));
  },
  exit: (status) => process.exit(Number(status)),
};

let text = '';
say('ok', process.pid);
process.stdin.on('data', (data) => {
  text += data;
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
    const [verb, ...words] = text.slice(0, end).split(' ');
    text = text.slice(end + 1);
    verbs[verb](...words);
  }
});
