"""pytest plugin of portwitness: marks tests and how they ended in the trace of the run, and puts
the port races that were found into pytest's own report.

    pytest -p portwitness.pytest --portwitness          records itself
    portwitness run --pytest -- pytest                  is recorded

Without --portwitness, and where nothing is recorded, it does nothing. Linux only, as portwitness is.
"""

import atexit
import ctypes
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

import pytest

STARTS, PASSED, FAILED, SKIPPED = range(4)  # portwitness.h
SEVERITIES = {"hazard": ("error", "hazard"), "error": ("error",), "never": ()}
TEST_KEYS = ("test", "assigned_test", "other_test", "other_assigned_test")
OUR_RUN = "PORTWITNESS_PYTEST"  # "report" or "marks": of `run --pytest`; else the trace that we made
OUR_FOLDER = "portwitness-pytest-"
HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def take_out_of_environment():
    """What `run --pytest` has set is for this process: its children shall not see it."""
    ours = os.environ.pop(OUR_RUN, None)
    if ours in ("report", "marks"):
        folders = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        kept = [folder for folder in folders if os.path.abspath(folder or ".") != HERE]
        if any(kept):
            os.environ["PYTHONPATH"] = os.pathsep.join(kept)
        else:
            os.environ.pop("PYTHONPATH", None)
    return ours


our_run = take_out_of_environment()


def remove_trace(pid):
    """The trace is ours, and of no use: nothing was found, or pytest ended before it could run."""
    if os.getpid() == pid:
        shutil.rmtree(os.path.dirname(our_run), ignore_errors=True)


if os.path.basename(os.path.dirname(our_run or "")).startswith(OUR_FOLDER):
    atexit.register(remove_trace, os.getpid())


def find_mark():
    """The shim's function, None where nothing is recorded."""
    if not os.environ.get("PORTWITNESS_TRACE"):
        return None
    try:
        mark = ctypes.CDLL(None).portwitness_mark
    except (AttributeError, OSError):
        return None
    mark.argtypes = [ctypes.c_char_p, ctypes.c_int]
    mark.restype = ctypes.c_int
    return mark


def find_program():
    """`portwitness` in the PATH, else the one that this plugin was installed or built with."""
    near = [os.path.join(HERE, *parts) for parts in (
        ("..", "portwitness"), ("..", "..", "..", "bin", "portwitness"))]
    found = shutil.which("portwitness") or next(filter(os.path.exists, near), None)
    if found is None:
        raise pytest.UsageError("portwitness: the program is not in the PATH")
    return found


def pytest_addoption(parser):
    group = parser.getgroup("portwitness", "races for ports (portwitness)")
    group.addoption("--portwitness", action="store_true",
                    help="record the ports of this run, and report races for them")
    group.addoption("--portwitness-fail", choices=sorted(SEVERITIES), default="error",
                    help="from which severity on a finding fails the run (default: error)")
    group.addoption("--portwitness-policy", metavar="POLICY", default="kernel",
                    help="which ports the tests get, as for portwitness run")
    group.addoption("--portwitness-trace", metavar="FILE",
                    help="keep the trace there (default: only where something was found)")


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config):
    # Before anything is captured or collected.
    if early_config.known_args_namespace.portwitness and find_mark() is None:
        run_again(early_config)
    yield


def run_again(config):
    """This very command line, recorded."""
    if our_run is not None:
        raise pytest.UsageError("portwitness: this Python cannot be recorded")
    if list(config.invocation_params.args) != sys.argv[1:]:
        raise pytest.UsageError("portwitness: pytest was started by a program: "
                                "start that with portwitness run --pytest")
    with open("/proc/self/cmdline", "rb") as file:
        words = file.read().split(b"\0")[1:-1]
    options = config.known_args_namespace
    trace = options.portwitness_trace or os.path.join(
        tempfile.mkdtemp(prefix=OUR_FOLDER), "trace")
    program = find_program()
    os.environ[OUR_RUN] = trace
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(program, [program, "run", "-q", "-o", trace, "--policy", options.portwitness_policy,
                       "--", sys.executable, *words])


def pytest_configure(config):
    mark = find_mark()
    if mark is None:
        return
    worker = getattr(config, "workerinput", {}).get("workerid")
    config.pluginmanager.register(Marks(mark, worker), "portwitness-marks")
    if worker is None and (config.option.portwitness or our_run not in (None, "marks")):
        config.pluginmanager.register(Report(config), "portwitness-report")


class Marks:
    """Which test runs in this process, and how it ended: each attempt, where tests are rerun."""

    def __init__(self, mark, worker):
        self.mark = mark
        self.behind = f" [{worker}]" if worker else ""
        self.name = None
        self.outcomes = set()

    def start(self, item):
        self.end()
        self.name = (item.nodeid + self.behind).encode("utf-8", "replace")
        self.mark(self.name, STARTS)

    def end(self):
        if self.name is None:
            return
        what = (FAILED if "failed" in self.outcomes else
                SKIPPED if "skipped" in self.outcomes else PASSED)
        self.mark(self.name, what)
        self.name = None
        self.outcomes.clear()

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item):
        self.start(item)
        yield

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self):
        result = yield
        self.outcomes.add(result.get_result().outcome)

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self):
        yield
        self.end()


