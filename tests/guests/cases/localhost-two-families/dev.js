// A dev server on localhost:5173: it asks for ::1 and, where that is taken, quietly takes 127.0.0.1. Its test asks
// for ::1, to which localhost comes first, and is served the page of whoever has that.
const net = require('net');

const me = process.argv[2];
const page = net.createServer((peer) => peer.end(me));
page.on('error', () => page.listen(5173, '127.0.0.1'));
page.on('listening', () => console.log(page.address().address));
page.listen({ port: 5173, host: '::1', ipv6Only: true });

let answer = '';
process.stdin.on('data', () => {
  net.connect({ port: 5173, host: '::1' })
    .on('data', (data) => { answer += data; })
    .on('close', () => console.log(answer));
});
process.stdin.on('end', () => process.exit(answer === me ? 0 : 1));
