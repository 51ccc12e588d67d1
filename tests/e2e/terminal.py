"""Runs a command on a terminal of its own and talks to it.

terminal.py COMMAND... <STEPS

Each line of the steps is `expect REGEX` (up to a minute for it to come in what was not yet
matched), `send TEXT` (backslash escapes as in Python), `file NAME` (up to a minute for it to
be there and not empty) or `pause SECONDS`. What came is printed. The
exit status is the command's, 128+N after a signal, 99 if a step failed.
"""

import os
import pty
import re
import select
import signal
import sys
import time

TIMEOUT = 60


class Conversation:
    def __init__(self, terminal):
        self.terminal = terminal
        self.new = ""
        self.all = ""

    def read(self, seconds):
        """One piece of output; False at the end or when none came in time."""
        if not select.select([self.terminal], [], [], max(0, seconds))[0]:
            return False
        try:
            piece = os.read(self.terminal, 65536).decode(errors="replace")
        except OSError:  # the last process has closed it
            return False
        self.new += piece
        self.all += piece
        return piece != ""

    def expect(self, pattern):
        until = time.monotonic() + TIMEOUT
        while True:
            match = re.search(pattern, self.new)
            if match:
                self.new = self.new[match.end():]
                return True
            if time.monotonic() > until or not self.read(until - time.monotonic()):
                return False

    def wait_for_file(self, name):
        until = time.monotonic() + TIMEOUT
        while not (os.path.exists(name) and os.path.getsize(name)):
            if time.monotonic() > until:
                return False
            self.read(0.05)
        return True

    def take(self, step):
        verb, _, rest = step.rstrip("\n").partition(" ")
        if verb == "expect":
            return self.expect(rest)
        if verb == "file":
            return self.wait_for_file(rest)
        if verb == "send":
            os.write(self.terminal, rest.encode().decode("unicode_escape").encode())
        elif verb == "pause":
            time.sleep(float(rest))
        else:
            raise ValueError(step)
        return True


def main():
    steps = sys.stdin.readlines()
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp(sys.argv[1], sys.argv[1:])
    conversation = Conversation(terminal)
    failed = next((step for step in steps if not conversation.take(step)), None)
    if failed is not None:
        os.kill(pid, signal.SIGKILL)
    until = time.monotonic() + TIMEOUT
    while time.monotonic() < until and conversation.read(until - time.monotonic()):
        pass
    sys.stdout.write(conversation.all.replace("\r\n", "\n"))
    if failed is not None:
        print("failed at:", failed)
        sys.exit(99)
    status = os.waitpid(pid, 0)[1]
    sys.exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))


main()
