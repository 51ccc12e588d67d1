# number passed by a file between siblings
python3 -c 'from common import *; open("port.txt","w").write(str(pick()))'
python3 -c 'from common import *; taker(); os._exit(0)'
python3 -c 'from common import *; use(int(open("port.txt").read()))'
