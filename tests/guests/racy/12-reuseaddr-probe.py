# probe with SO_REUSEADDR, as Go's net.Listen(":0")
from common import *
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(('127.0.0.1', 0)); s.listen(); p = s.getsockname()[1]; s.close(); taker(); use(p); done()
