PORT=$(python3 -c 'from common import *; print(pick())')
export PORT
python3 -c 'from common import *; taker(); os._exit(0)'
python3 -c 'from common import *; use(int(os.environ["PORT"]))'
