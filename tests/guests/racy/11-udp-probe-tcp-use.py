# picked by a UDP probe, used with TCP (and the TCP one is taken)
from common import *
p = pick(typ=socket.SOCK_DGRAM); taker(); use(p); done()
