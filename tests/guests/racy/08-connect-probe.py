# free port found by connect() refused, then bound by number
from common import *
def free(p):
    s = socket.socket(); s.bind(('127.0.0.1', 18703)) if False else None
    r = s.connect_ex(('127.0.0.1', p)); s.close(); return r != 0
p = next(p for p in range(18710, 18800) if free(p))
t = subprocess.Popen([sys.executable, '-c', f'import socket,time; s=socket.create_server(("127.0.0.1",{p})); open("taker.flag","w").write("x"); time.sleep(20)'])
time.sleep(0.4); use(p); t.kill(); t.wait()
