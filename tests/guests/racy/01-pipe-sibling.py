# number passed by pipe: picker child -> parent -> user child
from common import *
r, w = os.pipe()
if os.fork() == 0: os.write(w, b'%d' % pick()); os._exit(0)
os.wait(); p = int(os.read(r, 9)); taker()
if os.fork() == 0: use(p); os._exit(0)
os.wait(); done()
