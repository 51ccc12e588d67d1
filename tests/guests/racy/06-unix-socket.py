from common import *
a, b = socket.socketpair()
if os.fork() == 0: b.send(b'%d' % pick()); os._exit(0)
p = int(a.recv(9)); os.wait(); taker()
if os.fork() == 0: use(p); os._exit(0)
os.wait(); done()
