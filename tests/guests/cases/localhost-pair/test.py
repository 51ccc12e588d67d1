# Another test's server is up; then this one's is started.
import subprocess, sys

with subprocess.Popen(["python3", "server.py", "other"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
    other.stdout.readline()
    status = subprocess.run(["python3", "server.py", "one"]).returncode
    other.stdin.close()
sys.exit(status)
