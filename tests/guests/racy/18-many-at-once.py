# picks 2 at once (both held, so distinct), closes all, uses later (portpicker's list, pytest-xdist)
from common import *
ss = [socket.socket() for _ in range(2)]; [s.bind(('127.0.0.1', 0)) for s in ss]; ps = [s.getsockname()[1] for s in ss]; [s.close() for s in ss]
taker(); [use(p) for p in ps]; done()
