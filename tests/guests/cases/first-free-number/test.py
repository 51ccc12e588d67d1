# two:    both runners find 8000 free before either starts its server there
# asked:  the second one looks, too, but never starts a server
# alone:  nobody else asks for a port
import subprocess, sys


class Runner:
    def __init__(self):
        self.child = subprocess.Popen(["node", "runner.js"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def does(self, step, answer):
        self.child.stdin.write(step + "\n")
        self.child.stdin.flush()
        if self.child.stdout.readline() != answer + "\n":
            sys.exit(99)

    def end(self):
        self.child.stdin.close()
        return self.child.wait()


first, second = Runner(), Runner()
first.does("probe", "8000")
if sys.argv[1] != "alone":
    second.does("probe", "8000")
first.does("start", "up")
if sys.argv[1] == "two":
    second.does("start", "EADDRINUSE")
sys.exit(max([first.end(), second.end()]))
