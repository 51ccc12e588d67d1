# picked by a grandchild of one child, used by a grandchild of another
from common import *
p = int(subprocess.check_output(['sh', '-c', 'sh -c "python3 -c \'from common import *; print(pick())\'; true"; true'])); taker()
open('port.txt','w').write(str(p))
subprocess.call(['sh', '-c', 'sh -c "python3 -c \'from common import *; use(int(open(\\"port.txt\\").read()))\'; true"; true']); done()
