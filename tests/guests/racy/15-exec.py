# picks, then execs the server itself with the number
from common import *
p = pick(); taker()
os.execvp(sys.executable, [sys.executable, '-c', 'from common import *; use(int(sys.argv[1])); os.kill(int(sys.argv[2]), 9); os.wait()', str(p), str(__import__("common").taker_process.pid)])
