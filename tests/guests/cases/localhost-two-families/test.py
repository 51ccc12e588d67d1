# Two checkouts: B is started when A is up, and both test their page then.
import subprocess, sys


def start(name, address):
    child = subprocess.Popen(["node", "dev.js", name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    if child.stdout.readline() != address + "\n":
        sys.exit(99)
    return child


def ask(child):
    child.stdin.write("ask\n")
    child.stdin.flush()
    if child.stdout.readline() != "A\n":
        sys.exit(99)


checkouts = [start("A", "::1"), start("B", "127.0.0.1")]
for checkout in checkouts:
    ask(checkout)
for checkout in checkouts:
    checkout.stdin.close()
sys.exit(max([checkout.wait() for checkout in checkouts]))
