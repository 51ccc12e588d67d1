from common import *
v = multiprocessing.Value('i', 0)
def picker(v): v.value = pick()
def user(v): use(v.value)
q = multiprocessing.Process(target=picker, args=(v,)); q.start(); q.join(); taker()
q = multiprocessing.Process(target=user, args=(v,)); q.start(); q.join(); done()
