from common import *
p = int(subprocess.check_output([sys.executable, '-c', 'from common import *; print(pick())'])); taker(); use(p); done()
