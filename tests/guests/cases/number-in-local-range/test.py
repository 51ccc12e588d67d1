# Clients have their connections open while the service is started.
import subprocess, sys

with subprocess.Popen(["python3", "service.py", "clients"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as clients:
    clients.stdout.readline()
    status = subprocess.run(["python3", "service.py", "service"]).returncode
    clients.stdin.close()
sys.exit(status)
