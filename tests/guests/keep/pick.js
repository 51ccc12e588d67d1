// Picks numbers as Node's packages do, by a server that is closed again, and hands each on.
//
//   node pick.js WAY COUNT    "fork" (child_process.fork), "argument" or "file"
//   node pick.js serve PORT   says "bound" or "lost"
'use strict';
const { fork, spawnSync } = require('child_process');
const fs = require('fs');
const net = require('net');

function serve(port) {
    return new Promise((resolve) => {
        const server = net.createServer();
        server.once('error', () => resolve('lost'));
        server.listen(port, '127.0.0.1', () => server.close(() => resolve('bound')));
    });
}

function pick() {
    return new Promise((resolve, reject) => {
        const server = net.createServer();
        server.once('error', reject);
        server.listen(0, '127.0.0.1', () => {
            const { port } = server.address();
            server.close(() => resolve(port));
        });
    });
}

function forked(ports) {
    return new Promise((resolve) => {
        const child = fork(__filename, ['serve', ...ports], { stdio: 'inherit' });
        child.once('exit', resolve);
    });
}

async function main(way, words) {
    if (way === 'serve') {
        for (const port of words) {
            fs.writeSync(1, `${await serve(Number(port))}\n`);
        }
        return;
    }
    const ports = [];
    for (let turn = 0; turn < Number(words[0]); turn++) {
        ports.push(String(await pick()));
    }
    if (way === 'fork') {
        await forked(ports);
    } else if (way === 'argument') {
        spawnSync(process.execPath, [__filename, 'serve', ...ports], { stdio: 'inherit' });
    } else {
        fs.writeFileSync('number', ports.join(' '));
        const read = fs.readFileSync('number', 'ascii').split(' ');
        spawnSync(process.execPath, [__filename, 'serve', ...read], { stdio: 'inherit' });
    }
}

main(process.argv[2], process.argv.slice(3));
