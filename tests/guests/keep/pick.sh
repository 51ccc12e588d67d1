#!/bin/sh
# Picks numbers as scripts do, and hands each on: pick.sh WAY COUNT, the ways of pick.py. $python is the
# interpreter, $guests the folder of serve.py.
pick() {
    "${python:?}" -c 'import socket
one = socket.socket()
one.bind(("127.0.0.1", 0))
print(one.getsockname()[1])'
}

turn=0
while [ "$((turn += 1))" -le "$2" ]; do
    case $1 in
    fork) port=$(pick) && ("$python" "${guests:?}/serve.py" "$port") ;;
    exec) sh -c 'exec "$python" "$guests/serve.py" "$1"' sh "$(pick)" ;;
    argument) "$python" "$guests/serve.py" "$(pick)" ;;
    file) pick >number && read -r port <number && "$python" "$guests/serve.py" "$port" ;;
    esac
done
