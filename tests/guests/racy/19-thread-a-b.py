from common import *
q = []
t = threading.Thread(target=lambda: q.append(pick())); t.start(); t.join(); taker()
t = threading.Thread(target=lambda: use(q[0])); t.start(); t.join(); done()
