# Tells programs of several languages what to do, step by step: each step is over before the next begins, so
# what happens does not depend on load. Reads a JSON file with "steps" and "languages" ({name: language});
# README.md has the form of a step. Ends with the highest status of the programs, or with 99 where a step
# had another answer than it says: then the situation did not come about.
import json, os, select, subprocess, sys, time

START = {"python": ["/usr/bin/python3", "verbs.py"], "c": ["./verbs"], "perl": ["perl", "verbs.pl"],
         "node": ["node", "verbs.js"], "java": ["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "Verbs.java"]}
APART = ["unshare", "-n", "sh", "-c", 'ip link set lo up && echo "$1 $2" >/proc/sys/net/ipv4/ip_local_port_range &&'
         'shift 2 && exec "$@"', "sh"]
BOUND = 30  # seconds for an answer; only a hang takes so long

plan = json.load(open(sys.argv[1]))
agents, numbers, left, highest = {}, {}, [], 0


class Agent:
    def __init__(self, name):
        for path in (name + ".in", name + ".out"):
            os.mkfifo(path)
        self.name, self.child, self.ended = name, None, False
        self.told, self.says = os.open(name + ".in", os.O_RDWR), os.open(name + ".out", os.O_RDWR)
        agents[name] = self

    def start(self, words):
        command, environment = START[plan["languages"][self.name]] + [self.name], dict(os.environ)
        while words and words[0] in ("apart", "limited", "env"):
            if words[0] == "limited":
                command, words = ["sh", "-c", 'ulimit -n 40; exec "$@"', "sh"] + command, words[1:]
            elif words[0] == "apart":
                command, words = APART + words[1:3] + command, words[3:]
            else:
                environment.update([words[1].split("=", 1)])
                words = words[2:]
        self.child = subprocess.Popen(command + words, stdin=self.told, stdout=self.says, env=environment)

    def tell(self, text):
        os.write(self.told, (text + "\n").encode())

    def answer(self):
        text = b""
        while not text.endswith(b"\n"):
            if not select.select([self.says], [], [], BOUND)[0]:
                fail(f"{self.name} does not answer")
            text += os.read(self.says, 1)
        return text.decode().split()

    def hello(self):
        self.pid = int(self.answer()[1])

    def end(self, status):
        global highest
        self.tell(f"exit {status}")
        self.ended = True
        highest = max(highest, int(status))
        if self.child:
            self.child.wait(BOUND)
            return
        until = time.monotonic() + BOUND
        while lives(self.pid) and time.monotonic() < until:
            time.sleep(0.002)


def lives(pid):
    try:
        return open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def fail(text):
    print("the situation did not come about:", text, file=sys.stderr)
    for agent in agents.values():
        if agent.child and not agent.ended:
            agent.child.kill()
    os._exit(99)



def save_agents():
    pids = json.load(open("agents.json")) if os.path.exists("agents.json") else {}  # of who was there before
    pids.update((name, agent.pid) for name, agent in agents.items())
    json.dump(pids, open("agents.json", "w"))


def wait_for(path):
    until = time.monotonic() + BOUND
    while not os.path.exists(path):
        if time.monotonic() > until:
            fail(f"there is no {path}")
        time.sleep(0.002)


def run_for_both(step):
    """A step that no program takes, but two conductors that work side by side."""
    word, _, path = step.partition(" ")
    if word == "ready":
        print("ready", flush=True)
    elif word == "wait":
        wait_for(path)
    elif word == "make":
        save_agents()
        open(path, "w").close()
    else:
        return False
    return True


def run(step):
    if run_for_both(step):
        return None
    text, _, wanted = step.partition(" = ")
    text, _, captured = text.partition(" -> ")
    name, verb, *words = [numbers.get(word, word) for word in text.split()]
    if verb == "start":
        Agent(name).start(words)
        return agents[name].hello()
    if name not in agents:
        run(f"{name} start")
    agent = agents[name]
    if verb == "exit":
        return agent.end(*words)
    if verb == "stay":  # when all others have ended, too
        return left.append(name)
    other = Agent(words[0]) if verb in ("fork", "spawn") else None
    if verb == "spawn":
        words.insert(1, plan["languages"][other.name])
    agent.tell(" ".join([verb] + words))
    answer, *values = agent.answer()
    if answer != (wanted or "ok"):
        fail(f"{step}: {answer}")
    if captured:
        numbers["$" + captured] = values[0]
    if other:
        other.hello()


for step in plan["steps"]:
    run(step)
save_agents()
if "--hold" in sys.argv:
    if "ready" not in plan["steps"]:
        print("ready", flush=True)
    sys.stdin.read()
for name, agent in agents.items():
    if not agent.ended and name not in left:
        agent.end(0)
sys.exit(highest)
