# picks by socket.getaddrinfo(None, 0, AI_PASSIVE) on ::, uses on 127.0.0.1
from common import *
f, t, pr, _, a = socket.getaddrinfo(None, 0, family=socket.AF_INET6, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
s = socket.socket(f, t, pr); s.bind(a); p = s.getsockname()[1]; s.close(); taker(); use(p); done()