def node_of(test):
    """pytest's name of a test as it stands in a trace, None where that has none."""
    return re.sub(r"( \((setup|call|teardown)\))?( \[gw\d+\])?$", "", test) if test else None


class Report:
    """What was found, when all tests have ended: in the process that reports, not in workers."""

    def __init__(self, config):
        self.config = config
        self.trace = os.environ["PORTWITNESS_TRACE"]
        self.program = find_program()
        self.findings = []  # (finding, text), those that matter
        self.text = ""
        self.problem = None

    def check(self):
        """The findings as JSON, and as text in the same order."""
        with tempfile.NamedTemporaryFile(suffix=".json") as file:
            text = self.run_check("--all", f"--json={file.name}", "--fail-on=never")
            found = json.load(open(file.name, encoding="utf-8"))["findings"]
        found = [one for one in found if not one["suppressed"] and not one["baseline"]
                 and one["severity"] != "note"]
        blocks = [part.strip("\n") for part in text.split("==================\n")]
        blocks = [part for part in blocks if part.startswith(("ERROR:", "WARNING:"))]
        if len(blocks) != len(found):
            blocks = [f"{one['severity']}: {one['kind']}" for one in found]
        self.findings = list(zip(found, blocks))
        self.text = self.run_check("--fail-on=never") if found else text

    def run_check(self, *options):
        done = subprocess.run([self.program, "check", "--color=never", *options, self.trace],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              errors="replace", check=False)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip() or f"check ended with {done.returncode}")
        return done.stdout

    def of_node(self, nodeid):
        return [(finding, text) for finding, text in self.findings
                if nodeid in {node_of(finding.get(key)) for key in TEST_KEYS}]

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session):
        try:
            self.check()
        except (OSError, ValueError, KeyError, RuntimeError) as problem:
            self.problem = str(problem)
        if self.findings or self.problem is not None:
            atexit.unregister(remove_trace)
        self.put_into_reports()
        fatal = SEVERITIES[self.config.option.portwitness_fail]
        if session.exitstatus == 0 and any(one["severity"] in fatal for one, _ in self.findings):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        yield
        self.put_into_junit_file()

    def put_into_reports(self):
        terminal = self.config.pluginmanager.get_plugin("terminalreporter")
        for reports in terminal.stats.values() if terminal is not None else ():
            for report in reports:
                if getattr(report, "when", None) == "call" or getattr(report, "failed", False):
                    for _, text in self.of_node(getattr(report, "nodeid", "")):
                        report.sections.append(("portwitness", text))

    def put_into_junit_file(self):
        path = getattr(self.config.option, "xmlpath", None)
        path = path and os.path.expanduser(os.path.expandvars(path))
        nodes = {node_of(one.get(key)) for one, _ in self.findings for key in TEST_KEYS} - {None}
        if not path or not nodes or not os.path.isfile(path):
            return
        cases = {self.junit_names(node): node for node in nodes}
        tree = ElementTree.parse(path)
        for case in tree.iter("testcase"):
            node = cases.get((case.get("classname"), case.get("name")))
            for finding, text in self.of_node(node) if node else ():
                put_into_case(case, finding, text)
        tree.write(path, encoding="utf-8", xml_declaration=True)

    def junit_names(self, node):
        """Class and name, as pytest makes them of a node's id."""
        address, bracket, parameters = node.partition("[")
        names = address.split("::")
        names[0] = re.sub(r"\.py$", "", names[0].replace("/", "."))
        names[-1] += bracket + parameters
        prefix = getattr(self.config.option, "junitprefix", None)
        return ".".join(([prefix] if prefix else []) + names[:-1]), names[-1]

    def pytest_terminal_summary(self, terminalreporter):
        terminalreporter.section("portwitness")
        if self.problem is not None:
            terminalreporter.write_line(f"portwitness: {self.problem}", red=True)
            return
        for line in self.text.splitlines():
            if re.match(r"portwitness: [\w ]+: \d+ errors?,", line):
                self.write_verdict(terminalreporter, line)
            elif line.strip("="):
                terminalreporter.write_line(line, red=line.startswith("ERROR:"),
                                            yellow=line.startswith("WARNING:"))
        if self.findings:
            near = os.path.relpath(self.trace)
            trace = self.trace if near.startswith(os.pardir) else near
            terminalreporter.write_line(f"portwitness: the trace is {trace}")

    def write_verdict(self, terminalreporter, line):
        tests = {node_of(one.get(key)) for one, _ in self.findings for key in TEST_KEYS} - {None}
        if tests:
            terminalreporter.write_line("portwitness: tests concerned: " + ", ".join(sorted(tests)))
        terminalreporter.write_line(line)


def put_into_case(case, finding, text):
    properties = case.find("properties")
    if properties is None:
        properties = ElementTree.Element("properties")
        case.insert(0, properties)
    value = f"{finding['severity']}: {finding['kind']} [{finding['cause']}]"
    ElementTree.SubElement(properties, "property", name="portwitness", value=value)
    output = case.find("system-out")
    if output is None:
        output = ElementTree.SubElement(case, "system-out")
    output.text = (output.text + "\n" if output.text else "") + text + "\n"
