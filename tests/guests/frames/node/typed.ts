interface Wanted {
  port: number;
}

function open(wanted: Wanted): void {
  require('net').createServer().listen(wanted.port).unref();
}

open({ port: 0 });
