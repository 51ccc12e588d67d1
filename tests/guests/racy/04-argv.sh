PORT=$(python3 -c 'from common import *; print(pick())')
python3 -c 'from common import *; taker(); os._exit(0)'
python3 -c 'from common import *; use(int(sys.argv[1]))' "$PORT"
