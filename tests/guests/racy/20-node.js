const n = require('net'), cp = require('child_process');
const s = n.createServer().listen(0, '127.0.0.1', () => { const p = s.address().port; s.close(() => {
  const t = cp.spawn('python3', ['-c', 'from common import *\ntaker(); time.sleep(2); done()']);
  setTimeout(() => { n.createServer().on('error', e => console.log('LOST', e.code)).on('listening', function () { console.log('bound'); this.close(); }).listen(p, '127.0.0.1'); }, 900); }); });
