# A server is started again while a helper of the first one is still at work, and has its listener.
python3 server.py first >helper
python3 server.py second
status=$?
helper=$(cat helper)
kill "$helper"
while grep -q '^State:.[^Z]' "/proc/$helper/status" 2>/dev/null; do :; done
exit $status
