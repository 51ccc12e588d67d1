# picked with [::]:0 (dual stack), used on 0.0.0.0
from common import *
p = pick('::', socket.AF_INET6); taker(); use(p, '0.0.0.0'); done()
